/* The group `intervals`: what is inferred of a fit. */
#include "core/problem/build.h"

#include <string.h>

/* The words of enum pf_interval_method; those that a config may ask for. */
static const char *const words[] = {"fisher", "sandwich", "profile", "bootstrap"};

const char *pf_interval_method_name(uint32_t method)
{
  return method < sizeof words / sizeof words[0] ? words[method] : "";
}

static pf_status read_methods(pf_interval_settings *to, const pf_options *options, pf_error *error)
{
  const size_t n_words = sizeof words / sizeof words[0];
  for (int64_t i = 0; i < options->length(options, "intervals.methods"); i++) {
    const char *word = options->string_at(options, "intervals.methods", i);
    size_t k = 0;
    if (strcmp(word, "auto") == 0) {
      to->automatic = true;
      word = words[PF_INTERVAL_FISHER];
    }
    while (k < n_words && strcmp(words[k], word) != 0) {
      k++;
    }
    if (k == n_words) {
      return pf_fail(error, PF_STOP,
                     "intervals.methods: there is no method '%s'; choose of auto, fisher, "
                     "sandwich, profile, bootstrap",
                     word);
    }
    to->methods[k] = true;
    to->main = i == 0 ? (uint32_t)k : to->main;
  }
  return PF_OK;
}

pf_status pf_build_intervals(pf_problem *problem, const pf_view *view, pf_error *error)
{
  const pf_options *options = pf_view_options(view);
  pf_interval_settings *to = &problem->settings->intervals;
  problem->settings->recover.data_sets = options->integer(options, "recover.data_sets");
  const char *cluster = options->string(options, "intervals.cluster");
  to->level = options->real(options, "intervals.level");
  to->cluster = strcmp(cluster, "animal") == 0  ? PF_CLUSTER_ANIMAL
                : strcmp(cluster, "block") == 0 ? PF_CLUSTER_BLOCK
                                                : PF_CLUSTER_AUTO;
  to->block = options->integer(options, "intervals.block");
  to->rank_tolerance = options->real(options, "intervals.rank_tolerance");
  const char *of = options->string(options, "intervals.bootstrap.of");
  to->bootstrap_of = strcmp(of, "animals") == 0      ? PF_BOOTSTRAP_ANIMALS
                     : strcmp(of, "parametric") == 0 ? PF_BOOTSTRAP_PARAMETRIC
                                                     : PF_BOOTSTRAP_AUTO;
  to->studentised =
      strcmp(options->string(options, "intervals.bootstrap.interval"), "studentised") == 0;
  to->resamples = options->integer(options, "intervals.bootstrap.resamples");
  to->max_values = options->integer(options, "intervals.max_values");
  const pf_status status = read_methods(to, options, error);
  if (status != PF_OK) {
    pf_error_locate(error, problem->config, pf_view_node(view, "intervals.methods"));
  }
  return status;
}
