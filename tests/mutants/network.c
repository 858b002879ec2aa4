/*
 * A network, inputs onto leaky units, and its mutants (rule.c says how they work):
 *
 *     v' = k v + (1 - k) drive,  activity = tanh(gain v'),  starting weights theta[gain] sd noise
 */
#include <math.h>
#include <plastfit/abi/plugin.h>

#ifndef MUTANT
#define MUTANT 0
#endif
#define IF(n, broken, right) (MUTANT == (n) ? (broken) : (right))

enum { INPUTS = 3, UNITS = 5 };

typedef struct net {
  const pf_host *host;
} net;

static const double leak = 0.8, sd = 0.7;
static const pf_parameter parameters[1] = {
    {.name = "gain", .unit = "1", .initial = 1.2, .value = 1.2, .lower = 0.0, .upper = INFINITY}};
static const char *const signals[2] = {"activity", "potential"};
static const pf_population populations[2] = {
    {.name = "input", .n = INPUTS, .signals = {signals, 1}, .flags = PF_POPULATION_INPUT},
    {.name = "units", .n = UNITS, .n_state = 1, .signals = {signals, 2}}};
static const pf_projection projections[2] = {
    {.name = "in", .pre = 0, .post = 1, .flags = PF_PROJECTION_PLASTIC},
    {.name = "among",
     .pre = 1,
     .post = 1,
     .when = IF(11, PF_PRE_NOW, PF_PRE_PREVIOUS),
     .flags = PF_PROJECTION_PLASTIC}};
static const pf_observable observables[1] = {{.name = "units", .population = 1}};

static pf_status create(const pf_host *host, const pf_options *options, void **out, pf_error *error)
{
  net *self = host->allocate(host, sizeof *self);
  (void)options;
  if (self == NULL) {
    return pf_fail(error, PF_STOP, "no memory for the network");
  }
  self->host = host;
  *out = self;
  return PF_OK;
}

static void destroy(void *object)
{
  net *self = object;
  if (self != NULL) {
    self->host->release(self->host, self);
  }
}

static pf_status declare(const void *object, pf_network_declaration *out, pf_error *error)
{
  (void)object;
  (void)error;
  out->populations = (pf_population_table)PF_TABLE_OF(populations);
  out->projections = (pf_projection_table)PF_TABLE_OF(projections);
  out->observables = (pf_observable_table)PF_TABLE_OF(observables);
  out->parameters = (pf_parameter_table)PF_TABLE_OF(parameters);
  out->n_noise = UNITS * (INPUTS + UNITS);
  return PF_OK;
}

static pf_status initial(const void *object, const double *theta, const double *noise,
                         const pf_initial *out, pf_error *error)
{
  int64_t at = 0;
  (void)object;
  (void)error;
  for (int p = 0; p < 2; p++) {
    const int64_t columns = p == 0 ? INPUTS : UNITS;
    for (int64_t i = 0; out->w[p] != NULL && i < UNITS; i++) {
      for (int64_t j = 0; j < columns; j++) {
        out->w[p][i * out->ldw[p] + j] = (pf_real)(sd * theta[0] * noise[at + i * columns + j]);
      }
      if (MUTANT == 7 && i == 0 && out->ldw[p] > columns) {
        out->w[p][columns] = 0;
      }
    }
    at += IF(8, out->w[p] == NULL ? 0 : UNITS * columns, UNITS * columns);
  }
  for (int64_t i = 0; out->state != NULL && out->state[1] != NULL && i < UNITS; i++) {
    out->state[1][i] = 0;
  }
  return PF_OK;
}

static pf_status initial_vjp(const void *object, const double *theta, const double *noise,
                             const pf_initial *cotangent, double *gradient, pf_error *error)
{
  int64_t at = 0;
  (void)object;
  (void)theta;
  (void)error;
  for (int p = 0; p < 2; p++) {
    const int64_t columns = p == 0 ? INPUTS : UNITS;
    for (int64_t i = 0; i < UNITS; i++) {
      for (int64_t j = 0; j < columns; j++) {
        gradient[0] += IF(4, 1.0, sd) * noise[at + i * columns + j] *
                       (double)cotangent->w[p][i * cotangent->ldw[p] + j];
      }
    }
    at += UNITS * columns;
  }
  return PF_OK;
}

static pf_status activate(const void *object, const pf_units *in, const pf_response *out,
                          pf_error *error)
{
  double extra = 0.0;
  (void)object;
  (void)error;
#if MUTANT == 1
  extra = 1e-6 * (double)in->row0;
#elif MUTANT == 2
  extra = 1e-6 * (double)in->n_rows;
#elif MUTANT == 13
  extra = 1e-30 * (double)in->state[in->n_rows];
#endif
  for (int64_t i = 0; i < in->n_rows; i++) {
    const double v = leak * (double)in->state[i] + (1 - leak) * (double)in->drive[i] + extra;
    if (MUTANT != 6) {
      out->state[i] = (pf_real)v;
    }
    out->signals[i] = (pf_real)tanh(in->theta[0] * v);
    out->signals[out->signal_stride + i] = (pf_real)v;
  }
  return PF_OK;
}

static pf_status activate_vjp(const void *object, const pf_units *in, const pf_response *value,
                              const pf_response *cotangent, const pf_units_gradient *g,
                              pf_error *error)
{
  (void)object;
  (void)error;
  for (int64_t i = 0; i < in->n_rows; i++) {
    const double y = (double)value->signals[i],
                 v = (double)value->signals[value->signal_stride + i];
    const double slope = (1 - y * y) * (double)cotangent->signals[i];
    const double c = slope * in->theta[0] +
                     (double)cotangent->signals[cotangent->signal_stride + i] +
                     IF(14, 0.0, (double)cotangent->state[i]);
    if (g->theta != NULL && MUTANT != 5) {
      g->theta[0] += slope * v;
    }
    if (g->drive != NULL || MUTANT == 9) {
      g->drive[i] = (pf_real)(IF(10, 0.0, (double)g->drive[i]) + (1 - leak) * c);
    }
    if (g->state != NULL && MUTANT != 3) {
      g->state[i] += (pf_real)(leak * c);
    }
  }
  return PF_OK;
}

static pf_status activate_jvp(const void *object, const pf_units *in, const pf_response *value,
                              const pf_units *t, const pf_response *out, pf_error *error)
{
  (void)object;
  (void)error;
  for (int64_t i = 0; i < in->n_rows; i++) {
    const double y = (double)value->signals[i],
                 v = (double)value->signals[value->signal_stride + i];
    const double dv = (t->state == NULL ? 0.0 : leak * (double)t->state[i]) +
                      (t->drive == NULL ? 0.0 : (1 - leak) * (double)t->drive[i]);
    const double dgain = t->theta == NULL || MUTANT == 15 ? 0.0 : t->theta[0];
    out->state[i] = (pf_real)dv;
    out->signals[i] = (pf_real)((1 - y * y) * (in->theta[0] * dv + dgain * v));
    out->signals[out->signal_stride + i] = (pf_real)dv;
  }
  return PF_OK;
}

static const pf_network_ops ops = {.size = sizeof(pf_network_ops),
                                   .create = create,
                                   .destroy = destroy,
                                   .declare = declare,
                                   .initial = initial,
                                   .activate = activate,
                                   .activate_vjp = activate_vjp,
                                   .initial_vjp = IF(12, NULL, initial_vjp),
                                   .activate_jvp = activate_jvp};

static const pf_plugin plugin = {PF_PLUGIN_HEAD(PF_KIND_NETWORK), .name = "mutant", .version = "1",
                                 .summary = "a network that is checked", .network = &ops};

PF_PLUGIN_ENTRY(mutant)
{
  return &plugin;
}
