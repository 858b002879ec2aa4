/*
 * supralinear.c - one layer of units with a threshold and a power law:
 *
 *     y_i = max(0, drive_i)^2,    drive_i = sum_j w_ij x_j
 *
 * K. D. Miller & T. W. Troyer, "Neural noise can explain expansive, power-law nonlinearities in
 * neural response functions", J. Neurophysiol. 87, 653-659 (2002). Starting weights: mean + sd x
 * noise; the mean is a parameter. The host computes the drive, its adjoint and everything in time;
 * a network says what there is, and how units respond.
 */
#include <plastfit/abi/plugin.h>

#include <math.h>

enum { MEAN, N_THETA };

typedef struct network {
  const pf_host *host;
  double sd;
  pf_population populations[2];
  pf_parameter parameters[N_THETA];
} network;

static const pf_option options[] = {{.name = "inputs",
                                     .type = PF_TYPE_INTEGER,
                                     .required = 1,
                                     .unit = "units",
                                     .lower = 1,
                                     .upper = 1e6,
                                     .help = "input neurons"},
                                    {.name = "units",
                                     .type = PF_TYPE_INTEGER,
                                     .required = 1,
                                     .unit = "units",
                                     .lower = 1,
                                     .upper = 1e6,
                                     .help = "units of the layer"},
                                    {.name = "mean",
                                     .type = PF_TYPE_REAL,
                                     .fallback = "0.5",
                                     .lower = -INFINITY,
                                     .upper = INFINITY,
                                     .help = "of the starting weights"},
                                    {.name = "sd",
                                     .type = PF_TYPE_REAL,
                                     .fallback = "0.1",
                                     .lower = 0.0,
                                     .upper = INFINITY,
                                     .help = "of the starting weights"}};

static const char *const signals[] = {"activity"};
static const pf_projection projections[] = {
    {.name = "layer",
     .pre = 0,
     .post = 1,
     .flags = PF_PROJECTION_PLASTIC | PF_PROJECTION_ROW_SEPARABLE}};
static const pf_observable observables[] = {{.name = "layer", .population = 1, .signal = 0}};

static pf_status create(const pf_host *host, const pf_options *given, void **out, pf_error *error)
{
  network *self = host->allocate(host, sizeof *self);
  if (self == NULL) {
    return pf_fail(error, PF_STOP, "no memory for the network");
  }
  self->host = host;
  self->sd = given->real(given, "sd");
  self->populations[0] = (pf_population){.name = "input",
                                         .n = given->integer(given, "inputs"),
                                         .signals = PF_NAMES_OF(signals),
                                         .flags = PF_POPULATION_INPUT};
  self->populations[1] = (pf_population){
      .name = "layer", .n = given->integer(given, "units"), .signals = PF_NAMES_OF(signals)};
  const double mean = given->real(given, "mean");
  self->parameters[MEAN] = (pf_parameter){.name = "mean",
                                          .unit = "1",
                                          .initial = mean,
                                          .value = mean,
                                          .lower = -INFINITY,
                                          .upper = INFINITY,
                                          .flags = PF_PARAMETER_FIXED,
                                          .help = "of the starting weights"};
  *out = self;
  return PF_OK;
}

static void destroy(void *object)
{
  network *self = object;
  if (self != NULL) {
    self->host->release(self->host, self);
  }
}

static pf_status declared(const void *object, pf_network_declaration *out, pf_error *error)
{
  const network *self = object;
  (void)error;
  out->populations = (pf_population_table)PF_TABLE_OF(self->populations);
  out->projections = (pf_projection_table)PF_TABLE_OF(projections);
  out->observables = (pf_observable_table)PF_TABLE_OF(observables);
  out->parameters = (pf_parameter_table)PF_TABLE_OF(self->parameters);
  out->n_noise = self->populations[0].n * self->populations[1].n;
  return PF_OK;
}

static pf_status initial(const void *object, const double *theta, const double *noise,
                         const pf_initial *out, pf_error *error)
{
  const network *self = object;
  const int64_t n_in = self->populations[0].n, n_units = self->populations[1].n;
  (void)error;
  for (int64_t i = 0; out->w[0] != NULL && i < n_units;
       i++) { /* NULL: the data give these weights */
    for (int64_t j = 0; j < n_in; j++) {
      out->w[0][i * out->ldw[0] + j] = (pf_real)(theta[MEAN] + self->sd * noise[i * n_in + j]);
    }
  }
  return PF_OK;
}

static pf_status initial_vjp(const void *object, const double *theta, const double *noise,
                             const pf_initial *c, double *gradient, pf_error *error)
{
  const network *self = object;
  (void)theta;
  (void)noise;
  (void)error;
  for (int64_t i = 0; c->w[0] != NULL && i < self->populations[1].n; i++) {
    for (int64_t j = 0; j < self->populations[0].n; j++) {
      gradient[MEAN] += (double)c->w[0][i * c->ldw[0] + j];
    }
  }
  return PF_OK;
}

static pf_status activate(const void *object, const pf_units *in, const pf_response *out,
                          pf_error *error)
{
  (void)object;
  (void)error;
  for (int64_t t = 0; t < in->n_steps; t++) {
    for (int64_t i = 0; i < in->n_rows; i++) {
      const pf_real drive = in->drive[t * in->ld_drive + i];
      out->signals[t * out->ld_signal + i] =
          drive <= 0 ? 0 : drive * drive; /* so written, a NaN stays one */
    }
  }
  return PF_OK;
}

static pf_status activate_vjp(const void *object, const pf_units *in, const pf_response *value,
                              const pf_response *c, const pf_units_gradient *g, pf_error *error)
{
  (void)object;
  (void)value;
  (void)error;
  for (int64_t t = 0; g->drive != NULL && t < in->n_steps; t++) {
    for (int64_t i = 0; i < in->n_rows; i++) {
      const pf_real drive = in->drive[t * in->ld_drive + i];
      g->drive[t * g->ld_drive + i] +=
          (drive <= 0 ? 0 : 2 * drive) * c->signals[t * c->ld_signal + i];
    }
  }
  return PF_OK;
}

static const pf_network_ops ops = {.size = sizeof(pf_network_ops),
                                   .create = create,
                                   .destroy = destroy,
                                   .declare = declared,
                                   .initial = initial,
                                   .activate = activate,
                                   .activate_vjp = activate_vjp,
                                   .initial_vjp = initial_vjp};

static const pf_plugin plugin = {PF_PLUGIN_HEAD(PF_KIND_NETWORK),
                                 .name = "supralinear",
                                 .version = "1.0",
                                 .summary = "one layer, y = max(0, drive)^2",
                                 .options = PF_TABLE_OF(options),
                                 .network = &ops};

PF_PLUGIN_ENTRY(supralinear)
{
  return &plugin;
}
