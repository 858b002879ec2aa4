#include "core/model_config/parameters.h"

#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/config/setting.h"
#include "core/layout/layout.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/** What is fixed beyond its bounds is a mistake. */
static pf_status check_fixed_value(const pf_config *config, const pf_parameter *parameter,
                                   const pf_node *node, pf_error *error)
{
  if ((parameter->flags & PF_PARAMETER_FIXED) == 0 ||
      (parameter->initial >= parameter->lower && parameter->initial <= parameter->upper)) {
    return PF_OK;
  }
  return pf_config_fail(config, node, error,
                        "%s: is fixed at %g, expected a value within its bounds, %g to %g",
                        parameter->name, parameter->initial, parameter->lower, parameter->upper);
}

void pf_parameters_warn_starts(const pf_model *model, const pf_host *host)
{
  for (size_t i = 0; i < model->n_parameters; i++) {
    const pf_parameter *parameter = &model->parameters[i].declared;
    if (pf_is_free(&model->parameters[i]) &&
        (parameter->initial < parameter->lower || parameter->initial > parameter->upper)) {
      char line[256];
      (void)snprintf(line, sizeof line,
                     "%.100s: %g lies beyond its bounds, %g to %g; the fit starts at the bound",
                     parameter->name, parameter->initial, parameter->lower, parameter->upper);
      host->warn(host, line);
    }
  }
}

/** What the group of one parameter says. Numbers that it does not give are NaN. */
typedef struct parameter_settings {
  double initial, init, value, sd, change, lower, upper, l1, l2;
  bool fixed;
  uint32_t scope; /* enum pf_scope */
  char *tied;
} parameter_settings;

static pf_option_table parameter_keys(void)
{
#define PF_ROW_STRUCT parameter_settings
  static const pf_setting rows[] = {
      PF_ROW_REAL(initial, "initial", NULL, NULL, -INFINITY, INFINITY, "where a fit starts"),
      PF_ROW_REAL(init, "init", NULL, NULL, -INFINITY, INFINITY, "the same, shorter"),
      PF_ROW_REAL(value, "value", NULL, NULL, -INFINITY, INFINITY, "what a teacher uses"),
      PF_ROW_REAL(sd, "sd", NULL, NULL, 0, INFINITY,
                  "of a teacher: sd of `value` between simulated animals"),
      PF_ROW_REAL(change, "change", NULL, NULL, -INFINITY, INFINITY,
                  "of a teacher: by how much `value` is larger in every second animal, whose "
                  "`group` is \"changed\", not \"control\""),
      PF_ROW_REAL(lower, "lower", NULL, NULL, -INFINITY, INFINITY, "bound"),
      PF_ROW_REAL(upper, "upper", NULL, NULL, -INFINITY, INFINITY, "bound"),
      PF_ROW_BOOL(fixed, "fixed", NULL, "true: not fitted"),
      PF_ROW_CHOICE(scope, "scope", NULL, "shared|animal|experiment",
                    "one value for all, for each animal or for each experiment"),
      PF_ROW_REAL(l1, "l1", NULL, NULL, 0, INFINITY, "a penalty of its own"),
      PF_ROW_REAL(l2, "l2", NULL, NULL, 0, INFINITY, "a penalty of its own"),
      PF_ROW_TEXT(tied, "tied", NULL, "another parameter, or a factor times it: \"2 * decay\""),
  };
#undef PF_ROW_STRUCT
  return PF_ROWS(rows);
}

static void set_number(double *to, double number)
{
  *to = isnan(number) ? *to : number;
}

static void apply_settings(const parameter_settings *from, pf_model_parameter *to)
{
  pf_parameter *declared = &to->declared;
  set_number(&declared->initial, from->initial);
  set_number(&declared->initial, from->init);
  set_number(&declared->value, from->value);
  set_number(&declared->lower, from->lower);
  set_number(&declared->upper, from->upper);
  set_number(&to->l1, from->l1);
  set_number(&to->l2, from->l2);
  set_number(&to->spread, from->sd);
  set_number(&to->change, from->change);
  to->own_penalty |= !isnan(from->l1) || !isnan(from->l2);
  declared->scope = from->scope;
  declared->flags &= ~(uint32_t)PF_PARAMETER_FIXED;
  declared->flags |= from->fixed ? (uint32_t)PF_PARAMETER_FIXED : 0U;
}

static pf_status change_by_group(const pf_config *config, pf_model_parameter *of,
                                 const pf_node *node, bool of_rule, const pf_options *options,
                                 pf_error *error)
{
  pf_parameter *declared = &of->declared;
  parameter_settings settings = {.initial = NAN,
                                 .init = NAN,
                                 .value = NAN,
                                 .sd = NAN,
                                 .change = NAN,
                                 .lower = NAN,
                                 .upper = NAN,
                                 .l1 = NAN,
                                 .l2 = NAN,
                                 .scope = declared->scope,
                                 .fixed = (declared->flags & PF_PARAMETER_FIXED) != 0};
  const bool tied = options->present(options, "tied") != 0;
  pf_status status = pf_settings_read(parameter_keys(), options, &settings, error);
  pf_settings_clear(parameter_keys(), NULL, &settings); /* pf_parameters_tie reads `tied` */
  if (status != PF_OK) {
    return status;
  }
  apply_settings(&settings, of);
  if (tied && (!isnan(settings.initial) || !isnan(settings.init) || !isnan(settings.value) ||
               options->present(options, "fixed") != 0)) {
    return pf_config_fail(config, node, error,
                          "%s is tied to another parameter and takes its value from there; remove "
                          "`tied`, or `initial`, `value` and `fixed`",
                          declared->name);
  }
  if (!(declared->lower <= declared->upper)) {
    return pf_config_fail(config, node, error,
                          "%s: found lower = %g above upper = %g, expected the other way round",
                          declared->name, declared->lower, declared->upper);
  }
  if (!of_rule && (declared->flags & PF_PARAMETER_FIXED) != 0 && isnan(settings.value)) {
    declared->value = declared->initial; /* what is fixed is so for the truth too */
  }
  if (isnan(settings.initial) && isnan(settings.lower) && isnan(settings.upper)) {
    return PF_OK;
  }
  return check_fixed_value(config, declared, node, error);
}

/** `parameters: { decay = 0.05; gain: { initial = 0.1; lower = 0.0; upper = 2.0; fixed = true; };
 * }` */
static pf_status change_parameter(const pf_config *config, pf_model_parameter *of,
                                  const pf_node *node, bool of_rule, bool teacher, pf_error *error)
{
  pf_parameter *declared = &of->declared;
  double number = 0.0;
  if (pf_node_number(node, &number) != 0) {
    if (!of_rule) { /* of a network or a loss, which the truth shares */
      declared->value = declared->initial = number;
      return check_fixed_value(config, declared, node, error);
    }
    *(teacher ? &declared->value : &declared->initial) = number;
    return PF_OK;
  }
  pf_view *view = NULL;
  const pf_group group = {
      .config = config, .node = node, .what = declared->name, .table = parameter_keys()};
  if (pf_view_create(&group, &view, error) != PF_OK) {
    return PF_STOP;
  }
  const pf_status status = change_by_group(config, of, node, of_rule, pf_view_options(view), error);
  pf_view_free(view);
  return status;
}

/** Who declares parameters: a rule, the network or a loss. */
typedef struct declarer {
  const pf_component *component;
  size_t theta0, n;
  bool of_rule;
} declarer;

/** Declarer number i of the model; false behind the last. */
static bool declarer_at(const pf_model *model, size_t i, declarer *out)
{
  if (i < model->n_plastic) {
    *out = (declarer){model->plastic[i].rule, model->plastic[i].theta0,
                      model->plastic[i].declared.parameters.count, true};
    return true;
  }
  i -= model->n_plastic;
  if (i == 0) {
    *out =
        (declarer){model->network, model->network_theta0, model->declared.parameters.count, false};
    return true;
  }
  if (i - 1 < model->n_losses) {
    const pf_loss_term *term = &model->losses[i - 1];
    *out = (declarer){term->loss, term->theta0, term->declared.parameters.count, false};
    return true;
  }
  return false;
}

/** No such parameter: the nearest name, or, where none is near, those that there are. */
static pf_status unknown_parameter(const declarer *of, const char *name, pf_names names,
                                   pf_error *error)
{
  const char *near = name == NULL ? NULL : pf_text_nearest(name, names);
  pf_text line = {0};
  pf_text_add(&line, "%s has no parameter '%s'", of->component->label,
              name == NULL ? "(unnamed)" : name);
  if (near != NULL) {
    pf_text_add(&line, "; did you mean '%s'?", near);
  } else {
    enum { MAX = 12 };
    pf_text_add(&line, "%s", names.count > 0 ? "; it has " : "; it has none");
    for (size_t i = 0; i < names.count && i < MAX; i++) {
      pf_text_add(&line, "%s%s", i > 0 ? ", " : "", names.items[i]);
    }
    pf_text_add(&line, "%s", names.count > MAX ? ", ..." : "");
  }
  const pf_status status =
      pf_fail(error, PF_STOP, "%s", line.text == NULL ? "out of memory" : line.text);
  pf_text_free(&line);
  return status;
}

/** Names of a declarer's parameters; the caller frees names->items. */
static pf_status list_names(const pf_model *model, const declarer *of, pf_names *names,
                            pf_error *error)
{
  const char **items = pf_memory_need(of->n, sizeof *items, error);
  if (items == NULL) {
    return PF_STOP;
  }
  for (size_t i = 0; i < of->n; i++) {
    items[i] = model->parameters[of->theta0 + i].declared.name;
  }
  *names = (pf_names){items, of->n};
  return PF_OK;
}

static size_t find_name(pf_names names, const char *name)
{
  size_t i = 0;
  while (i < names.count && (name == NULL || strcmp(names.items[i], name) != 0)) {
    i++;
  }
  return i;
}

/** Apply the `parameters` group of one declarer to the model's parameters that are its own. */
static pf_status apply_parameters(const pf_config *config, pf_model *model, const declarer *of,
                                  bool teacher, pf_error *error)
{
  const pf_node *group = pf_node_get(of->component->node, "parameters");
  pf_names names = {0};
  if (list_names(model, of, &names, error) != PF_OK) {
    return PF_STOP;
  }
  pf_status status = PF_OK;
  for (int64_t c = 0; c < pf_node_count(group); c++) {
    const pf_node *node = pf_node_at(group, c);
    const size_t i = find_name(names, pf_node_name(node));
    if (i == of->n) {
      status = unknown_parameter(of, pf_node_name(node), names, error);
      pf_error_locate(error, config, node);
    } else {
      status = change_parameter(config, &model->parameters[of->theta0 + i], node, of->of_rule,
                                teacher, error);
    }
    if (status != PF_OK) {
      break;
    }
  }
  pf_memory_free((void *)names.items);
  return status;
}

pf_status pf_parameters_of_others(const pf_config *config, pf_model *model, bool teacher,
                                  pf_error *error)
{
  declarer of;
  for (size_t i = model->n_plastic; declarer_at(model, i, &of); i++) {
    if (apply_parameters(config, model, &of, teacher, error) != PF_OK) {
      return PF_STOP;
    }
  }
  return PF_OK;
}

/** Numbers in a rule's terms are a teacher's values; in a rule that is fitted they can only be a
 * misunderstanding. */
static pf_status refuse_given(const pf_config *config, const pf_model *model,
                              const pf_plastic *plastic, pf_error *error)
{
  for (size_t i = 0; i < plastic->declared.parameters.count; i++) {
    const pf_parameter *parameter = &model->parameters[plastic->theta0 + i].declared;
    if ((parameter->flags & PF_PARAMETER_GIVEN) != 0) {
      return pf_config_fail(config, plastic->rule->node, error,
                            "%s is fitted, but its terms give '%s' the number %g; leave numbers "
                            "and minus signs out (a starting value: parameters: { %s = %g; })",
                            plastic->rule->label,
                            parameter->label == NULL ? parameter->name : parameter->label,
                            parameter->value, parameter->name, parameter->value);
    }
  }
  return PF_OK;
}

pf_status pf_parameters_of_rule(const pf_config *config, pf_model *model, size_t p, double init_sd,
                                bool teacher, pf_error *error)
{
  const pf_plastic *plastic = &model->plastic[p];
  declarer of = {0};
  (void)declarer_at(model, p, &of);
  for (size_t i = 0; i < of.n && !isnan(init_sd); i++) {
    model->parameters[of.theta0 + i].declared.initial_sd = init_sd;
  }
  if (apply_parameters(config, model, &of, teacher, error) != PF_OK) {
    return PF_STOP;
  }
  return teacher ? PF_OK : refuse_given(config, model, plastic, error);
}

/* ---- ties ---- */

static const char *skip_spaces(const char *text)
{
  while (isspace((unsigned char)*text)) {
    text++;
  }
  return text;
}

/** "other", "-other", "2 * other", "0.5 other": the factor, and where the name starts; NULL if it
 * is none of these. */
static const char *scan_tie(const char *text, double *factor)
{
  const char *at = skip_spaces(text);
  const double sign = *at == '-' ? -1.0 : 1.0;
  if (*at == '-' || *at == '+') {
    at = skip_spaces(at + 1);
  }
  *factor = sign;
  if (isdigit((unsigned char)*at) || *at == '.') {
    char *end = NULL;
    *factor = sign * strtod(at, &end);
    at = skip_spaces(end);
    if (*at == '*') {
      at = skip_spaces(at + 1);
    }
  }
  const char *end = at;
  while (*end != '\0' && (isalnum((unsigned char)*end) || strchr("_.[]", *end) != NULL)) {
    end++;
  }
  const bool whole = end != at && *skip_spaces(end) == '\0';
  return whole && isfinite(*factor) && *factor != 0.0 ? at : NULL;
}

/** Is `word` (up to a space) the name of parameter i, with its owner before it or, of the same
 * owner, without? */
static bool names_parameter(const pf_model *model, size_t i, const char *owner, const char *word)
{
  const pf_model_parameter *parameter = &model->parameters[i];
  const size_t length = strcspn(word, " \t"), own = strlen(parameter->owner),
               name = strlen(parameter->declared.name);
  if (length == name && strncmp(word, parameter->declared.name, length) == 0) {
    return strcmp(owner, parameter->owner) == 0;
  }
  return length == own + 1 + name && strncmp(word, parameter->owner, own) == 0 &&
         word[own] == '.' && strncmp(word + own + 1, parameter->declared.name, name) == 0;
}

static pf_status no_such_parameter(const pf_model *model, const char *text, const char *owner,
                                   const char *word, pf_error *error)
{
  char name[96];
  (void)snprintf(name, sizeof name, "%.*s", (int)strcspn(word, " \t"), word);
  const char **names = pf_memory_need(model->n_parameters, sizeof *names, error);
  if (names == NULL) {
    return PF_STOP;
  }
  size_t n = 0;
  for (size_t i = 0; i < model->n_parameters; i++) {
    if (strcmp(model->parameters[i].owner, owner) == 0) {
      names[n++] = model->parameters[i].declared.name;
    }
  }
  const char *near = pf_text_nearest(name, (pf_names){names, n});
  pf_status status = pf_fail(
      error, PF_STOP,
      "tied = \"%s\": %s has no parameter '%s'%s%s%s (of another rule: \"rules.NAME.parameter\")",
      text, owner, name, near == NULL ? "" : "; did you mean '", near == NULL ? "" : near,
      near == NULL ? "" : "'");
  pf_memory_free(names);
  return status;
}

static pf_status read_tie(pf_model *model, size_t i, const char *text, pf_error *error)
{
  pf_model_parameter *parameter = &model->parameters[i];
  double factor = 1.0;
  const char *word = scan_tie(text, &factor);
  if (word == NULL) {
    return pf_fail(error, PF_STOP,
                   "tied = \"%s\": expected another parameter, or a factor that is not 0 times "
                   "one: \"2 * decay\"",
                   text);
  }
  for (size_t k = 0; k < model->n_parameters; k++) {
    if (names_parameter(model, k, parameter->owner, word)) {
      if (k == i) {
        return pf_fail(error, PF_STOP, "tied = \"%s\": '%s' cannot be tied to itself", text,
                       parameter->declared.name);
      }
      parameter->tied = true;
      parameter->declared.flags &=
          ~(uint32_t)PF_PARAMETER_FIXED; /* a network's or a loss's may be by default */
      parameter->tied_to = k;
      parameter->factor = factor;
      return PF_OK;
    }
  }
  return no_such_parameter(model, text, parameter->owner, word, error);
}

/** Of a chain of ties a -> b -> c, a becomes tied to c, which is not tied. */
static pf_status follow_chain(pf_model *model, size_t i, pf_error *error)
{
  pf_model_parameter *parameter = &model->parameters[i];
  for (size_t hops = 0; model->parameters[parameter->tied_to].tied; hops++) {
    const pf_model_parameter *next = &model->parameters[parameter->tied_to];
    if (hops > model->n_parameters || next->tied_to == i) {
      return pf_fail(error, PF_STOP,
                     "'%s' and '%s' are tied to each other in a circle, so neither has a value",
                     parameter->declared.name, next->declared.name);
    }
    parameter->factor *= next->factor;
    parameter->tied_to = next->tied_to;
  }
  return PF_OK;
}

/** Where the parameter that i is tied to may lie, so that i stays within its own bounds. */
static pf_status share_bounds(pf_model *model, size_t i, pf_error *error)
{
  const pf_model_parameter *parameter = &model->parameters[i];
  pf_parameter *free = &model->parameters[parameter->tied_to].declared;
  const double a = parameter->declared.lower / parameter->factor,
               b = parameter->declared.upper / parameter->factor;
  free->lower = fmax(free->lower, fmin(a, b));
  free->upper = fmin(free->upper, fmax(a, b));
  if (!(free->lower <= free->upper)) {
    return pf_fail(error, PF_STOP,
                   "'%s' is %g times '%s', but their bounds leave no value for both; change "
                   "`lower` or `upper`",
                   parameter->declared.name, parameter->factor, free->name);
  }
  return PF_OK;
}

/** Calls `act` on the parameter of each `tied` entry of the `parameters` groups. */
static pf_status each_tie(const pf_config *config, pf_model *model,
                          pf_status (*act)(pf_model *model, size_t i, const char *text,
                                           pf_error *error),
                          pf_error *error)
{
  declarer of;
  for (size_t p = 0; declarer_at(model, p, &of); p++) {
    const pf_node *group = pf_node_get(of.component->node, "parameters");
    for (int64_t c = 0; c < pf_node_count(group); c++) {
      const pf_node *node = pf_node_at(group, c);
      const char *text = NULL;
      if (!pf_node_is_group(node) || pf_node_string(pf_node_get(node, "tied"), &text) == 0) {
        continue;
      }
      for (size_t i = 0; i < of.n; i++) {
        if (strcmp(model->parameters[of.theta0 + i].declared.name, pf_node_name(node)) == 0 &&
            act(model, of.theta0 + i, text, error) != PF_OK) {
          pf_error_locate(error, config, node);
          return PF_STOP;
        }
      }
    }
  }
  return PF_OK;
}

static pf_status settle_tie(pf_model *model, size_t i, const char *text, pf_error *error)
{
  (void)text;
  return follow_chain(model, i, error) == PF_OK ? share_bounds(model, i, error) : PF_STOP;
}

pf_status pf_parameters_tie(const pf_config *config, pf_model *model, pf_error *error)
{
  if (each_tie(config, model, read_tie, error) != PF_OK) {
    return PF_STOP;
  }
  return each_tie(config, model, settle_tie, error);
}
