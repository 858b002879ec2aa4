/*
 * A loss and its mutants (rule.c says how they work): choices c,
 *
 *     ll = c l - log(1 + exp(l)), per unit, summed over units
 */
#include <math.h>
#include <plastfit/abi/plugin.h>

#ifndef MUTANT
#define MUTANT 0
#endif
#define IF(n, broken, right) (MUTANT == (n) ? (broken) : (right))

typedef struct loss {
  const pf_host *host;
} loss;

static const char *const observables[1] = {"logit"}, *const targets[1] = {"choice"};

static pf_status create(const pf_host *host, const pf_options *options, void **out, pf_error *error)
{
  loss *self = host->allocate(host, sizeof *self);
  (void)options;
  if (self == NULL) {
    return pf_fail(error, PF_STOP, "no memory for the loss");
  }
  self->host = host;
  *out = self;
  return PF_OK;
}

static void destroy(void *object)
{
  loss *self = object;
  if (self != NULL) {
    self->host->release(self->host, self);
  }
}

static pf_status declare(const void *object, pf_loss_declaration *out, pf_error *error)
{
  (void)object;
  (void)error;
  out->observables = (pf_names)PF_NAMES_OF(observables);
  out->targets = (pf_names)PF_NAMES_OF(targets);
  out->flags = PF_LOSS_LIKELIHOOD;
  out->n_null_sums = 2;
  return PF_OK;
}

static double target_of(const pf_loss_in *in, int64_t t, int64_t i)
{
  const int scored = MUTANT == 2 || (in->scored == NULL && MUTANT != 9) || in->scored[t] != 0;
  const double c = (double)in->target[0][t * IF(7, in->n_target[0], in->ld_target[0]) + i];
  return scored ? (MUTANT == 3 && isnan(c) ? 0.0 : c) : (double)NAN;
}

static double logit_of(const pf_loss_in *in, int64_t t, int64_t i)
{
  return (double)in->observable[0][t * in->ld_observable[0] + i];
}

static pf_status evaluate(const void *object, const pf_loss_in *in, double *ll, int64_t *count,
                          pf_error *error)
{
  double extra = 0.0;
  (void)object;
  (void)error;
  if (MUTANT == 13) {
    extra = 1e-300 * (double)in->observable[0][-1];
  }
  for (int64_t t = 0; t < in->n_steps - IF(10, 1, 0); t++) {
    double sum = 0.0;
    int64_t n = 0;
    for (int64_t i = 0; i < in->n_observable[0]; i++) {
      const double c = target_of(in, t, i), l = logit_of(in, t, i);
      if (!isnan(c) && !(MUTANT == 1 && l < -0.9)) {
        sum += c * l - log1p(exp(l)) + extra;
        n++;
      }
    }
    ll[t] = MUTANT == 12 && n > 0 ? (double)-INFINITY : sum;
    count[t] = n;
  }
  return PF_OK;
}

static pf_status vjp(const void *object, const pf_loss_in *in, const double *cotangent,
                     const pf_loss_gradient *g, pf_error *error)
{
  (void)object;
  (void)error;
  if (g->observable[0] == NULL && MUTANT != 11) {
    return PF_OK;
  }
  for (int64_t t = 0; t < in->n_steps; t++) {
    for (int64_t i = 0; i < in->n_observable[0]; i++) {
      const double c = target_of(in, t, i), l = logit_of(in, t, i);
      pf_real *to = &g->observable[0][t * g->ld_observable[0] + i];
      if (!isnan(c)) {
        *to = (pf_real)(IF(4, 0.0, (double)*to) +
                        IF(5, -1, 1) * cotangent[t] * (c - 1 / (1 + exp(-l))));
      }
    }
  }
  return PF_OK;
}

static double curvature_of(const pf_loss_in *in, int64_t t, int64_t i)
{
  const double c =
      MUTANT == 14 ? (double)in->target[0][t * in->ld_target[0] + i] : target_of(in, t, i);
  const double p = 1 / (1 + exp(-logit_of(in, t, i)));
  return isnan(c) ? 0.0 : IF(6, p, p * (1 - p));
}

static pf_status whiten(const void *object, const pf_loss_in *in, const pf_loss_tangent *tangent,
                        const pf_loss_roots *out, pf_error *error)
{
  (void)object;
  (void)error;
  for (int64_t k = 0; k < tangent->n_tangents; k++) {
    for (int64_t t = 0; t < in->n_steps; t++) {
      for (int64_t i = 0; i < in->n_observable[0]; i++) {
        const int64_t from = IF(16, (i + 1) % in->n_observable[0], i);
        const double v =
            (double)
                tangent->observable[0][k * tangent->stride[0] + t * in->ld_observable[0] + from];
        const double h = curvature_of(in, t, i);
        out->root[k * out->stride + t * out->ld + i] = (pf_real)(v * IF(8, h, sqrt(h)));
      }
    }
  }
  return PF_OK;
}

static pf_status null_sums(const void *object, const pf_loss_in *in, double *out, pf_error *error)
{
  (void)object;
  (void)error;
  for (int64_t t = 0; t < in->n_steps; t++) {
    for (int64_t i = 0; i < in->n_target[0]; i++) {
      const double c = target_of(in, t, i);
      if (!isnan(c)) {
        out[2 * i] = IF(15, 0.0, out[2 * i]) + 1;
        out[2 * i + 1] += c;
      }
    }
  }
  return PF_OK;
}

static pf_status constant(const void *object, const pf_loss_in *in, const double *null_sums_of,
                          double *ll, pf_error *error)
{
  (void)object;
  (void)error;
  for (int64_t t = 0; t < in->n_steps; t++) {
    ll[t] = 0.0;
    for (int64_t i = 0; i < in->n_target[0]; i++) {
      const double c = target_of(in, t, i), p = null_sums_of[2 * i + 1] / null_sums_of[2 * i];
      ll[t] += isnan(c) ? 0.0 : log(c == 1.0 ? p : 1 - p);
    }
  }
  return PF_OK;
}

static const pf_loss_ops ops = {.size = sizeof(pf_loss_ops),
                                .create = create,
                                .destroy = destroy,
                                .declare = declare,
                                .evaluate = evaluate,
                                .vjp = vjp,
                                .whiten = whiten,
                                .null_accumulate = null_sums,
                                .null_evaluate = constant};

static const pf_plugin plugin = {PF_PLUGIN_HEAD(PF_KIND_LOSS), .name = "mutant", .version = "1",
                                 .summary = "a loss that is checked", .loss = &ops};

PF_PLUGIN_ENTRY(mutant)
{
  return &plugin;
}
