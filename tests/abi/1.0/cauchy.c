/*
 * cauchy.c - log likelihood of recorded activity under Cauchy noise, which forgives a few cells
 * that are far off:
 *
 *     ll = sum over observed cells of -log(1 + u^2),    u = (recorded - model) / width
 *
 * (that of a model which is right in every cell is 0: what is the same for all models is left out).
 * A cell of which nothing was recorded is NaN: it adds 0, and does not count.
 */
#include <plastfit/abi/plugin.h>

#include <math.h>

typedef struct loss {
  const pf_host *host;
  double width;
} loss;

static const char *const observables[] = {"activity"}, *const targets[] = {"activity"};
static const pf_option options[] = {{.name = "width",
                                     .type = PF_TYPE_REAL,
                                     .fallback = "0.1",
                                     .unit = "activity",
                                     .lower = 1e-6,
                                     .upper = INFINITY,
                                     .help = "half width of the noise"}};

static pf_status create(const pf_host *host, const pf_options *given, void **out, pf_error *error)
{
  loss *self = host->allocate(host, sizeof *self);
  if (self == NULL) {
    return pf_fail(error, PF_STOP, "no memory for the loss");
  }
  self->host = host;
  self->width = given->real(given, "width");
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

static pf_status declared(const void *object, pf_loss_declaration *out, pf_error *error)
{
  (void)object;
  (void)error;
  out->observables = (pf_names)PF_NAMES_OF(observables);
  out->targets = (pf_names)PF_NAMES_OF(targets);
  out->flags = PF_LOSS_LIKELIHOOD | PF_LOSS_SEPARABLE_BY_UNIT;
  return PF_OK;
}

/** What was recorded of unit i at step t; NaN where nothing was, or the step is not scored. */
static double recorded(const pf_loss_in *in, int64_t t, int64_t i)
{
  return in->scored == NULL || in->scored[t] != 0 ? (double)in->target[0][t * in->ld_target[0] + i]
                                                  : (double)NAN;
}

/** u; NaN where nothing was recorded. */
static double deviation(const loss *self, const pf_loss_in *in, int64_t t, int64_t i)
{
  return (recorded(in, t, i) - (double)in->observable[0][t * in->ld_observable[0] + i]) /
         self->width;
}

static pf_status evaluate(const void *object, const pf_loss_in *in, double *ll, int64_t *count,
                          pf_error *error)
{
  (void)error;
  for (int64_t t = 0; t < in->n_steps; t++) {
    ll[t] = 0.0;
    count[t] = 0;
    for (int64_t i = 0; i < in->n_observable[0]; i++) {
      if (!isnan(recorded(in, t, i))) { /* the count depends on what was recorded alone */
        const double u = deviation(object, in, t, i);
        ll[t] -= log1p(u * u);
        count[t]++;
      }
    }
  }
  return PF_OK;
}

static pf_status vjp(const void *object, const pf_loss_in *in, const double *c,
                     const pf_loss_gradient *g, pf_error *error)
{
  const loss *self = object;
  (void)error;
  for (int64_t t = 0; g->observable[0] != NULL && t < in->n_steps; t++) {
    for (int64_t i = 0; i < in->n_observable[0]; i++) {
      if (!isnan(recorded(in, t, i))) {
        const double u = deviation(self, in, t, i);
        g->observable[0][t * g->ld_observable[0] + i] +=
            (pf_real)(c[t] * 2 * u / (self->width * (1 + u * u)));
      }
    }
  }
  return PF_OK;
}

static const pf_loss_ops ops = {.size = sizeof(pf_loss_ops),
                                .create = create,
                                .destroy = destroy,
                                .declare = declared,
                                .evaluate = evaluate,
                                .vjp = vjp};

static const pf_plugin plugin = {PF_PLUGIN_HEAD(PF_KIND_LOSS),
                                 .name = "cauchy",
                                 .version = "1.0",
                                 .summary =
                                     "log likelihood of recorded activity under Cauchy noise",
                                 .options = PF_TABLE_OF(options),
                                 .loss = &ops};

PF_PLUGIN_ENTRY(cauchy)
{
  return &plugin;
}
