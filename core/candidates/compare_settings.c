#include "core/candidates/compare_settings.h"

#include "core/base/memory.h"
#include "core/base/text.h"

#include <math.h>
#include <string.h>

#define PF_ROW_STRUCT pf_compare_settings
enum { VALIDATION = 2 }; /* place in the table; its help gets the names of all validations */
static const pf_setting own_rows[] = {
    PF_ROW_TEXT(name, "name", NULL, "of the comparison; default compare-<name of the config>"),
    PF_ROW_TEXT(base_word, "base", NULL,
                "candidate that the others are tested against; default the first"),
    [VALIDATION] =
        PF_ROW_TEXTS(validation_words, "validation", "[\"forecast\", \"in-sample\"]", NULL),
    PF_ROW_BOOL(ablations, "ablations", "true",
                "also predict held-out steps without the fitted weights, without plasticity, "
                "without the rule"),
    PF_ROW_BOOL(refit, "information_criteria", "true",
                "AIC and BIC; where there is a penalty, of one more fit without it"),
    PF_ROW_CHOICE(frequencies, "frequencies", "\"populations\"", "populations|all|none",
                  "if each animal follows one of the candidates, how many follow which? Asked of "
                  "candidates with fit.per = \"population\"; all: of every candidate, each fitted "
                  "as a population for it; none: not asked"),
    PF_ROW_TEXT(select.rule, "select.rule", NULL,
                "with a group `select`: whose terms are selected; default the only rule of the "
                "base candidate"),
    PF_ROW_TEXTS(select.method_words, "select.methods", "[\"forward\", \"backward\", \"l1\"]",
                 "which of forward (a term more a round), backward (a term less), l1 (all, under "
                 "growing penalties)"),
    PF_ROW_TEXT(select.validation_word, "select.validation", NULL,
                "held-out steps that sets of terms are scored on; default the first held-out one "
                "of `validation`"),
    PF_ROW_INTEGER(select.patience, "select.patience", "2", "rounds", 0, 1000,
                   "forward and backward end after so many more rounds that did not help"),
    PF_ROW_REALS(select.l1, "select.l1", "[0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1]", "1", 0,
                 INFINITY, "the penalties of the L1 path, penalty.l1"),
};
#undef PF_ROW_STRUCT
enum { N_OWN_ROWS = sizeof own_rows / sizeof own_rows[0] };
_Static_assert(N_OWN_ROWS + PF_MAX_VALIDATIONS <=
                   sizeof((pf_compare_keys *)0)->rows / sizeof(pf_setting),
               "pf_compare_keys has too little room");

pf_option_table pf_compare_options(pf_compare_keys *room)
{
  size_t n = N_OWN_ROWS, length = 0;
  memcpy(room->rows, own_rows, sizeof own_rows);
  for (uint32_t v = 0; v < pf_validation_count(); v++) {
    const pf_validation *validation = pf_validation_at(v);
    length += (size_t)snprintf(room->validations + length, sizeof room->validations - length,
                               "%s%s", v > 0 ? ", " : "which of ", validation->name);
    if (validation->option != NULL) {
      room->rows[n++] = (pf_setting){.option = *validation->option, .offset = PF_NO_FIELD};
    }
  }
  room->rows[VALIDATION].option.help = room->validations;
  return (pf_option_table){
      .items = &room->rows[0].option, .count = n, .stride = sizeof room->rows[0]};
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
             : pf_config_fail(
                   config, wrong, error,
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
    return pf_config_fail(config, node, error,
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
    return pf_config_fail(config, pf_node_get(node, "name"), error,
                          "compare.candidates: a candidate's name is empty; the table must call it "
                          "something");
  }
  if (!is_new) {
    return pf_config_fail(config, pf_node_get(node, "name"), error,
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
    return pf_config_fail(
        config, list == NULL ? group : list, error,
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
      pf_config_fail(config, node, error, "compare.base: no candidate is named '%s'%s", base,
                     suggest_name(base, all, nearest, sizeof nearest));
  pf_memory_free((void *)names);
  return status;
}

/** After the candidates. */
static pf_status find_base(const pf_config *config, const pf_view *view, pf_compare_settings *out,
                           pf_error *error)
{
  const char *word = out->base_word;
  out->base = word == NULL ? 0 : find_candidate(out, word);
  return out->base < out->n ? PF_OK
                            : refuse_base(config, pf_view_node(view, "base"), word, out, error);
}

/* ---- validations ---- */

/** "a, b, c" of the validations, those that are held out alone or all. */
static const char *list_validations(bool held_out, char *out, size_t capacity)
{
  size_t length = 0;
  out[0] = '\0';
  for (uint32_t v = 0; v < pf_validation_count(); v++) {
    if (!held_out || pf_validation_at(v)->held_out) {
      length += (size_t)snprintf(out + length, capacity - length, "%s%s", length > 0 ? ", " : "",
                                 pf_validation_at(v)->name);
    }
  }
  return out;
}

static pf_status refuse_validation(const pf_config *config, const pf_node *node, const char *name,
                                   pf_error *error)
{
  const char *names[PF_MAX_VALIDATIONS];
  char nearest[128], all[256];
  return pf_config_fail(config, node, error,
                        "compare.validation: there is no '%s'%s; choose from %s", name,
                        suggest_name(name, pf_validation_names(names), nearest, sizeof nearest),
                        list_validations(false, all, sizeof all));
}

static pf_status find_validations(const pf_config *config, const pf_view *view,
                                  pf_compare_settings *out, pf_error *error)
{
  const pf_options *options = pf_view_options(view);
  const pf_node *list = pf_view_node(view, "validation");
  for (size_t i = 0; i < out->validation_words.count; i++) {
    const char *name = out->validation_words.items[i];
    const uint32_t v = pf_validation_named(name);
    if (v == pf_validation_count()) {
      const pf_node *node = list == NULL ? NULL : pf_node_at(list, (int64_t)i);
      return refuse_validation(config, node, name, error);
    }
    out->asked[v] = true;
  }
  if (out->validation_words.count == 0) {
    return pf_config_fail(
        config, list, error,
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
      return pf_config_fail(
          config, pf_node_at(animal, i), error,
          "compare.leave_one_animal_out has no option '%s'; there is `set`, for its fits",
          key == NULL ? "" : key);
    }
  }
  out->set_animal = pf_node_get(group, "leave_one_animal_out.set");
  return check_set(config, out->set_animal, "compare.leave_one_animal_out", error);
}

/* ---- selection ---- */

static pf_status find_methods(const pf_config *config, const pf_view *view, pf_select_settings *out,
                              pf_error *error)
{
  const pf_node *node = pf_view_node(view, "select.methods");
  for (size_t i = 0; i < out->method_words.count; i++) {
    const char *name = out->method_words.items[i];
    uint32_t method = 0;
    while (method < PF_N_SELECTIONS && strcmp(name, pf_selection_method_name(method)) != 0) {
      method++;
    }
    if (method == PF_N_SELECTIONS) {
      return pf_config_fail(
          config, node, error,
          "compare.select.methods: there is no '%s'; choose from forward, backward, l1", name);
    }
    out->methods[method] = true;
  }
  if (out->method_words.count == 0) {
    return pf_config_fail(config, node, error,
                          "compare.select.methods is empty; choose from forward, backward, l1");
  }
  return out->methods[PF_SELECT_L1] && out->l1.n == 0
             ? pf_config_fail(config, pf_view_node(view, "select.l1"), error,
                              "compare.select.l1 is empty; expected penalties, [0.001, 0.01, 0.1]")
             : PF_OK;
}

/** After `validation`: the one that is named, else the first held-out one that is asked for. */
static pf_status find_select_validation(const pf_config *config, const pf_view *view,
                                        pf_compare_settings *all, pf_error *error)
{
  const char *word = all->select.validation_word;
  const uint32_t none = pf_validation_count();
  uint32_t chosen = word == NULL ? none : pf_validation_named(word);
  for (uint32_t v = none; word == NULL && v-- > 0;) {
    chosen = all->asked[v] && pf_validation_at(v)->held_out ? v : chosen;
  }
  all->select.validation = chosen;
  if (chosen < none && pf_validation_at(chosen)->held_out) {
    return PF_OK;
  }
  char names[256];
  return pf_config_fail(config, pf_view_node(view, "select"), error,
                        "compare.select: terms are selected on steps that no fit has seen; "
                        "expected validation = one of %s",
                        list_validations(true, names, sizeof names));
}

/* ---- all of it ---- */

/** Name and folder of the comparison, where the config does not say them. */
static pf_status make_names(const pf_config *config, pf_compare_settings *out, pf_error *error)
{
  const pf_node *root = pf_config_root(config);
  const char *name = "run", *folder = NULL;
  char text[4096];
  (void)pf_node_string(pf_node_get(root, "name"), &name);
  if (out->name == NULL) {
    (void)snprintf(text, sizeof text, "compare-%s", name);
    out->name = pf_memory_string(text, error);
    if (out->name == NULL) {
      return PF_STOP;
    }
  }
  if (!pf_node_string(pf_node_get(root, "out"), &folder)) {
    (void)snprintf(text, sizeof text, "runs/%s", out->name);
    folder = text;
  }
  out->out = pf_memory_string(folder, error);
  return out->out == NULL ? PF_STOP : PF_OK;
}

static pf_status read_group(const pf_group *group, const pf_view *view, pf_compare_settings *out,
                            pf_error *error)
{
  const pf_config *config = group->config;
  double threads = 0.0;
  (void)pf_node_number(pf_node_get(pf_config_root(config), "threads"), &threads);
  out->n_threads = threads >= 1.0 && threads <= 4096.0 ? (int)threads : 0;
  out->select.asked = pf_node_get(group->node, "select") != NULL;
  out->set_all = pf_node_get(group->node, "set");
  if (pf_settings_read(group->table, pf_view_options(view), out, error) != PF_OK ||
      make_names(config, out, error) != PF_OK ||
      read_candidates(config, group->node, out, error) != PF_OK ||
      find_validations(config, view, out, error) != PF_OK ||
      find_base(config, view, out, error) != PF_OK ||
      check_set(config, out->set_all, "compare", error) != PF_OK ||
      read_animal_set(config, group->node, out, error) != PF_OK) {
    return PF_STOP;
  }
  if (out->select.asked && (find_select_validation(config, view, out, error) != PF_OK ||
                            find_methods(config, view, &out->select, error) != PF_OK)) {
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
    return pf_config_fail(
        config, pf_config_root(config), error,
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
  status = read_group(&known, view, out, error);
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
  pf_memory_free(settings->out);
  pf_settings_clear(PF_ROWS(own_rows), NULL, settings);
  *settings = (pf_compare_settings){0};
}
