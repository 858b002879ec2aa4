#include "core/settings/fit_settings.h"

#include "core/optimise/optimiser.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define PF_FIT_PER_WORDS "animal|shared|population"

const char *pf_fit_per_word(uint32_t per)
{
  static const char *const words[] = {"animal", "shared", "population"};
  return per < sizeof words / sizeof words[0] ? words[per] : "";
}

pf_option_table pf_fit_keys(void)
{
#define PF_ROW_STRUCT pf_fit_settings
  static const pf_setting rows[] = {
      PF_ROW_TEXT(
          l1_text, "penalty.l1", NULL,
          "adds l1 * sum |theta| over the rules' free parameters; \"auto\": which terms are "
          "left is chosen by held-out animals or blocks of the fitted data, and they are "
          "fitted without it. Left out: auto where rules have more than 30 terms (not "
          "adam), else 0"),
      PF_ROW_REAL(adam_l1, "penalty.adam_l1", "0.0", "1", 0, INFINITY,
                  "adam: penalty.l1 where that is left out"),
      PF_ROW_REAL(l2, "penalty.l2", "0.0", "1", 0, INFINITY, "adds l2 * sum theta^2 over the same"),
      PF_ROW_CHOICE(per, "fit.per", "\"animal\"", PF_FIT_PER_WORDS,
                    "a theta for every animal, one for all, or one for each drawn from a "
                    "population (core/population)"),
      PF_ROW_WORD(optimiser, "fit.optimiser", "\"lm\"", PF_OPTIMISER_CHOICES, PF_OPTIMISER_HELP),
      PF_ROW_INTEGER(iterations, "fit.iterations", "200", "1", 0, 1000000000,
                     "most iterations (adam makes `epochs` passes instead)"),
      PF_ROW_INTEGER(evaluations, "fit.evaluations", "0", "1", 0, 1e15,
                     "most evaluations of the objective; 0: no limit (not adam)"),
      PF_ROW_REAL(tolerance_nats, "fit.tolerance.nats", "1e-8", "1", 0, 1,
                  "converged when another step is predicted to raise the log likelihood by no more "
                  "nats (not adam)"),
      PF_ROW_INTEGER(starts, "fit.starts", "0", "1", 0, 1000000,
                     "most starts of each fit, the best is kept: the usual one, the others spread; "
                     "no more once the best optimum was found `fit.found` times. 0: 20, 40 where "
                     "data are few (1,000 steps of all draws), but 1 for adam and for more than "
                     "100 values; adam makes all that are asked for"),
      PF_ROW_INTEGER(found, "fit.found", "0", "1", 0, 1000000,
                     "starts end once so many of them ended at the best optimum (within 0.01 "
                     "nats); as many as fit.starts: all are made. 0: 3, 8 where data are few"),
      PF_ROW_REAL(spread, "fit.spread", "1.0", "1", 0, INFINITY,
                  "how far the other starts are from the usual one: times the change of a "
                  "parameter that by itself moves a typical prediction by its own spread"),
      PF_ROW_REAL(learning_rate, "fit.learning_rate", "1e-3", "1", 0, INFINITY, "adam: step size"),
      PF_ROW_REAL(beta1, "fit.beta1", "0.9", "1", 0, 0.999999999,
                  "adam: decay of the first moment"),
      PF_ROW_REAL(beta2, "fit.beta2", "0.999", "1", 0, 0.999999999,
                  "adam: decay of the second moment"),
      PF_ROW_REAL(epsilon, "fit.epsilon", "1e-8", "1", 0, INFINITY,
                  "adam: added to the root of the second moment"),
      PF_ROW_INTEGER(epochs, "fit.epochs", "250", "1", 0, 1000000000,
                     "adam: passes over the data: 250 means 250 (the reference's num_epochs = 250 "
                     "makes 251)"),
      PF_ROW_CHOICE(batch, "fit.batch", "\"draw\"", "draw|full",
                    "adam: one step per draw, in order, as the reference; or one per pass over all "
                    "draws (the others: all)"),
      PF_ROW_INTEGER(log_every, "fit.log_every", "10", "1", 1, INFINITY,
                     "adam: passes between rows of fit.csv (the others: a row for each iteration)"),
      PF_ROW_PATH(warm_path, "init.theta",
                  "theta.csv of an earlier run, from whose estimates the fit starts"),
  };
#undef PF_ROW_STRUCT
  return PF_ROWS(rows);
}

pf_status pf_fit_read_l1(pf_fit_settings *settings, pf_error *error)
{
  const char *text = settings->l1_text;
  const pf_optimiser *optimiser =
      settings->optimiser == NULL ? NULL : pf_optimiser_find(settings->optimiser);
  const bool fixed_passes = optimiser != NULL && optimiser->fixed_passes;
  char *end = NULL;
  settings->l1 = text == NULL && fixed_passes ? settings->adam_l1 : 0.0;
  settings->asks_auto = text != NULL && strcmp(text, "auto") == 0;
  if (settings->asks_auto && fixed_passes) {
    return pf_fail(error, PF_STOP,
                   "penalty.l1: \"auto\" chooses by fits that arrive, and the passes of %s do not; "
                   "give a number, or fit with fit.optimiser=lm",
                   settings->optimiser);
  }
  if (text == NULL || settings->asks_auto) {
    return PF_OK;
  }
  settings->l1 = strtod(text, &end);
  if (end == text || *end != '\0' || !(settings->l1 >= 0.0) || isinf(settings->l1)) {
    return pf_fail(error, PF_STOP, "penalty.l1: found %.60s, expected 0 or more, or \"auto\"",
                   text);
  }
  return PF_OK;
}
