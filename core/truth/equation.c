#include "core/truth/equation.h"

#include "core/base/memory.h"
#include "core/model/plastic.h"
#include "core/truth/effects.h"
#include "core/truth/names.h"

#include <ctype.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_TERMS = 12, MAX_NAMED = 5, WORDS_LENGTH = 8192 };
static const double small_effect = 0.01; /* of the largest */

const char *pf_term_fate_words(uint32_t fate)
{
  static const char *const words[] = {"kept", "zero", "interval holds 0", "not identified",
                                      "small"};
  return fate < sizeof words / sizeof words[0] ? words[fate] : "";
}

/** A parameter and the size that it is sorted by. */
typedef struct sized {
  size_t parameter;
  double size;
} sized;

/** What one equation is made from. */
typedef struct maker {
  const pf_problem *problem;
  const pf_fit *fit;
  const pf_inference *inference;
  const pf_coefficients *coefficients;
  const pf_plastic *plastic;
  pf_equation *out;
  bool has_intervals; /**< of some term */
  bool any_counts;    /**< some term counts in some group */
  sized *kept;        /**< [n_kept] terms of the equation: the largest on these data first */
  size_t n_kept;
} maker;

/* ---- text ---- */

static const char *label_of(const pf_model *model, size_t parameter)
{
  const pf_parameter *declared = &model->parameters[parameter].declared;
  return declared->label != NULL ? declared->label : declared->name;
}

/** " - 0.05 w"; the first without a space before its sign, and without a plus. */
static void add_term(pf_text *out, double value, const char *label, bool first)
{
  const bool bare = strcmp(label, "1") == 0;
  const char *minus = first ? "-" : " - ";
  const char *plus = first ? "" : " + ";
  char number[32];
  (void)snprintf(number, sizeof number, "%.3g", fabs(value));
  pf_text_add(out, "%s", value < 0.0 ? minus : plus);
  if (bare) {
    pf_text_add(out, "%s", number);
  } else if (strcmp(number, "1") == 0) {
    pf_text_add(out, "%s", label);
  } else {
    pf_text_add(out, "%s %s", number, label);
  }
}

/** Can a number stand before it without brackets: "x r", "tanh(...)"? */
static bool is_product(const char *sum)
{
  return isalpha((unsigned char)sum[0]) && strstr(sum, " + ") == NULL && strstr(sum, " - ") == NULL;
}

/** "dw = 0.5 (...)": what is added to a weight at a step, eta times what the rule says. */
static void add_equation(pf_text *out, double eta, const char *sum)
{
  if (eta == 1.0) {
    pf_text_add(out, "dw = %s", sum);
  } else {
    pf_text_add(out, is_product(sum) ? "dw = %.3g %s" : "dw = %.3g (%s)", eta, sum);
  }
}

/** The rule's own words for its coefficients, without the "dw = " before them. */
static void add_rule_words(pf_text *out, const pf_plastic *plastic, const double *theta)
{
  static const char head[] = "dw = ";
  const pf_rule_ops *ops = plastic->rule->plugin->rule;
  char words[WORDS_LENGTH] = "";
  pf_error ignored = pf_error_none();
  if (!PF_HAS(ops, pf_rule_ops, describe) || ops->describe == NULL ||
      ops->describe(plastic->rule->self, theta + plastic->theta0, PF_TEXT_PLAIN, words,
                    sizeof words, &ignored) != PF_OK) {
    return;
  }
  const size_t skip = strncmp(words, head, sizeof head - 1) == 0 ? sizeof head - 1 : 0;
  add_equation(out, plastic->eta, words + skip);
}

static bool all_taylor(const pf_model *model, const pf_plastic *plastic)
{
  for (size_t i = 0; i < plastic->declared.parameters.count; i++) {
    if (!pf_is_taylor_name(model->parameters[plastic->theta0 + i].declared.name)) {
      return false;
    }
  }
  return plastic->declared.parameters.count > 0;
}

static int by_size(const void *left, const void *right)
{
  const sized *a = left, *b = right;
  if (a->size != b->size) {
    return a->size > b->size ? -1 : 1;
  }
  return (a->parameter > b->parameter) - (a->parameter < b->parameter);
}

/** A polynomial without its zeros, in this order of terms. */
static void add_polynomial(pf_text *out, const pf_model *model, double eta, const double *theta,
                           const sized *terms, size_t n)
{
  pf_text sum = {0};
  for (size_t k = 0; k < n; k++) {
    add_term(&sum, theta[terms[k].parameter], label_of(model, terms[k].parameter), k == 0);
  }
  if (n == 0) {
    pf_text_add(out, "dw = 0");
  } else {
    add_equation(out, eta, sum.text != NULL ? sum.text : "");
  }
  out->failed |= sum.failed;
  pf_text_free(&sum);
}

/* ---- terms ---- */

static bool is_known(const pf_coefficient *c)
{
  return !isnan(c->low) && !isnan(c->high);
}

/** How sure a term is to differ from 0: half widths of its interval away from it. */
static double surety_of(const pf_coefficient *c)
{
  const double half = c->value > 0.0 ? c->value - c->low : c->high - c->value;
  return half > 0.0 ? fabs(c->value) / half : INFINITY;
}

static uint32_t fate_of(const maker *m, size_t parameter)
{
  const pf_coefficient *c = &m->coefficients->items[parameter];
  if (c->value == 0.0) {
    return PF_TERM_ZERO;
  }
  if (!pf_is_free(&m->problem->model->parameters[parameter])) {
    return PF_TERM_KEPT;
  }
  if (m->any_counts && c->n == 0) {
    return PF_TERM_NOT_IDENTIFIED;
  }
  return is_known(c) && c->low <= 0.0 && c->high >= 0.0 ? PF_TERM_UNCERTAIN : PF_TERM_KEPT;
}

/** The order of the kept terms, and which of them matter: a person reads a dozen, and where nothing
 * is known of errors those that hardly change the weights do not. */
static pf_status sort_terms(maker *m, pf_error *error)
{
  const size_t n = m->out->n_terms;
  double *effects = pf_memory_need(n, sizeof *effects, error);
  m->kept = pf_memory_need(n, sizeof *m->kept, error);
  pf_status status = effects == NULL || m->kept == NULL ? PF_STOP : PF_OK;
  if (status == PF_OK && !m->has_intervals) {
    const size_t rule = (size_t)(m->plastic - m->problem->model->plastic);
    status = pf_coefficient_effects(m->problem, m->fit, rule, effects, error);
  }
  if (status != PF_OK) {
    pf_memory_free(effects);
    return status;
  }
  double largest = 0.0;
  for (size_t k = 0; k < n; k++) {
    const size_t parameter = m->out->terms[k].parameter;
    const pf_coefficient *c = &m->coefficients->items[parameter];
    if (m->out->terms[k].fate == PF_TERM_KEPT) {
      m->kept[m->n_kept++] = (sized){parameter, m->has_intervals ? surety_of(c) : effects[k]};
      largest = isfinite(effects[k]) ? fmax(largest, effects[k]) : largest;
    }
  }
  qsort(m->kept, m->n_kept, sizeof *m->kept, by_size);
  const size_t n_sorted = m->n_kept;
  m->n_kept = 0;
  for (size_t k = 0; k < n_sorted; k++) {
    const bool is_small = !m->has_intervals && m->kept[k].size < small_effect * largest;
    if (k >= MAX_TERMS || is_small) {
      m->out->terms[m->kept[k].parameter - m->plastic->theta0].fate = PF_TERM_SMALL;
    } else {
      m->n_kept++;
    }
  }
  pf_memory_free(effects);
  return PF_OK;
}

static pf_status choose_terms(maker *m, pf_error *error)
{
  const size_t count = m->plastic->declared.parameters.count;
  m->out->terms = pf_memory_need(count, sizeof *m->out->terms, error);
  if (m->out->terms == NULL) {
    return PF_STOP;
  }
  m->out->n_terms = count;
  for (size_t k = 0; k < count; k++) {
    const pf_coefficient *c = &m->coefficients->items[m->plastic->theta0 + k];
    m->has_intervals = m->has_intervals || is_known(c);
    m->any_counts = m->any_counts || c->n > 0;
  }
  for (size_t k = 0; k < count; k++) {
    const size_t parameter = m->plastic->theta0 + k;
    const bool is_free = pf_is_free(&m->problem->model->parameters[parameter]);
    m->out->n_looked_at += is_free ? 1 : 0;
    m->out->terms[k] =
        (pf_equation_term){parameter, m->out->is_polynomial ? fate_of(m, parameter) : PF_TERM_KEPT};
  }
  if (!m->out->is_polynomial) {
    return PF_OK;
  }
  if (m->any_counts) {
    m->out->chosen_by = m->has_intervals ? "intervals" : "effects";
  }
  return sort_terms(m, error);
}

static size_t count_fate(const pf_equation *equation, uint32_t fate)
{
  size_t n = 0;
  for (size_t k = 0; k < equation->n_terms; k++) {
    n += equation->terms[k].fate == fate ? 1 : 0;
  }
  return n;
}

static pf_status write_inferred(const maker *m, pf_error *error)
{
  const pf_model *model = m->problem->model;
  double *theta = pf_memory_need(model->n_parameters, sizeof *theta, error);
  if (theta == NULL) {
    return PF_STOP;
  }
  for (size_t i = 0; i < model->n_parameters; i++) {
    theta[i] = m->coefficients->items[i].value;
  }
  if (!m->out->is_polynomial) {
    add_rule_words(&m->out->text, m->plastic, theta);
  } else if (m->n_kept == 0 && count_fate(m->out, PF_TERM_UNCERTAIN) > 0) {
    pf_text_add(&m->out->text, "no term is told apart from 0");
  } else {
    add_polynomial(&m->out->text, model, m->plastic->eta, theta, m->kept, m->n_kept);
  }
  pf_memory_free(theta);
  return PF_OK;
}

/* ---- notes ---- */

static const char *plural_of(size_t n, const char *one, const char *many)
{
  return n == 1 ? one : many;
}

/** Groups on which no claim rests, by why: "not converged: a1, a7". */
static void note_verdicts(const maker *m)
{
  for (uint32_t verdict = PF_FIT_NOT_CONVERGED; verdict <= PF_FIT_FAILED; verdict++) {
    pf_text names = {0};
    size_t n = 0;
    for (size_t u = 0; u < m->fit->n_groups; u++) {
      const pf_fit_group *group = &m->fit->groups[u];
      if (pf_group_claims(group) || pf_fit_verdict(group) != verdict) {
        continue;
      }
      if (n < MAX_NAMED) {
        pf_text_add(&names, "%s%s", n > 0 ? ", " : "", group->name);
      }
      n++;
    }
    if (n > MAX_NAMED) {
      pf_text_add(&names, " and %zu more", n - MAX_NAMED);
    }
    if (n > 0 && m->fit->n_groups == 1) {
      pf_text_add(&m->out->notes, "NOT to be relied on: %s; this is where the fit stopped\n",
                  pf_fit_verdict_words(verdict));
    } else if (n > 0) {
      pf_text_add(&m->out->notes, "left out, %s: %s\n", pf_fit_verdict_words(verdict),
                  names.text != NULL ? names.text : "");
    }
    pf_text_free(&names);
  }
}

/** Which coefficients of a group that may count do not: "x r, w"; true if there are any. */
static bool list_not_identified(const maker *m, const pf_fit_group *group, pf_text *list)
{
  size_t n = 0;
  for (size_t k = 0; k < m->out->n_terms; k++) {
    const size_t parameter = m->out->terms[k].parameter;
    if (!pf_is_free(&m->problem->model->parameters[parameter]) ||
        pf_coefficient_counts(m->inference, group, parameter)) {
      continue;
    }
    if (n < MAX_NAMED) {
      pf_text_add(list, "%s%s", n > 0 ? ", " : "", label_of(m->problem->model, parameter));
    }
    n++;
  }
  if (n > MAX_NAMED) {
    pf_text_add(list, " and %zu more", n - MAX_NAMED);
  }
  return n > 0;
}

/** Over how many animals the means are: "2", or "1 to 2" where terms differ. */
static void note_counts(const maker *m)
{
  size_t least = SIZE_MAX, most = 0;
  for (size_t k = 0; k < m->out->n_terms; k++) {
    const size_t parameter = m->out->terms[k].parameter;
    const size_t n = m->coefficients->items[parameter].n;
    if (pf_is_free(&m->problem->model->parameters[parameter]) && n > 0) {
      least = n < least ? n : least;
      most = n > most ? n : most;
    }
  }
  if (most == 0) {
    return;
  }
  pf_text_add(&m->out->notes, "means over ");
  if (least < most) {
    pf_text_add(&m->out->notes, "%zu to ", least);
  }
  pf_text_add(&m->out->notes, "%zu of %zu animals\n", most, m->fit->n_groups);
}

/** Whose estimates the means are of. */
static void note_means(const maker *m)
{
  pf_text out = {0};
  size_t n = 0;
  if (m->fit->n_groups < 2) {
    return;
  }
  for (size_t u = 0; u < m->fit->n_groups; u++) {
    const pf_fit_group *group = &m->fit->groups[u];
    pf_text list = {0};
    if (pf_group_claims(group) && list_not_identified(m, group, &list)) {
      if (n < MAX_NAMED) {
        pf_text_add(&out, "%s%s (%s)", n > 0 ? ", " : "", group->name,
                    list.text != NULL ? list.text : "");
      }
      n++;
    }
    pf_text_free(&list);
  }
  if (m->coefficients->n_claims == 0) {
    pf_text_add(&m->out->notes,
                "NOT to be relied on: mean over %zu animals, none of which counts\n",
                m->coefficients->n_fitted);
  } else {
    note_counts(m);
  }
  if (n > 0) {
    pf_text_add(&m->out->notes, "left out of means, not identified: %s",
                out.text != NULL ? out.text : "");
    if (n > MAX_NAMED) {
      pf_text_add(&m->out->notes, " and of %zu more animals", n - MAX_NAMED);
    }
    pf_text_add(&m->out->notes, "\n");
  }
  pf_text_free(&out);
}

/** "3", or "2 to 7" where animals differ. */
static void add_range(pf_text *notes, size_t least, size_t most)
{
  if (least == most) {
    pf_text_add(notes, "%zu", least);
  } else {
    pf_text_add(notes, "%zu to %zu", least, most);
  }
}

/** That terms were chosen, how, and what intervals do not know of it. */
static void note_choice(const maker *m)
{
  const pf_chosen_penalty *one = NULL;
  size_t least = SIZE_MAX, most = 0, n = 0;
  pf_text *notes = &m->out->notes;
  for (size_t u = 0; u < m->fit->n_groups; u++) {
    const pf_chosen_penalty *penalty = &m->fit->groups[u].penalty;
    if (penalty->chosen) {
      one = penalty;
      least = penalty->n_left < least ? penalty->n_left : least;
      most = penalty->n_left > most ? penalty->n_left : most;
      n++;
    }
  }
  if (one == NULL || !m->out->is_polynomial) {
    return;
  }
  pf_text_add(notes, "terms were chosen: ");
  add_range(notes, least, most);
  pf_text_add(notes, " of %zu left by ", one->n_terms);
  if (n == 1) {
    pf_text_add(notes, "penalty.l1 = %.3g", one->l1);
  } else {
    pf_text_add(notes, "a penalty.l1 for each");
  }
  pf_text_add(notes,
              ", the largest that predicts %s within one standard error of the best (%zu folds",
              one->by_animals ? "animals held out" : "later blocks", one->n_folds);
  if (n == 1) {
    pf_text_add(notes, ", score %.5g, without any term %.5g", -one->score, -one->score_without);
  }
  pf_text_add(notes, "), and fitted without it; intervals are of the terms that are left, and do "
                     "not know of the choice\n");
}

static void note_terms(const maker *m)
{
  const pf_equation *e = m->out;
  const size_t n_uncertain = count_fate(e, PF_TERM_UNCERTAIN);
  const size_t n_not = count_fate(e, PF_TERM_NOT_IDENTIFIED);
  const size_t n_small = count_fate(e, PF_TERM_SMALL);
  pf_text *notes = &m->out->notes;
  if (e->is_polynomial && !m->any_counts && m->coefficients->n_claims > 0) {
    pf_text_add(notes, "no coefficient is identified: other equations fit as well\n");
  }
  if (n_uncertain > 0) {
    pf_text_add(notes, "without %zu %s whose interval, %g %% for all %zu together, holds 0\n",
                n_uncertain, plural_of(n_uncertain, "term", "terms"),
                100.0 * m->coefficients->level, e->n_looked_at);
  }
  if (n_not > 0) {
    pf_text_add(notes, "without %zu %s not identified\n", n_not,
                plural_of(n_not, "term that is", "terms that are"));
  }
  if (n_small > 0) {
    pf_text_add(notes,
                m->has_intervals ? "without %zu more %s, in theta.csv\n"
                                 : "without %zu %s (below 1 %% of the largest change of "
                                   "the weights)\n",
                n_small,
                m->has_intervals ? plural_of(n_small, "term", "terms")
                                 : plural_of(n_small, "term that hardly changes the weights",
                                             "terms that hardly change the weights"));
  }
}

/* ---- modulators ---- */

/** Is it one channel, under the channel's own name? Then there is nothing to say. */
static bool is_itself(const pf_modulator *modulator, const pf_linear *linear)
{
  return linear->n_terms == 1 && linear->constant == 0.0 && linear->terms[0].coefficient == 1.0 &&
         linear->terms[0].n == 1 && linear->terms[0].factors[0].form == PF_LINEAR_VALUE &&
         strcmp(linear->names[0], modulator->name) == 0;
}

/** What y and the modulators of the equation are. */
static void write_where(const maker *m)
{
  const char *post = pf_plastic_post(m->problem->model, m->plastic);
  const char *pre = pf_plastic_pre(m->problem->model, m->plastic);
  if (pre != NULL) {
    pf_text_add(&m->out->where, "x = %s\n", pre);
  }
  if (post != NULL) {
    pf_text_add(&m->out->where, "y = %s%s\n", post,
                m->plastic->post.signed_choice ? " (1 or -1)" : "");
  }
  for (size_t k = 0; k < m->plastic->declared.modulators.count; k++) {
    const pf_modulator *modulator = &m->plastic->modulator_info[k];
    const pf_linear *linear = &m->plastic->modulators[k];
    if ((linear->n > 0 || linear->constant != 0.0) && !is_itself(modulator, linear)) {
      pf_text_add(&m->out->where, "%s =", modulator->name);
      pf_linear_add(&m->out->where, linear);
      pf_text_add(&m->out->where, "\n");
    }
  }
}

/* ---- all ---- */

/** Where a term of the teacher stands: as in the inferred equation, then by its size. */
static double place_of(const maker *m, const char *name, double value)
{
  for (size_t k = 0; k < m->n_kept; k++) {
    const pf_model_parameter *parameter = &m->problem->model->parameters[m->kept[k].parameter];
    if (strcmp(parameter->declared.name, name) == 0) {
      return (double)(m->n_kept - k);
    }
  }
  return -1.0 / fabs(value);
}

static pf_status write_true_polynomial(const maker *m, const pf_plastic *plastic, pf_error *error)
{
  const pf_model *teacher = m->problem->models->teacher;
  const size_t count = plastic->declared.parameters.count;
  const double *theta = m->problem->models->teacher_theta;
  sized *terms = pf_memory_need(count, sizeof *terms, error);
  size_t n = 0;
  if (terms == NULL) {
    return PF_STOP;
  }
  for (size_t i = plastic->theta0; i < plastic->theta0 + count; i++) {
    if (theta[i] != 0.0) {
      terms[n++] = (sized){i, place_of(m, teacher->parameters[i].declared.name, theta[i])};
    }
  }
  qsort(terms, n, sizeof *terms, by_size);
  add_polynomial(&m->out->truth, teacher, plastic->eta, theta, terms, n);
  pf_memory_free(terms);
  return PF_OK;
}

static pf_status write_truth(const maker *m, size_t p, pf_error *error)
{
  const pf_model *teacher = m->problem->models->teacher;
  const double *theta = m->problem->models->teacher_theta;
  if (teacher == NULL || p >= teacher->n_plastic) {
    return PF_OK;
  }
  const pf_plastic *plastic = &teacher->plastic[p];
  if (all_taylor(teacher, plastic)) {
    return write_true_polynomial(m, plastic, error);
  }
  add_rule_words(&m->out->truth, plastic, theta);
  if (m->out->truth.text == NULL) {
    pf_text_add(&m->out->truth, "%s", plastic->rule->plugin->name);
  }
  return PF_OK;
}

static pf_status make_equation(maker *m, size_t p, pf_error *error)
{
  const pf_model *model = m->problem->model;
  m->out->owner = m->plastic->declared.parameters.count > 0
                      ? model->parameters[m->plastic->theta0].owner
                      : m->plastic->rule->plugin->name;
  m->out->eta = m->plastic->eta;
  m->out->is_polynomial = all_taylor(model, m->plastic);
  pf_status status = choose_terms(m, error);
  if (status != PF_OK) {
    return status;
  }
  if (m->coefficients->n_fitted > 0) {
    status = write_inferred(m, error);
  }
  if (status != PF_OK) {
    return status;
  }
  write_where(m);
  note_verdicts(m);
  note_means(m);
  note_choice(m);
  note_terms(m);
  status = write_truth(m, p, error);
  const bool lost =
      m->out->text.failed || m->out->truth.failed || m->out->where.failed || m->out->notes.failed;
  return status == PF_OK && lost ? pf_fail(error, PF_STOP, "out of memory") : status;
}

pf_status pf_equations_create(const pf_problem *problem, const pf_fit *fit,
                              const pf_inference *inference, pf_equations *out, pf_error *error)
{
  *out = (pf_equations){0};
  pf_status status = pf_coefficients_create(problem, fit, inference, &out->coefficients, error);
  if (status != PF_OK) {
    return status;
  }
  out->items = pf_memory_need(problem->model->n_plastic, sizeof *out->items, error);
  if (out->items == NULL) {
    pf_equations_clear(out);
    return PF_STOP;
  }
  out->n = problem->model->n_plastic;
  for (size_t p = 0; p < out->n; p++) {
    maker m = {.problem = problem,
               .fit = fit,
               .inference = inference,
               .coefficients = &out->coefficients,
               .plastic = &problem->model->plastic[p],
               .out = &out->items[p]};
    status = make_equation(&m, p, error);
    pf_memory_free(m.kept);
    if (status != PF_OK) {
      pf_equations_clear(out);
      return status;
    }
  }
  return PF_OK;
}

void pf_equations_clear(pf_equations *equations)
{
  for (size_t p = 0; p < equations->n; p++) {
    pf_equation *e = &equations->items[p];
    pf_memory_free(e->terms);
    pf_text_free(&e->text);
    pf_text_free(&e->truth);
    pf_text_free(&e->where);
    pf_text_free(&e->notes);
  }
  pf_memory_free(equations->items);
  pf_coefficients_clear(&equations->coefficients);
  *equations = (pf_equations){0};
}
