#include "missing_inputs.h"

/** Where an input was recorded: how often, its mean, and the sum of squares around it. */
typedef struct recorded_input {
  int64_t n;
  double mean, squares;
} recorded_input;

/** Welford's sums, which lose no digits where the mean is far from 0. */
static recorded_input find_recorded(const double *cue, int64_t width, int64_t n)
{
  recorded_input found = {0};
  for (int64_t t = 0; t < n; t++) {
    const double x = cue[t * width];
    if (isnan(x)) {
      continue;
    }
    found.n++;
    const double from_mean = x - found.mean;
    found.mean += from_mean / (double)found.n;
    found.squares += from_mean * (x - found.mean);
  }
  return found;
}

pf_status missing_inputs_settle(const table_columns *columns, const role_group *inputs,
                                const char *name, int64_t n, recording_steps *values,
                                pf_error *error)
{
  const int64_t width = inputs->width;
  for (int64_t j = 0; j < width; j++) {
    const recorded_input found = find_recorded(values->cue + j, width, n);
    const double sd = found.n > 1 ? sqrt(found.squares / (double)(found.n - 1)) : 0.0;
    for (int64_t t = 0; t < n; t++) {
      double *cue = &values->cue[t * width + j];
      const int missing = isnan(*cue);
      if (missing && found.n < 2) {
        return pf_fail(error, PF_STOP,
                       "%.200s: %s '%.60s' has %lld recorded values, expected two or more to draw "
                       "those that are missing from; set missing_inputs = \"zero\", or leave the "
                       "experiment out",
                       name, columns->files.word, columns->fields[inputs->variables[j]].name,
                       (long long)found.n);
      }
      *cue = missing ? found.mean : *cue;
      values->cue_sd[t * width + j] = missing ? sd : 0.0;
    }
  }
  return PF_OK;
}
