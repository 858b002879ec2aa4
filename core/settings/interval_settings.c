#include "core/settings/interval_settings.h"

#include <string.h>

#define NAME_OF(name) #name,
static const char *const method_names[] = {PF_EACH_INTERVAL_METHOD(NAME_OF)};
/* ", fisher, sandwich, ..." */
#define LISTED(name) ", " #name

const char *pf_interval_method_name(uint32_t method)
{
  return method < PF_N_INTERVAL_METHODS ? method_names[method] : "";
}

uint32_t pf_interval_method_find(const char *name)
{
  uint32_t method = 0;
  while (method < PF_N_INTERVAL_METHODS && strcmp(method_names[method], name) != 0) {
    method++;
  }
  return method;
}

pf_option_table pf_interval_keys(void)
{
#define PF_ROW_STRUCT pf_interval_settings
  static const pf_setting rows[] = {
      PF_ROW_TEXTS(
          words, "intervals.methods", "[\"auto\"]",
          "ways to an interval of every coefficient; theta.csv shows the "
          "first" PF_EACH_INTERVAL_METHOD(LISTED) "; auto: fisher, or profile where data are few, "
                                                  "or sandwich where animals are many; "
                                                  "[]: none"),
      PF_ROW_REAL(level, "intervals.level", "0.95", "1", 0.5, 0.999999, "of the intervals"),
      PF_ROW_CHOICE(cluster, "intervals.cluster", "\"auto\"", "auto|animal|block",
                    "sandwich: what is independent, animals or blocks of trials; auto: animals "
                    "where a fit has several"),
      PF_ROW_INTEGER(block, "intervals.block", "10", "trials", 1, 1e9,
                     "sandwich: trials of a block"),
      PF_ROW_REAL(rank_tolerance, "intervals.rank_tolerance", "1e-11", "1", 0, 0.1,
                  "a direction is not identified where the scaled information has no larger "
                  "eigenvalue"),
      PF_ROW_CHOICE(bootstrap_of, "intervals.bootstrap.of", "\"auto\"", "auto|animals|parametric",
                    "bootstrap: what is drawn anew: animals, or what each did by the fitted rule; "
                    "auto: animals from 10 on"),
      PF_ROW_INTEGER(resamples, "intervals.bootstrap.resamples", "200", "1", 20, 1e6,
                     "bootstrap: refits"),
      PF_ROW_CHOICE(percentile, "intervals.bootstrap.interval", "\"studentised\"",
                    "studentised|percentile",
                    "bootstrap: quantiles of (refit - estimate) / standard error, or of the refits "
                    "themselves"),
      PF_ROW_INTEGER(max_values, "intervals.max_values", "300", "values", 0, 1e5,
                     "nothing is inferred about fits of more values: time and memory grow with "
                     "their square"),
  };
#undef PF_ROW_STRUCT
  return PF_ROWS(rows);
}

pf_status pf_interval_read_methods(pf_interval_settings *settings, pf_error *error)
{
  for (size_t i = 0; i < settings->words.count; i++) {
    const char *word = settings->words.items[i];
    const bool automatic = strcmp(word, "auto") == 0;
    const uint32_t method = automatic ? 0 : pf_interval_method_find(word);
    if (method == PF_N_INTERVAL_METHODS) {
      return pf_fail(
          error, PF_STOP,
          "intervals.methods: there is no method '%s'; choose of auto" PF_EACH_INTERVAL_METHOD(
              LISTED),
          word);
    }
    settings->automatic |= automatic;
    settings->methods[method] = true;
    if (i == 0) {
      settings->main = method;
    }
  }
  return PF_OK;
}
