#include "core/compare/select.h"

#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/compare/assemble.h"
#include "core/layout/layout.h"

#include <math.h>
#include <string.h>

/** The terms, and everything while it runs. */
typedef struct selector {
  const pf_compare_request *request;
  const pf_compare_settings *settings;
  const pf_folder *folder;
  const pf_problem *base;
  pf_selection *out;
  char rule[160]; /**< "rules.learn" */
  size_t *terms;  /**< [n] which of theta */
  size_t n;
} selector;

/** One set to be scored. */
typedef struct trial {
  bool *in;  /**< [n] */
  double l1; /**< NaN: as the config has it */
} trial;

const char *pf_selection_method_name(uint32_t method)
{
  static const char *const names[PF_N_SELECTIONS] = {"forward", "backward", "l1"};
  return method < PF_N_SELECTIONS ? names[method] : "?";
}

static const char *label_of(const selector *s, size_t k)
{
  const pf_parameter *declared = &s->base->model->parameters[s->terms[k]].declared;
  return declared->label != NULL ? declared->label : declared->name;
}

/* ---- which rule, which terms ---- */

static bool is_term(const pf_model_parameter *parameter, const char *rule)
{
  return strcmp(parameter->owner, rule) == 0 && pf_is_free(parameter);
}

static pf_status find_terms(selector *s, const pf_config *config, pf_error *error)
{
  const pf_model *model = s->base->model;
  const char *const asked = s->settings->select.rule;
  const char *names[64];
  size_t n_rules = 0;
  for (size_t p = 0; p < s->base->models->n_rules && n_rules < 64; p++) {
    names[n_rules++] = s->base->models->owners[p] + strlen("rules.");
  }
  bool found = n_rules == 1 && asked == NULL;
  for (size_t p = 0; p < n_rules; p++) {
    found = found || (asked != NULL && strcmp(names[p], asked) == 0);
  }
  if (!found) {
    const char *nearest = asked == NULL ? NULL : pf_text_nearest(asked, (pf_names){names, n_rules});
    (void)pf_fail(
        error, PF_STOP,
        asked == NULL
            ? "compare.select: there are %zu rules; say whose terms, rule = \"NAME\"%s%s%s%s"
            : "compare.select.rule: of %zu rules none is '%s'%s%s%s",
        n_rules, asked == NULL ? "" : asked, nearest == NULL ? "" : "; did you mean '",
        nearest == NULL ? "" : nearest, nearest == NULL ? "" : "'?");
    pf_error_locate(error, config, pf_node_get(pf_config_root(config), "compare.select"));
    return PF_STOP;
  }
  (void)snprintf(s->rule, sizeof s->rule, "rules.%.150s", asked == NULL ? names[0] : asked);
  s->terms = pf_memory_need(model->n_parameters, sizeof *s->terms, error);
  for (size_t i = 0; s->terms != NULL && i < model->n_parameters; i++) {
    if (is_term(&model->parameters[i], s->rule)) {
      s->terms[s->n++] = i;
    }
  }
  if (s->terms == NULL) {
    return PF_STOP;
  }
  if (s->n < 2) {
    (void)pf_fail(
        error, PF_STOP,
        "compare.select: %s has %zu free parameter%s, and there is nothing to select from", s->rule,
        s->n, s->n == 1 ? "" : "s");
    pf_error_locate(error, config, pf_node_get(pf_config_root(config), "compare.select"));
    return PF_STOP;
  }
  return PF_OK;
}

pf_status pf_select_check(const pf_compare_settings *settings, const pf_problem *base,
                          const pf_config *config, pf_error *error)
{
  selector s = {.settings = settings, .base = base};
  const pf_status status = find_terms(&s, config, error);
  pf_memory_free(s.terms);
  return status;
}

/* ---- a round ---- */

/** What a trial replaces beyond what the base candidate does: [capacity n + 1] texts; their number.
 */
static size_t texts_of(const selector *s, const trial *what, char **texts, pf_error *error)
{
  size_t n = 0;
  char text[400];
  for (size_t k = 0; k < s->n; k++) {
    if (!what->in[k]) {
      (void)snprintf(text, sizeof text, "%s.parameters.%.100s={ fixed = true; initial = 0.0; }",
                     s->rule, s->base->model->parameters[s->terms[k]].declared.name);
      texts[n++] = pf_memory_string(text, error);
    }
  }
  if (!isnan(what->l1)) {
    (void)snprintf(text, sizeof text, "penalty.l1=%.17g", what->l1);
    texts[n++] = pf_memory_string(text, error);
  }
  return n;
}

/** Settings of a round: the base candidate once for each trial, each with its texts. */
typedef struct trial_set {
  pf_compare_settings settings;
  char **names;
  const pf_node **set, **without;
  pf_texts *more;
  char **texts; /**< [n][s->n + 1] */
  size_t n;
} trial_set;

static pf_status make_trial_set(const selector *s, const trial *trials, size_t n, trial_set *out,
                                pf_error *error)
{
  const pf_compare_settings *all = s->settings;
  const size_t width = s->n + 1;
  *out = (trial_set){.names = pf_memory_need(n, sizeof *out->names, error),
                     .set = pf_memory_need(n, sizeof *out->set, error),
                     .without = pf_memory_need(n, sizeof *out->without, error),
                     .more = pf_memory_need(n, sizeof *out->more, error),
                     .texts = pf_memory_need(n * width, sizeof *out->texts, error),
                     .n = n};
  if (out->names == NULL || out->set == NULL || out->without == NULL || out->more == NULL ||
      out->texts == NULL) {
    return PF_STOP;
  }
  for (size_t i = 0; i < n; i++) {
    char **texts = out->texts + i * width;
    out->names[i] = all->names[all->base];
    out->set[i] = all->set[all->base];
    out->without[i] = all->without[all->base];
    out->more[i] = (pf_texts){(const char *const *)texts, texts_of(s, &trials[i], texts, error)};
    for (size_t k = 0; k < out->more[i].n; k++) {
      if (texts[k] == NULL) {
        return PF_STOP;
      }
    }
  }
  out->settings = *all;
  out->settings.names = out->names;
  out->settings.set = out->set;
  out->settings.without = out->without;
  out->settings.more = out->more;
  out->settings.n = n;
  out->settings.base = 0;
  out->settings.ablations = out->settings.refit = false;
  for (uint32_t v = 0; v < PF_N_VALIDATIONS; v++) {
    out->settings.asked[v] = v == all->select.validation;
  }
  return PF_OK;
}

static void clear_trial_set(const selector *s, trial_set *r)
{
  for (size_t i = 0; r->texts != NULL && i < r->n * (s->n + 1); i++) {
    pf_memory_free(r->texts[i]);
  }
  pf_memory_free(r->names);
  pf_memory_free((void *)r->set);
  pf_memory_free((void *)r->without);
  pf_memory_free(r->more);
  pf_memory_free(r->texts);
}

static pf_selection_set *new_set(selector *s, pf_error *error)
{
  pf_selection *out = s->out;
  if (out->n == out->capacity) {
    const size_t capacity = 2 * out->capacity + 16;
    pf_selection_set *grown = pf_memory_need(capacity, sizeof *grown, error);
    if (grown == NULL) {
      return NULL;
    }
    if (out->n > 0) {
      memcpy(grown, out->sets, out->n * sizeof *grown);
    }
    pf_memory_free(out->sets);
    out->sets = grown;
    out->capacity = capacity;
  }
  out->sets[out->n] = (pf_selection_set){0};
  return &out->sets[out->n++];
}

/** "w + x r", of those that are in; "none". */
static char *terms_text(const selector *s, const bool *in, pf_error *error)
{
  pf_text text = {0};
  for (size_t k = 0; k < s->n; k++) {
    if (in[k]) {
      pf_text_add(&text, "%s%s", text.length > 0 ? " + " : "", label_of(s, k));
    }
  }
  char *copy = text.failed ? NULL : pf_memory_string(text.text == NULL ? "none" : text.text, error);
  pf_text_free(&text);
  return copy;
}

/** Under an L1 penalty: a term is in where more than half of the fits keep it. The mean number of
 * those they keep. */
static double kept_terms(const selector *s, const pf_comparison *scored, size_t candidate, bool *in)
{
  size_t n_fits = 0, n_kept = 0;
  for (size_t k = 0; k < s->n; k++) {
    size_t n = 0;
    n_fits = 0;
    for (size_t i = 0; i < scored->n_estimates; i++) {
      if (scored->estimates[i].candidate == candidate) {
        n += scored->estimates[i].theta[s->terms[k]] != 0.0 ? 1 : 0;
        n_fits++;
      }
    }
    n_kept += n;
    in[k] = 2 * n > n_fits;
  }
  return n_fits > 0 ? (double)n_kept / (double)n_fits : (double)NAN;
}

static pf_status add_sets(selector *s, uint32_t method, int64_t round_number, const trial *trials,
                          size_t n, const pf_comparison *scored, pf_error *error)
{
  bool *in = pf_memory_need(s->n, sizeof *in, error);
  pf_status status = in == NULL ? PF_STOP : PF_OK;
  for (size_t i = 0; i < n && status == PF_OK; i++) {
    const pf_compare_figures *figures = &scored->candidates[i].figures[s->out->validation];
    pf_selection_set *set = new_set(s, error);
    if (set == NULL) {
      status = PF_STOP;
      break;
    }
    set->method = method;
    set->round = round_number;
    set->l1 = trials[i].l1;
    set->score = figures->score;
    set->n_failed = figures->n_failed;
    memcpy(in, trials[i].in, s->n * sizeof *in);
    if (method == PF_SELECT_L1) {
      set->n_terms = kept_terms(s, scored, i, in);
    } else {
      for (size_t k = 0; k < s->n; k++) {
        set->n_terms += in[k] ? 1.0 : 0.0;
      }
    }
    set->terms = terms_text(s, in, error);
    set->per_animal = pf_memory_need(scored->n_animals, sizeof *set->per_animal, error);
    status = set->terms == NULL || set->per_animal == NULL ? PF_STOP : PF_OK;
    if (status == PF_OK) {
      memcpy(set->per_animal, figures->per_animal, scored->n_animals * sizeof *set->per_animal);
    }
  }
  pf_memory_free(in);
  return status;
}

/** Scores the trials: sets [s->out->n - n, ...) are theirs afterwards. */
static pf_status score(selector *s, uint32_t method, int64_t round_number, const trial *trials,
                       size_t n, pf_error *error)
{
  char prefix[64], what[64];
  trial_set r = {0};
  pf_comparison *scored = NULL;
  const char *name = pf_selection_method_name(method);
  (void)snprintf(prefix, sizeof prefix, "select-%s-%03lld-", name, (long long)round_number);
  (void)snprintf(what, sizeof what, "selecting, %s, round %lld", name, (long long)round_number);
  pf_status status = make_trial_set(s, trials, n, &r, error);
  pf_work work = {
      .request = s->request, .settings = &r.settings, .folder = s->folder, .prefix = prefix};
  status = status == PF_OK ? pf_work_prepare(&work, error) : status;
  status = status == PF_OK ? pf_work_do(&work, what, error) : status;
  if (status == PF_OK) {
    status = pf_compare_assemble(&work.candidates, &r.settings, &work.jobs, work.results, &scored,
                                 error);
  }
  status = status == PF_OK ? pf_compare_tabulate(scored, error) : status;
  status = status == PF_OK ? add_sets(s, method, round_number, trials, n, scored, error) : status;
  pf_comparison_free(scored);
  pf_work_free(&work);
  clear_trial_set(s, &r);
  return status;
}

/* ---- paths ---- */

static pf_status say_change(pf_selection_set *set, const char *sign, const char *what,
                            pf_error *error)
{
  pf_text text = {0};
  pf_text_add(&text, "%s%s", sign, what);
  set->change = text.failed ? NULL : pf_memory_string(text.text == NULL ? "" : text.text, error);
  pf_text_free(&text);
  return set->change == NULL ? PF_STOP : PF_OK;
}

/** Is a better scored than b? One that could not be scored for every animal is not. */
static bool is_better(const pf_selection_set *a, const pf_selection_set *b)
{
  if (a->n_failed > 0 || isnan(a->score.value)) {
    return false;
  }
  return b == NULL || a->score.value > b->score.value;
}

/** The best of sets [first, n), or NULL. */
static pf_selection_set *best_of(const pf_selection *selection, size_t first, bool on_path)
{
  pf_selection_set *best = NULL;
  for (size_t i = first; i < selection->n; i++) {
    pf_selection_set *set = &selection->sets[i];
    if ((!on_path || set->on_path) && is_better(set, best)) {
      best = set;
    }
  }
  return best;
}

/** Mean over animals of what a scores more than b, and its standard error (NaN of fewer than two
 * animals). */
static double difference(const pf_selection_set *a, const pf_selection_set *b, size_t n_animals,
                         double *error)
{
  double n = 0.0, sum = 0.0, squares = 0.0;
  for (size_t i = 0; i < n_animals; i++) {
    const double d = a->per_animal[i] - b->per_animal[i];
    if (!isnan(d)) {
      n += 1.0;
      sum += d;
    }
  }
  for (size_t i = 0; i < n_animals; i++) {
    const double d = a->per_animal[i] - b->per_animal[i] - sum / n;
    squares += isnan(d) ? 0.0 : d * d;
  }
  *error = n > 1.0 ? sqrt(squares / (n - 1.0) / n) : (double)NAN;
  return sum / n;
}

/**
 * The best of a path, sets [first, n), and the one to be chosen: the smallest that the best does
 * not beat by more than one standard error of their difference. Where scores are as good as equal
 * the highest is luck.
 */
static void choose(selector *s, size_t first)
{
  pf_selection_set *best = best_of(s->out, first, true), *chosen = best;
  for (size_t i = first; best != NULL && i < s->out->n; i++) {
    pf_selection_set *set = &s->out->sets[i];
    double error = 0.0;
    if (set->on_path && set->n_failed == 0 && set->n_terms < chosen->n_terms &&
        difference(best, set, s->base->data.n_animals, &error) <= error) {
      chosen = set;
    }
  }
  if (best != NULL) {
    best->best = true;
    chosen->chosen = true;
  }
}

/** Forward (`adds`) or backward: from no term, or all, a term a round, as long as `patience` rounds
 * may not help. */
static pf_status walk(selector *s, bool adds, pf_error *error)
{
  const uint32_t method = adds ? PF_SELECT_FORWARD : PF_SELECT_BACKWARD;
  const size_t first = s->out->n;
  bool *in = pf_memory_need(s->n * (s->n + 1), sizeof *in,
                            error); /* where the path is; then those of the trials */
  trial *trials = pf_memory_need(s->n, sizeof *trials, error);
  size_t *which = pf_memory_need(s->n, sizeof *which, error);
  pf_status status = in == NULL || trials == NULL || which == NULL ? PF_STOP : PF_OK;
  for (size_t k = 0; status == PF_OK && k < s->n; k++) {
    in[k] = !adds;
  }
  int64_t without_gain = 0;
  double best = -INFINITY;
  for (int64_t number = 0; status == PF_OK && without_gain <= s->settings->select.patience;
       number++) {
    size_t n = 0;
    for (size_t k = 0; k < s->n && number > 0; k++) {
      if (in[k] != adds) {
        trials[n] = (trial){.in = in + (n + 1) * s->n, .l1 = NAN};
        memcpy(trials[n].in, in, s->n * sizeof *in);
        trials[n].in[k] = adds;
        which[n++] = k;
      }
    }
    if (number == 0) {
      trials[n++] = (trial){.in = in, .l1 = NAN};
    }
    if (n == 0) {
      break;
    }
    const size_t at = s->out->n;
    status = score(s, method, number, trials, n, error);
    for (size_t i = 0; i < n && status == PF_OK; i++) {
      status = say_change(&s->out->sets[at + i],
                          number == 0 ? ""
                          : adds      ? "+ "
                                      : "- ",
                          number == 0 ? "" : label_of(s, which[i]), error);
    }
    pf_selection_set *taken = status == PF_OK ? best_of(s->out, at, false) : NULL;
    if (taken == NULL) {
      break; /* interrupted, or none of them could be scored */
    }
    taken->on_path = true;
    const size_t place = (size_t)(taken - s->out->sets) - at;
    if (number > 0) {
      in[which[place]] = adds;
    }
    without_gain = taken->score.value > best ? 0 : without_gain + 1;
    best = fmax(best, taken->score.value);
  }
  if (status == PF_OK) {
    choose(s, first);
  }
  pf_memory_free(in);
  pf_memory_free(trials);
  pf_memory_free(which);
  return status;
}

/** All terms under each penalty: one round. */
static pf_status l1_path(selector *s, pf_error *error)
{
  const size_t n = s->settings->select.n_l1;
  const size_t at = s->out->n;
  bool *all = pf_memory_need(s->n, sizeof *all, error);
  trial *trials = pf_memory_need(n, sizeof *trials, error);
  pf_status status = all == NULL || trials == NULL ? PF_STOP : PF_OK;
  for (size_t k = 0; status == PF_OK && k < s->n; k++) {
    all[k] = true;
  }
  for (size_t i = 0; status == PF_OK && i < n; i++) {
    trials[i] = (trial){.in = all, .l1 = s->settings->select.l1[i]};
  }
  status = status == PF_OK ? score(s, PF_SELECT_L1, 0, trials, n, error) : status;
  for (size_t i = 0; i < n && status == PF_OK; i++) {
    char text[48];
    (void)snprintf(text, sizeof text, "%g", trials[i].l1);
    s->out->sets[at + i].on_path = s->out->sets[at + i].n_failed == 0;
    status = say_change(&s->out->sets[at + i], "l1 = ", text, error);
  }
  if (status == PF_OK) {
    choose(s, at);
  }
  pf_memory_free(all);
  pf_memory_free(trials);
  return status;
}

pf_status pf_select_run(const pf_compare_request *request, const pf_compare_settings *settings,
                        const pf_folder *folder, const pf_problem *base, pf_selection *out,
                        pf_error *error)
{
  selector s = {
      .request = request, .settings = settings, .folder = folder, .base = base, .out = out};
  pf_status status = find_terms(&s, base->config, error);
  if (status == PF_OK) {
    out->rule = pf_memory_string(s.rule, error);
    out->validation = settings->select.validation;
    out->n_terms = s.n;
    status = out->rule == NULL ? PF_STOP : PF_OK;
  }
  const bool *methods = settings->select.methods;
  status = status == PF_OK && methods[PF_SELECT_FORWARD] ? walk(&s, true, error) : status;
  status = status == PF_OK && methods[PF_SELECT_BACKWARD] ? walk(&s, false, error) : status;
  status = status == PF_OK && methods[PF_SELECT_L1] ? l1_path(&s, error) : status;
  pf_memory_free(s.terms);
  return status;
}

void pf_selection_clear(pf_selection *selection)
{
  for (size_t i = 0; i < selection->n; i++) {
    pf_memory_free(selection->sets[i].change);
    pf_memory_free(selection->sets[i].terms);
    pf_memory_free(selection->sets[i].per_animal);
  }
  pf_memory_free(selection->sets);
  pf_memory_free(selection->rule);
  *selection = (pf_selection){0};
}
