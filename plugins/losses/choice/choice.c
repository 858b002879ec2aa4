/*
 * choice - Bernoulli log likelihood of a choice c from its logit l, per step:
 *
 *     ll = c l - log(1 + exp(l)) = -log(1 + exp(m)),   m = (1 - 2 c) l
 *
 * The second form is what is computed: it neither overflows nor cancels, and
 * d ll / d l = (2 c - 1) sigmoid(m) keeps its relative accuracy at both ends.
 */
#include "../../common/activation.h"
#include <math.h>
#include <plastfit/abi/plugin.h>

static const char *const choice_observables[] = {"logit"};
static const char *const choice_targets[] = {"choice"};

/* No options and no parameters, hence no content; an object all the same, so that `create` has something to return. */
typedef struct choice_loss {
  const pf_host *host;
} choice_loss;

static pf_status choice_create(const pf_host *host, const pf_options *options, void **self, pf_error *error)
{
  (void)options;
  choice_loss *loss = host->allocate(host, sizeof *loss);
  if (loss == NULL) {
    return pf_fail(error, PF_STOP, "out of memory for a loss");
  }
  loss->host = host;
  *self = loss;
  return PF_OK;
}

static void choice_destroy(void *self)
{
  choice_loss *loss = self;
  if (loss != NULL) {
    loss->host->release(loss->host, loss);
  }
}

static pf_status choice_needs(const void *self, pf_loss_needs *needs, pf_error *error)
{
  (void)self;
  (void)error;
  needs->parameters = (pf_parameter_table){NULL, 0, sizeof(pf_parameter)};
  needs->observables = (pf_names)PF_NAMES_OF(choice_observables);
  needs->targets = (pf_names)PF_NAMES_OF(choice_targets);
  needs->padded = -0.69314718055994530942; /* logit 0, so ln 1/2, as in the reference */
  needs->flags = (uint32_t)PF_LOSS_LIKELIHOOD | (uint32_t)PF_LOSS_SEPARABLE_BY_UNIT;
  return PF_OK;
}

static pf_status choice_check(const pf_loss_in *in, pf_error *error)
{
  if (in->n_observable[0] != 1 || in->n_target[0] != 1) {
    return pf_fail(error, PF_STOP,
                   "one logit and one choice a step were expected, but there are %lld and %lld; "
                   "the network's last layer must have 1 unit",
                   (long long)in->n_observable[0], (long long)in->n_target[0]);
  }
  return PF_OK;
}

/* Steps are taken in tiles: gathered, computed without branches, handed out. */
enum { CHOICE_TILE = 128, CHOICE_LANES = 8 };

typedef struct choice_tile {
  double m[CHOICE_TILE];    /**< (1 - 2 c) l; 0 where the step does not count */
  double sign[CHOICE_TILE]; /**< 2 c - 1; 0 where the step does not count */
  int64_t padded;           /**< steps rounded up to whole vectors */
} choice_tile;

PF_INLINE pf_status choice_gather(const pf_loss_in *in, int64_t t0, int64_t n, choice_tile *tile, pf_error *error)
{
  tile->padded = (n + CHOICE_LANES - 1) / CHOICE_LANES * CHOICE_LANES;
  for (int64_t k = 0; k < n; k++) {
    const int64_t t = t0 + k;
    const double c = (double)in->target[0][t * in->ld_target[0]];
    const double l = (double)in->observable[0][t * in->ld_observable[0]];
    if (isnan(c) || (in->scored != NULL && in->scored[t] == 0)) {
      tile->sign[k] = 0.0;
      tile->m[k] = 0.0;
    } else if (c == 0.0 || c == 1.0) {
      tile->sign[k] = 2.0 * c - 1.0;
      tile->m[k] = c == 1.0 ? -l : l;
    } else {
      return pf_fail(error, PF_STOP, "choice %g; expected 0, 1, or NaN where none was recorded", c);
    }
  }
  for (int64_t k = n; k < tile->padded; k++) {
    tile->sign[k] = 0.0;
    tile->m[k] = 0.0;
  }
  return PF_OK;
}

PF_INLINE pf_status choice_evaluate(const pf_loss_in *in, double *log_likelihood, int64_t *count, pf_error *error)
{
  if (choice_check(in, error) != PF_OK) {
    return PF_STOP;
  }
  choice_tile tile;
  for (int64_t t0 = 0; t0 < in->n_steps; t0 += CHOICE_TILE) {
    const int64_t n = in->n_steps - t0 < CHOICE_TILE ? in->n_steps - t0 : CHOICE_TILE;
    if (choice_gather(in, t0, n, &tile, error) != PF_OK) {
      return PF_STOP;
    }
#pragma omp simd
    for (int64_t k = 0; k < tile.padded; k++) {
      tile.m[k] = -pf_softplus(tile.m[k]);
    }
    for (int64_t k = 0; k < n; k++) {
      const int counts = tile.sign[k] != 0.0;
      log_likelihood[t0 + k] = counts ? tile.m[k] : 0.0;
      count[t0 + k] = counts;
    }
  }
  return PF_OK;
}

PF_INLINE pf_status choice_vjp(const pf_loss_in *in, const double *cotangent, const pf_loss_gradient *gradient,
                               pf_error *error)
{
  if (choice_check(in, error) != PF_OK) {
    return PF_STOP;
  }
  pf_real *d_logit = gradient->observable == NULL ? NULL : gradient->observable[0];
  if (d_logit == NULL) {
    return PF_OK;
  }
  choice_tile tile;
  for (int64_t t0 = 0; t0 < in->n_steps; t0 += CHOICE_TILE) {
    const int64_t n = in->n_steps - t0 < CHOICE_TILE ? in->n_steps - t0 : CHOICE_TILE;
    if (choice_gather(in, t0, n, &tile, error) != PF_OK) {
      return PF_STOP;
    }
#pragma omp simd
    for (int64_t k = 0; k < tile.padded; k++) {
      tile.m[k] = tile.sign[k] * pf_sigmoid_double(tile.m[k]);
    }
    for (int64_t k = 0; k < n; k++) {
      if (tile.sign[k] != 0.0) {
        d_logit[(t0 + k) * gradient->ld_observable[0]] += (pf_real)(cotangent[t0 + k] * tile.m[k]);
      }
    }
  }
  return PF_OK;
}

PF_INLINE pf_status choice_curvature(const pf_loss_in *in, pf_real *curvature, int64_t ld, pf_error *error)
{
  if (choice_check(in, error) != PF_OK) {
    return PF_STOP;
  }
  choice_tile tile;
  for (int64_t t0 = 0; t0 < in->n_steps; t0 += CHOICE_TILE) {
    const int64_t n = in->n_steps - t0 < CHOICE_TILE ? in->n_steps - t0 : CHOICE_TILE;
    if (choice_gather(in, t0, n, &tile, error) != PF_OK) {
      return PF_STOP;
    }
#pragma omp simd
    for (int64_t k = 0; k < tile.padded; k++) {
      tile.m[k] = pf_sigmoid_double(tile.m[k]) * pf_sigmoid_double(-tile.m[k]); /* p (1 - p), the same for -m */
    }
    for (int64_t k = 0; k < n; k++) {
      curvature[(t0 + k) * ld] = (pf_real)(tile.sign[k] != 0.0 ? tile.m[k] : 0.0);
    }
  }
  return PF_OK;
}

#define CHOICE_VARIANT(suffix, attribute)                                                                            \
  attribute static pf_status choice_evaluate##suffix(const void *self, const pf_loss_in *in, double *log_likelihood, \
                                                     int64_t *count, pf_error *error)                                \
  {                                                                                                                  \
    (void)self;                                                                                                      \
    return choice_evaluate(in, log_likelihood, count, error);                                                        \
  }                                                                                                                  \
  attribute static pf_status choice_vjp##suffix(const void *self, const pf_loss_in *in, const double *cotangent,     \
                                                const pf_loss_gradient *gradient, pf_error *error)                   \
  {                                                                                                                  \
    (void)self;                                                                                                      \
    return choice_vjp(in, cotangent, gradient, error);                                                               \
  }                                                                                                                  \
  attribute static pf_status choice_curvature##suffix(const void *self, const pf_loss_in *in, pf_real *curvature,    \
                                                      int64_t ld, pf_error *error)                                   \
  {                                                                                                                  \
    (void)self;                                                                                                      \
    return choice_curvature(in, curvature, ld, error);                                                               \
  }                                                                                                                  \
  static const pf_loss_ops choice_ops##suffix = {                                                                    \
      .size = sizeof(pf_loss_ops),                                                                                   \
      .create = choice_create,                                                                                       \
      .destroy = choice_destroy,                                                                                     \
      .needs = choice_needs,                                                                                         \
      .evaluate = choice_evaluate##suffix,                                                                           \
      .vjp = choice_vjp##suffix,                                                                                     \
      .curvature = choice_curvature##suffix,                                                                         \
  };                                                                                                                 \
  static const pf_plugin choice_plugin##suffix = {                                                                   \
      PF_PLUGIN_HEAD(PF_KIND_LOSS),                                                                                  \
      .name = "choice",                                                                                              \
      .version = "1.0",                                                                                              \
      .summary = "log likelihood of choices: c l - log(1 + exp(l)), l the logit",                                    \
      .options = {NULL, 0, sizeof(pf_option)},                                                                       \
      .loss = &choice_ops##suffix,                                                                                   \
  };
PF_FOR_EACH_ISA(CHOICE_VARIANT)

PF_PLUGIN_ENTRY(choice)
{
  return PF_CHOOSE(choice_plugin);
}
