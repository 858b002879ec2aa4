#include "core/terminal/run_summary.h"
#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/evaluate/score.h"
#include "core/infer/uncertainty.h"
#include "core/layout/layout.h"
#include "core/model/plastic.h"
#include "core/store/results.h"
#include "core/terminal/inference_lines.h"
#include "core/terminal/optimiser_lines.h"
#include "core/terminal/wrap.h"
#include "core/truth/names.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_TERMS = 12, MAX_FAILURES = 5, INTERVAL_WIDTH = 24, EQUATION_LENGTH = 8192 };

/* When a coefficient counts as wrong; said in the summary in the same words. */
static const double relative_tolerance = 0.25; /* of the true value */
static const double zero_tolerance = 0.10;     /* of the largest true value, where the truth is 0 */
static const double small_term = 0.01; /* of the largest estimate: left out of the equation */

/* One free parameter over the units. */
typedef struct row {
  size_t parameter;
  double estimate, sd, truth;
} row;

typedef struct printer {
  const pf_problem *problem;
  const pf_fit *fit;
  const pf_inference *inference; /* or NULL */
  const pf_evaluation *evaluation;
  FILE *out;
  double *truth; /* [n_parameters], NaN where unknown */
  double *mean;  /* [n_parameters] over the units that were fitted */
  double *sd;    /* [n_parameters], NaN for one unit */
  row *rows;     /* [n_rows] free parameters */
  size_t n_rows;
  size_t n_fitted, n_free;
  double largest_truth; /* of the rules' parameters; 0: no truth known */
} printer;

/* ---- text ---- */

/* Columns a text takes on a terminal: bytes that continue a UTF-8 character take none. */
static int width_of(const char *text)
{
  int width = 0;
  for (const char *c = text; *c != '\0'; c++) {
    width += ((unsigned char)*c & 0xC0) != 0x80;
  }
  return width;
}

static void print_padded(FILE *out, const char *text, int width)
{
  const int missing = width - width_of(text);
  (void)fprintf(out, "%s%*s", text, missing > 0 ? missing : 0, "");
}

static const char *plural_of(size_t n, const char *one, const char *many)
{
  return n == 1 ? one : many;
}

/* ---- numbers over units ---- */

static bool is_free(const pf_model *model, size_t i)
{
  return pf_is_free(&model->parameters[i]);
}

static size_t count_tied(const pf_model *model)
{
  size_t n = 0;
  for (size_t i = 0; i < model->n_parameters; i++) {
    n += model->parameters[i].tied ? 1 : 0;
  }
  return n;
}

static size_t count_told(const pf_model *model)
{
  size_t n = 0;
  for (size_t i = 0; i < model->n_parameters; i++) {
    n += pf_is_reported(model, i) ? 1 : 0;
  }
  return n;
}

/* One group's instances into the sums of each parameter, or, without `count`, their squares about
 * the mean. */
static pf_status add_group(printer *p, const pf_fit_group *unit, double *count, pf_error *error)
{
  double *instances = pf_memory_need(unit->layout->n_instances, sizeof *instances, error);
  if (instances == NULL) {
    return PF_STOP;
  }
  pf_layout_instances(unit->layout, unit->values, instances);
  for (size_t s = 0; s < unit->layout->n_instances; s++) {
    const size_t i = unit->layout->instances[s].parameter;
    const double off = instances[s] - p->mean[i];
    if (count != NULL) {
      p->mean[i] += instances[s];
      count[i] += 1.0;
    } else {
      p->sd[i] += off * off;
    }
  }
  pf_memory_free(instances);
  return PF_OK;
}

/* The same of all groups that were fitted. */
static pf_status add_groups(printer *p, double *count, pf_error *error)
{
  for (size_t u = 0; u < p->fit->n_groups; u++) {
    const pf_fit_group *group = &p->fit->groups[u];
    if (group->status == PF_OK && add_group(p, group, count, error) != PF_OK) {
      return PF_STOP;
    }
  }
  return PF_OK;
}

static pf_status average_groups(printer *p, pf_error *error)
{
  const size_t n = p->problem->model->n_parameters;
  double *count = pf_memory_need(n, sizeof *count, error);
  if (count == NULL) {
    return PF_STOP;
  }
  pf_status status = add_groups(p, count, error); /* sums */
  if (status != PF_OK) {
    goto done;
  }
  for (size_t i = 0; i < n; i++) {
    p->mean[i] /= count[i];
  }
  status = add_groups(p, NULL, error); /* squares about the mean */
  if (status != PF_OK) {
    goto done;
  }
  for (size_t i = 0; i < n; i++) {
    p->sd[i] = count[i] > 1.0 ? sqrt(p->sd[i] / (count[i] - 1.0)) : NAN;
  }
done:
  pf_memory_free(count);
  return status;
}

/* Terms of the truth first, then by size; equal ones by name, so that the order is the same
 * everywhere. */
static int by_importance(const void *left, const void *right)
{
  const row *a = left;
  const row *b = right;
  const bool in_truth_a = !isnan(a->truth) && a->truth != 0.0;
  const bool in_truth_b = !isnan(b->truth) && b->truth != 0.0;
  if (in_truth_a != in_truth_b) {
    return in_truth_a ? -1 : 1;
  }
  const double size_a = in_truth_a ? fabs(a->truth) : fabs(a->estimate);
  const double size_b = in_truth_b ? fabs(b->truth) : fabs(b->estimate);
  if (size_a != size_b) {
    return size_a > size_b ? -1 : 1;
  }
  return (a->parameter > b->parameter) - (a->parameter < b->parameter);
}

static pf_status prepare_printer(printer *p, pf_error *error)
{
  const pf_model *model = p->problem->model;
  pf_status status = pf_truth_create(p->problem, &p->truth, error);
  if (status != PF_OK) {
    return status;
  }
  p->mean = pf_memory_need(model->n_parameters, sizeof *p->mean, error);
  p->sd = pf_memory_need(model->n_parameters, sizeof *p->sd, error);
  p->rows = pf_memory_need(model->n_parameters, sizeof *p->rows, error);
  if (p->mean == NULL || p->sd == NULL || p->rows == NULL) {
    return PF_STOP;
  }
  p->n_fitted = p->fit->n_groups - p->fit->n_failed;
  for (size_t i = 0; i < model->n_parameters; i++) {
    p->n_free += is_free(model, i) ? 1 : 0;
  }
  if (p->n_fitted == 0) {
    return PF_OK;
  }
  if (average_groups(p, error) != PF_OK) {
    return PF_STOP;
  }
  for (size_t i = 0; i < model->n_parameters; i++) {
    if (is_free(model, i) && !model->parameters[i].is_start) {
      p->rows[p->n_rows++] =
          (row){.parameter = i, .estimate = p->mean[i], .sd = p->sd[i], .truth = p->truth[i]};
    }
    if (i < model->network_theta0 && !isnan(p->truth[i])) {
      p->largest_truth = fmax(p->largest_truth, fabs(p->truth[i]));
    }
  }
  qsort(p->rows, p->n_rows, sizeof *p->rows, by_importance);
  return PF_OK;
}

/* ---- title ---- */

static void print_title(const printer *p)
{
  const pf_problem *problem = p->problem;
  const size_t n = problem->data.n_animals;
  const size_t n_tied = count_tied(problem->model);
  const size_t n_fixed = count_told(problem->model) - p->n_free - n_tied;
  char others[64] = "", copies[64] = "";
  const pf_layout *layout = p->fit->groups[0].layout;
  if (layout->n != p->n_free) {
    (void)snprintf(copies, sizeof copies, ", with the animals' own copies %zu", layout->n);
  }
  if (n_fixed > 0 || n_tied > 0) {
    (void)snprintf(others, sizeof others, " (and %zu fixed, %zu tied)", n_fixed, n_tied);
  }
  (void)fprintf(p->out, "\n%s: %zu %s, %s; %zu free %s%s%s, ",
                problem->settings->name != NULL ? problem->settings->name : "fit", n,
                plural_of(n, "animal", "animals"),
                problem->settings->fit.per == PF_FIT_SHARED ? "one theta for all"
                                                            : "a theta of its own for each",
                p->n_free, plural_of(p->n_free, "parameter", "parameters"), copies, others);
  if (pf_fit_optimiser(problem)->fixed_passes) {
    (void)fprintf(p->out, "%lld %s of ", (long long)problem->settings->fit.epochs,
                  plural_of((size_t)problem->settings->fit.epochs, "epoch", "epochs"));
  }
  (void)fprintf(p->out, "%s\n\n", pf_fit_optimiser(problem)->name);
}

/* ---- equations ---- */

/* The rule's own words for these coefficients; "" where it has none. `theta` is the whole model's.
 */
static void describe_rule(const pf_plastic *plastic, const double *theta, char *text)
{
  const pf_rule_ops *ops = plastic->rule->plugin->rule;
  pf_error ignored = pf_error_none();
  text[0] = '\0';
  if (PF_HAS(ops, pf_rule_ops, describe) && ops->describe != NULL &&
      ops->describe(plastic->rule->self, theta + plastic->theta0, PF_TEXT_PLAIN, text,
                    EQUATION_LENGTH, &ignored) != PF_OK) {
    text[0] = '\0';
  }
}

/* How many coefficients of a rule are larger than this one (of equal ones, those before it). */
static size_t rank_of(const pf_plastic *plastic, const double *theta, size_t i)
{
  size_t rank = 0;
  for (size_t k = plastic->theta0; k < plastic->theta0 + plastic->declared.parameters.count; k++) {
    rank += fabs(theta[k]) > fabs(theta[i]) || (fabs(theta[k]) == fabs(theta[i]) && k < i) ? 1 : 0;
  }
  return rank;
}

/* One fit, and errors of it: a column in the place of the spread over animals. */
static bool has_intervals(const printer *p)
{
  return p->fit->n_groups == 1 && pf_has_inference(p->inference) &&
         p->inference->groups[0].why == NULL &&
         p->inference->groups[0].methods[p->inference->groups[0].main].there;
}

/** The interval of a parameter that has one copy; NaN where it has several, or no interval. */
static pf_uncertainty uncertainty_of(const printer *p, size_t parameter)
{
  const pf_fit_group *unit = &p->fit->groups[0];
  const size_t instance = unit->layout->first[parameter];
  const size_t end = parameter + 1 < unit->layout->n_parameters ? unit->layout->first[parameter + 1]
                                                                : unit->layout->n_instances;
  const pf_uncertainty none = {.se = NAN, .lower = NAN, .upper = NAN};
  return has_intervals(p) && end == instance + 1 ? pf_uncertainty_of(p->inference, unit, instance)
                                                 : none;
}

/** Terms that the equation leaves out. */
typedef struct left_out {
  size_t n_small;     /**< tiny, or more than a person reads */
  size_t n_uncertain; /**< of the others, those whose interval holds 0 */
} left_out;

/* The main terms of a polynomial, in `main`. The others would bury the equation; counts them.
 * Coefficients of another rule stay as they are. */
static left_out keep_main(const printer *p, const pf_plastic *plastic, double *main)
{
  const pf_model *model = p->problem->model;
  const double *theta = p->mean;
  const size_t end = plastic->theta0 + plastic->declared.parameters.count;
  double largest = 0.0;
  left_out without = {0, 0};
  memcpy(main, theta, model->n_parameters * sizeof *main);
  for (size_t i = plastic->theta0; i < end; i++) {
    if (!pf_is_taylor_name(model->parameters[i].declared.name)) {
      return without;
    }
    largest = fmax(largest, fabs(theta[i]));
  }
  for (size_t i = plastic->theta0; i < end; i++) {
    const pf_uncertainty sure = uncertainty_of(p, i);
    const bool small =
        fabs(theta[i]) < small_term * largest || rank_of(plastic, theta, i) >= MAX_TERMS;
    const bool uncertain = sure.lower <= 0.0 && sure.upper >= 0.0;
    if (theta[i] != 0.0 && (small || uncertain)) {
      main[i] = 0.0;
      without.n_uncertain += uncertain ? 1 : 0;
      without.n_small += uncertain ? 0 : 1;
    }
  }
  return without;
}

static void print_left_out(const printer *p, left_out without)
{
  if (without.n_uncertain > 0) {
    (void)fprintf(p->out, "             (without %zu %s whose %g %% interval holds 0)\n",
                  without.n_uncertain, plural_of(without.n_uncertain, "term", "terms"),
                  100.0 * p->inference->level);
  }
  if (without.n_small > 0) {
    (void)fprintf(p->out, "             (%zu smaller %s left out of the equation)\n",
                  without.n_small, plural_of(without.n_small, "term is", "terms are"));
  }
}

/** Is it one channel, under the channel's own name? Then there is nothing to say. */
static bool is_itself(const pf_modulator *modulator, const pf_linear *linear)
{
  return linear->n == 1 && linear->constant == 0.0 && linear->factors[0] == 1.0 &&
         strcmp(linear->names[0], modulator->name) == 0;
}

/** What y and the modulators of the equation are. */
static void print_where(const pf_model *model, const pf_plastic *plastic, FILE *out)
{
  const char *head = "where", *post = pf_plastic_post(model, plastic);
  if (post != NULL) {
    (void)fprintf(out, "  %-11sy = %s%s\n", head, post, plastic->signed_choice ? " (1 or -1)" : "");
    head = "";
  }
  for (size_t m = 0; m < plastic->declared.modulators.count; m++) {
    const pf_modulator *modulator = &plastic->modulator_info[m];
    const pf_linear *linear = &plastic->modulators[m];
    if ((linear->n == 0 && linear->constant == 0.0) || is_itself(modulator, linear)) {
      continue; /* nothing modulates */
    }
    (void)fprintf(out, "  %-11s%s =", head, modulator->name);
    pf_linear_print(linear, out);
    (void)fputc('\n', out);
    head = "";
  }
}

static pf_status print_equations(const printer *p, pf_error *error)
{
  const pf_model *model = p->problem->model;
  char *text = pf_memory_need(EQUATION_LENGTH, 1, error);
  double *theta = pf_memory_need(model->n_parameters, sizeof *theta, error);
  if (text == NULL || theta == NULL) {
    pf_memory_free(text);
    pf_memory_free(theta);
    return PF_STOP;
  }
  for (size_t k = 0; k < model->n_plastic && p->n_fitted > 0; k++) {
    const pf_plastic *plastic = &model->plastic[k];
    const left_out without = keep_main(p, plastic, theta);
    describe_rule(plastic, theta, text);
    if (model->n_plastic > 1) {
      (void)fprintf(p->out, "  %s\n", model->parameters[plastic->theta0].owner);
    }
    if (text[0] != '\0') {
      (void)fputs("  inferred   ", p->out);
      pf_print_wrapped(p->out, text, 13, true);
    }
    if (p->problem->models->teacher != NULL && k < p->problem->models->teacher->n_plastic) {
      describe_rule(&p->problem->models->teacher->plastic[k], p->problem->models->teacher_theta,
                    text);
      (void)fputs("  truth      ", p->out);
      pf_print_wrapped(p->out,
                       text[0] != '\0' ? text
                                       : p->problem->models->teacher->plastic[k].rule->plugin->name,
                       13, true);
    }
    print_where(model, plastic, p->out);
    print_left_out(p, without);
    if (p->n_fitted > 1) {
      (void)fprintf(p->out, "             (mean over %zu animals)\n", p->n_fitted);
    }
  }
  if (p->n_fitted > 0) {
    (void)fputc('\n', p->out);
  }
  pf_memory_free(text);
  pf_memory_free(theta);
  return PF_OK;
}

/* ---- coefficients ---- */

/* 1: wrong, 0: right, -1: cannot be said. */
static int verdict_on(const printer *p, const row *r)
{
  if (isnan(r->truth)) {
    return -1;
  }
  if (r->truth != 0.0) {
    return fabs(r->estimate - r->truth) > relative_tolerance * fabs(r->truth);
  }
  if (r->parameter >= p->problem->model->network_theta0 || p->largest_truth == 0.0) {
    return -1; /* nothing to measure it by */
  }
  return fabs(r->estimate) > zero_tolerance * p->largest_truth;
}

static void row_name(const printer *p, const row *r, char *text, size_t capacity)
{
  const pf_model *model = p->problem->model;
  const pf_model_parameter *parameter = &model->parameters[r->parameter];
  const char *label =
      parameter->declared.label != NULL ? parameter->declared.label : parameter->declared.name;
  if ((model->n_plastic > 1 || r->parameter >= model->network_theta0) && parameter->owner != NULL) {
    (void)snprintf(text, capacity, "%s: %s", parameter->owner, label);
  } else {
    (void)snprintf(text, capacity, "%s", label);
  }
}

static void print_interval(const printer *p, const row *r)
{
  const pf_uncertainty sure = uncertainty_of(p, r->parameter);
  char text[64] = "";
  if (!isnan(sure.lower)) {
    (void)snprintf(text, sizeof text, "%.3g to %.3g", sure.lower, sure.upper);
  } else if (sure.verdict > PF_IDENTIFIED) {
    (void)snprintf(text, sizeof text, "not identified");
  }
  print_padded(p->out, text, INTERVAL_WIDTH);
}

static void print_row(const printer *p, const row *r, int name_width)
{
  char name[96];
  char estimate[64];
  row_name(p, r, name, sizeof name);
  if (isnan(r->sd)) {
    (void)snprintf(estimate, sizeof estimate, "%.4g", r->estimate);
  } else {
    (void)snprintf(estimate, sizeof estimate, "%.3g ± %.2g", r->estimate, r->sd);
  }
  (void)fputs("  ", p->out);
  print_padded(p->out, name, name_width);
  (void)fputs("  ", p->out);
  if (has_intervals(p)) {
    print_padded(p->out, estimate, 12);
    print_interval(p, r);
  } else if (!isnan(r->truth)) {
    print_padded(p->out, estimate, 22);
  } else {
    (void)fputs(estimate, p->out);
  }
  if (isnan(r->truth)) {
    (void)fputc('\n', p->out);
    return;
  }
  if (verdict_on(p, r) != 1) {
    (void)fprintf(p->out, "%.4g\n", r->truth);
  } else if (r->truth != 0.0) {
    (void)fprintf(p->out, "%-10.4gwrong by %.0f %%\n", r->truth,
                  100.0 * fabs(r->estimate - r->truth) / fabs(r->truth));
  } else {
    (void)fprintf(p->out, "%-10.4gwrong: not in the truth\n", r->truth);
  }
}

static bool any_truth(const printer *p)
{
  for (size_t i = 0; i < p->n_rows; i++) {
    if (!isnan(p->rows[i].truth)) {
      return true;
    }
  }
  return false;
}

/* Weights of an MLP, say, of which none means anything alone, are not worth lines. */
static bool worth_a_table(const printer *p)
{
  bool polynomial = true;
  for (size_t i = 0; i < p->n_rows; i++) {
    const char *name = p->problem->model->parameters[p->rows[i].parameter].declared.name;
    polynomial = polynomial && pf_is_taylor_name(name);
  }
  return p->n_rows > 0 && p->n_fitted > 0 && (polynomial || any_truth(p) || p->n_rows <= MAX_TERMS);
}

static void print_table(const printer *p)
{
  const size_t n = p->n_rows < MAX_TERMS ? p->n_rows : MAX_TERMS;
  int name_width = 12;
  char name[96];
  for (size_t i = 0; i < n; i++) {
    row_name(p, &p->rows[i], name, sizeof name);
    name_width = width_of(name) > name_width ? width_of(name) : name_width;
  }
  (void)fputs("  ", p->out);
  print_padded(p->out, "coefficient", name_width);
  (void)fputs("  ", p->out);
  if (has_intervals(p)) {
    char head[64];
    (void)snprintf(head, sizeof head, "%g %% interval", 100.0 * p->inference->level);
    print_padded(p->out, "estimate", 12);
    print_padded(p->out, head, INTERVAL_WIDTH);
    (void)fputs(any_truth(p) ? "truth\n" : "\n", p->out);
  } else if (any_truth(p)) {
    print_padded(p->out, p->n_fitted > 1 ? "mean ± sd, animals" : "estimate", 22);
    (void)fputs("truth\n", p->out);
  } else {
    (void)fputs(p->n_fitted > 1 ? "mean ± sd, animals\n" : "estimate\n", p->out);
  }
  for (size_t i = 0; i < n; i++) {
    print_row(p, &p->rows[i], name_width);
  }
  if (p->n_rows > n) {
    (void)fprintf(p->out, "  and %zu more, in theta.csv\n", p->n_rows - n);
  }
  (void)fputc('\n', p->out);
}

/* What is not free, and why: a reader of the table would miss it there. */
static void print_bound(const printer *p)
{
  const pf_model *model = p->problem->model;
  size_t n = 0;
  for (size_t i = 0; i < model->n_parameters && p->n_fitted > 0; i++) {
    const pf_model_parameter *parameter = &model->parameters[i];
    char name[96];
    char other[96];
    if (is_free(model, i) || n >= MAX_TERMS || parameter->is_start || !pf_is_reported(model, i)) {
      continue;
    }
    row_name(p, &(row){.parameter = i}, name, sizeof name);
    if (parameter->tied) {
      row_name(p, &(row){.parameter = parameter->tied_to}, other, sizeof other);
      (void)fprintf(p->out, "  tied: %s = %g * %s\n", name, parameter->factor, other);
    } else {
      (void)fprintf(p->out, "  fixed: %s = %.4g\n", name, p->mean[i]);
    }
    n++;
  }
  if (n > 0) {
    (void)fputc('\n', p->out);
  }
}

/* Starting weights are many, and none means much alone: one line for all. */
static void print_starts(const printer *p)
{
  static const char *const scopes[] = {"the same for all", "each animal's own",
                                       "each experiment's own"};
  const pf_model *model = p->problem->model;
  double sum = 0.0, squares = 0.0, n = 0.0;
  const uint32_t scope = model->start_theta0 < model->n_parameters
                             ? model->parameters[model->start_theta0].declared.scope
                             : 0;
  for (size_t i = model->start_theta0; i < model->n_parameters && p->n_fitted > 0; i++) {
    const double between = isnan(p->sd[i]) ? 0.0 : p->sd[i];
    if (is_free(model, i)) {
      sum += p->mean[i];
      squares += p->mean[i] * p->mean[i] + between * between;
      n += 1.0;
    }
  }
  if (n > 0.0) {
    (void)fprintf(
        p->out,
        "  starting weights learned, %s: %.0f numbers, mean %.3g, rms %.3g; all in theta.csv\n\n",
        scopes[scope < 3 ? scope : 0], n, sum / n, sqrt(squares / n));
  }
}

/* Which coefficients came out wrong, whether or not the table had room for them. */
static void print_verdict(const printer *p)
{
  size_t n_judged = 0;
  size_t n_wrong = 0;
  pf_text list = {0};
  for (size_t i = 0; i < p->n_rows; i++) {
    const row *r = &p->rows[i];
    const int wrong = verdict_on(p, r);
    n_judged += wrong >= 0 ? 1 : 0;
    if (wrong == 1) {
      char name[96];
      row_name(p, r, name, sizeof name);
      n_wrong++;
      if (n_wrong <= MAX_TERMS) {
        pf_text_add(&list, "%s%s: %.3g, truth %.3g", n_wrong > 1 ? "; " : "", name, r->estimate,
                    r->truth);
      }
    }
  }
  if (n_judged > 0) {
    char line[512];
    if (n_wrong == 0) {
      (void)snprintf(line, sizeof line,
                     "All %zu coefficients came out right (within %g %% of the truth; where it is "
                     "0, within %g %% of the largest true one).",
                     n_judged, 100.0 * relative_tolerance, 100.0 * zero_tolerance);
    } else {
      (void)snprintf(line, sizeof line,
                     "%zu of %zu coefficients came out wrong (off by more than %g %% of the truth; "
                     "where it is 0, by more than %g %% of the largest true one):",
                     n_wrong, n_judged, 100.0 * relative_tolerance, 100.0 * zero_tolerance);
    }
    (void)fputs("  ", p->out);
    pf_print_wrapped(p->out, line, 2, false);
    if (n_wrong > 0 && list.text != NULL) {
      (void)fputs("    ", p->out);
      pf_print_wrapped(p->out, list.text, 4, false);
    }
    if (n_wrong > MAX_TERMS) {
      (void)fprintf(p->out, "    and %zu more, in theta.csv\n", n_wrong - MAX_TERMS);
    }
    if (n_wrong > 0 && p->evaluation->mean.r2_weights >= 0.95) {
      (void)fputs("  ", p->out);
      pf_print_wrapped(p->out,
                       "Yet the weights are predicted well (below): these data hardly tell such "
                       "rules apart, so trust the predictions, not the single coefficients.",
                       2, false);
    }
    (void)fputc('\n', p->out);
  }
  pf_text_free(&list);
}

/* ---- scores ---- */

static void print_score(FILE *out, const char *name, double mean, double median, const char *unit,
                        const char *note)
{
  char left[32] = "n/a";
  char right[32] = "n/a";
  if (!isnan(mean)) {
    (void)snprintf(left, sizeof left, "%.4g%s", mean, unit);
    (void)snprintf(right, sizeof right, "%.4g%s", median, unit);
  }
  (void)fprintf(out, "  %-20smean %-12s median ", name, left);
  if (note[0] != '\0') {
    (void)fprintf(out, "%-12s %s\n", right, note);
  } else {
    (void)fprintf(out, "%s\n", right);
  }
}

/* Fresh draws of inputs that the data give outright are those same inputs: nothing about them is
 * fresh. */
static bool inputs_are_given(const pf_problem *problem)
{
  return problem->settings->give_inputs && problem->data.n > 0 &&
         problem->data.recordings[0].true_input != NULL;
}

static const char *in_words(const pf_problem *problem, const char *evaluated_on)
{
  if (problem->other_data) {
    return "of the data given";
  }
  if (strcmp(evaluated_on, "fresh animals") == 0) {
    return "animals the fit has not seen";
  }
  if (strcmp(evaluated_on, "fresh draws") == 0 && !inputs_are_given(problem)) {
    return "in sample, fresh inputs";
  }
  return "in sample, the inputs of the fit";
}

static bool has_likelihood(const pf_model *model)
{
  for (size_t k = 0; k < model->n_losses; k++) {
    if (model->losses[k].declared.flags & PF_LOSS_LIKELIHOOD) {
      return true;
    }
  }
  return false;
}

static void print_scores(const printer *p)
{
  const pf_evaluation *e = p->evaluation;
  char note[96] = "";
  (void)fprintf(p->out, "  On %s (%s), over %zu %s:\n", e->evaluated_on,
                in_words(p->problem, e->evaluated_on), e->n_animals,
                plural_of(e->n_animals, "animal", "animals"));
  if (e->refitted) {
    (void)fputs("  (theta kept; what animals or experiments have of their own was fitted on their "
                "fit steps)\n",
                p->out);
  }
  if (p->problem->models->teacher != NULL) {
    if (e->mean.n_still > 0) {
      (void)snprintf(note, sizeof note, "%lld %s that never vary left out",
                     (long long)e->mean.n_still,
                     plural_of((size_t)e->mean.n_still, "synapse", "synapses"));
    }
    if (note[0] == '\0' && pf_weights_are_latent(p->problem->model)) {
      (void)snprintf(note, sizeof note, "against the teacher's; no data show them");
    }
    print_score(p->out, "R2 of weights", e->mean.r2_weights, e->median.r2_weights, "", note);
  }
  if (!isnan(e->mean.r2_activity)) {
    print_score(p->out, "R2 of activity", e->mean.r2_activity, e->median.r2_activity, "",
                p->problem->models->teacher != NULL ? "" : "of the recorded activity");
  }
  const bool likelihood = has_likelihood(p->problem->model);
  print_score(p->out, likelihood ? "deviance explained" : "sq. error explained",
              e->mean.no_plasticity, e->median.no_plasticity, " %",
              e->null_refitted ? "null: no plasticity (all but the rule refitted)"
                               : "null: no plasticity (weights stay as they start)");
  print_score(p->out, "", e->mean.mean_rate, e->median.mean_rate, " %",
              likelihood ? "null: mean rate (the best constant)"
                         : "null: mean rate (each unit's mean)");
  (void)fputc('\n', p->out);
}

/* ---- what failed, and where everything is ---- */

static void print_failures(const printer *p)
{
  size_t n_failed = 0;
  for (size_t a = 0; a < p->evaluation->n_animals; a++) {
    n_failed += p->evaluation->animals[a].status != PF_OK ? 1 : 0;
  }
  if (p->fit->n_failed > 0) {
    (void)fprintf(p->out, "  %zu of %zu %s %s, and %s left out above:\n", p->fit->n_failed,
                  p->fit->n_groups, plural_of(p->fit->n_groups, "fit", "fits"),
                  p->fit->n_interrupted > 0 ? "failed or did not end" : "failed",
                  plural_of(p->fit->n_failed, "is", "are"));
    size_t shown = 0;
    for (size_t u = 0; u < p->fit->n_groups && shown < MAX_FAILURES; u++) {
      if (p->fit->groups[u].status != PF_OK) {
        (void)fprintf(p->out, "    %s: %s\n", p->fit->groups[u].name, p->fit->groups[u].error.text);
        shown++;
      }
    }
    if (p->fit->n_failed > shown) {
      (void)fprintf(p->out, "    and %zu more, in summary.json\n", p->fit->n_failed - shown);
    }
    (void)fputc('\n', p->out);
  } else if (n_failed > 0) {
    (void)fprintf(p->out, "  %zu of %zu animals could not be scored:\n", n_failed,
                  p->evaluation->n_animals);
    size_t shown = 0;
    for (size_t a = 0; a < p->evaluation->n_animals && shown < MAX_FAILURES; a++) {
      if (p->evaluation->animals[a].status != PF_OK) {
        (void)fprintf(p->out, "    %s: %s\n", p->evaluation->animals[a].name,
                      p->evaluation->animals[a].error.text);
        shown++;
      }
    }
    (void)fputc('\n', p->out);
  }
}

static void print_place(const printer *p)
{
  if (p->problem->settings->out != NULL) {
    (void)fprintf(
        p->out,
        "  Results are in %s: %ssummary.json, theta.csv, fit.csv, trajectories.h5, config.cfg\n",
        p->problem->settings->out, p->problem->settings->report ? "report.html, " : "");
  }
}

pf_status pf_report_print(const pf_problem *problem, const pf_fit *fit,
                          const pf_inference *inference, const pf_evaluation *evaluation,
                          FILE *stream, pf_error *error)
{
  printer p = {.problem = problem,
               .fit = fit,
               .inference = inference,
               .evaluation = evaluation,
               .out = stream};
  pf_status status = prepare_printer(&p, error);
  if (status == PF_OK) {
    print_title(&p);
    pf_print_optimiser(problem, fit, stream);
    status = print_equations(&p, error);
  }
  if (status == PF_OK) {
    if (worth_a_table(&p)) {
      print_table(&p);
    } else if (p.n_rows > 0 && p.n_fitted > 0) {
      (void)fprintf(stream, "  %zu coefficients, none of which means much alone: in theta.csv\n\n",
                    p.n_rows);
    }
    print_bound(&p);
    print_starts(&p);
    print_verdict(&p);
    status = pf_print_inference(problem, inference, stream, error);
    print_scores(&p);
    print_failures(&p);
    print_place(&p);
    if (fflush(stream) != 0) {
      status = pf_fail(error, PF_STOP, "cannot write the summary");
    }
  }
  pf_memory_free(p.truth);
  pf_memory_free(p.mean);
  pf_memory_free(p.sd);
  pf_memory_free(p.rows);
  return status;
}
