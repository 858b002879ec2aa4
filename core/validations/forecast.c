/* The first trials of each experiment are fitted, the rest are scored. */
#include "core/validations/step_masks.h"
#include "core/validations/validations.h"

static const pf_option fraction = {
    .name = "forecast.fit",
    .type = PF_TYPE_REAL,
    .fallback = "0.75",
    .unit = "1",
    .lower = 0.01,
    .upper = 0.99,
    .help = "fraction of each experiment's trials that a forecast fits; the others are scored"};

/** Trials are rounded down, but at least one is fitted and one scored. */
static pf_status mask_forecast(const pf_recording *recording, const pf_folds *folds, int64_t fold,
                               uint32_t *flags, pf_error *error)
{
  const int64_t n = pf_count_trials(recording);
  (void)fold;
  if (n < 2) {
    return pf_fail(error, PF_POINT_FAILED,
                   "%s has %lld trial%s; a forecast needs at least one to fit and one to score",
                   recording->name, (long long)n, n == 1 ? "" : "s");
  }
  /* 1e-9: a product such as 0.7 * 10 may lie a rounding below the whole number that is meant */
  int64_t n_fit = (int64_t)(folds->value * (double)n + 1e-9);
  n_fit = n_fit < 1 ? 1 : n_fit;
  n_fit = n_fit > n - 1 ? n - 1 : n_fit;
  int64_t trial = -1;
  for (int64_t t = 0; t < recording->n_steps; t++) {
    trial += pf_starts_trial(recording, t) ? 1 : 0;
    flags[t] = recording->flags[t] & ~(uint32_t)(trial < n_fit ? PF_STEP_SCORE : PF_STEP_FIT);
  }
  return PF_OK;
}

static void describe_forecast(const pf_folds *folds, pf_text *text)
{
  pf_text_add(text, "fits the first %.0f %% of each experiment's trials, scores the rest",
              100.0 * folds->value);
}

const pf_validation pf_forecast = {.name = "forecast",
                                   .held_out = true,
                                   .option = &fraction,
                                   .mask = mask_forecast,
                                   .describe = describe_forecast};
