/*
 * recurrent - units that see one another's activity of the step before, and a readout:
 *
 *     drive_i(t) = sum_j U_ij x_j(t) + sum_k V_ik y_k(t - 1) [+ b_i]     (the host computes this)
 *     discrete:  v_i(t) = drive_i(t)
 *     leaky:     v_i(t) = k v_i(t - 1) + (1 - k) drive_i(t),   k = exp(-dt / tau)
 *     y_i(t) = f(v_i(t)),   output = g(gain sum_i R_i y_i(t) + bias)
 *
 * The leak is the exact solution of tau dv/dt = -v + drive over a step of constant drive, so a dt
 * above tau is no instability. U, V, R and b are projections, any of which may be plastic or
 * masked. See README.md.
 *
 * P. Dayan, L. F. Abbott, "Theoretical Neuroscience" (2001), eq. 7.11 with the drive inside the
 * leak.
 */
#include "../../common/unit_function.h"

#include <plastfit/abi/plugin.h>

#include <math.h>
#include <string.h>

enum { RN_LARGEST = 100000000, RN_POPULATIONS = 4, RN_PROJECTIONS = 5, RN_OBSERVABLES = 5 };
enum { RN_ACTIVITY = 0, RN_POTENTIAL = 1 };
enum { RN_TAU = 0, RN_GAIN = 1, RN_BIAS = 2, RN_PARAMETERS = 3 };

/* ms; what a fit may take, so that no exp(-dt / tau) is a matter of rounding */
#define RN_TAU_LOWER 0.01
#define RN_TAU_UPPER 1e7

static const char *const rn_signals[] = {"activity", "potential"};

typedef struct recurrent {
  const pf_host *host;
  int64_t n_input, n_units, n_output;
  int leaky;
  double dt; /**< ms, where the data have no time axis */
  unit_function function, output;
  double sd_input, sd_recurrent, sd_output, readout;
  int readout_is_fixed;
  int64_t units, last; /**< populations */
  pf_population population[RN_POPULATIONS];
  pf_projection projection[RN_PROJECTIONS];
  pf_observable observable[RN_OBSERVABLES];
  size_t n_populations, n_projections, n_observables;
  pf_parameter parameters[RN_PARAMETERS];
  int64_t n_noise;
} recurrent;

/* ---- options ---- */

static const pf_option rn_options[] = {
    {.name = "inputs",
     .type = PF_TYPE_INTEGER,
     .required = 1,
     .unit = "units",
     .lower = 1,
     .upper = RN_LARGEST,
     .help = "input neurons"},
    {.name = "units",
     .type = PF_TYPE_INTEGER,
     .required = 1,
     .unit = "units",
     .lower = 0,
     .upper = RN_LARGEST,
     .help = "recurrent units"},
    {.name = "outputs",
     .type = PF_TYPE_INTEGER,
     .fallback = "1",
     .unit = "units",
     .lower = 0,
     .upper = RN_LARGEST,
     .help = "readout units; 0: none, only activities are observed"},
    {.name = "dynamics",
     .type = PF_TYPE_STRING,
     .fallback = "\"leaky\"",
     .choices = "leaky|discrete",
     .help = "leaky: a potential with time constant tau; discrete: no memory but through the "
             "recurrence"},
    {.name = "tau",
     .type = PF_TYPE_REAL,
     .fallback = "10.0",
     .unit = "ms",
     .lower = -INFINITY,
     .upper = INFINITY,
     .help = "time constant of leaky units; a parameter, fixed unless freed"},
    {.name = "dt",
     .type = PF_TYPE_REAL,
     .fallback = "1.0",
     .unit = "ms",
     .lower = -INFINITY,
     .upper = INFINITY,
     .help = "length of a step, where the data have no time axis"},
    {.name = "activation",
     .type = PF_TYPE_STRING,
     .fallback = "\"tanh\"",
     .choices = UNIT_FUNCTIONS,
     .help = "of the recurrent units"},
    {.name = "output",
     .type = PF_TYPE_STRING,
     .fallback = "\"sigmoid\"",
     .choices = UNIT_OUTPUT_FUNCTIONS,
     .help = "of the readout; \"probability\" is offered with sigmoid and softmax"},
    {.name = "bias_projection",
     .type = PF_TYPE_BOOL,
     .fallback = "false",
     .help = "add the projection \"bias\" from a unit that is always 1 onto the recurrent units; "
             "it can be plastic"},
    {.name = "initial_weights.input_sd",
     .type = PF_TYPE_REAL,
     .unit = "1",
     .lower = 0,
     .upper = INFINITY,
     .help = "sd of the input weights; if absent 1 / sqrt(inputs)"},
    {.name = "initial_weights.recurrent_gain",
     .type = PF_TYPE_REAL,
     .fallback = "0.9",
     .unit = "1",
     .lower = 0,
     .upper = INFINITY,
     .help = "sd of the recurrent weights is this over sqrt(units)"},
    {.name = "readout.gain",
     .type = PF_TYPE_REAL,
     .unit = "1",
     .lower = -INFINITY,
     .upper = INFINITY,
     .help = "if given, every readout weight starts at gain / units; else normal with sd 1 / "
             "sqrt(units)"},
};

/* ---- life ---- */

static void rn_destroy(void *self)
{
  recurrent *net = self;
  if (net != NULL) {
    net->host->release(net->host, net);
  }
}

static void rn_add_projection(recurrent *net, const char *name, int64_t pre, int64_t post,
                              uint32_t when, uint32_t flags)
{
  net->projection[net->n_projections++] =
      (pf_projection){.name = name,
                      .pre = pre,
                      .post = post,
                      .signal = RN_ACTIVITY,
                      .when = when,
                      .flags = (uint32_t)PF_PROJECTION_PLASTIC | flags};
}

static void rn_add_observable(recurrent *net, const char *name, int64_t population, int64_t signal)
{
  pf_observable *made = &net->observable[net->n_observables++];
  *made = (pf_observable){.name = name, .population = population, .signal = signal};
  if (signal == RN_ACTIVITY) {
    unit_function_range(population == net->units ? net->function : net->output, &made->lower,
                        &made->upper);
  }
}

static void rn_build_tables(recurrent *net, int has_bias)
{
  net->population[net->n_populations++] = (pf_population){
      .name = "input", .n = net->n_input, .signals = {rn_signals, 1}, .flags = PF_POPULATION_INPUT};
  const int64_t one = (int64_t)net->n_populations;
  if (has_bias) {
    net->population[net->n_populations++] =
        (pf_population){.name = "one", .n = 1, .signals = {rn_signals, 1}};
  }
  net->units = (int64_t)net->n_populations;
  net->population[net->n_populations++] = (pf_population){
      .name = "units", .n = net->n_units, .n_state = net->leaky, .signals = {rn_signals, 2}};
  rn_add_projection(net, "input", 0, net->units, PF_PRE_NOW, 0);
  rn_add_projection(net, "recurrent", net->units, net->units, PF_PRE_PREVIOUS, 0);
  if (has_bias) {
    rn_add_projection(net, "bias", one, net->units, PF_PRE_NOW, 0);
  }
  rn_add_observable(net, "units", net->units, RN_ACTIVITY);
  rn_add_observable(net, "potential", net->units, RN_POTENTIAL);
  net->last = -1;
  if (net->n_output > 0) {
    net->last = (int64_t)net->n_populations;
    net->population[net->n_populations++] =
        (pf_population){.name = "output",
                        .n = net->n_output,
                        .signals = {rn_signals, 2},
                        .flags = net->output == UNIT_SOFTMAX ? (uint32_t)PF_POPULATION_COUPLED : 0};
    rn_add_projection(net, "output", net->units, net->last, PF_PRE_NOW,
                      PF_PROJECTION_ROW_SEPARABLE);
    rn_add_observable(net, "output", net->last, RN_ACTIVITY);
    rn_add_observable(net, "logit", net->last, RN_POTENTIAL);
    if (net->output == UNIT_SIGMOID || net->output == UNIT_SOFTMAX) {
      rn_add_observable(net, "probability", net->last, RN_ACTIVITY);
    }
  }
  net->parameters[RN_TAU] =
      (pf_parameter){.name = "tau",
                     .unit = "ms",
                     .lower = RN_TAU_LOWER,
                     .upper = RN_TAU_UPPER,
                     .flags = PF_PARAMETER_FIXED,
                     .help = "time constant of leaky units; without effect on discrete ones"};
  net->parameters[RN_GAIN] = (pf_parameter){.name = "gain",
                                            .unit = "1",
                                            .initial = 1.0,
                                            .value = 1.0,
                                            .lower = -INFINITY,
                                            .upper = INFINITY,
                                            .flags = PF_PARAMETER_FIXED,
                                            .help = "times the drive of the readout"};
  net->parameters[RN_BIAS] = (pf_parameter){.name = "bias",
                                            .unit = "1",
                                            .lower = -INFINITY,
                                            .upper = INFINITY,
                                            .flags = PF_PARAMETER_FIXED,
                                            .help = "added to the drive of every readout unit"};
}

static pf_status rn_check_options(const recurrent *net, double tau, pf_error *error)
{
  if (net->n_units < 1) {
    return pf_fail_key(error, PF_STOP, "units",
                       "0 recurrent units; expected at least 1 (without any: `feedforward`)");
  }
  if (!(tau >= RN_TAU_LOWER && tau <= RN_TAU_UPPER)) {
    return pf_fail_key(error, PF_STOP, "tau",
                       "a time constant of %g ms; expected %g to %g (units without memory: "
                       "dynamics = \"discrete\")",
                       tau, RN_TAU_LOWER, RN_TAU_UPPER);
  }
  if (!(net->dt > 0.0) || isinf(net->dt)) {
    return pf_fail_key(error, PF_STOP, "dt", "a step of %g ms; it must be above 0", net->dt);
  }
  if (net->output == UNIT_SOFTMAX && net->n_output == 1) {
    return pf_fail_key(error, PF_STOP, "output",
                       "softmax over 1 output is always 1; give outputs = K for K choices, or "
                       "output = \"sigmoid\"");
  }
  return PF_OK;
}

static pf_status rn_create(const pf_host *host, const pf_options *options, void **self,
                           pf_error *error)
{
  recurrent *net = host->allocate(host, sizeof *net);
  if (net == NULL) {
    return pf_fail(error, PF_STOP, "out of memory for a network");
  }
  const double tau = options->real(options, "tau");
  net->host = host;
  net->n_input = options->integer(options, "inputs");
  net->n_units = options->integer(options, "units");
  net->n_output = options->integer(options, "outputs");
  net->leaky = strcmp(options->string(options, "dynamics"), "leaky") == 0;
  net->dt = options->real(options, "dt");
  (void)unit_function_named(options->string(options, "activation"), &net->function);
  (void)unit_function_named(options->string(options, "output"), &net->output);
  const pf_status status = rn_check_options(net, tau, error);
  if (status != PF_OK) {
    rn_destroy(net);
    return status;
  }
  net->sd_input = options->present(options, "initial_weights.input_sd") != 0
                      ? options->real(options, "initial_weights.input_sd")
                      : 1.0 / sqrt((double)net->n_input);
  net->sd_recurrent =
      options->real(options, "initial_weights.recurrent_gain") / sqrt((double)net->n_units);
  net->sd_output = 1.0 / sqrt((double)net->n_units);
  net->readout_is_fixed = options->present(options, "readout.gain") != 0;
  net->readout =
      net->readout_is_fixed ? options->real(options, "readout.gain") / (double)net->n_units : 0.0;
  rn_build_tables(net, options->boolean(options, "bias_projection"));
  net->parameters[RN_TAU].initial = net->parameters[RN_TAU].value = tau;
  net->n_noise = net->n_units * (net->n_input + net->n_units) +
                 (net->readout_is_fixed ? 0 : net->n_output * net->n_units);
  *self = net;
  return PF_OK;
}

static pf_status rn_declare(const void *self, pf_network_declaration *declared, pf_error *error)
{
  const recurrent *net = self;
  (void)error;
  declared->populations =
      (pf_population_table){net->population, net->n_populations, sizeof net->population[0]};
  declared->projections =
      (pf_projection_table){net->projection, net->n_projections, sizeof net->projection[0]};
  declared->observables =
      (pf_observable_table){net->observable, net->n_observables, sizeof net->observable[0]};
  declared->parameters =
      (pf_parameter_table){net->parameters, RN_PARAMETERS, sizeof net->parameters[0]};
  declared->n_noise = net->n_noise;
  return PF_OK;
}

/* ---- starting weights ---- */

/** Drawn, unless the readout is given. Potentials and the bias start at 0. */
static pf_status rn_initial(const void *self, const double *theta, const double *noise,
                            const pf_initial *out, pf_error *error)
{
  const recurrent *net = self;
  (void)theta;
  (void)error;
  /* goes on over projections that are given, so that the others' weights stay the same */
  int64_t offset = 0;
  for (size_t p = 0; p < net->n_projections; p++) {
    const pf_projection *projection = &net->projection[p];
    const int64_t n_pre = net->population[projection->pre].n;
    const int64_t n_post = net->population[projection->post].n;
    const int is_output = projection->post == net->last;
    const int is_bias = !is_output && projection->pre != 0 && projection->pre != net->units;
    if (is_bias) {
      continue; /* zeros, as the host made them */
    }
    double sd = projection->pre == 0 ? net->sd_input : net->sd_recurrent;
    if (is_output) {
      sd = net->sd_output;
    }
    const int drawn = !(is_output && net->readout_is_fixed);
    for (int64_t i = 0; out->w[p] != NULL && i < n_post; i++) {
      for (int64_t j = 0; j < n_pre; j++) {
        out->w[p][i * out->ldw[p] + j] =
            (pf_real)(drawn ? sd * noise[offset + i * n_pre + j] : net->readout);
      }
    }
    offset += drawn ? n_pre * n_post : 0;
  }
  return PF_OK;
}

/** No parameter moves the start. */
static pf_status rn_initial_vjp(const void *self, const double *theta, const double *noise,
                                const pf_initial *cotangent, double *gradient_theta,
                                pf_error *error)
{
  (void)self;
  (void)theta;
  (void)noise;
  (void)cotangent;
  (void)gradient_theta;
  (void)error;
  return PF_OK;
}

/* ---- response ---- */

/** How a population goes from drive to activity at these parameter values. */
typedef struct rn_dynamics {
  int is_output, leaks;
  unit_function function;
  double kept, slope;   /**< what the leak keeps of the potential, and its derivative by tau */
  pf_real scale, shift; /**< of the drive */
} rn_dynamics;

/** false: the unit that is always 1. */
static int rn_responds(const recurrent *net, const pf_units *in)
{
  return in->population == net->last || in->population == net->units;
}

static pf_status rn_dynamics_of(const recurrent *net, const pf_units *in, rn_dynamics *out,
                                pf_error *error)
{
  if (in->population == net->last) {
    *out = (rn_dynamics){.is_output = 1,
                         .function = net->output,
                         .scale = (pf_real)in->theta[RN_GAIN],
                         .shift = (pf_real)in->theta[RN_BIAS]};
    return PF_OK;
  }
  *out = (rn_dynamics){.leaks = net->leaky, .function = net->function, .scale = (pf_real)1};
  if (!net->leaky) {
    return PF_OK;
  }
  const double tau = in->theta[RN_TAU];
  const double dt = in->dt > 0.0 ? in->dt : net->dt;
  if (!(tau > 0.0)) {
    return pf_fail(error, PF_POINT_FAILED, "the time constant tau is %g ms; it must be above 0",
                   tau);
  }
  out->kept = exp(-dt / tau);
  out->slope = out->kept > 0.0 ? dt / tau / tau * out->kept : 0.0;
  out->scale = (pf_real)(1.0 - out->kept);
  return PF_OK;
}

/** Units of one step: v from drive and state (leaky), or scaled and shifted (readout). */
typedef struct rn_step {
  const pf_real *drive, *state; /**< state NULL: no memory */
  pf_real scale, shift, kept;
  pf_real *v, *y;
} rn_step;

PF_INLINE void rn_activate_rows(unit_function function, int64_t n, rn_step of)
{
#pragma omp simd
  for (int64_t i = 0; i < n; i++) {
    /* k v + (1 - k) drive with one product only: of two, a compiler may round either one first, and
     * chooses otherwise in a vector than for the cells left over, so that a range and its parts
     * would differ in the last bit */
    of.v[i] = of.state == NULL ? of.scale * of.drive[i] + of.shift
                               : of.drive[i] + of.kept * (of.state[i] - of.drive[i]);
    of.y[i] = unit_value(function, of.v[i]);
  }
}

/** Tangents of the potentials of step t along one direction. */
PF_INLINE void rn_potential_jvp(const rn_dynamics *with, const pf_units *in, const pf_units *along,
                                int64_t t, pf_real *v_dot)
{
  const pf_real *drive = in->drive + t * in->ld_drive;
  const double *theta_dot = along->theta;
  pf_real by_drive = (pf_real)0, by_state = (pf_real)0, shift = (pf_real)0;
  if (theta_dot != NULL && with->is_output) {
    by_drive = (pf_real)theta_dot[RN_GAIN];
    shift = (pf_real)theta_dot[RN_BIAS];
  }
  if (theta_dot != NULL && with->leaks) {
    by_state = (pf_real)(with->slope * theta_dot[RN_TAU]);
  }
#pragma omp simd
  for (int64_t i = 0; i < in->n_rows; i++) {
    v_dot[i] = by_drive * drive[i] + shift;
  }
  if (with->leaks) {
#pragma omp simd
    for (int64_t i = 0; i < in->n_rows; i++) {
      v_dot[i] += by_state * (in->state[i] - drive[i]);
    }
  }
  if (along->drive != NULL) {
#pragma omp simd
    for (int64_t i = 0; i < in->n_rows; i++) {
      v_dot[i] += with->scale * along->drive[t * along->ld_drive + i];
    }
  }
  if (with->leaks && along->state != NULL) {
#pragma omp simd
    for (int64_t i = 0; i < in->n_rows; i++) {
      v_dot[i] += (pf_real)with->kept * along->state[i];
    }
  }
}

#define PF_ISA baseline
#include "recurrent_ops.h"
#ifdef PF_ISA_HAS_AVX2
#define PF_ISA avx2
#include "recurrent_ops.h"
#endif

PF_PLUGIN_ENTRY(recurrent)
{
  return PF_ISA_CHOOSE(rn_plugin);
}
