#include "core/compare/compare_settings.h"

#include "core/base/memory.h"
#include "core/base/text.h"

#include <math.h>
#include <string.h>

static const char *const validation_names[PF_N_VALIDATIONS] = {
    "in-sample", "in-sample-fresh-inputs", "forecast", "leave-one-block-out",
    "leave-one-animal-out"};

const char *pf_validation_name(uint32_t kind)
{
  return kind < PF_N_VALIDATIONS ? validation_names[kind] : "?";
}

bool pf_validation_is_held_out(uint32_t kind)
{
  return kind >= PF_FORECAST && kind < PF_N_VALIDATIONS;
}

pf_option_table pf_compare_keys(void)
{
  static const pf_option keys[] = {
      {.name = "name",
       .type = PF_TYPE_STRING,
       .help = "of the comparison; default compare-<name of the config>"},
      {.name = "base",
       .type = PF_TYPE_STRING,
       .help = "candidate that the others are tested against; default the first"},
      {.name = "validation",
       .type = PF_TYPE_STRINGS,
       .fallback = "[\"forecast\", \"in-sample\"]",
       .help = "which of in-sample, in-sample-fresh-inputs, forecast, leave-one-block-out, "
               "leave-one-animal-out"},
      {.name = "forecast.fit",
       .type = PF_TYPE_REAL,
       .fallback = "0.75",
       .unit = "1",
       .lower = 0.01,
       .upper = 0.99,
       .help = "fraction of each experiment's trials that a forecast fits; the others are scored"},
      {.name = "leave_one_block_out.parts",
       .type = PF_TYPE_INTEGER,
       .fallback = "3",
       .unit = "parts",
       .lower = 2,
       .upper = 1000,
       .help = "equal parts of each experiment's trials, where the data say no blocks"},
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
  return (pf_option_table){
      .items = keys, .count = sizeof keys / sizeof keys[0], .stride = sizeof keys[0]};
}

pf_option_table pf_compare_candidate_keys(void)
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

static pf_status located(const pf_config *config, const pf_node *node, pf_error *error)
{
  pf_error_locate(error, config, node);
  return PF_STOP;
}

/* ---- candidates ---- */

static pf_status check_set(const pf_config *config, const pf_node *set, const char *who,
                           pf_error *error)
{
  bool sound = set == NULL || pf_node_is_group(set);
  for (int64_t i = 0; !sound && pf_node_is_list(set) && i < pf_node_count(set); i++) {
    const char *text = NULL;
    if (!pf_node_string(pf_node_at(set, i), &text) || strchr(text, '=') == NULL) {
      set = pf_node_at(set, i);
      break;
    }
    sound = i + 1 == pf_node_count(set);
  }
  if (sound) {
    return PF_OK;
  }
  (void)pf_fail(error, PF_STOP,
                "%s: `set` must be a group of settings, { rules: { learn: { terms = \"x r\"; }; }; "
                "}, or a list of "
                "texts, [ \"rules.learn.terms=x r\" ]",
                who);
  return located(config, set, error);
}

static pf_status read_candidate(const pf_config *config, const pf_node *node,
                                pf_compare_settings *out, size_t i, pf_error *error)
{
  static const char *const others[] = {"set"};
  pf_view *view = NULL;
  if (!pf_node_is_group(node)) {
    (void)pf_fail(error, PF_STOP,
                  "compare.candidates: expected groups, { name = \"...\"; set: { ... }; }");
    return located(config, node, error);
  }
  const pf_group group = {.config = config,
                          .node = node,
                          .what = "a candidate of compare",
                          .table = pf_compare_candidate_keys(),
                          .others = {others, 1}};
  pf_status status = pf_view_create(&group, &view, error);
  if (status != PF_OK) {
    return status;
  }
  out->names[i] =
      pf_memory_string(pf_view_options(view)->string(pf_view_options(view), "name"), error);
  status = out->names[i] == NULL ? PF_STOP : PF_OK;
  pf_view_free(view);
  if (status != PF_OK) {
    return status;
  }
  if (out->names[i][0] == '\0') {
    (void)pf_fail(
        error, PF_STOP,
        "compare.candidates: a candidate's name is empty; the table must call it something");
    return located(config, pf_node_get(node, "name"), error);
  }
  for (size_t k = 0; k < i; k++) {
    if (strcmp(out->names[k], out->names[i]) == 0) {
      (void)pf_fail(error, PF_STOP, "there are two candidates named '%s'; rename one",
                    out->names[i]);
      return located(config, pf_node_get(node, "name"), error);
    }
  }
  out->n = i + 1;
  out->set[i] = pf_node_get(node, "set");
  out->without[i] = pf_node_get(node, "without");
  return check_set(config, out->set[i], out->names[i], error);
}

static pf_status read_candidates(const pf_config *config, const pf_node *group,
                                 pf_compare_settings *out, pf_error *error)
{
  const pf_node *list = pf_node_get(group, "candidates");
  const size_t n = (size_t)pf_node_count(list);
  if (list == NULL || !pf_node_is_list(list) || n == 0) {
    (void)pf_fail(error, PF_STOP,
                  "compare has no candidates; expected candidates = ( { name = \"with w\"; }, { "
                  "name = \"without w\"; "
                  "set: { rules: { learn: { terms = \"1 + x + r + x r\"; }; }; }; } )");
    return located(config, list == NULL ? group : list, error);
  }
  out->names = pf_memory_need(n, sizeof *out->names, error);
  out->set = pf_memory_need(n, sizeof *out->set, error);
  out->without = pf_memory_need(n, sizeof *out->without, error);
  pf_status status =
      out->names == NULL || out->set == NULL || out->without == NULL ? PF_STOP : PF_OK;
  for (size_t i = 0; i < n && status == PF_OK; i++) {
    status = read_candidate(config, pf_node_at(list, (int64_t)i), out, i, error);
  }
  return status;
}

static pf_status find_base(const pf_config *config, const pf_node *node, const char *base,
                           pf_compare_settings *out, pf_error *error)
{
  for (size_t i = 0; i < out->n; i++) {
    if (strcmp(out->names[i], base) == 0) {
      out->base = i;
      return PF_OK;
    }
  }
  const char *nearest = pf_text_nearest(base, (pf_names){(const char *const *)out->names, out->n});
  (void)pf_fail(error, PF_STOP, "compare.base: no candidate is named '%s'%s%s%s", base,
                nearest == NULL ? "" : "; did you mean '", nearest == NULL ? "" : nearest,
                nearest == NULL ? "" : "'?");
  return located(config, node, error);
}

/* ---- validations ---- */

/** PF_N_VALIDATIONS: none is called so. */
static uint32_t validation_named(const char *name)
{
  uint32_t kind = 0;
  while (kind < PF_N_VALIDATIONS && strcmp(name, validation_names[kind]) != 0) {
    kind++;
  }
  return kind;
}

static pf_status read_validations(const pf_config *config, const pf_view *view,
                                  pf_compare_settings *out, pf_error *error)
{
  const pf_options *options = pf_view_options(view);
  const pf_node *list = pf_view_node(view, "validation");
  const int64_t n = options->length(options, "validation");
  for (int64_t i = 0; i < n; i++) {
    const char *name = options->string_at(options, "validation", i);
    const uint32_t kind = validation_named(name);
    if (kind == PF_N_VALIDATIONS) {
      const char *nearest = pf_text_nearest(name, (pf_names){validation_names, PF_N_VALIDATIONS});
      (void)pf_fail(error, PF_STOP,
                    "compare.validation: there is no '%s'%s%s%s; choose from %s, %s, %s, %s, %s",
                    name, nearest == NULL ? "" : "; did you mean '", nearest == NULL ? "" : nearest,
                    nearest == NULL ? "" : "'?", validation_names[0], validation_names[1],
                    validation_names[2], validation_names[3], validation_names[4]);
      return located(config, list == NULL ? NULL : pf_node_at(list, i), error);
    }
    out->asked[kind] = true;
  }
  if (n == 0) {
    (void)pf_fail(error, PF_STOP,
                  "compare.validation is empty; expected at least one, such as \"forecast\"");
    return located(config, list, error);
  }
  return PF_OK;
}

/* ---- selection ---- */

static pf_status read_methods(const pf_config *config, const pf_view *view, pf_select_settings *out,
                              pf_error *error)
{
  const pf_options *options = pf_view_options(view);
  const int64_t n = options->length(options, "select.methods");
  for (int64_t i = 0; i < n; i++) {
    const char *name = options->string_at(options, "select.methods", i);
    uint32_t method = 0;
    while (method < PF_N_SELECTIONS && strcmp(name, pf_selection_method_name(method)) != 0) {
      method++;
    }
    if (method == PF_N_SELECTIONS) {
      (void)pf_fail(error, PF_STOP,
                    "compare.select.methods: there is no '%s'; choose from forward, backward, l1",
                    name);
      return located(config, pf_view_node(view, "select.methods"), error);
    }
    out->methods[method] = true;
  }
  if (n == 0) {
    (void)pf_fail(error, PF_STOP,
                  "compare.select.methods is empty; choose from forward, backward, l1");
    return located(config, pf_view_node(view, "select.methods"), error);
  }
  return PF_OK;
}

/** After `validation`. */
static pf_status read_select(const pf_config *config, const pf_view *view, pf_compare_settings *all,
                             pf_error *error)
{
  const pf_options *options = pf_view_options(view);
  pf_select_settings *out = &all->select;
  const bool named = options->present(options, "select.validation") != 0;
  out->validation = PF_N_VALIDATIONS;
  if (named) {
    out->validation = validation_named(options->string(options, "select.validation"));
  }
  for (uint32_t v = PF_N_VALIDATIONS; v > PF_FORECAST && !named; v--) {
    out->validation = all->asked[v - 1] ? v - 1 : out->validation;
  }
  if (!pf_validation_is_held_out(out->validation)) {
    (void)pf_fail(error, PF_STOP,
                  "compare.select: terms are selected on steps that no fit has seen; expected "
                  "validation = \"%s\", "
                  "\"%s\" or \"%s\"",
                  validation_names[PF_FORECAST], validation_names[PF_LEAVE_BLOCK],
                  validation_names[PF_LEAVE_ANIMAL]);
    return located(config, pf_view_node(view, "select"), error);
  }
  if (options->present(options, "select.rule") != 0 &&
      (out->rule = pf_memory_string(options->string(options, "select.rule"), error)) == NULL) {
    return PF_STOP;
  }
  out->patience = options->integer(options, "select.patience");
  out->n_l1 = (size_t)options->length(options, "select.l1");
  out->l1 = pf_memory_need(out->n_l1, sizeof *out->l1, error);
  for (size_t i = 0; out->l1 != NULL && i < out->n_l1; i++) {
    out->l1[i] = options->real_at(options, "select.l1", (int64_t)i);
  }
  const pf_status status = out->l1 == NULL ? PF_STOP : read_methods(config, view, out, error);
  if (status == PF_OK && out->methods[PF_SELECT_L1] && out->n_l1 == 0) {
    (void)pf_fail(error, PF_STOP,
                  "compare.select.l1 is empty; expected penalties, [0.001, 0.01, 0.1]");
    return located(config, pf_view_node(view, "select.l1"), error);
  }
  return status;
}

/* ---- all of it ---- */

static pf_status read_names(const pf_config *config, const pf_options *options,
                            pf_compare_settings *out, pf_error *error)
{
  const pf_node *root = pf_config_root(config);
  const char *name = "run", *folder = NULL;
  pf_text text = {0};
  (void)pf_node_string(pf_node_get(root, "name"), &name);
  if (options->present(options, "name") != 0) {
    pf_text_add(&text, "%s", options->string(options, "name"));
  } else {
    pf_text_add(&text, "compare-%s", name);
  }
  out->name = text.failed ? NULL : pf_memory_string(text.text, error);
  pf_text_free(&text);
  if (out->name == NULL) {
    return PF_STOP;
  }
  if (pf_node_string(pf_node_get(root, "out"), &folder)) {
    pf_text_add(&text, "%s", folder);
  } else {
    pf_text_add(&text, "runs/%s", out->name);
  }
  out->out = text.failed ? NULL : pf_memory_string(text.text == NULL ? "" : text.text, error);
  pf_text_free(&text);
  return out->out == NULL ? PF_STOP : PF_OK;
}

static pf_status read_all(const pf_config *config, const pf_node *group, const pf_view *view,
                          pf_compare_settings *out, pf_error *error)
{
  const pf_options *options = pf_view_options(view);
  pf_status status = read_names(config, options, out, error);
  status = status == PF_OK ? read_candidates(config, group, out, error) : status;
  status = status == PF_OK ? read_validations(config, view, out, error) : status;
  if (status == PF_OK && options->present(options, "base") != 0) {
    status =
        find_base(config, pf_view_node(view, "base"), options->string(options, "base"), out, error);
  }
  if (status != PF_OK) {
    return status;
  }
  out->forecast_fit = options->real(options, "forecast.fit");
  out->parts = options->integer(options, "leave_one_block_out.parts");
  out->ablations = options->boolean(options, "ablations") != 0;
  out->refit = options->boolean(options, "information_criteria") != 0;
  out->select.asked = pf_node_get(group, "select") != NULL;
  if (out->select.asked && (status = read_select(config, view, out, error)) != PF_OK) {
    return status;
  }
  out->set_all = pf_node_get(group, "set");
  out->set_animal = pf_node_get(group, "leave_one_animal_out.set");
  double threads = 0.0;
  (void)pf_node_number(pf_node_get(pf_config_root(config), "threads"), &threads);
  out->n_threads = threads >= 1.0 && threads <= 4096.0 ? (int)threads : 0;
  status = check_set(config, out->set_all, "compare", error);
  status = status == PF_OK
               ? check_set(config, out->set_animal, "compare.leave_one_animal_out", error)
               : status;
  return status == PF_OK ? pf_view_verify(view, error) : status;
}

pf_status pf_compare_settings_read(const pf_config *config, pf_compare_settings *out,
                                   pf_error *error)
{
  static const char *const others[] = {"set", "candidates", "leave_one_animal_out"};
  const pf_node *group = pf_node_get(pf_config_root(config), "compare");
  pf_view *view = NULL;
  *out = (pf_compare_settings){0};
  if (group == NULL) {
    (void)pf_fail(error, PF_STOP,
                  "the config has no `compare`; add compare: { candidates = ( { name = \"...\"; "
                  "set: { ... }; }, ... ); } "
                  "(configs/compare-quickstart.cfg is one)");
    return located(config, pf_config_root(config), error);
  }
  const pf_group keys = {.config = config,
                         .node = group,
                         .what = "compare",
                         .table = pf_compare_keys(),
                         .others = {others, 3}};
  pf_status status = pf_view_create(&keys, &view, error);
  if (status != PF_OK) {
    return status;
  }
  const pf_node *animal = pf_node_get(group, "leave_one_animal_out");
  for (int64_t i = 0; i < pf_node_count(animal) && status == PF_OK; i++) {
    const char *key = pf_node_name(pf_node_at(animal, i));
    if (key == NULL || strcmp(key, "set") != 0) {
      (void)pf_fail(error, PF_STOP,
                    "compare.leave_one_animal_out has no option '%s'; there is `set`, for its fits",
                    key == NULL ? "" : key);
      status = located(config, pf_node_at(animal, i), error);
    }
  }
  status = status == PF_OK ? read_all(config, group, view, out, error) : status;
  pf_view_free(view);
  if (status != PF_OK) {
    pf_compare_settings_clear(out);
  }
  return status;
}

void pf_compare_settings_clear(pf_compare_settings *settings)
{
  for (size_t i = 0; settings->names != NULL && i < settings->n; i++) {
    pf_memory_free(settings->names[i]);
  }
  pf_memory_free(settings->names);
  pf_memory_free((void *)settings->set);
  pf_memory_free((void *)settings->without);
  pf_memory_free(settings->select.rule);
  pf_memory_free(settings->select.l1);
  pf_memory_free(settings->name);
  pf_memory_free(settings->out);
  *settings = (pf_compare_settings){0};
}
