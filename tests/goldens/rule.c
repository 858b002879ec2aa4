#include "tests/goldens/rule.h"
#include "core/base/memory.h"
#include <ctype.h>
#include <string.h>

static const char letters[] = "xywr";
enum { HIGHEST_POWER = 2, N_POWERS = HIGHEST_POWER + 1 };

/* ---- factors ---- */

static pf_status add_factor(golden_rule *rule, char letter, const char *what, pf_error *error)
{
  if (letter == '\0' || strchr(letters, letter) == NULL || rule->n_factors == GOLDEN_FACTORS ||
      memchr(rule->factors, letter, rule->n_factors) != NULL) {
    return pf_fail(error, PF_STOP, "rule.%s: found '%c', expected each of x, y, w, r at most once",
                   what, letter);
  }
  rule->factors[rule->n_factors++] = letter;
  return PF_OK;
}

static pf_status read_factors(const json_t *rule, golden_rule *out, pf_error *error)
{
  const json_t *list = json_object_get(rule, "factors");
  if (!json_is_array(list) || json_array_size(list) == 0) {
    return pf_fail(error, PF_STOP, "rule.factors: expected a list of letters");
  }
  pf_status status = PF_OK;
  for (size_t k = 0; k < json_array_size(list) && status == PF_OK; k++) {
    const char *name = json_string_value(json_array_get(list, k));
    status = add_factor(out, name != NULL && strlen(name) == 1 ? name[0] : '?', "factors", error);
  }
  return status;
}

/* "theta[x power][r power][w power]" says the order of the indices; where it is given it must say
 * what factors says. */
static pf_status check_layout(const json_t *rule, const golden_rule *out, pf_error *error)
{
  const char *layout = json_string_value(json_object_get(rule, "theta_layout"));
  golden_rule said = {0};
  pf_status status = PF_OK;
  for (const char *at = layout == NULL ? NULL : strchr(layout, '['); at != NULL && status == PF_OK;
       at = strchr(at + 1, '[')) {
    if (strncmp(at + 2, " power]", strlen(" power]")) == 0) {
      status = add_factor(&said, at[1], "theta_layout", error);
    }
  }
  if (status == PF_OK && said.n_factors > 0 &&
      (said.n_factors != out->n_factors ||
       memcmp(said.factors, out->factors, said.n_factors) != 0)) {
    status =
        pf_fail(error, PF_STOP, "rule.theta_layout '%s' is not the order of rule.factors", layout);
  }
  return status;
}

/* ---- shapes ---- */

static pf_status read_taylor_sizes(const json_t *theta, golden_rule *out, pf_error *error)
{
  out->n = 1;
  for (size_t k = 0; k < out->n_factors && k < GOLDEN_FACTORS; k++) {
    out->sizes[k] = json_array_size(theta);
    if (out->sizes[k] < 1 || out->sizes[k] > N_POWERS) {
      return pf_fail(error, PF_STOP,
                     "theta has %zu entries along %c, expected 1 to %d (powers 0 to %d)",
                     out->sizes[k], out->factors[k], N_POWERS, HIGHEST_POWER);
    }
    out->n *= out->sizes[k];
    theta = json_array_get(theta, 0);
  }
  return PF_OK;
}

static pf_status read_mlp_sizes(const json_t *theta, golden_rule *out, pf_error *error)
{
  out->n_layers = json_array_size(theta);
  if (out->n_layers < 1 || out->n_layers > GOLDEN_LAYERS) {
    return pf_fail(error, PF_STOP, "theta has %zu layers, expected 1 to %d", out->n_layers,
                   GOLDEN_LAYERS);
  }
  size_t below = out->n_factors;
  for (size_t l = 0; l < out->n_layers; l++) {
    out->sizes[l] = json_array_size(json_object_get(json_array_get(theta, l), "bias"));
    out->n += (below + 1) * out->sizes[l];
    below = out->sizes[l];
  }
  return below == 1
             ? PF_OK
             : pf_fail(error, PF_STOP, "theta's last layer has %zu units, expected 1", below);
}

static pf_status taylor_numbers(const golden_rule *rule, size_t depth, const json_t *tensor,
                                const char *what, double **next, pf_error *error)
{
  if (depth >= rule->n_factors || depth >= GOLDEN_FACTORS) {
    return golden_numbers(tensor, what, GOLDEN_NULL_IS_WRONG, 1, (*next)++, error);
  }
  if (json_array_size(tensor) != rule->sizes[depth]) {
    return pf_fail(error, PF_STOP, "%s has %zu entries along %c, theta has %zu", what,
                   json_array_size(tensor), rule->factors[depth], rule->sizes[depth]);
  }
  pf_status status = PF_OK;
  for (size_t i = 0; i < rule->sizes[depth] && status == PF_OK; i++) {
    status = taylor_numbers(rule, depth + 1, json_array_get(tensor, i), what, next, error);
  }
  return status;
}

static pf_status mlp_numbers(const golden_rule *rule, const json_t *tensor, const char *what,
                             double *out, pf_error *error)
{
  static const char *const known[] = {"weights", "bias", NULL};
  size_t below = rule->n_factors;
  pf_status status = PF_OK;
  if (json_array_size(tensor) != rule->n_layers) {
    return pf_fail(error, PF_STOP, "%s has %zu layers, theta has %zu", what,
                   json_array_size(tensor), rule->n_layers);
  }
  for (size_t l = 0; l < rule->n_layers && status == PF_OK; l++) {
    const json_t *layer = json_array_get(tensor, l);
    const json_t *weights = json_object_get(layer, "weights");
    const size_t units = rule->sizes[l];
    status = golden_check_keys(layer, what, known, error);
    status = status == PF_OK ? golden_check_matrix(weights, what, below, units, error) : status;
    status = status == PF_OK
                 ? golden_numbers(weights, what, GOLDEN_NULL_IS_WRONG, below * units, out, error)
                 : status;
    out += below * units;
    status = status == PF_OK ? golden_numbers(json_object_get(layer, "bias"), what,
                                              GOLDEN_NULL_IS_WRONG, units, out, error)
                             : status;
    out += units;
    below = units;
  }
  return status;
}

pf_status golden_rule_numbers(const golden_rule *rule, const json_t *tensor, const char *what,
                              double *out, pf_error *error)
{
  return rule->is_mlp ? mlp_numbers(rule, tensor, what, out, error)
                      : taylor_numbers(rule, 0, tensor, what, &out, error);
}

/* ---- names ---- */

/* Power of `letter` in entry `at` of theta: the last index runs fastest. */
static size_t power_of(const golden_rule *rule, size_t at, char letter)
{
  size_t power = 0;
  for (size_t k = rule->n_factors; k-- > 0;) {
    power = rule->factors[k] == letter ? at % rule->sizes[k] : power;
    at /= rule->sizes[k];
  }
  return power;
}

static void name_taylor(golden_rule *rule)
{
  for (size_t i = 0; i < rule->n; i++) {
    (void)snprintf(rule->names[i], GOLDEN_NAME, "X%zuY%zuW%zuR%zu", power_of(rule, i, 'x'),
                   power_of(rule, i, 'y'), power_of(rule, i, 'w'), power_of(rule, i, 'r'));
  }
}

static void name_mlp(golden_rule *rule)
{
  size_t below = rule->n_factors;
  size_t i = 0;
  for (size_t l = 0; l < rule->n_layers; l++) {
    for (size_t from = 0; from < below; from++) {
      for (size_t unit = 0; unit < rule->sizes[l]; unit++) {
        if (l == 0) {
          (void)snprintf(rule->names[i++], GOLDEN_NAME, "L1_%c_%zu", rule->factors[from], unit);
        } else {
          (void)snprintf(rule->names[i++], GOLDEN_NAME, "L%zu_%zu_%zu", l + 1, from, unit);
        }
      }
    }
    for (size_t unit = 0; unit < rule->sizes[l]; unit++) {
      (void)snprintf(rule->names[i++], GOLDEN_NAME, "L%zu_bias_%zu", l + 1, unit);
    }
    below = rule->sizes[l];
  }
}

/* ---- all of it ---- */

static pf_status read_mask(const json_t *rule, golden_rule *out, pf_error *error)
{
  const json_t *mask = json_object_get(rule, "mask");
  for (size_t i = 0; i < out->n; i++) {
    out->mask[i] = 1.0;
  }
  if (mask == NULL || json_is_null(mask)) {
    return PF_OK;
  }
  pf_status status = golden_rule_numbers(out, mask, "rule.mask", out->mask, error);
  for (size_t i = 0; i < out->n && status == PF_OK; i++) {
    if (out->mask[i] != 1.0 && (out->mask[i] != 0.0 || out->is_mlp)) {
      status = pf_fail(error, PF_STOP, "rule.mask: found %g, expected %s", out->mask[i],
                       out->is_mlp ? "1: an mlp has no mask" : "0 or 1");
    }
  }
  return status;
}

pf_status golden_rule_read(const json_t *rule, const json_t *theta, golden_rule *out,
                           pf_error *error)
{
  static const char *const known[] = {"family", "factors", "theta", "theta_layout", "mask", NULL};
  const char *family = NULL;
  pf_status status = golden_check_keys(rule, "rule", known, error);
  status = status == PF_OK ? golden_string(rule, "family", &family, error) : status;
  if (status != PF_OK) {
    return status;
  }
  out->is_mlp = strcmp(family, "mlp") == 0;
  if (!out->is_mlp && strcmp(family, "taylor") != 0 && strcmp(family, "volterra") != 0) {
    return pf_fail(error, PF_STOP, "rule.family: found '%s', this program knows taylor and mlp",
                   family);
  }
  status = read_factors(rule, out, error);
  status = status == PF_OK && !out->is_mlp ? check_layout(rule, out, error) : status;
  if (status == PF_OK) {
    status = out->is_mlp ? read_mlp_sizes(theta, out, error) : read_taylor_sizes(theta, out, error);
  }
  if (status != PF_OK) {
    return status;
  }
  out->names = pf_memory_need(out->n, sizeof *out->names, error);
  out->mask = pf_memory_need(out->n, sizeof *out->mask, error);
  if (out->names == NULL || out->mask == NULL) {
    return PF_STOP;
  }
  if (out->is_mlp) {
    name_mlp(out);
  } else {
    name_taylor(out);
  }
  return read_mask(rule, out, error);
}

void golden_rule_free(golden_rule *rule)
{
  pf_memory_free(rule->names);
  pf_memory_free(rule->mask);
}

static void mlp_config(const golden_rule *rule, pf_text *text)
{
  pf_text_add(text, "plugin = \"mlp\"; inputs = [");
  for (size_t k = 0; k < rule->n_factors; k++) {
    pf_text_add(text, "%s\"%c\"", k > 0 ? ", " : "", rule->factors[k]);
  }
  pf_text_add(text, "]; hidden = [");
  for (size_t l = 0; l + 1 < rule->n_layers; l++) {
    pf_text_add(text, "%s%zu", l > 0 ? ", " : "", rule->sizes[l]);
  }
  pf_text_add(text, "];");
}

/* The plugin's mask has all 81 terms in the order x, y, w, r, whatever the order and the powers of
 * the file. */
static void taylor_config(const golden_rule *rule, pf_text *text)
{
  double mask[N_POWERS][N_POWERS][N_POWERS][N_POWERS] = {0};
  for (size_t i = 0; i < rule->n; i++) {
    mask[power_of(rule, i, 'x')][power_of(rule, i, 'y')][power_of(rule, i, 'w')]
        [power_of(rule, i, 'r')] = rule->mask[i];
  }
  const double *flat = &mask[0][0][0][0];
  pf_text_add(text, "plugin = \"taylor\"; mask = [");
  for (size_t i = 0; i < sizeof mask / sizeof *flat; i++) {
    pf_text_add(text, "%s%d", i > 0 ? ", " : "", flat[i] == 1.0 ? 1 : 0);
  }
  pf_text_add(text, "];");
}

void golden_rule_config(const golden_rule *rule, pf_text *text)
{
  if (rule->is_mlp) {
    mlp_config(rule, text);
  } else {
    taylor_config(rule, text);
  }
}

pf_status golden_rule_places(const golden_rule *rule, const pf_model *model, int64_t *places,
                             pf_error *error)
{
  size_t met = 0;
  for (size_t i = 0; i < rule->n; i++) {
    places[i] = -1;
    for (size_t p = 0; p < model->n_parameters && rule->mask[i] == 1.0; p++) {
      if (strcmp(model->parameters[p].declared.name, rule->names[i]) == 0) {
        places[i] = (int64_t)p;
        met++;
      }
    }
    if (rule->mask[i] == 1.0 && places[i] < 0) {
      return pf_fail(error, PF_STOP, "the model has no parameter '%s'", rule->names[i]);
    }
  }
  return met == model->network_theta0 /* what network and loss declare stays fixed */
             ? PF_OK
             : pf_fail(error, PF_STOP, "the model has %zu parameters, the file %zu",
                       model->network_theta0, met);
}
