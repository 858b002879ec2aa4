#include "core/compare/select.h"

#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/compare/assemble.h"
#include "core/layout/layout.h"
#include "core/ranking/compare_table.h"

#include <math.h>
#include <string.h>

/** The terms, and everything while it runs. */
typedef struct selector {
  const pf_work *whole; /* the comparison that selects; NULL while it is only checked */
  const pf_select_settings *settings;
  const pf_problem *base;
  pf_selection *out;
  char rule[160]; /* "rules.learn" */
  size_t *terms;  /* [n] which of theta */
  size_t n;
} selector;

/** One set to be scored. */
typedef struct trial {
  bool *in;         /* [n] */
  double l1;        /* NaN: as the config has it */
  char change[200]; /* what was done to the path's last set */
} trial;

static const char *label_of(const selector *s, size_t k)
{
  const pf_parameter *declared = &s->base->model->parameters[s->terms[k]].declared;
  return declared->label != NULL ? declared->label : declared->name;
}

/* ---- which rule, which terms ---- */

static pf_status refuse_rules(const char *asked, pf_names names, pf_error *error)
{
  const char *nearest = asked == NULL ? NULL : pf_text_nearest(asked, names);
  if (asked == NULL) {
    return pf_fail(error, PF_STOP,
                   "compare.select: there are %zu rules; say whose terms, rule = \"NAME\"",
                   names.count);
  }
  return pf_fail(error, PF_STOP, "compare.select.rule: of %zu rules none is '%s'%s%s%s",
                 names.count, asked, nearest == NULL ? "" : "; did you mean '",
                 nearest == NULL ? "" : nearest, nearest == NULL ? "" : "'?");
}

static pf_status find_rule(selector *s, pf_error *error)
{
  const char *const asked = s->settings->rule;
  const char *names[64], *found = NULL;
  size_t n = 0;
  while (n < s->base->models->n_rules && n < sizeof names / sizeof names[0]) {
    names[n] = s->base->models->owners[n] + strlen("rules.");
    if (asked != NULL && strcmp(names[n], asked) == 0) {
      found = asked;
    }
    n++;
  }
  if (asked == NULL && n == 1) {
    found = names[0];
  }
  if (found == NULL) {
    return refuse_rules(asked, (pf_names){names, n}, error);
  }
  (void)snprintf(s->rule, sizeof s->rule, "rules.%.150s", found);
  return PF_OK;
}

static pf_status find_terms(selector *s, pf_error *error)
{
  const pf_model *model = s->base->model;
  if (find_rule(s, error) != PF_OK) {
    return PF_STOP;
  }
  s->terms = pf_memory_need(model->n_parameters, sizeof *s->terms, error);
  if (s->terms == NULL) {
    return PF_STOP;
  }
  for (size_t i = 0; i < model->n_parameters; i++) {
    const pf_model_parameter *parameter = &model->parameters[i];
    if (strcmp(parameter->owner, s->rule) == 0 && pf_is_free(parameter)) {
      s->terms[s->n++] = i;
    }
  }
  return s->n >= 2 ? PF_OK
                   : pf_fail(error, PF_STOP,
                             "compare.select: %s has %zu free parameter%s, and there is nothing "
                             "to select from",
                             s->rule, s->n, s->n == 1 ? "" : "s");
}

pf_status pf_select_check(const pf_compare_settings *settings, const pf_problem *base,
                          const pf_config *config, pf_error *error)
{
  selector s = {.settings = &settings->select, .base = base};
  const pf_status status = find_terms(&s, error);
  if (status != PF_OK) {
    pf_error_locate(error, config, pf_node_get(pf_config_root(config), "compare.select"));
  }
  pf_memory_free(s.terms);
  return status;
}

/* ---- a round ---- */

/** "rules.learn.parameters.x={ fixed = true; initial = 0.0; }" for each term that is out, and the
 * penalty. texts: room for s->n + 1; also after a failure those that are not NULL are to be freed.
 */
static pf_status make_texts(const selector *s, const trial *one, char **texts, size_t *n,
                            pf_error *error)
{
  *n = 0;
  for (size_t k = 0; k <= s->n; k++) {
    char text[400] = "";
    if (k < s->n && !one->in[k]) {
      (void)snprintf(text, sizeof text, "%s.parameters.%.100s={ fixed = true; initial = 0.0; }",
                     s->rule, s->base->model->parameters[s->terms[k]].declared.name);
    } else if (k == s->n && !isnan(one->l1)) {
      (void)snprintf(text, sizeof text, "penalty.l1=%.17g", one->l1);
    } else {
      continue;
    }
    texts[*n] = pf_memory_string(text, error);
    if (texts[*n] == NULL) {
      return PF_STOP;
    }
    ++*n;
  }
  return PF_OK;
}

/** Settings of a round: the base candidate once for each trial, with the trial's own keys. */
typedef struct trial_set {
  pf_compare_settings settings;
  char **texts; /* [n][s->n + 1] */
} trial_set;

static pf_status make_trial_set(const selector *s, const trial *trials, size_t n, trial_set *out,
                                pf_error *error)
{
  const pf_compare_settings *all = s->whole->settings;
  pf_compare_settings *settings = &out->settings;
  *settings = *all;
  settings->candidates = pf_memory_need(n, sizeof *settings->candidates, error);
  out->texts = pf_memory_need(n * (s->n + 1), sizeof *out->texts, error);
  if (settings->candidates == NULL || out->texts == NULL) {
    return PF_STOP;
  }
  for (size_t i = 0; i < n; i++) {
    char **texts = out->texts + i * (s->n + 1);
    settings->candidates[i] = all->candidates[all->base];
    settings->candidates[i].more = texts;
    if (make_texts(s, &trials[i], texts, &settings->candidates[i].n_more, error) != PF_OK) {
      return PF_STOP;
    }
  }
  settings->n = n;
  settings->base = 0;
  settings->ablations = settings->refit = false;
  memset(settings->asked, 0, sizeof settings->asked);
  settings->asked[s->settings->validation] = true;
  return PF_OK;
}

static void clear_trial_set(const selector *s, trial_set *set, size_t n)
{
  for (size_t i = 0; set->texts != NULL && i < n * (s->n + 1); i++) {
    pf_memory_free(set->texts[i]);
  }
  pf_memory_free(set->texts);
  pf_memory_free(set->settings.candidates);
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

/** Under an L1 penalty a term is in where more than half of the fits keep it. The mean number of
 * those they keep. */
static double find_kept_terms(const selector *s, const pf_comparison *scored, size_t candidate,
                              bool *in)
{
  size_t n_fits = 0, n_kept = 0;
  for (size_t k = 0; k < s->n; k++) {
    size_t n = 0;
    n_fits = 0;
    for (size_t i = 0; i < scored->n_estimates; i++) {
      const pf_compare_estimate *estimate = &scored->estimates[i];
      if (estimate->candidate == candidate) {
        n += estimate->theta[s->terms[k]] != 0.0 ? 1 : 0;
        n_fits++;
      }
    }
    n_kept += n;
    in[k] = 2 * n > n_fits;
  }
  return n_fits > 0 ? (double)n_kept / (double)n_fits : (double)NAN;
}

/** Appends trial i, as it was scored. in: scratch [s->n]. */
static pf_status add_set(selector *s, const pf_selection_set *like, const trial *one, size_t i,
                         const pf_comparison *scored, pf_error *error)
{
  const pf_compare_figures *figures = &scored->candidates[i].figures[s->out->validation];
  bool *in = pf_memory_need(s->n, sizeof *in, error);
  pf_selection_set *set = in == NULL ? NULL : pf_array_append(&s->out->sets, error);
  if (set == NULL) {
    pf_memory_free(in);
    return PF_STOP;
  }
  *set = *like;
  set->l1 = one->l1;
  set->score = figures->score;
  set->n_failed = figures->n_failed;
  memcpy(in, one->in, s->n * sizeof *in);
  if (like->method == PF_SELECT_L1) {
    set->n_terms = find_kept_terms(s, scored, i, in);
  } else {
    for (size_t k = 0; k < s->n; k++) {
      set->n_terms += in[k] ? 1.0 : 0.0;
    }
  }
  set->terms = terms_text(s, in, error);
  set->change = pf_memory_string(one->change, error);
  set->per_animal = pf_memory_need(scored->n_animals, sizeof *set->per_animal, error);
  set->weights = pf_memory_need(scored->n_animals, sizeof *set->weights, error);
  pf_memory_free(in);
  if (set->terms == NULL || set->change == NULL || set->per_animal == NULL ||
      set->weights == NULL) {
    return PF_STOP;
  }
  memcpy(set->per_animal, figures->per_animal, scored->n_animals * sizeof *set->per_animal);
  for (size_t a = 0; a < scored->n_animals; a++) {
    set->weights[a] = scored->pooled[s->out->validation] ? (double)figures->cells[a] : 1.0;
  }
  return PF_OK;
}

/** Does the round's jobs and appends its sets. */
static pf_status score_round(selector *s, const pf_selection_set *like, const trial *trials,
                             pf_work *work, pf_error *error)
{
  char what[64];
  pf_comparison *scored = NULL;
  (void)snprintf(what, sizeof what, "selecting, %s, round %lld",
                 pf_selection_method_name(like->method), (long long)like->round);
  pf_status status = pf_work_prepare(work, error);
  if (status != PF_OK) {
    return status;
  }
  status = pf_work_do(work, what, error);
  if (status != PF_OK) {
    return status;
  }
  status = pf_compare_assemble(&work->jobs, work->results, &scored, error);
  if (status != PF_OK) {
    return status;
  }
  status = pf_compare_tabulate(scored, error);
  for (size_t i = 0; i < work->settings->n; i++) {
    if (status == PF_OK) {
      status = add_set(s, like, &trials[i], i, scored, error);
    }
  }
  pf_comparison_free(scored);
  return status;
}

/** Scores the trials: the last n sets are theirs afterwards. */
static pf_status score_trials(selector *s, uint32_t method, int64_t round_number,
                              const trial *trials, size_t n, pf_error *error)
{
  char prefix[64];
  trial_set r = {0};
  const pf_selection_set like = {.method = method, .round = round_number};
  (void)snprintf(prefix, sizeof prefix, "select-%s-%03lld-", pf_selection_method_name(method),
                 (long long)round_number);
  pf_work work = {.request = s->whole->request,
                  .settings = &r.settings,
                  .folder = s->whole->folder,
                  .prefix = prefix};
  pf_status status = make_trial_set(s, trials, n, &r, error);
  if (status == PF_OK) {
    status = score_round(s, &like, trials, &work, error);
  }
  pf_work_free(&work);
  clear_trial_set(s, &r, n);
  return status;
}

/* ---- paths ---- */

/** The best of sets [first, n), or NULL. One that could not be scored for every animal is not. */
static pf_selection_set *best_of(const pf_selection *selection, size_t first, bool on_path)
{
  pf_selection_set *sets = selection->sets.items, *best = NULL;
  for (size_t i = first; i < selection->sets.n; i++) {
    if (sets[i].n_failed > 0 || isnan(sets[i].score.value) || (on_path && !sets[i].on_path)) {
      continue;
    }
    if (best == NULL || sets[i].score.value > best->score.value) {
      best = &sets[i];
    }
  }
  return best;
}

/** Is a better than b by more than one standard error of the mean difference over animals? Fewer
 * than two animals have no such error: then any difference counts. */
static bool is_clearly_better(const pf_selection_set *a, const pf_selection_set *b,
                              size_t n_animals)
{
  double n = 0.0, sum = 0.0, weights = 0.0, squares = 0.0;
  for (size_t i = 0; i < n_animals; i++) {
    const double d = a->per_animal[i] - b->per_animal[i];
    if (!isnan(d)) {
      n += 1.0;
      sum += a->weights[i] * d;
      weights += a->weights[i];
    }
  }
  const double mean = sum / weights;
  for (size_t i = 0; i < n_animals; i++) {
    const double d = a->weights[i] * (a->per_animal[i] - b->per_animal[i] - mean);
    squares += isnan(d) ? 0.0 : d * d;
  }
  const double standard_error = sqrt(squares * n / (n - 1.0)) / weights;
  return !(n > 1.0) || !(mean <= standard_error);
}

/**
 * Marks the best of a path, sets [first, n), and the one to be chosen: the smallest that the best
 * is not clearly better than. Where scores are as good as equal the highest is luck.
 */
static void mark_chosen(selector *s, size_t first)
{
  pf_selection_set *sets = s->out->sets.items, *best = best_of(s->out, first, true);
  pf_selection_set *chosen = best;
  if (best == NULL) {
    return;
  }
  for (size_t i = first; i < s->out->sets.n; i++) {
    if (sets[i].on_path && sets[i].n_failed == 0 && sets[i].n_terms < chosen->n_terms &&
        !is_clearly_better(best, &sets[i], s->base->data.n_animals)) {
      chosen = &sets[i];
    }
  }
  best->best = true;
  chosen->chosen = true;
}

/** A path forward or backward. */
typedef struct path {
  uint32_t method;
  bool adds;     /* forward */
  bool *in;      /* [n] where the path is; behind it those of the trials, [n][n] */
  trial *trials; /* [n] */
  size_t *which; /* [n] the term that a trial changes */
} path;

/** The trials of a round: the path's start, then each term that can be added, or taken out. */
static size_t make_trials(const selector *s, const path *p, int64_t round_number)
{
  size_t n = 0;
  if (round_number == 0) {
    p->trials[0] = (trial){.in = p->in, .l1 = NAN};
    return 1;
  }
  for (size_t k = 0; k < s->n; k++) {
    if (p->in[k] == p->adds) {
      continue;
    }
    trial *one = &p->trials[n];
    *one = (trial){.in = p->in + (n + 1) * s->n, .l1 = NAN};
    memcpy(one->in, p->in, s->n * sizeof *one->in);
    one->in[k] = p->adds;
    (void)snprintf(one->change, sizeof one->change, "%s %.190s", p->adds ? "+" : "-",
                   label_of(s, k));
    p->which[n++] = k;
  }
  return n;
}

/** Rounds until there is no term left, or `patience` rounds did not help. */
static pf_status follow_path(selector *s, const path *p, pf_error *error)
{
  int64_t without_gain = 0;
  double best = -INFINITY;
  for (int64_t number = 0; without_gain <= s->settings->patience; number++) {
    const size_t first = s->out->sets.n, n = make_trials(s, p, number);
    if (n == 0) {
      return PF_OK;
    }
    const pf_status status = score_trials(s, p->method, number, p->trials, n, error);
    if (status != PF_OK) {
      return status;
    }
    pf_selection_set *taken = best_of(s->out, first, false);
    if (taken == NULL) {
      return PF_OK; /* none of them could be scored */
    }
    taken->on_path = true;
    if (number > 0) {
      const size_t place = (size_t)(taken - (pf_selection_set *)s->out->sets.items) - first;
      p->in[p->which[place]] = p->adds;
    }
    without_gain = taken->score.value > best ? 0 : without_gain + 1;
    best = fmax(best, taken->score.value);
  }
  return PF_OK;
}

static pf_status select_stepwise(selector *s, uint32_t method, pf_error *error)
{
  const size_t first = s->out->sets.n;
  const path p = {.method = method,
                  .adds = method == PF_SELECT_FORWARD,
                  .in = pf_memory_need(s->n * (s->n + 1), sizeof *p.in, error),
                  .trials = pf_memory_need(s->n, sizeof *p.trials, error),
                  .which = pf_memory_need(s->n, sizeof *p.which, error)};
  pf_status status = PF_STOP;
  if (p.in != NULL && p.trials != NULL && p.which != NULL) {
    for (size_t k = 0; k < s->n; k++) {
      p.in[k] = !p.adds;
    }
    status = follow_path(s, &p, error);
  }
  if (status == PF_OK) {
    mark_chosen(s, first);
  }
  pf_memory_free(p.in);
  pf_memory_free(p.trials);
  pf_memory_free(p.which);
  return status;
}

/** All terms under each penalty: one round. */
static pf_status select_l1(selector *s, uint32_t method, pf_error *error)
{
  const size_t n = s->settings->l1.n, first = s->out->sets.n;
  bool *all = pf_memory_need(s->n, sizeof *all, error);
  trial *trials = pf_memory_need(n, sizeof *trials, error);
  pf_status status = PF_STOP;
  if (all == NULL || trials == NULL) {
    goto done;
  }
  for (size_t k = 0; k < s->n; k++) {
    all[k] = true;
  }
  for (size_t i = 0; i < n; i++) {
    trials[i] = (trial){.in = all, .l1 = s->settings->l1.items[i]};
    (void)snprintf(trials[i].change, sizeof trials[i].change, "l1 = %g", trials[i].l1);
  }
  status = score_trials(s, method, 0, trials, n, error);
  if (status != PF_OK) {
    goto done;
  }
  pf_selection_set *sets = s->out->sets.items;
  for (size_t i = first; i < s->out->sets.n; i++) {
    sets[i].on_path = sets[i].n_failed == 0;
  }
  mark_chosen(s, first);
done:
  pf_memory_free(all);
  pf_memory_free(trials);
  return status;
}

static pf_status select_terms(selector *s, pf_error *error)
{
  static pf_status (*const ways[PF_N_SELECTIONS])(selector *, uint32_t, pf_error *) = {
      [PF_SELECT_FORWARD] = select_stepwise,
      [PF_SELECT_BACKWARD] = select_stepwise,
      [PF_SELECT_L1] = select_l1};
  if (find_terms(s, error) != PF_OK) {
    return PF_STOP;
  }
  s->out->rule = pf_memory_string(s->rule, error);
  s->out->validation = s->settings->validation;
  s->out->n_terms = s->n;
  if (s->out->rule == NULL) {
    return PF_STOP;
  }
  for (uint32_t method = 0; method < PF_N_SELECTIONS; method++) {
    const pf_status status = s->settings->methods[method] ? ways[method](s, method, error) : PF_OK;
    if (status != PF_OK) {
      return status;
    }
  }
  return PF_OK;
}

pf_status pf_select_run(const pf_work *whole, const pf_problem *base, pf_selection *out,
                        pf_error *error)
{
  selector s = {.whole = whole, .settings = &whole->settings->select, .base = base, .out = out};
  out->sets = pf_array_of(sizeof(pf_selection_set));
  const pf_status status = select_terms(&s, error);
  pf_memory_free(s.terms);
  return status;
}
