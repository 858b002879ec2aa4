/* Parameters of the rules as the config wants them: started, bounded, fixed, tied to one another.
 */
#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/layout/layout.h"
#include "core/problem/build.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

uint32_t pf_build_scope(const char *word)
{
  return strcmp(word, "animal") == 0       ? (uint32_t)PF_SCOPE_ANIMAL
         : strcmp(word, "experiment") == 0 ? (uint32_t)PF_SCOPE_EXPERIMENT
                                           : (uint32_t)PF_SCOPE_SHARED;
}

/** What is fixed beyond its bounds is a mistake. */
static pf_status check_within(const pf_problem *problem, const pf_parameter *parameter,
                              const pf_node *node, pf_error *error)
{
  if ((parameter->flags & PF_PARAMETER_FIXED) == 0 ||
      (parameter->initial >= parameter->lower && parameter->initial <= parameter->upper)) {
    return PF_OK;
  }
  const pf_status status =
      pf_fail(error, PF_STOP, "%s: is fixed at %g, expected a value within its bounds, %g to %g",
              parameter->name, parameter->initial, parameter->lower, parameter->upper);
  pf_error_locate(error, problem->config, node);
  return status;
}

void pf_build_warn_starts(const pf_model *model)
{
  for (size_t i = 0; i < model->n_parameters; i++) {
    const pf_parameter *parameter = &model->parameters[i].declared;
    if (pf_is_free(&model->parameters[i]) &&
        (parameter->initial < parameter->lower || parameter->initial > parameter->upper)) {
      char line[256];
      (void)snprintf(line, sizeof line,
                     "%.100s: %g lies beyond its bounds, %g to %g; the fit starts at the bound",
                     parameter->name, parameter->initial, parameter->lower, parameter->upper);
      pf_host_default()->warn(pf_host_default(), line);
    }
  }
}

/** `parameters: { decay = 0.05; gain: { initial = 0.1; lower = 0.0; upper = 2.0; fixed = true; };
 * }` */
static pf_status change_parameter(const pf_problem *problem, pf_model_parameter *of,
                                  const pf_node *node, bool of_rule, bool teacher, pf_error *error)
{
  static const pf_option keys[] = {
      {.name = "initial",
       .type = PF_TYPE_REAL,
       .lower = -INFINITY,
       .upper = INFINITY,
       .help = "where a fit starts"},
      {.name = "init",
       .type = PF_TYPE_REAL,
       .lower = -INFINITY,
       .upper = INFINITY,
       .help = "the same, shorter"},
      {.name = "value",
       .type = PF_TYPE_REAL,
       .lower = -INFINITY,
       .upper = INFINITY,
       .help = "what a teacher uses"},
      {.name = "lower",
       .type = PF_TYPE_REAL,
       .lower = -INFINITY,
       .upper = INFINITY,
       .help = "bound"},
      {.name = "upper",
       .type = PF_TYPE_REAL,
       .lower = -INFINITY,
       .upper = INFINITY,
       .help = "bound"},
      {.name = "fixed", .type = PF_TYPE_BOOL, .help = "true: not fitted"},
      {.name = "scope",
       .type = PF_TYPE_STRING,
       .choices = "shared|animal|experiment",
       .help = "one value for all, for each animal or for each experiment"},
      {.name = "l1",
       .type = PF_TYPE_REAL,
       .lower = 0,
       .upper = INFINITY,
       .help = "a penalty of its own"},
      {.name = "l2",
       .type = PF_TYPE_REAL,
       .lower = 0,
       .upper = INFINITY,
       .help = "a penalty of its own"},
      {.name = "tied",
       .type = PF_TYPE_STRING,
       .help = "another parameter, or a factor times it: \"2 * decay\""},
  };
  pf_parameter *parameter = &of->declared;
  double number = 0.0;
  if (pf_node_number(node, &number) != 0 &&
      !of_rule) { /* of a network or a loss, which the truth shares */
    parameter->value = parameter->initial = number;
    return check_within(problem, parameter, node, error);
  }
  if (pf_node_number(node, &number) != 0) {
    parameter->value = teacher ? number : parameter->value;
    parameter->initial = teacher ? parameter->initial : number;
    return PF_OK;
  }
  pf_view *view = NULL;
  const pf_group group = {.config = problem->config,
                          .node = node,
                          .what = parameter->name,
                          .table = {keys, sizeof keys / sizeof keys[0], sizeof keys[0]}};
  pf_status status = pf_view_create(&group, &view, error);
  if (status != PF_OK) {
    return status;
  }
  const pf_options *options = pf_view_options(view);
  parameter->initial = options->present(options, "initial") != 0 ? options->real(options, "initial")
                                                                 : parameter->initial;
  parameter->initial =
      options->present(options, "init") != 0 ? options->real(options, "init") : parameter->initial;
  parameter->value =
      options->present(options, "value") != 0 ? options->real(options, "value") : parameter->value;
  parameter->lower =
      options->present(options, "lower") != 0 ? options->real(options, "lower") : parameter->lower;
  parameter->upper =
      options->present(options, "upper") != 0 ? options->real(options, "upper") : parameter->upper;
  of->own_penalty = of->own_penalty || options->present(options, "l1") != 0 ||
                    options->present(options, "l2") != 0;
  of->l1 = options->present(options, "l1") != 0 ? options->real(options, "l1") : of->l1;
  of->l2 = options->present(options, "l2") != 0 ? options->real(options, "l2") : of->l2;
  if (options->present(options, "scope") != 0) {
    parameter->scope = pf_build_scope(options->string(options, "scope"));
  }
  if (options->present(options, "fixed") != 0) {
    bool fixed = options->boolean(options, "fixed") != 0;
    parameter->flags = fixed ? parameter->flags | PF_PARAMETER_FIXED
                             : parameter->flags & ~(uint32_t)PF_PARAMETER_FIXED;
  }
  if (options->present(options, "tied") != 0 &&
      (options->present(options, "initial") != 0 || options->present(options, "init") != 0 ||
       options->present(options, "value") != 0 || options->present(options, "fixed") != 0)) {
    status = pf_fail(error, PF_STOP,
                     "%s is tied to another parameter and takes its value from there; remove "
                     "`tied`, or `initial`, "
                     "`value` and `fixed`",
                     parameter->name);
    pf_error_locate(error, problem->config, node);
  } else if (!(parameter->lower <= parameter->upper)) {
    status = pf_fail(error, PF_STOP,
                     "%s: found lower = %g above upper = %g, expected the other way round",
                     parameter->name, parameter->lower, parameter->upper);
    pf_error_locate(error, problem->config, node);
  }
  if (status == PF_OK && !of_rule && (parameter->flags & PF_PARAMETER_FIXED) != 0 &&
      options->present(options, "value") == 0) {
    parameter->value = parameter->initial; /* what is fixed is so for the truth too */
  }
  if (status == PF_OK &&
      (options->present(options, "initial") != 0 || options->present(options, "lower") != 0 ||
       options->present(options, "upper") != 0)) {
    status = check_within(problem, parameter, node, error);
  }
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

/** Apply the `parameters` group of one declarer to the model's parameters that are its own. */
static pf_status apply_parameters(const pf_problem *problem, pf_model *model, const declarer *of,
                                  bool teacher, pf_error *error)
{
  const pf_node *group = pf_node_get(of->component->node, "parameters");
  const size_t n = of->n;
  for (int64_t c = 0; c < pf_node_count(group); c++) {
    const pf_node *node = pf_node_at(group, c);
    const char *name = pf_node_name(node);
    const char **names = pf_memory_need(n, sizeof *names, error);
    if (names == NULL) {
      return PF_STOP;
    }
    size_t found = n;
    for (size_t i = 0; i < n; i++) {
      names[i] = model->parameters[of->theta0 + i].declared.name;
      found = name != NULL && strcmp(names[i], name) == 0 ? i : found;
    }
    pf_status status = PF_OK;
    if (found == n) {
      status = unknown_parameter(of, name, (pf_names){names, n}, error);
      pf_error_locate(error, problem->config, node);
    } else {
      status = change_parameter(problem, &model->parameters[of->theta0 + found], node, of->of_rule,
                                teacher, error);
    }
    pf_memory_free(names);
    if (status != PF_OK) {
      return status;
    }
  }
  return PF_OK;
}

pf_status pf_build_other_parameters(const pf_problem *problem, pf_model *model, bool teacher,
                                    pf_error *error)
{
  declarer of;
  pf_status status = PF_OK;
  for (size_t i = model->n_plastic; status == PF_OK && declarer_at(model, i, &of); i++) {
    status = apply_parameters(problem, model, &of, teacher, error);
  }
  return status;
}

/** Numbers in a rule's terms are a teacher's values; in a rule that is fitted they can only be a
 * misunderstanding. */
static pf_status refuse_given(const pf_problem *problem, const pf_model *model,
                              const pf_plastic *plastic, pf_error *error)
{
  for (size_t i = 0; i < plastic->declared.parameters.count; i++) {
    const pf_parameter *parameter = &model->parameters[plastic->theta0 + i].declared;
    if ((parameter->flags & PF_PARAMETER_GIVEN) != 0) {
      pf_status status = pf_fail(error, PF_STOP,
                                 "%s is fitted, but its terms give '%s' the number %g; leave "
                                 "numbers and minus signs out (a starting "
                                 "value: parameters: { %s = %g; })",
                                 plastic->rule->label,
                                 parameter->label == NULL ? parameter->name : parameter->label,
                                 parameter->value, parameter->name, parameter->value);
      pf_error_locate(error, problem->config, plastic->rule->node);
      return status;
    }
  }
  return PF_OK;
}

pf_status pf_build_parameters(const pf_problem *problem, pf_model *model, size_t p, double init_sd,
                              bool teacher, pf_error *error)
{
  const pf_plastic *plastic = &model->plastic[p];
  for (size_t i = 0; i < plastic->declared.parameters.count && !isnan(init_sd); i++) {
    model->parameters[plastic->theta0 + i].declared.initial_sd = init_sd;
  }
  const declarer of = {plastic->rule, plastic->theta0, plastic->declared.parameters.count, true};
  pf_status status = apply_parameters(problem, model, &of, teacher, error);
  return status == PF_OK && !teacher ? refuse_given(problem, model, plastic, error) : status;
}

/* ---- ties ---- */

/** "other", "-other", "2 * other", "0.5 other": the factor, and where the name starts; NULL if it
 * is none of these. */
static const char *scan_tie(const char *text, double *factor)
{
  const char *at = text;
  double sign = 1.0;
  *factor = 1.0;
  while (isspace((unsigned char)*at)) {
    at++;
  }
  if (*at == '-' || *at == '+') {
    sign = *at == '-' ? -1.0 : 1.0;
    at++;
  }
  while (isspace((unsigned char)*at)) {
    at++;
  }
  if (isdigit((unsigned char)*at) || *at == '.') {
    char *end = NULL;
    *factor = strtod(at, &end);
    at = end;
    while (isspace((unsigned char)*at)) {
      at++;
    }
    at += *at == '*' ? 1 : 0;
    while (isspace((unsigned char)*at)) {
      at++;
    }
  }
  *factor *= sign;
  const char *end = at;
  while (isalnum((unsigned char)*end) || strchr("_.[]", *end) != NULL) {
    if (*end == '\0') {
      break;
    }
    end++;
  }
  while (isspace((unsigned char)*end)) {
    end++;
  }
  return *end == '\0' && end != at && isfinite(*factor) && *factor != 0.0 ? at : NULL;
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
static pf_status each_tie(const pf_problem *problem, pf_model *model,
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
          pf_error_locate(error, problem->config, node);
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
  pf_status status = follow_chain(model, i, error);
  return status == PF_OK ? share_bounds(model, i, error) : status;
}

pf_status pf_build_ties(const pf_problem *problem, pf_model *model, pf_error *error)
{
  pf_status status = each_tie(problem, model, read_tie, error);
  return status == PF_OK ? each_tie(problem, model, settle_tie, error) : status;
}
