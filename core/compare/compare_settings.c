#include "core/compare/compare_settings.h"

#include "core/base/memory.h"
#include "core/base/text.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>

enum { VALIDATION = 2 }; /* place in the table; its help has the names of all validations */
static const pf_option own_keys[] = {
    {.name = "name",
     .type = PF_TYPE_STRING,
     .help = "of the comparison; default compare-<name of the config>"},
    {.name = "base",
     .type = PF_TYPE_STRING,
     .help = "candidate that the others are tested against; default the first"},
    [VALIDATION] = {.name = "validation",
                    .type = PF_TYPE_STRINGS,
                    .fallback = "[\"forecast\", \"in-sample\"]"},
    {.name = "ablations",
     .type = PF_TYPE_BOOL,
     .fallback = "true",
     .help = "also predict held-out steps without the fitted weights, without plasticity, "
             "without the rule"},
    {.name = "information_criteria",
     .type = PF_TYPE_BOOL,
     .fallback = "true",
     .help = "AIC and BIC; where there is a penalty, of one more fit without it"},
    {.name = "select.rule",
     .type = PF_TYPE_STRING,
     .help = "with a group `select`: whose terms are selected; default the only rule of the base "
             "candidate"},
    {.name = "select.methods",
     .type = PF_TYPE_STRINGS,
     .fallback = "[\"forward\", \"backward\", \"l1\"]",
     .help = "which of forward (a term more a round), backward (a term less), l1 (all, under "
             "growing penalties)"},
    {.name = "select.validation",
     .type = PF_TYPE_STRING,
     .help = "held-out steps that sets of terms are scored on; default the first held-out one of "
             "`validation`"},
    {.name = "select.patience",
     .type = PF_TYPE_INTEGER,
     .fallback = "2",
     .unit = "rounds",
     .lower = 0,
     .upper = 1000,
     .help = "forward and backward end after so many more rounds that did not help"},
    {.name = "select.l1",
     .type = PF_TYPE_REALS,
     .fallback = "[0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1]",
     .unit = "1",
     .lower = 0,
     .upper = INFINITY,
     .help = "the penalties of the L1 path, penalty.l1"},
};
enum { N_OWN_KEYS = sizeof own_keys / sizeof own_keys[0] };
_Static_assert(N_OWN_KEYS + PF_MAX_VALIDATIONS <=
                   sizeof((pf_compare_keys *)0)->options / sizeof(pf_option),
               "pf_compare_keys has too little room");

pf_option_table pf_compare_options(pf_compare_keys *room)
{
  size_t n = N_OWN_KEYS, length = 0;
  memcpy(room->options, own_keys, sizeof own_keys);
  for (uint32_t v = 0; v < pf_validation_count(); v++) {
    const pf_validation *validation = pf_validation_at(v);
    length += (size_t)snprintf(room->validations + length, sizeof room->validations - length,
                               "%s%s", v > 0 ? ", " : "which of ", validation->name);
    if (validation->option != NULL) {
      room->options[n++] = *validation->option;
    }
  }
  room->options[VALIDATION].help = room->validations;
  return (pf_option_table){.items = room->options, .count = n, .stride = sizeof(pf_option)};
}

pf_option_table pf_compare_candidate_options(void)
{
  static const pf_option keys[] = {
      {.name = "name", .type = PF_TYPE_STRING, .required = 1, .help = "what the table calls it"},
      {.name = "without",
       .type = PF_TYPE_STRINGS,
       .help = "keys of the base config that it does not have"},
  };
  return (pf_option_table){
      .items = keys, .count = sizeof keys / sizeof keys[0], .stride = sizeof keys[0]};
}

/** The line, with file and line of the node. */
PF_PRINTF(4, 5)
static pf_status refuse_at(const pf_config *config, const pf_node *node, pf_error *error,
                           const char *format, ...)
{
  char line[PF_ERROR_LENGTH];
  va_list args;
  va_start(args, format);
  (void)vsnprintf(line, sizeof line, format, args);
  va_end(args);
  (void)pf_fail(error, PF_STOP, "%s", line);
  pf_error_locate(error, config, node);
  return PF_STOP;
}

/** "; did you mean 'forecast'?", or "": [capacity] to `out`. */
static const char *suggest_name(const char *name, pf_names names, char *out, size_t capacity)
{
  const char *nearest = pf_text_nearest(name, names);
  out[0] = '\0';
  if (nearest != NULL) {
    (void)snprintf(out, capacity, "; did you mean '%s'?", nearest);
  }
  return out;
}

/* ---- candidates ---- */

/** Is it "a.b=value"? */
static bool is_override(const pf_node *node)
{
  const char *text = NULL;
  return pf_node_string(node, &text) && strchr(text, '=') != NULL;
}

static pf_status check_set(const pf_config *config, const pf_node *set, const char *who,
                           pf_error *error)
{
  const pf_node *wrong = set;
  if (set == NULL || pf_node_is_group(set)) {
    return PF_OK;
  }
  if (pf_node_is_list(set) && pf_node_count(set) > 0) {
    wrong = NULL;
    for (int64_t i = pf_node_count(set); i-- > 0;) {
      wrong = is_override(pf_node_at(set, i)) ? wrong : pf_node_at(set, i);
    }
  }
  return wrong == NULL
             ? PF_OK
             : refuse_at(config, wrong, error,
                         "%s: `set` must be a group of settings, { rules: { learn: { terms = \"x "
                         "r\"; }; }; }, or a list of texts, [ \"rules.learn.terms=x r\" ]",
                         who);
}

static pf_status read_candidate_name(const pf_config *config, const pf_node *node, char **out,
                                     pf_error *error)
{
  static const char *const others[] = {"set"};
  pf_view *view = NULL;
  if (!pf_node_is_group(node)) {
    return refuse_at(config, node, error,
                     "compare.candidates: expected groups, { name = \"...\"; set: { ... }; }");
  }
  const pf_group group = {.config = config,
                          .node = node,
                          .what = "a candidate of compare",
                          .table = pf_compare_candidate_options(),
                          .others = {others, 1}};
  const pf_status status = pf_view_create(&group, &view, error);
  if (status != PF_OK) {
    return status;
  }
  *out = pf_memory_string(pf_view_options(view)->string(pf_view_options(view), "name"), error);
  pf_view_free(view);
  return *out == NULL ? PF_STOP : PF_OK;
}

/** Place of the candidate with the name; settings->n: there is none. */
static size_t find_candidate(const pf_compare_settings *settings, const char *name)
{
  size_t i = 0;
  while (i < settings->n && strcmp(settings->candidates[i].name, name) != 0) {
    i++;
  }
  return i;
}

static pf_status read_candidate(const pf_config *config, const pf_node *node,
                                pf_compare_settings *out, pf_error *error)
{
  pf_candidate_settings *candidate = &out->candidates[out->n];
  const pf_status status = read_candidate_name(config, node, &candidate->name, error);
  if (status != PF_OK) {
    return status;
  }
  const bool is_new = find_candidate(out, candidate->name) == out->n;
  out->n++; /* its name is freed with the others */
  if (candidate->name[0] == '\0') {
    return refuse_at(config, pf_node_get(node, "name"), error,
                     "compare.candidates: a candidate's name is empty; the table must call it "
                     "something");
  }
  if (!is_new) {
    return refuse_at(config, pf_node_get(node, "name"), error,
                     "there are two candidates named '%s'; rename one", candidate->name);
  }
  candidate->set = pf_node_get(node, "set");
  candidate->without = pf_node_get(node, "without");
  return check_set(config, candidate->set, candidate->name, error);
}

static pf_status read_candidates(const pf_config *config, const pf_node *group,
                                 pf_compare_settings *out, pf_error *error)
{
  const pf_node *list = pf_node_get(group, "candidates");
  const size_t n = (size_t)pf_node_count(list);
  if (list == NULL || !pf_node_is_list(list) || n == 0) {
    return refuse_at(config, list == NULL ? group : list, error,
                     "compare has no candidates; expected candidates = ( { name = \"with w\"; }, "
                     "{ name = \"without w\"; set: { rules: { learn: { terms = \"1 + x + r + x "
                     "r\"; }; }; }; } )");
  }
  out->candidates = pf_memory_need(n, sizeof *out->candidates, error);
  if (out->candidates == NULL) {
    return PF_STOP;
  }
  for (size_t i = 0; i < n; i++) {
    if (read_candidate(config, pf_node_at(list, (int64_t)i), out, error) != PF_OK) {
      return PF_STOP;
    }
  }
  return PF_OK;
}

static pf_status refuse_base(const pf_config *config, const pf_node *node, const char *base,
                             const pf_compare_settings *settings, pf_error *error)
{
  char nearest[128];
  const char **names = pf_memory_need(settings->n, sizeof *names, error);
  for (size_t i = 0; names != NULL && i < settings->n; i++) {
    names[i] = settings->candidates[i].name;
  }
  const pf_names all = {names, names == NULL ? 0 : settings->n};
  const pf_status status =
      refuse_at(config, node, error, "compare.base: no candidate is named '%s'%s", base,
                suggest_name(base, all, nearest, sizeof nearest));
  pf_memory_free((void *)names);
  return status;
}

/* ---- validations ---- */

/** 'a, b, c' of the validations, those that are held out alone or all. */
static void list_validations(bool held_out, pf_text *out)
{
  for (uint32_t v = 0; v < pf_validation_count(); v++) {
    if (!held_out || pf_validation_at(v)->held_out) {
      pf_text_add(out, "%s%s", out->length > 0 ? ", " : "", pf_validation_at(v)->name);
    }
  }
}

static pf_status refuse_validation(const pf_config *config, const pf_node *node, const char *name,
                                   pf_error *error)
{
  const char *names[PF_MAX_VALIDATIONS];
  char nearest[128];
  pf_text all = {0};
  list_validations(false, &all);
  const pf_status status =
      refuse_at(config, node, error, "compare.validation: there is no '%s'%s; choose from %s", name,
                suggest_name(name, pf_validation_names(names), nearest, sizeof nearest),
                all.text == NULL ? "" : all.text);
  pf_text_free(&all);
  return status;
}

static pf_status read_validations(const pf_config *config, const pf_view *view,
                                  pf_compare_settings *out, pf_error *error)
{
  const pf_options *options = pf_view_options(view);
  const pf_node *list = pf_view_node(view, "validation");
  const int64_t n = options->length(options, "validation");
  for (int64_t i = 0; i < n; i++) {
    const char *name = options->string_at(options, "validation", i);
    const uint32_t v = pf_validation_named(name);
    if (v == pf_validation_count()) {
      return refuse_validation(config, list == NULL ? NULL : pf_node_at(list, i), name, error);
    }
    out->asked[v] = true;
  }
  if (n == 0) {
    return refuse_at(config, list, error,
                     "compare.validation is empty; expected at least one, such as \"forecast\"");
  }
  for (uint32_t v = 0; v < pf_validation_count(); v++) {
    const pf_option *own = pf_validation_at(v)->option;
    if (own != NULL) {
      out->values[v] = own->type == PF_TYPE_REAL ? options->real(options, own->name)
                                                 : (double)options->integer(options, own->name);
    }
  }
  return PF_OK;
}

/** `leave_one_animal_out` is a group with `set` alone. */
static pf_status read_animal_set(const pf_config *config, const pf_node *group,
                                 pf_compare_settings *out, pf_error *error)
{
  const pf_node *animal = pf_node_get(group, "leave_one_animal_out");
  for (int64_t i = 0; i < pf_node_count(animal); i++) {
    const char *key = pf_node_name(pf_node_at(animal, i));
    if (key == NULL || strcmp(key, "set") != 0) {
      return refuse_at(
          config, pf_node_at(animal, i), error,
          "compare.leave_one_animal_out has no option '%s'; there is `set`, for its fits",
          key == NULL ? "" : key);
    }
  }
  out->set_animal = pf_node_get(group, "leave_one_animal_out.set");
  return check_set(config, out->set_animal, "compare.leave_one_animal_out", error);
}

/* ---- selection ---- */

static pf_status read_methods(const pf_config *config, const pf_view *view, pf_select_settings *out,
                              pf_error *error)
{
  const pf_options *options = pf_view_options(view);
  const pf_node *node = pf_view_node(view, "select.methods");
  const int64_t n = options->length(options, "select.methods");
  for (int64_t i = 0; i < n; i++) {
    const char *name = options->string_at(options, "select.methods", i);
    uint32_t method = 0;
    while (method < PF_N_SELECTIONS && strcmp(name, pf_selection_method_name(method)) != 0) {
      method++;
    }
    if (method == PF_N_SELECTIONS) {
      return refuse_at(
          config, node, error,
          "compare.select.methods: there is no '%s'; choose from forward, backward, l1", name);
    }
    out->methods[method] = true;
  }
  return n > 0 ? PF_OK
               : refuse_at(config, node, error,
                           "compare.select.methods is empty; choose from forward, backward, l1");
}

/** The one that is named, else the first held-out one that is asked for. */
static pf_status read_select_validation(const pf_config *config, const pf_view *view,
                                        pf_compare_settings *all, pf_error *error)
{
  const pf_options *options = pf_view_options(view);
  const uint32_t none = pf_validation_count();
  uint32_t chosen = none;
  if (options->present(options, "select.validation") != 0) {
    chosen = pf_validation_named(options->string(options, "select.validation"));
  } else {
    for (uint32_t v = none; v-- > 0;) {
      chosen = all->asked[v] && pf_validation_at(v)->held_out ? v : chosen;
    }
  }
  all->select.validation = chosen;
  if (chosen < none && pf_validation_at(chosen)->held_out) {
    return PF_OK;
  }
  pf_text names = {0};
  list_validations(true, &names);
  const pf_status status = refuse_at(
      config, pf_view_node(view, "select"), error,
      "compare.select: terms are selected on steps that no fit has seen; expected validation = "
      "one of %s",
      names.text == NULL ? "" : names.text);
  pf_text_free(&names);
  return status;
}

/** After `validation`. */
static pf_status read_select(const pf_config *config, const pf_view *view, pf_compare_settings *all,
                             pf_error *error)
{
  const pf_options *options = pf_view_options(view);
  pf_select_settings *out = &all->select;
  if (read_select_validation(config, view, all, error) != PF_OK ||
      read_methods(config, view, out, error) != PF_OK) {
    return PF_STOP;
  }
  if (options->present(options, "select.rule") != 0) {
    out->rule = pf_memory_string(options->string(options, "select.rule"), error);
    if (out->rule == NULL) {
      return PF_STOP;
    }
  }
  out->patience = options->integer(options, "select.patience");
  out->n_l1 = (size_t)options->length(options, "select.l1");
  out->l1 = pf_memory_need(out->n_l1, sizeof *out->l1, error);
  if (out->l1 == NULL) {
    return PF_STOP;
  }
  for (size_t i = 0; i < out->n_l1; i++) {
    out->l1[i] = options->real_at(options, "select.l1", (int64_t)i);
  }
  if (out->methods[PF_SELECT_L1] && out->n_l1 == 0) {
    return refuse_at(config, pf_view_node(view, "select.l1"), error,
                     "compare.select.l1 is empty; expected penalties, [0.001, 0.01, 0.1]");
  }
  return PF_OK;
}

/* ---- all of it ---- */

/** The text `value`, or `prefix` and `other` where it is NULL: to be freed. */
static char *text_or(const char *value, const char *prefix, const char *other, pf_error *error)
{
  pf_text text = {0};
  if (value == NULL) {
    pf_text_add(&text, "%s%s", prefix, other);
  } else {
    pf_text_add(&text, "%s", value);
  }
  char *copy = text.failed ? NULL : pf_memory_string(text.text == NULL ? "" : text.text, error);
  pf_text_free(&text);
  return copy;
}

/** Name and folder of the comparison. */
static pf_status read_names(const pf_config *config, const pf_options *options,
                            pf_compare_settings *out, pf_error *error)
{
  const pf_node *root = pf_config_root(config);
  const char *name = "run", *folder = NULL, *own = NULL;
  (void)pf_node_string(pf_node_get(root, "name"), &name);
  (void)pf_node_string(pf_node_get(root, "out"), &folder);
  if (options->present(options, "name") != 0) {
    own = options->string(options, "name");
  }
  out->name = text_or(own, "compare-", name, error);
  if (out->name == NULL) {
    return PF_STOP;
  }
  out->out = text_or(folder, "runs/", out->name, error);
  return out->out == NULL ? PF_STOP : PF_OK;
}

static pf_status read_all(const pf_config *config, const pf_node *group, const pf_view *view,
                          pf_compare_settings *out, pf_error *error)
{
  const pf_options *options = pf_view_options(view);
  double threads = 0.0;
  out->ablations = options->boolean(options, "ablations") != 0;
  out->refit = options->boolean(options, "information_criteria") != 0;
  out->select.asked = pf_node_get(group, "select") != NULL;
  out->set_all = pf_node_get(group, "set");
  (void)pf_node_number(pf_node_get(pf_config_root(config), "threads"), &threads);
  out->n_threads = threads >= 1.0 && threads <= 4096.0 ? (int)threads : 0;
  if (read_names(config, options, out, error) != PF_OK ||
      read_candidates(config, group, out, error) != PF_OK ||
      read_validations(config, view, out, error) != PF_OK ||
      read_animal_set(config, group, out, error) != PF_OK ||
      check_set(config, out->set_all, "compare", error) != PF_OK) {
    return PF_STOP;
  }
  if (options->present(options, "base") != 0) {
    const char *base = options->string(options, "base");
    out->base = find_candidate(out, base);
    if (out->base == out->n) {
      return refuse_base(config, pf_view_node(view, "base"), base, out, error);
    }
  }
  if (out->select.asked && read_select(config, view, out, error) != PF_OK) {
    return PF_STOP;
  }
  return pf_view_verify(view, error);
}

pf_status pf_compare_settings_read(const pf_config *config, pf_compare_settings *out,
                                   pf_error *error)
{
  static const char *const others[] = {"set", "candidates", "leave_one_animal_out"};
  const pf_node *group = pf_node_get(pf_config_root(config), "compare");
  pf_compare_keys keys;
  pf_view *view = NULL;
  *out = (pf_compare_settings){0};
  if (group == NULL) {
    return refuse_at(config, pf_config_root(config), error,
                     "the config has no `compare`; add compare: { candidates = ( { name = "
                     "\"...\"; set: { ... }; }, ... ); } (configs/compare-quickstart.cfg is one)");
  }
  const pf_group known = {.config = config,
                          .node = group,
                          .what = "compare",
                          .table = pf_compare_options(&keys),
                          .others = {others, 3}};
  pf_status status = pf_view_create(&known, &view, error);
  if (status != PF_OK) {
    return status;
  }
  status = read_all(config, group, view, out, error);
  pf_view_free(view);
  if (status != PF_OK) {
    pf_compare_settings_clear(out);
  }
  return status;
}

void pf_compare_settings_clear(pf_compare_settings *settings)
{
  for (size_t i = 0; i < settings->n; i++) {
    pf_memory_free(settings->candidates[i].name);
  }
  pf_memory_free(settings->candidates);
  pf_memory_free(settings->select.rule);
  pf_memory_free(settings->select.l1);
  pf_memory_free(settings->name);
  pf_memory_free(settings->out);
  *settings = (pf_compare_settings){0};
}
