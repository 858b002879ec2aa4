#include "tests/goldens/setup.h"
#include "core/base/memory.h"
#include <string.h>

/* ---- the config ---- */

/* A string of the file in the config's quotes; one that could leave them is refused. */
static pf_status quote(pf_text *text, const char *key, const char *value, pf_error *error)
{
  if (strpbrk(value, "\"\\\n") != NULL) {
    return pf_fail(error, PF_STOP, "%s: found '%s', expected a word", key, value);
  }
  pf_text_add(text, "%s = \"%s\"; ", key, value);
  return PF_OK;
}

static pf_status network_layers(golden_case *golden, const json_t *network, const char *kind,
                                pf_text *text, pf_error *error)
{
  static const char *const feedforward[] = {"kind",    "n_in",   "n_hidden", "hidden",
                                            "readout", "output", "biases",   NULL};
  static const char *const single[] = {"kind", "n_in", "n_out", "output", "biases", NULL};
  const bool has_readout = strcmp(kind, "feedforward") == 0;
  if (!has_readout && strcmp(kind, "single plastic layer") != 0) {
    return pf_fail(
        error, PF_STOP,
        "network.kind: found '%s', this program knows feedforward and single plastic layer", kind);
  }
  const char *hidden = NULL;
  pf_status status =
      golden_check_keys(network, "network", has_readout ? feedforward : single, error);
  status = status == PF_OK ? golden_integer(network, "n_in", &golden->n_input, error) : status;
  status = status == PF_OK
               ? golden_integer(network, has_readout ? "n_hidden" : "n_out", &golden->n_post, error)
               : status;
  if (status == PF_OK && (golden->n_input < 1 || golden->n_post < 1)) {
    status = pf_fail(error, PF_STOP, "network: a layer has no units");
  }
  if (status != PF_OK) {
    return status;
  }
  pf_text_add(text, "layers = [%lld, %lld%s]; ", (long long)golden->n_input,
              (long long)golden->n_post, has_readout ? ", 1" : "");
  if (has_readout) {
    status = golden_string(network, "hidden", &hidden, error);
    status = status == PF_OK ? quote(text, "hidden", hidden, error) : status;
  }
  return status;
}

static pf_status network_config(golden_case *golden, pf_text *text, pf_error *error)
{
  const json_t *network = json_object_get(golden->root, "network");
  const char *kind = NULL;
  const char *output = NULL;
  const char *biases = "none";
  pf_status status = golden_string(network, "kind", &kind, error);
  pf_text_add(text, "network: { plugin = \"feedforward\"; initial_weights: { sd = 1.0; }; ");
  status = status == PF_OK ? network_layers(golden, network, kind, text, error) : status;
  status = status == PF_OK ? golden_string(network, "output", &output, error) : status;
  status = status == PF_OK ? quote(text, "output", output, error) : status;
  if (status == PF_OK && json_object_get(network, "biases") != NULL) {
    status = golden_string(network, "biases", &biases, error);
  }
  if (status == PF_OK && strcmp(biases, "none") != 0 && strcmp(biases, "zero") != 0) {
    status = pf_fail(error, PF_STOP, "network.biases: found '%s', this program knows none and zero",
                     biases);
  }
  pf_text_add(text, "};\n");
  return status;
}

/* "m, one value a step": what stands before a comma is the expression, the rest is for a reader. */
static pf_status rule_config(const golden_case *golden, pf_text *text, pf_error *error)
{
  const char *modulator = "0"; /* what a rule without r need not be told */
  double eta = 0.0;
  char expression[256];
  pf_status status = golden_number(golden->root, "eta", GOLDEN_NULL_IS_WRONG, &eta, error);
  if (status == PF_OK && (json_object_get(golden->root, "modulator") != NULL ||
                          memchr(golden->rule.factors, 'r', golden->rule.n_factors) != NULL)) {
    status = golden_string(golden->root, "modulator", &modulator, error);
  }
  if (status != PF_OK) {
    return status;
  }
  (void)snprintf(expression, sizeof expression, "%.*s", (int)strcspn(modulator, ","), modulator);
  pf_text_add(text, "rules: { layer1: { ");
  golden_rule_config(&golden->rule, text);
  pf_text_add(text, " eta = %.17e; ", eta);
  status = quote(text, "modulator", expression, error);
  pf_text_add(text, "}; };\n");
  return status;
}

static const json_t *first_step(const golden_case *golden)
{
  const json_t *steps = golden->is_training
                            ? json_array_get(json_object_get(golden->root, "experiments"), 0)
                            : json_object_get(golden->root, "steps");
  return json_array_get(steps, 0);
}

static pf_status loss_config(const golden_case *golden, pf_text *text, pf_error *error)
{
  const json_t *step = first_step(golden);
  const char *fit = NULL;
  const pf_status status = golden_string(golden->root, "fit", &fit, error);
  if (status != PF_OK) {
    return status;
  }
  const char *target = NULL;
  if (strcmp(fit, "behavior") == 0 || strcmp(fit, "behaviour") == 0) {
    target = "choice";
    pf_text_add(text, "losses = ( { plugin = \"choice\"; } );\n");
  } else if (strcmp(fit, "neural") != 0) {
    return pf_fail(error, PF_STOP, "fit: found '%s', this program knows behavior and neural", fit);
  } else if (json_object_get(step, "recorded") != NULL &&
             json_object_get(step, "activity") != NULL) {
    return pf_fail(error, PF_STOP,
                   "steps have both 'recorded' and 'activity': which one is fitted is not said");
  } else if (json_object_get(step, "recorded") != NULL) {
    target = "recorded";
    pf_text_add(text, "losses = ( { plugin = \"activity\"; observable = \"probability\"; target = "
                      "\"recorded\"; } );\n");
  } else {
    target = "activity";
    pf_text_add(text, "losses = ( { plugin = \"activity\"; } );\n");
  }
  return json_object_get(step, target) != NULL
             ? PF_OK
             : pf_fail(error, PF_STOP, "fit is '%s', but the steps have no '%s'", fit, target);
}

/* ---- what is not in the config's groups ---- */

static pf_status read_normalise(const json_t *root, const pf_normalisation **out, pf_error *error)
{
  const char *normalise = NULL;
  const pf_status status = golden_string(root, "normalise", &normalise, error);
  if (status != PF_OK) {
    return status;
  }
  *out = NULL;
  for (size_t i = 0; i < pf_n_normalisations; i++) {
    *out = strcmp(pf_normalisations[i].name, normalise) == 0 ? &pf_normalisations[i] : *out;
  }
  if (*out == NULL) {
    return pf_fail(error, PF_STOP,
                   "normalise: found '%s', this program knows steps, padded and sum", normalise);
  }
  return PF_OK;
}

static pf_status check_fields(const golden_case *golden, pf_error *error)
{
  static const char *const values[] = {
      "name",      "origin",      "note",    "fly",
      "layout",    "loss_is",     "network", "eta",
      "modulator", "rule",        "l1",      "fit",
      "normalise", "steps",       "w0",      "n_real",
      "n_padded",  "loss",        "grad",    "logits",
      "activity",  "probability", "final_w", "w_after_each_plastic_step_first_hidden",
      NULL};
  static const char *const training[] = {
      "name",      "origin",   "note",   "fly",         "layout", "loss_is",
      "network",   "eta",      "rule",   "l1",          "fit",    "modulator",
      "normalise", "theta0",   "w0",     "adam",        "reward", "expected_reward",
      "n_real",    "n_padded", "epochs", "experiments", NULL};
  const json_t *layout = json_object_get(golden->root, "layout");
  const pf_status status =
      golden_check_keys(golden->root, "the file", golden->is_training ? training : values, error);
  if (status == PF_OK && layout != NULL &&
      (!json_is_string(layout) || strcmp(json_string_value(layout), "weights[post][pre]") != 0)) {
    return pf_fail(error, PF_STOP, "layout: this program knows weights[post][pre] only");
  }
  return status;
}

static pf_status make_model(pf_registry *registry, golden_case *golden, pf_error *error)
{
  const char *channels[GOLDEN_CHANNELS];
  size_t n_channels = 0;
  const pf_normalisation *normalise = NULL;
  pf_text text = {0};
  pf_status status = read_normalise(golden->root, &normalise, error);
  status = status == PF_OK ? network_config(golden, &text, error) : status;
  status = status == PF_OK ? rule_config(golden, &text, error) : status;
  status = status == PF_OK ? loss_config(golden, &text, error) : status;
  status = status == PF_OK
               ? golden_channels(golden->root, first_step(golden), channels, &n_channels, error)
               : status;
  if (status == PF_OK && text.failed) {
    status = pf_fail(error, PF_STOP, "out of memory");
  }
  if (status == PF_OK) {
    status = lab_create(registry, golden->name, text.text, normalise,
                        (pf_names){channels, n_channels}, &golden->lab, error);
  }
  pf_text_free(&text);
  return status;
}

static pf_status add_data(golden_case *golden, pf_error *error)
{
  const json_t *w0 = json_object_get(golden->root, "w0");
  if (!golden->is_training) {
    return golden_add_experiment(golden, json_object_get(golden->root, "steps"), w0, 0, error);
  }
  const json_t *experiments = json_object_get(golden->root, "experiments");
  const bool one_each =
      json_is_array(json_array_get(json_array_get(w0, 0), 0)); /* [experiment][post][pre] */
  pf_status status = json_array_size(experiments) > 0
                         ? PF_OK
                         : pf_fail(error, PF_STOP, "experiments: expected a list");
  for (size_t i = 0; i < json_array_size(experiments) && status == PF_OK; i++) {
    status = golden_add_experiment(golden, json_array_get(experiments, i),
                                   one_each ? json_array_get(w0, i) : w0, i, error);
  }
  return status;
}

/* The problem that pf_problem_create() would make of such a config, with the data of the file. */
static void make_problem(golden_case *golden)
{
  golden->problem.settings = &golden->settings;
  golden->problem.models = &golden->models;
  golden->problem.config = golden->lab.config;
  golden->problem.models->network = golden->lab.network;
  golden->problem.model = golden->lab.model;
  golden->problem.settings->draws = 1;
  golden->problem.settings->give_inputs = true;
  golden->problem.settings->give_initial_weights = true;
  golden->problem.options.n_threads = 1;
}

pf_status golden_case_create(pf_registry *registry, const char *name, const json_t *root,
                             golden_case *out, pf_error *error)
{
  *out = (golden_case){
      .name = name, .root = root, .is_training = json_object_get(root, "epochs") != NULL};
  const json_t *rule = json_object_get(root, "rule");
  const json_t *theta =
      out->is_training ? json_object_get(root, "theta0") : json_object_get(rule, "theta");
  pf_status status = check_fields(out, error);
  status = status == PF_OK ? golden_rule_read(rule, theta, &out->rule, error) : status;
  status = status == PF_OK ? make_model(registry, out, error) : status;
  if (status == PF_OK) {
    make_problem(out);
    out->places = pf_memory_need(out->rule.n, sizeof *out->places, error);
    status = out->places == NULL
                 ? PF_STOP
                 : golden_rule_places(&out->rule, out->lab.model, out->places, error);
  }
  if (status == PF_OK && json_object_get(root, "l1") != NULL) {
    status = golden_number(root, "l1", GOLDEN_NULL_IS_WRONG, &out->problem.options.l1, error);
  }
  status = status == PF_OK ? add_data(out, error) : status;
  if (status != PF_OK) {
    golden_case_free(out);
  }
  return status;
}

void golden_case_free(golden_case *golden)
{
  pf_dataset_free(&golden->problem.data);
  lab_free(&golden->lab);
  golden_rule_free(&golden->rule);
  pf_memory_free(golden->places);
  memset(golden, 0, sizeof *golden);
}

pf_status golden_case_theta(const golden_case *golden, const json_t *tensor, const char *what,
                            double *theta, pf_error *error)
{
  double *numbers = pf_memory_need(golden->rule.n, sizeof *numbers, error);
  if (numbers == NULL) {
    return PF_STOP;
  }
  const pf_model *model = golden->lab.model;
  const pf_status status = golden_rule_numbers(&golden->rule, tensor, what, numbers, error);
  for (size_t i = model->network_theta0; i < model->n_parameters; i++) {
    theta[i] = model->parameters[i].declared.initial;
  }
  for (size_t i = 0; i < golden->rule.n && status == PF_OK; i++) {
    if (golden->places[i] >= 0) {
      theta[golden->places[i]] = numbers[i];
    }
  }
  pf_memory_free(numbers);
  return status;
}
