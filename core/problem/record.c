#include "core/problem/record.h"

#include "core/base/memory.h"
#include "core/base/random.h"
#include "core/data/data_names.h"

#include <math.h>
#include <string.h>

/** sd of column i over the run. */
static double sd_of(const pf_record *record, int64_t n_steps, int64_t i)
{
  double mean = 0.0, squares = 0.0;
  for (int64_t t = 0; t < n_steps; t++) {
    mean += record->values[t * record->n + i] / (double)n_steps;
  }
  for (int64_t t = 0; t < n_steps; t++) {
    const double off = record->values[t * record->n + i] - mean;
    squares += off * off / (double)n_steps;
  }
  return sqrt(squares);
}

static pf_status add_noise(pf_record *record, int64_t n_steps, double share, pf_stream stream,
                           pf_error *error)
{
  double *noise = pf_memory_need((size_t)n_steps, sizeof *noise, error);
  if (noise == NULL) {
    return PF_STOP;
  }
  for (int64_t i = 0; i < record->n; i++) {
    const double sd = share * sd_of(record, n_steps, i);
    pf_random_normal(stream, (uint64_t)(i * n_steps), n_steps, noise);
    for (int64_t t = 0; t < n_steps; t++) {
      record->values[t * record->n + i] += sd * noise[t];
    }
  }
  pf_memory_free(noise);
  return PF_OK;
}

static double rate_of(const pf_record_settings *how, double activity)
{
  const double a = how->gain * activity + how->baseline;
  switch (how->counts) {
  case PF_RECORD_COUNTS_EXP:
    return exp(a);
  case PF_RECORD_COUNTS_SOFTPLUS:
    return a > 0.0 ? a + log1p(exp(-a)) : log1p(exp(a));
  default:
    return a;
  }
}

/** Spike counts in the place of the activities. */
static pf_status count_spikes(pf_record *record, int64_t n_steps, const pf_record_settings *how,
                              pf_stream stream, pf_error *error)
{
  enum { MAX = 1000000 };
  for (int64_t k = 0; k < n_steps * record->n; k++) {
    double uniform;
    const double rate = rate_of(how, record->values[k]);
    if (!(rate >= 0.0 && rate <= MAX)) {
      return pf_fail(
          error, PF_STOP,
          "source.record.counts: an activity of %g gives an expected count of %g; expected 0 to %d "
          "(link "
          "\"exp\" takes activities below 0 too; record.gain and record.baseline scale them)",
          record->values[k], rate, (int)MAX);
    }
    pf_random_uniform(stream, (uint64_t)k, 1, &uniform);
    record->values[k] = (double)pf_random_poisson(rate, uniform);
  }
  return PF_OK;
}

/** Keep the n_kept units with the smallest of as many uniform numbers; the others were not
 * recorded. */
static pf_status leave_out(pf_record *record, int64_t n_steps, int64_t n_kept, pf_stream stream,
                           pf_error *error)
{
  double *uniform = pf_memory_need((size_t)record->n, sizeof *uniform, error);
  if (uniform == NULL) {
    return PF_STOP;
  }
  pf_random_uniform(stream, 0, record->n, uniform);
  for (int64_t i = 0; i < record->n; i++) {
    int64_t before = 0;
    for (int64_t k = 0; k < record->n; k++) {
      /* cppcheck-suppress arrayIndexThenCheck ; `k < i` orders equals and guards nothing */
      before += uniform[k] < uniform[i] || (uniform[k] == uniform[i] && k < i);
    }
    if (before < n_kept) {
      continue;
    }
    for (int64_t t = 0; t < n_steps; t++) {
      record->values[t * record->n + i] = NAN;
    }
  }
  pf_memory_free(uniform);
  return PF_OK;
}

/** Number k of the recording's targets. */
static pf_status record_target(const pf_record_settings *how, pf_stream stream,
                               pf_recording *recording, size_t k, pf_error *error)
{
  pf_record *record = &recording->targets[k];
  const int64_t n_steps = recording->n_steps;
  stream.purpose = PF_RANDOM_RECORD_NOISE;
  stream.draw = (uint32_t)k;
  if (how->noise > 0.0 && add_noise(record, n_steps, how->noise, stream, error) != PF_OK) {
    return PF_STOP;
  }
  if (how->counts != PF_RECORD_ACTIVITY &&
      count_spikes(record, n_steps, how, stream, error) != PF_OK) {
    return PF_STOP;
  }
  if (!(how->fraction < 1.0)) {
    return PF_OK;
  }
  const int64_t n_kept = (int64_t)llround(how->fraction * (double)record->n);
  stream.purpose = PF_RANDOM_RECORD_UNITS;
  if (how->once != 0) {
    stream.animal = 0;
  }
  return leave_out(record, n_steps, n_kept > 1 ? n_kept : 1, stream, error);
}

pf_status pf_record_worse(const pf_record_settings *settings, uint64_t seed, int64_t index,
                          pf_recording *recording, pf_error *error)
{
  const pf_stream stream = {.seed = seed, .animal = (uint32_t)index};
  for (size_t k = 0; k < recording->n_targets; k++) {
    if (!pf_is_choice(recording->targets[k].name) &&
        record_target(settings, stream, recording, k, error) != PF_OK) {
      return PF_STOP;
    }
  }
  return PF_OK;
}
