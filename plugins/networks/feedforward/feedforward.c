/*
 * feedforward - layers of units without memory:
 *
 *     drive_l = W_l activity_{l-1} + b_l,   activity_l = f_l(drive_l)
 *
 * The host multiplies by W (any projection may be plastic); this file adds the
 * bias, applies f, and says what the starting weights are. Of the last layer
 *
 *     drive_L = g W_L activity_{L-1} + bias,   g = gain / (the gain that the options give)
 *
 * gain and bias are parameters, fixed unless the config frees them. f_L may be the softmax of its
 * units. With bias projections, a unit that is always 1 projects onto each layer, so that its
 * biases can be plastic. See README.md.
 */
#include "../../common/unit_function.h"

#include <plastfit/abi/plugin.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Signals of a layer, in the order of their planes. */
enum { FF_ACTIVITY = 0, FF_DRIVE = 1 };

/* Index of the population of one unit that is always 1, where there are bias projections. */
enum { FF_ONE = 1 };
static const char *const ff_signals[] = {"activity", "drive"};

/* What the host's range check cannot say (see options below): that products and sums of sizes stay
 * countable. */
enum { FF_LARGEST_LAYER = 1000000000 };

/* Parameters: of the last layer. */
enum { FF_GAIN, FF_BIAS, FF_N_PARAMETERS };

typedef struct ff_layer {
  char name[32], bias_name[32];
  unit_function function;
  double bias;
} ff_layer;

typedef struct feedforward {
  const pf_host *host;
  ff_layer *layers; /**< [n_layers], [0] is the input */
  pf_population
      *population; /**< [n_layers + has_one]: the input, the unit that is always 1, layers 1 ... */
  pf_projection *projection; /**< [n_projections]: onto layers 1 ..., then their biases */
  pf_observable *observable; /**< [n_observables] */
  int64_t n_layers, n_projections, n_observables;
  int has_one;          /**< 1: there are bias projections */
  double sd;            /**< of the starting weights that are drawn */
  double readout;       /**< each starting weight of the last projection, where that is fixed */
  int readout_is_fixed; /**< 1: the last projection is not drawn */
  int64_t n_noise;
  double gain; /**< at which the drive of the last layer is taken as it is; not 0 */
  pf_parameter parameters[FF_N_PARAMETERS];
} feedforward;

/* ---- options ---- */

static const pf_option ff_options[] = {
    {.name = "layers",
     .type = PF_TYPE_INTEGERS,
     .required = 1,
     .unit = "units",
     .lower = 1,
     .upper = FF_LARGEST_LAYER,
     .help = "units of each layer, inputs first: [2, 10, 1]"},
    {.name = "hidden",
     .type = PF_TYPE_STRING,
     .fallback = "\"tanh\"",
     .choices = UNIT_FUNCTIONS,
     .help = "activation of all layers but the last"},
    {.name = "output",
     .type = PF_TYPE_STRING,
     .fallback = "\"sigmoid\"",
     .choices = UNIT_OUTPUT_FUNCTIONS,
     .help = "activation of the last layer; \"probability\" is offered with sigmoid and softmax"},
    {.name = "initial_weights.sd",
     .type = PF_TYPE_REAL,
     .fallback = "0.01",
     .unit = "1",
     .lower = 0,
     .upper = INFINITY,
     .help = "starting weights are normal with mean 0 and this sd"},
    {.name = "readout.gain",
     .type = PF_TYPE_REAL,
     .unit = "1",
     .lower = -INFINITY,
     .upper = INFINITY,
     .help =
         "if given, every weight onto the last layer starts at gain / (units of the layer before)"},
    {.name = "biases.hidden",
     .type = PF_TYPE_REAL,
     .fallback = "0.0",
     .unit = "1",
     .lower = -INFINITY,
     .upper = INFINITY,
     .help = "fixed bias added to the drive of all layers but the last"},
    {.name = "biases.output",
     .type = PF_TYPE_REAL,
     .fallback = "0.0",
     .unit = "1",
     .lower = -INFINITY,
     .upper = INFINITY,
     .help = "fixed bias added to the drive of the last layer"},
    {.name = "bias_projections",
     .type = PF_TYPE_BOOL,
     .fallback = "false",
     .help = "add projections \"bias1\", ... from a unit that is always 1 onto each layer; they "
             "start at 0 and can be plastic"},
};

/* ---- life ---- */

static void ff_destroy(void *self)
{
  feedforward *net = self;
  if (net == NULL) {
    return;
  }
  const pf_host *host = net->host;
  host->release(host, net->layers);
  host->release(host, net->population);
  host->release(host, net->projection);
  host->release(host, net->observable);
  host->release(host, net);
}

/** softmax is for the last layer alone. */
static pf_status ff_read_function(const pf_options *options, const char *key, int is_output,
                                  unit_function *function, pf_error *error)
{
  const char *name = options->string(options, key);
  if (unit_function_named(name, function) && (is_output || *function != UNIT_SOFTMAX)) {
    return PF_OK;
  }
  return pf_fail_key(error, PF_STOP, key, "\"%s\" is no activation here; choose one of %s", name,
                     is_output ? UNIT_OUTPUT_FUNCTIONS : UNIT_FUNCTIONS);
}

static pf_status ff_allocate(feedforward *net, pf_error *error)
{
  const pf_host *host = net->host;
  const size_t n = (size_t)net->n_layers;
  net->layers = host->allocate(host, n * sizeof *net->layers);
  net->population = host->allocate(host, (n + 1) * sizeof *net->population);
  net->projection = host->allocate(host, 2 * (n - 1) * sizeof *net->projection);
  net->observable = host->allocate(
      host, (n + 1) * sizeof *net->observable); /* a layer each, logit, probability */
  if (net->layers == NULL || net->population == NULL || net->projection == NULL ||
      net->observable == NULL) {
    return pf_fail(error, PF_STOP, "out of memory for a network of %lld layers",
                   (long long)net->n_layers);
  }
  return PF_OK;
}

/** Index of layer l's population. */
PF_INLINE int64_t ff_population(const feedforward *net, int64_t l)
{
  return l == 0 ? 0 : l + net->has_one;
}

static int64_t ff_units(const feedforward *net, int64_t l)
{
  return net->population[ff_population(net, l)].n;
}

static uint32_t ff_flags(unit_function function, int is_input)
{
  if (is_input) {
    return PF_POPULATION_INPUT;
  }
  return function == UNIT_SOFTMAX ? (uint32_t)PF_POPULATION_COUPLED : 0U;
}

static pf_status ff_read_layers(feedforward *net, const pf_options *options, pf_error *error)
{
  unit_function hidden = UNIT_TANH;
  unit_function output = UNIT_SIGMOID;
  if (ff_read_function(options, "hidden", 0, &hidden, error) != PF_OK ||
      ff_read_function(options, "output", 1, &output, error) != PF_OK) {
    return PF_STOP;
  }
  const double bias_hidden = options->real(options, "biases.hidden");
  const double bias_output = options->real(options, "biases.output");
  for (int64_t l = 0; l < net->n_layers; l++) {
    const int64_t n = options->integer_at(options, "layers", l);
    if (n < 1 || n > FF_LARGEST_LAYER) {
      return pf_fail_key(error, PF_STOP, "layers", "layer %lld has %lld units; expected 1 to %lld",
                         (long long)l, (long long)n, (long long)FF_LARGEST_LAYER);
    }
    const int last = l == net->n_layers - 1;
    ff_layer *layer = &net->layers[l];
    (void)snprintf(layer->name, sizeof layer->name, l == 0 ? "input" : "layer%lld", (long long)l);
    (void)snprintf(layer->bias_name, sizeof layer->bias_name, "bias%lld", (long long)l);
    layer->function = last ? output : hidden;
    layer->bias = last ? bias_output : bias_hidden;
    if (last && layer->function == UNIT_SOFTMAX && n == 1) {
      return pf_fail_key(
          error, PF_STOP, "output",
          "softmax over 1 unit is always 1; give the last layer K units for K choices, or output = "
          "\"sigmoid\"");
    }
    net->population[ff_population(net, l)] =
        (pf_population){.name = layer->name,
                        .n = n,
                        .signals = {ff_signals, l == 0 ? 1 : 2},
                        .flags = ff_flags(layer->function, l == 0)};
  }
  if (net->has_one) {
    net->population[FF_ONE] = (pf_population){.name = "one", .n = 1, .signals = {ff_signals, 2}};
  }
  return PF_OK;
}

static pf_status ff_read_weights(feedforward *net, const pf_options *options, pf_error *error)
{
  const int64_t last = net->n_layers - 1;
  net->sd = options->real(options, "initial_weights.sd");
  net->readout_is_fixed = options->present(options, "readout.gain") != 0;
  if (net->readout_is_fixed && last < 2) {
    return pf_fail_key(
        error, PF_STOP, "readout.gain",
        "a readout gain was given, but layers = [%lld, %lld] has no hidden layer to read out; "
        "remove readout.gain or add a layer",
        (long long)ff_units(net, 0), (long long)ff_units(net, 1));
  }
  if (net->readout_is_fixed) {
    net->readout = options->real(options, "readout.gain") / (double)ff_units(net, last - 1);
  }
  const int64_t n_drawn = net->readout_is_fixed ? last - 1 : last;
  for (int64_t p = 0; p < n_drawn; p++) {
    const int64_t n_weights = ff_units(net, p) * ff_units(net, p + 1); /* <= 1e18: fits */
    if (n_weights > INT64_MAX - net->n_noise) {
      return pf_fail_key(error, PF_STOP, "layers",
                         "the network has more weights than can be counted");
    }
    net->n_noise += n_weights;
  }
  return PF_OK;
}

static void ff_add_projection(feedforward *net, const char *name, int64_t pre, int64_t layer)
{
  net->projection[net->n_projections++] = (pf_projection){
      .name = name,
      .pre = pre,
      .post = ff_population(net, layer),
      .signal = FF_ACTIVITY,
      .when = PF_PRE_NOW,
      .flags = (uint32_t)PF_PROJECTION_PLASTIC | (uint32_t)PF_PROJECTION_ROW_SEPARABLE};
}

static void ff_build_tables(feedforward *net)
{
  const int64_t last = net->n_layers - 1;
  const int64_t output = ff_population(net, last);
  for (int64_t l = 1; l <= last; l++) {
    ff_add_projection(net, net->layers[l].name, ff_population(net, l - 1), l);
    net->observable[net->n_observables++] = (pf_observable){
        .name = net->layers[l].name, .population = ff_population(net, l), .signal = FF_ACTIVITY};
    pf_observable *made = &net->observable[net->n_observables - 1];
    unit_function_range(net->layers[l].function, &made->lower, &made->upper);
  }
  if (net->has_one) {
    for (int64_t l = 1; l <= last; l++) {
      ff_add_projection(net, net->layers[l].bias_name, FF_ONE, l);
    }
  }
  net->observable[net->n_observables++] =
      (pf_observable){.name = "logit", .population = output, .signal = FF_DRIVE};
  if (net->layers[last].function == UNIT_SIGMOID || net->layers[last].function == UNIT_SOFTMAX) {
    net->observable[net->n_observables++] =
        (pf_observable){.name = "probability", .population = output, .signal = FF_ACTIVITY};
  }
}

/** Names, bounds and where they start: at what the options say. */
static void ff_declare_parameters(feedforward *net, const pf_options *options)
{
  const double given = net->readout_is_fixed ? options->real(options, "readout.gain") : 1.0;
  const double bias = net->layers[net->n_layers - 1].bias;
  net->gain = given == 0.0 ? 1.0 : given; /* with weights of 0 there is nothing to multiply */
  net->parameters[FF_GAIN] =
      (pf_parameter){.name = "gain",
                     .unit = "1",
                     .initial = net->gain,
                     .value = net->gain,
                     .lower = -INFINITY,
                     .upper = INFINITY,
                     .flags = PF_PARAMETER_FIXED,
                     .help = "of the readout: multiplies the drive of the last layer"};
  net->parameters[FF_BIAS] =
      (pf_parameter){.name = "bias",
                     .unit = "1",
                     .initial = bias,
                     .value = bias,
                     .lower = -INFINITY,
                     .upper = INFINITY,
                     .flags = PF_PARAMETER_FIXED,
                     .help = "added to the drive of the last layer: a side preference"};
}

static pf_status ff_create(const pf_host *host, const pf_options *options, void **self,
                           pf_error *error)
{
  const int64_t n_layers = options->length(options, "layers");
  if (n_layers < 2) {
    return pf_fail_key(error, PF_STOP, "layers",
                       "%lld entries; expected inputs and at least one layer, as in [2, 1]",
                       (long long)n_layers);
  }
  feedforward *net = host->allocate(host, sizeof *net);
  if (net == NULL) {
    return pf_fail(error, PF_STOP, "out of memory for a network");
  }
  net->host = host;
  net->n_layers = n_layers;
  net->has_one = options->boolean(options, "bias_projections") != 0;
  if (ff_allocate(net, error) != PF_OK || ff_read_layers(net, options, error) != PF_OK ||
      ff_read_weights(net, options, error) != PF_OK) {
    ff_destroy(net);
    return PF_STOP;
  }
  ff_build_tables(net);
  ff_declare_parameters(net, options);
  *self = net;
  return PF_OK;
}

static pf_status ff_declare(const void *self, pf_network_declaration *declared, pf_error *error)
{
  const feedforward *net = self;
  (void)error;
  declared->populations = (pf_population_table){
      net->population, (size_t)(net->n_layers + net->has_one), sizeof *net->population};
  declared->projections =
      (pf_projection_table){net->projection, (size_t)net->n_projections, sizeof *net->projection};
  declared->observables =
      (pf_observable_table){net->observable, (size_t)net->n_observables, sizeof *net->observable};
  declared->parameters =
      (pf_parameter_table){net->parameters, FF_N_PARAMETERS, sizeof net->parameters[0]};
  declared->n_noise = net->n_noise;
  return PF_OK;
}

/* ---- starting weights ---- */

static pf_status ff_initial(const void *self, const double *theta, const double *noise,
                            const pf_initial *out, pf_error *error)
{
  const feedforward *net = self;
  (void)theta;
  (void)error;
  /* goes on over projections that are given, so that the others' weights stay the same */
  int64_t offset = 0;
  for (int64_t p = 0; p + 1 < net->n_layers; p++) { /* biases start at 0, as the host made them */
    const int64_t n_pre = ff_units(net, p);
    const int64_t n_post = ff_units(net, p + 1);
    const int drawn = !(net->readout_is_fixed && p + 2 == net->n_layers);
    pf_real *w = out->w[p];
    for (int64_t i = 0; w != NULL && i < n_post; i++) {
      for (int64_t j = 0; j < n_pre; j++) {
        w[i * out->ldw[p] + j] =
            (pf_real)(drawn ? net->sd * noise[offset + i * n_pre + j] : net->readout);
      }
    }
    offset += drawn ? n_pre * n_post : 0;
  }
  return PF_OK;
}

/** Gain and bias do not act on starting weights. */
static pf_status ff_initial_vjp(const void *self, const double *theta, const double *noise,
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

/** What is done to the drive of a layer: scale * drive + bias. */
typedef struct ff_affine {
  double scale, bias;
} ff_affine;

static ff_affine ff_affine_of(const feedforward *net, const pf_units *in, int64_t l)
{
  return l + 1 == net->n_layers ? (ff_affine){in->theta[FF_GAIN] / net->gain, in->theta[FF_BIAS]}
                                : (ff_affine){1.0, net->layers[l].bias};
}

/* Cells are taken a whole vector at a time, so that each takes the same path wherever it lies and a
 * block and its parts agree. */
enum { FF_LANES = 32 / sizeof(pf_real) };

/** Where cells lie that stand side by side. */
typedef struct ff_cells {
  const pf_real *from;
  pf_real *drive, *activity;
} ff_cells;

/** One vector of cells. */
PF_INLINE void ff_activate_lanes(const unit_function function, pf_real scale, pf_real bias,
                                 ff_cells cells)
{
  pf_real lane[FF_LANES];
#pragma omp simd
  for (int64_t k = 0; k < FF_LANES; k++) {
    lane[k] = scale * cells.from[k] + bias;
  }
#pragma omp simd
  for (int64_t k = 0; k < FF_LANES; k++) {
    cells.drive[k] = lane[k];
  }
#pragma omp simd
  for (int64_t k = 0; k < FF_LANES; k++) {
    lane[k] = unit_value(function, lane[k]);
  }
#pragma omp simd
  for (int64_t k = 0; k < FF_LANES; k++) {
    cells.activity[k] = lane[k];
  }
}

/** n cells. The last vector overlaps the one before it: what both hold is written twice. */
PF_INLINE void ff_activate_cells(const unit_function function, pf_real scale, pf_real bias,
                                 int64_t n, ff_cells cells)
{
  if (n < FF_LANES) {
    pf_real few[3][FF_LANES] = {{0}};
    for (int64_t k = 0; k < n; k++) {
      few[0][k] = cells.from[k];
    }
    ff_activate_lanes(function, scale, bias, (ff_cells){few[0], few[1], few[2]});
    for (int64_t k = 0; k < n; k++) {
      cells.drive[k] = few[1][k];
      cells.activity[k] = few[2][k];
    }
    return;
  }
  for (int64_t k = 0; k < n; k += FF_LANES) {
    const int64_t at = k + FF_LANES <= n ? k : n - FF_LANES;
    ff_activate_lanes(function, scale, bias,
                      (ff_cells){cells.from + at, cells.drive + at, cells.activity + at});
  }
}

PF_INLINE void ff_activate_rows(const unit_function function, const ff_affine *affine,
                                const pf_units *in, const pf_response *out)
{
  const pf_real scale = (pf_real)affine->scale, bias = (pf_real)affine->bias;
  int64_t n_rows = in->n_rows;
  int64_t n_steps = in->n_steps;
  if (in->ld_drive == n_rows && out->ld_signal == n_rows) { /* no gaps: one long row */
    n_rows *= n_steps;
    n_steps = n_rows > 0;
  }
  for (int64_t t = 0; t < n_steps; t++) {
    pf_real *signals = out->signals + t * out->ld_signal;
    ff_activate_cells(function, scale, bias, n_rows,
                      (ff_cells){in->drive + t * in->ld_drive,
                                 signals + FF_DRIVE * out->signal_stride,
                                 signals + FF_ACTIVITY * out->signal_stride});
  }
}

/** The layer that a population is; 0: the unit that is always 1. */
static pf_status ff_find_layer(const feedforward *net, int64_t population, int64_t *l,
                               pf_error *error)
{
  *l = population - net->has_one;
  if (population < 1 || *l >= net->n_layers) {
    return pf_fail(error, PF_STOP, "population %lld does not respond; expected 1 to %lld",
                   (long long)population, (long long)(net->n_layers + net->has_one) - 1);
  }
  return PF_OK;
}

/** The unit that no drive moves: 1, its tangent 0. */
static void ff_fill_signals(const pf_units *in, const pf_response *out, pf_real value)
{
  for (int64_t t = 0; t < in->n_steps; t++) {
    for (int64_t i = 0; i < in->n_rows; i++) {
      out->signals[FF_ACTIVITY * out->signal_stride + t * out->ld_signal + i] = value;
      out->signals[FF_DRIVE * out->signal_stride + t * out->ld_signal + i] = value;
    }
  }
}

/** += f' of the cotangents, by rows. */
PF_INLINE void ff_vjp_rows(unit_function function, const pf_units *in, const pf_response *value,
                           const pf_response *cotangent, const pf_units_gradient *gradient)
{
  int64_t n_rows = in->n_rows;
  int64_t n_steps = in->n_steps;
  if (value->ld_signal == n_rows && cotangent->ld_signal == n_rows &&
      gradient->ld_drive == n_rows) {
    n_rows *= n_steps; /* no gaps: one long row */
    n_steps = n_rows > 0;
  }
  for (int64_t t = 0; t < n_steps; t++) {
    const pf_real *y = value->signals + FF_ACTIVITY * value->signal_stride + t * value->ld_signal;
    const pf_real *c_activity =
        cotangent->signals + FF_ACTIVITY * cotangent->signal_stride + t * cotangent->ld_signal;
    const pf_real *c_drive =
        cotangent->signals + FF_DRIVE * cotangent->signal_stride + t * cotangent->ld_signal;
    pf_real *d_drive = gradient->drive + t * gradient->ld_drive;
#pragma omp simd
    for (int64_t i = 0; i < n_rows; i++) {
      d_drive[i] += c_drive[i] + c_activity[i] * unit_slope(function, y[i]);
    }
  }
}

/** With a gain or softmax, or where the gradients of gain and bias are wanted. */
static void ff_vjp_affine(const feedforward *net, int64_t l, const ff_affine *affine,
                          const pf_units *in, const pf_response *value,
                          const pf_response *cotangent, const pf_units_gradient *gradient)
{
  const unit_function function = net->layers[l].function;
  double d_scale = 0.0, d_bias = 0.0;
  for (int64_t t = 0; t < in->n_steps; t++) {
    const pf_real *drive = in->drive + t * in->ld_drive;
    const pf_real *y = value->signals + FF_ACTIVITY * value->signal_stride + t * value->ld_signal;
    const pf_real *c_activity =
        cotangent->signals + FF_ACTIVITY * cotangent->signal_stride + t * cotangent->ld_signal;
    const pf_real *c_drive =
        cotangent->signals + FF_DRIVE * cotangent->signal_stride + t * cotangent->ld_signal;
    const pf_real mean = unit_softmax_mean(function, in->n_rows, c_activity, y);
    for (int64_t i = 0; i < in->n_rows; i++) {
      const double c = (double)(c_drive[i] + unit_vjp(function, c_activity[i], y[i], mean));
      d_scale += c * (double)drive[i];
      d_bias += c;
      if (gradient->drive != NULL) {
        gradient->drive[t * gradient->ld_drive + i] += (pf_real)(affine->scale * c);
      }
    }
  }
  if (gradient->theta != NULL && l + 1 == net->n_layers) {
    gradient->theta[FF_GAIN] += d_scale / net->gain;
    gradient->theta[FF_BIAS] += d_bias;
  }
}

#define PF_ISA baseline
#include "feedforward_ops.h"
#ifdef PF_ISA_HAS_AVX2
#define PF_ISA avx2
#include "feedforward_ops.h"
#endif

PF_PLUGIN_ENTRY(feedforward)
{
  return PF_ISA_CHOOSE(ff_plugin);
}
