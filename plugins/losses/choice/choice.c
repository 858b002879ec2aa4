/*
 * choice - Bernoulli log likelihood of a choice c from the network's logit, per step:
 *
 *     P(c = 1) = lapse / 2 + (1 - lapse) sigmoid(l),   l = logit + bias
 *
 * With m = (1 - 2 c) l, the probability of what was chosen is q = lapse / 2 + (1 - lapse)
 * sigmoid(-m), and ll = log q. Without lapses that is
 *
 *     ll = c l - log(1 + exp(l)) = -log(1 + exp(m))
 *
 * of which the second form is what is computed: it neither overflows nor cancels, and
 * d ll / d l = (2 c - 1) sigmoid(m) keeps its relative accuracy at both ends. bias (a preference
 * for one side) and lapse (the share of choices made by tossing a coin) are parameters, fixed at 0
 * unless the config frees them.
 */
#include "../../common/activation.h"
#include <math.h>
#include <plastfit/abi/plugin.h>

static const char *const choice_observables[] = {"logit"};
static const char *const choice_targets[] = {"choice"};

enum { CHOICE_BIAS, CHOICE_LAPSE, CHOICE_N_PARAMETERS };
static const pf_parameter choice_parameters[CHOICE_N_PARAMETERS] = {
    {.name = "bias",
     .unit = "1",
     .lower = -INFINITY,
     .upper = INFINITY,
     .flags = PF_PARAMETER_FIXED,
     .help = "side preference: added to the logit"},
    {.name = "lapse",
     .unit = "1",
     .lower = 0.0,
     .upper = 0.999,
     .flags = PF_PARAMETER_FIXED,
     .help = "share of choices made by chance: P = lapse / 2 + (1 - lapse) sigmoid(logit + bias)"},
};

/* No options, hence no content; an object all the same, so that `create` has something to return.
 */
typedef struct choice_loss {
  const pf_host *host;
} choice_loss;

static pf_status choice_create(const pf_host *host, const pf_options *options, void **self,
                               pf_error *error)
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

static pf_status choice_declare(const void *self, pf_loss_declaration *declared, pf_error *error)
{
  (void)self;
  (void)error;
  declared->parameters = (pf_parameter_table)PF_TABLE_OF(choice_parameters);
  declared->observables = (pf_names)PF_NAMES_OF(choice_observables);
  declared->targets = (pf_names)PF_NAMES_OF(choice_targets);
  declared->padded = -0.69314718055994530942; /* logit 0, so ln 1/2, as in the reference */
  declared->n_null_sums = 2;
  declared->flags = (uint32_t)PF_LOSS_LIKELIHOOD | (uint32_t)PF_LOSS_SEPARABLE_BY_UNIT;
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
  double m[CHOICE_TILE];    /**< (1 - 2 c) (logit + bias); 0 where the step does not count */
  double sign[CHOICE_TILE]; /**< 2 c - 1; 0 where the step does not count */
  int64_t padded;           /**< steps rounded up to whole vectors */
} choice_tile;

/** Is c a recorded choice of a step that is scored? */
PF_INLINE int choice_counts(const pf_loss_in *in, int64_t t, double c)
{
  return !isnan(c) && (in->scored == NULL || in->scored[t] != 0);
}

PF_INLINE pf_status choice_gather(const pf_loss_in *in, int64_t t0, int64_t n, choice_tile *tile,
                                  pf_error *error)
{
  const double bias = in->theta[CHOICE_BIAS];
  tile->padded = (n + CHOICE_LANES - 1) / CHOICE_LANES * CHOICE_LANES;
  for (int64_t k = 0; k < n; k++) {
    const int64_t t = t0 + k;
    const double c = (double)in->target[0][t * in->ld_target[0]];
    const double l = (double)in->observable[0][t * in->ld_observable[0]] + bias;
    if (!choice_counts(in, t, c)) {
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

/** m becomes the log likelihood. */
PF_INLINE void choice_log_likelihood(double lapse, choice_tile *tile)
{
  if (lapse == 0.0) {
#pragma omp simd
    for (int64_t k = 0; k < tile->padded; k++) {
      tile->m[k] = -pf_softplus(tile->m[k]);
    }
    return;
  }
#pragma omp simd
  for (int64_t k = 0; k < tile->padded; k++) {
    tile->m[k] = 0.5 * lapse + (1.0 - lapse) * pf_sigmoid_double(-tile->m[k]);
  }
  for (int64_t k = 0; k < tile->padded; k++) {
    tile->m[k] = log(tile->m[k]);
  }
}

/** m becomes d ll / d m, without its sign; lapse_slope: d ll / d lapse, or NULL. */
PF_INLINE void choice_slopes(double lapse, choice_tile *tile, double *lapse_slope)
{
  for (int64_t k = 0; k < tile->padded && lapse_slope != NULL; k++) {
    const double chosen = pf_sigmoid_double(-tile->m[k]);
    /* without lapses 1 / chosen = 1 + exp(m); beyond 600 it stands for "very steep" and stays
     * finite */
    lapse_slope[k] = lapse == 0.0 ? 0.5 * (exp(tile->m[k] < 600.0 ? tile->m[k] : 600.0) - 1.0)
                                  : (0.5 - chosen) / (0.5 * lapse + (1.0 - lapse) * chosen);
  }
  if (lapse == 0.0) {
#pragma omp simd
    for (int64_t k = 0; k < tile->padded; k++) {
      tile->m[k] = pf_sigmoid_double(tile->m[k]);
    }
    return;
  }
#pragma omp simd
  for (int64_t k = 0; k < tile->padded; k++) {
    const double chosen = pf_sigmoid_double(-tile->m[k]);
    tile->m[k] = (1.0 - lapse) * chosen * pf_sigmoid_double(tile->m[k]) /
                 (0.5 * lapse + (1.0 - lapse) * chosen);
  }
}

/* ---- mean rate: a constant probability ---- */

/** null_sums: how often each choice was made, 0 and 1. */
static pf_status choice_null_accumulate(const void *self, const pf_loss_in *in, double *null_sums,
                                        pf_error *error)
{
  (void)self;
  if (in->n_target[0] != 1) {
    return pf_fail(error, PF_STOP, "one choice a step was expected, but there are %lld",
                   (long long)in->n_target[0]);
  }
  for (int64_t t = 0; t < in->n_steps; t++) {
    const double c = (double)in->target[0][t * in->ld_target[0]];
    if (choice_counts(in, t, c)) {
      null_sums[0] += 1.0 - c;
      null_sums[1] += c;
    }
  }
  return PF_OK;
}

static pf_status choice_null_evaluate(const void *self, const pf_loss_in *in,
                                      const double *null_sums, double *log_likelihood,
                                      pf_error *error)
{
  const double p = null_sums[1] / (null_sums[0] + null_sums[1]);
  const int exists = p > 0.0 && p < 1.0;
  const double of_0 = exists ? log1p(-p) : (double)NAN, of_1 = exists ? log(p) : (double)NAN;
  (void)self;
  (void)error;
  for (int64_t t = 0; t < in->n_steps; t++) {
    const double c = (double)in->target[0][t * in->ld_target[0]];
    log_likelihood[t] = choice_counts(in, t, c) ? (1.0 - c) * of_0 + c * of_1 : 0.0;
  }
  return PF_OK;
}

#define PF_ISA baseline
#include "choice_ops.h"
#ifdef PF_ISA_HAS_AVX2
#define PF_ISA avx2
#include "choice_ops.h"
#endif

PF_PLUGIN_ENTRY(choice)
{
  return PF_ISA_CHOOSE(choice_plugin);
}
