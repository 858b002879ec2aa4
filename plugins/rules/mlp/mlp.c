/*
 * plugins/rules/mlp/mlp.c - a multilayer perceptron as the rule: dw_ij = tanh(MLP_theta(x_j, y_i,
 * w_ij, r)).
 *
 * Hidden units are leaky ReLUs of slope 0.01. One hidden layer over rows of many columns is in
 * wide.h, everything else in packed.h.
 */
#include <plastfit/abi/plugin.h>

#include "packed.h"
#include "tangent.h"
#include "wide.h"

/* Measured: below it packing synapses of several rows into lanes is faster than short rows. */
enum { MLP_NARROW = 12 };

static const pf_option options[] = {
    {.name = "hidden",
     .type = PF_TYPE_INTEGERS,
     .fallback = "[10]",
     .unit = "units",
     .lower = 1,
     .upper = MLP_MAX_UNITS,
     .help = "sizes of the hidden layers, at most 8 layers and 256 units in all; [] for none"},
    {.name = "inputs",
     .type = PF_TYPE_STRINGS,
     .fallback = "[\"x\", \"y\", \"w\", \"r\"]",
     .choices = "x|y|w|r",
     .help = "what the perceptron sees, in this order"},
};

static const pf_modulator modulators[] = {
    {.name = "r",
     .fallback = "reward - expected_reward",
     .per = PF_PER_NETWORK,
     .help = "the reward term r"},
};

static pf_status read_inputs(const pf_options *given, mlp *shape, pf_error *error)
{
  const int64_t n = given->length(given, "inputs");
  if (n == 0) {
    return pf_fail_key(error, PF_STOP, "inputs",
                       "the list is empty; the perceptron needs at least one of x, y, w, r");
  }
  for (int k = 0; k < MLP_MAX_INPUTS; k++) {
    shape->place[k] = -1;
  }
  for (int64_t i = 0; i < n; i++) {
    const char *name = given->string_at(given, "inputs", i);
    const char *letter = name[0] != '\0' && name[1] == '\0' ? strchr(mlp_letters, name[0]) : NULL;
    if (letter == NULL) {
      return pf_fail_key(error, PF_STOP, "inputs", "found \"%s\", expected x, y, w or r", name);
    }
    const int which = (int)(letter - mlp_letters);
    if (shape->place[which] >= 0) {
      return pf_fail_key(error, PF_STOP, "inputs", "%s is there twice; write it once", name);
    }
    shape->place[which] = (int)i;
    shape->input[i] = (enum mlp_input)which;
  }
  shape->n_inputs = (int)n;
  return PF_OK;
}

static pf_status read_layers(const pf_options *given, mlp *shape, pf_error *error)
{
  const int64_t n_hidden = given->length(given, "hidden");
  int64_t units = 0;
  if (n_hidden > MLP_MAX_HIDDEN) {
    return pf_fail_key(error, PF_STOP, "hidden",
                       "found %lld hidden layers, at most %d are possible", (long long)n_hidden,
                       MLP_MAX_HIDDEN);
  }
  shape->n_layers = (int)n_hidden + 1;
  shape->size[0] = shape->n_inputs;
  for (int l = 1; l <= n_hidden; l++) {
    const int64_t size = given->integer_at(given, "hidden", l - 1);
    units += size;
    if (size < 1 || size > MLP_MAX_UNITS || units > MLP_MAX_UNITS) {
      return pf_fail_key(error, PF_STOP, "hidden",
                         "layer %d of %lld units: a layer has 1 or more, all hidden layers "
                         "together at most %d",
                         l, (long long)size, MLP_MAX_UNITS);
    }
    shape->size[l] = (int)size;
  }
  shape->size[shape->n_layers] = 1;
  for (int l = 1; l <= shape->n_layers; l++) {
    shape->first[l] = shape->first[l - 1] + shape->size[l - 1];
    shape->weights[l] = shape->n_parameters;
    shape->biases[l] = shape->weights[l] + shape->size[l - 1] * shape->size[l];
    shape->n_parameters = shape->biases[l] + shape->size[l];
  }
  return PF_OK;
}

static void name_parameters(mlp *self)
{
  for (int l = 1; l <= self->n_layers; l++) {
    for (int k = self->weights[l]; k < self->biases[l] + self->size[l]; k++) {
      const int bias = k >= self->biases[l];
      const int unit = (k - self->weights[l]) % self->size[l];
      const int from = (k - self->weights[l]) / self->size[l];
      char *name = self->names[k];
      const size_t room = sizeof self->names[k];
      if (bias) {
        (void)snprintf(name, room, "L%d_bias_%d", l, unit);
      } else if (l == 1) {
        (void)snprintf(name, room, "L1_%c_%d", mlp_letters[self->input[from]], unit);
      } else {
        (void)snprintf(name, room, "L%d_%d_%d", l, from, unit);
      }
      self->parameters[k] = (pf_parameter){
          .name = name,
          .unit = "1",
          .initial = 0.0,
          .initial_sd = bias ? 0.0 : 0.1,
          .value = 0.0,
          .lower = -INFINITY,
          .upper = INFINITY,
          .help = bias ? "bias of a unit"
                       : "weight from an input, or a unit of the layer below, to a unit",
      };
    }
  }
}

static void destroy(void *object)
{
  mlp *self = object;
  if (self != NULL) {
    self->host->release(self->host, self->names);
    self->host->release(self->host, self->parameters);
    self->host->release(self->host, self);
  }
}

static pf_status create(const pf_host *host, const pf_options *given, void **out, pf_error *error)
{
  mlp shape = {.host = host};
  if (read_inputs(given, &shape, error) != PF_OK || read_layers(given, &shape, error) != PF_OK) {
    return PF_STOP;
  }
  mlp *self = host->allocate(host, sizeof *self);
  if (self == NULL) {
    return pf_fail(error, PF_STOP, "no memory for the rule");
  }
  *self = shape;
  self->parameters = host->allocate(host, (size_t)self->n_parameters * sizeof *self->parameters);
  self->names = host->allocate(host, (size_t)self->n_parameters * sizeof *self->names);
  if (self->parameters == NULL || self->names == NULL) {
    destroy(self);
    return pf_fail(error, PF_STOP, "no memory for the rule's %d parameters", shape.n_parameters);
  }
  name_parameters(self);
  *out = self;
  return PF_OK;
}

static pf_status declare(const void *object, pf_rule_declaration *out, pf_error *error)
{
  (void)error;
  static const uint32_t reads[MLP_MAX_INPUTS] = {PF_READS_PRE, PF_READS_POST, PF_READS_WEIGHT,
                                                 PF_READS_MODULATOR};
  const mlp *self = object;
  out->parameters =
      (pf_parameter_table){self->parameters, (size_t)self->n_parameters, sizeof *self->parameters};
  out->modulators = (pf_modulator_table)PF_TABLE_OF(modulators);
  for (int k = 0; k < self->n_inputs; k++) {
    out->reads |= reads[self->input[k]];
  }
  return PF_OK;
}

/** The shape: the coefficients of a perceptron say little one by one. */
static pf_status describe(const void *object, const double *theta, uint32_t format, char *text,
                          size_t capacity, pf_error *error)
{
  (void)theta;
  (void)error;
  const mlp *self = object;
  const int latex = format == PF_TEXT_LATEX;
  rule_text out = rule_text_begin(text, capacity, format);
  rule_text_add(&out, latex ? "\\tanh \\mathrm{MLP}_{" : "tanh(MLP ");
  for (int l = 0; l <= self->n_layers; l++) {
    rule_text_add(&out, "%s%d", l > 0 ? "-" : "", self->size[l]);
  }
  rule_text_add(&out, latex ? "}(" : " of ");
  for (int k = 0; k < self->n_inputs; k++) {
    rule_text_add(&out, "%s%c", k > 0 ? ", " : "", mlp_letters[self->input[k]]);
  }
  rule_text_add(&out, ")");
  return PF_OK;
}

/** Columns alone decide, so that a block and its parts give the same bits. */
PF_INLINE int takes_rows(const mlp *self, const pf_block *in)
{
  return self->n_layers == 2 && in->n_pre >= MLP_NARROW;
}

#define PF_ISA baseline
#include "mlp_ops.h"
#ifdef PF_ISA_HAS_AVX2
#define PF_ISA avx2
#include "mlp_ops.h"
#endif

PF_PLUGIN_ENTRY(mlp)
{
  return PF_ISA_CHOOSE(plugin);
}
