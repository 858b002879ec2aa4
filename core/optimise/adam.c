#include "core/optimise/adam.h"
#include "core/base/memory.h"
#include <math.h>

struct pf_adam {
  pf_adam_settings settings;
  const double *lower, *upper; /* [n], the caller's */
  size_t n;
  double *m, *v; /* [n] first and second moments */
  int64_t t;     /* steps taken */
};

pf_adam_settings pf_adam_defaults(void)
{
  return (pf_adam_settings){.learning_rate = 1e-3, .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8};
}

pf_status pf_adam_create(const pf_adam_settings *settings, const double *lower, const double *upper,
                         size_t n, pf_adam **out, pf_error *error)
{
  pf_adam *adam = pf_memory_need(1, sizeof *adam, error);
  if (adam == NULL) {
    return PF_STOP;
  }
  *adam = (pf_adam){.settings = *settings, .lower = lower, .upper = upper, .n = n};
  adam->m = pf_memory_need(n, sizeof *adam->m, error);
  adam->v = pf_memory_need(n, sizeof *adam->v, error);
  if (adam->m == NULL || adam->v == NULL) {
    pf_adam_free(adam);
    return PF_STOP;
  }
  *out = adam;
  return PF_OK;
}

static double clip(double value, double lower, double upper)
{
  if (isfinite(lower) && value < lower) {
    return lower;
  }
  if (isfinite(upper) && value > upper) {
    return upper;
  }
  return value;
}

void pf_adam_step(pf_adam *adam, double *theta, const double *gradient)
{
  const pf_adam_settings *s = &adam->settings;
  adam->t++;
  const double correction1 = 1.0 - pow(s->beta1, (double)adam->t);
  const double correction2 = 1.0 - pow(s->beta2, (double)adam->t);
  for (size_t i = 0; i < adam->n; i++) {
    const double g = gradient[i];
    adam->m[i] = (1.0 - s->beta1) * g + s->beta1 * adam->m[i];
    adam->v[i] = (1.0 - s->beta2) * (g * g) + s->beta2 * adam->v[i];
    const double step = (adam->m[i] / correction1) / (sqrt(adam->v[i] / correction2) + s->epsilon);
    theta[i] = clip(theta[i] - s->learning_rate * step, adam->lower[i], adam->upper[i]);
  }
}

void pf_adam_free(pf_adam *adam)
{
  if (adam != NULL) {
    pf_memory_free(adam->m);
    pf_memory_free(adam->v);
    pf_memory_free(adam);
  }
}
