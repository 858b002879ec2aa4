#include "core/terminal/run_summary.h"
#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/evaluate/score.h"
#include "core/layout/layout.h"
#include "core/store/results.h"
#include "core/terminal/inference_lines.h"
#include "core/terminal/marginal_lines.h"
#include "core/terminal/optimiser_lines.h"
#include "core/terminal/wrap.h"
#include "core/truth/equation.h"
#include "core/truth/names.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_TERMS = 12, MAX_FAILURES = 5, INTERVAL_WIDTH = 24 };

/* Deviance explained, %, that Monte Carlo error may be before it is worth a warning. */
static const double large_percent = 1.0;

typedef struct printer {
  const pf_problem *problem;
  const pf_fit *fit;
  const pf_inference *inference; /* or NULL */
  const pf_evaluation *evaluation;
  FILE *out;
  pf_equations equations;
  const pf_coefficient *coefficients; /* [n_parameters] of the equations */
  size_t *rows;                       /* [n_rows] parameters in the order of the table */
  size_t n_rows;
  size_t n_fitted, n_free;
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

static size_t count_reported(const pf_model *model)
{
  size_t n = 0;
  for (size_t i = 0; i < model->n_parameters; i++) {
    n += pf_is_reported(model, i) ? 1 : 0;
  }
  return n;
}

/* A row of the table, and what it is sorted by. */
typedef struct sorted_row {
  size_t parameter;
  bool in_truth;
  double size;
} sorted_row;

/* Terms of the truth first, then by how sure they are to differ from 0, or by size where nothing is
 * known of that; equal ones by name, so that the order is the same everywhere. */
static int by_importance(const void *left, const void *right)
{
  const sorted_row *a = left;
  const sorted_row *b = right;
  if (a->in_truth != b->in_truth) {
    return a->in_truth ? -1 : 1;
  }
  if (a->size != b->size) {
    return a->size > b->size ? -1 : 1;
  }
  return (a->parameter > b->parameter) - (a->parameter < b->parameter);
}

static double importance_of(const pf_coefficient *c, bool in_truth)
{
  if (in_truth) {
    return fabs(c->truth);
  }
  return c->error > 0.0 ? fabs(c->value) / c->error : fabs(c->value);
}

static pf_status sort_rows(printer *p, pf_error *error)
{
  const pf_model *model = p->problem->model;
  sorted_row *rows = pf_memory_need(model->n_parameters, sizeof *rows, error);
  p->rows = pf_memory_need(model->n_parameters, sizeof *p->rows, error);
  if (rows == NULL || p->rows == NULL) {
    pf_memory_free(rows);
    return PF_STOP;
  }
  for (size_t i = 0; i < model->n_parameters; i++) {
    const pf_coefficient *c = &p->coefficients[i];
    const bool in_truth = !isnan(c->truth) && c->truth != 0.0;
    if (pf_is_coefficient(model, i)) {
      rows[p->n_rows++] = (sorted_row){i, in_truth, importance_of(c, in_truth)};
    }
  }
  qsort(rows, p->n_rows, sizeof *rows, by_importance);
  for (size_t r = 0; r < p->n_rows; r++) {
    p->rows[r] = rows[r].parameter;
  }
  pf_memory_free(rows);
  return PF_OK;
}

static pf_status prepare_printer(printer *p, pf_error *error)
{
  const pf_model *model = p->problem->model;
  pf_status status = pf_equations_create(p->problem, p->fit, p->inference, &p->equations, error);
  if (status != PF_OK) {
    return status;
  }
  p->coefficients = p->equations.coefficients.items;
  p->n_fitted = p->equations.coefficients.n_fitted;
  for (size_t i = 0; i < model->n_parameters; i++) {
    p->n_free += is_free(model, i) ? 1 : 0;
  }
  return p->n_fitted > 0 ? sort_rows(p, error) : PF_OK;
}

/* ---- title ---- */

static void print_title(const printer *p)
{
  static const char *const words_of_per[] = {"a theta of its own for each", "one theta for all",
                                             "each theta drawn from a population"};
  const pf_problem *problem = p->problem;
  const size_t n = problem->data.n_animals;
  const size_t n_tied = count_tied(problem->model);
  const size_t n_fixed = count_reported(problem->model) - p->n_free - n_tied;
  char others[64] = "", copies[64] = "";
  const pf_layout *layout = p->fit->groups[0].layout;
  if (layout->n != p->n_free && !p->fit->groups[0].penalty.chosen) {
    (void)snprintf(copies, sizeof copies, ", with the animals' own copies %zu", layout->n);
  }
  if (n_fixed > 0 || n_tied > 0) {
    (void)snprintf(others, sizeof others, " (and %zu fixed, %zu tied)", n_fixed, n_tied);
  }
  (void)fprintf(p->out, "\n%s: %zu %s, %s; %zu free %s%s%s, ",
                problem->settings->name != NULL ? problem->settings->name : "fit", n,
                plural_of(n, "animal", "animals"), words_of_per[problem->settings->fit.per],
                p->n_free, plural_of(p->n_free, "parameter", "parameters"), copies, others);
  if (pf_fit_optimiser(problem)->fixed_passes) {
    (void)fprintf(p->out, "%lld %s of ", (long long)problem->settings->fit.epochs,
                  plural_of((size_t)problem->settings->fit.epochs, "epoch", "epochs"));
  }
  (void)fprintf(p->out, "%s\n\n", pf_fit_optimiser(problem)->name);
}

/* ---- equations ---- */

/* Each line of a text behind a heading, which stands before the first alone. */
static void print_lines(FILE *out, const char *head, const char *lines, const char *open,
                        const char *close)
{
  while (lines != NULL && *lines != '\0') {
    const size_t length = strcspn(lines, "\n");
    char line[1024];
    (void)snprintf(line, sizeof line, "%s%.*s%s", open, (int)length, lines, close);
    (void)fprintf(out, "  %-11s", head);
    pf_print_wrapped(out, line, 13, false);
    head = "";
    lines += length + (lines[length] == '\n' ? 1 : 0);
  }
}

static void print_equations(const printer *p)
{
  for (size_t k = 0; k < p->equations.n && p->n_fitted > 0; k++) {
    const pf_equation *e = &p->equations.items[k];
    if (p->equations.n > 1) {
      (void)fprintf(p->out, "  %s\n", e->owner);
    }
    if (e->text.text != NULL) {
      (void)fputs("  inferred   ", p->out);
      pf_print_wrapped(p->out, e->text.text, 13, true);
    }
    if (e->truth.text != NULL) {
      (void)fputs("  truth      ", p->out);
      pf_print_wrapped(p->out, e->truth.text, 13, true);
    }
    print_lines(p->out, "where", e->where.text, "", "");
    print_lines(p->out, "", e->notes.text, "(", ")");
  }
  if (p->n_fitted > 0) {
    (void)fputc('\n', p->out);
  }
}

/* ---- coefficients ---- */

/* 1: the truth is outside the coefficient's own interval, 0: inside, -1: cannot be said. */
static int verdict_on(const printer *p, size_t parameter)
{
  const pf_coefficient *c = &p->coefficients[parameter];
  if (isnan(c->truth) || isnan(c->lower) || isnan(c->upper)) {
    return -1;
  }
  return c->truth < c->lower || c->truth > c->upper ? 1 : 0;
}

static void row_name(const printer *p, size_t parameter, char *text, size_t capacity)
{
  const pf_model *model = p->problem->model;
  const pf_model_parameter *of = &model->parameters[parameter];
  const char *label = pf_parameter_label(of);
  if ((model->n_plastic > 1 || parameter >= model->network_theta0) && of->owner != NULL) {
    (void)snprintf(text, capacity, "%s: %s", of->owner, label);
  } else {
    (void)snprintf(text, capacity, "%s", label);
  }
}

/* A column of the table. */
typedef struct column {
  const char *title;
  int width;
  void (*write)(const printer *p, size_t parameter, char *text, size_t capacity);
  bool (*is_used)(const printer *p, const pf_coefficient *c);
} column;

static void write_estimate(const printer *p, size_t parameter, char *text, size_t capacity)
{
  (void)snprintf(text, capacity, "%.4g", p->coefficients[parameter].value);
}

static bool is_always(const printer *p, const pf_coefficient *c)
{
  (void)p;
  (void)c;
  return true;
}

static void write_interval(const printer *p, size_t parameter, char *text, size_t capacity)
{
  const pf_coefficient *c = &p->coefficients[parameter];
  if (!isnan(c->lower) && !isnan(c->upper)) {
    (void)snprintf(text, capacity, "%.3g to %.3g", c->lower, c->upper);
  } else if (c->value == 0.0 && p->fit->groups[0].penalty.chosen) {
    (void)snprintf(text, capacity, "left out");
  } else if (c->n == 0 && pf_has_inference(p->inference)) {
    (void)snprintf(text, capacity, "not identified");
  }
}

static bool has_interval(const printer *p, const pf_coefficient *c)
{
  (void)p;
  return !isnan(c->lower) && !isnan(c->upper);
}

static void write_spread(const printer *p, size_t parameter, char *text, size_t capacity)
{
  if (!isnan(p->coefficients[parameter].sd)) {
    (void)snprintf(text, capacity, "%.3g", p->coefficients[parameter].sd);
  }
}

static void write_count(const printer *p, size_t parameter, char *text, size_t capacity)
{
  (void)snprintf(text, capacity, "%zu", p->coefficients[parameter].n);
}

static bool is_of_animals(const printer *p, const pf_coefficient *c)
{
  (void)c;
  return p->fit->n_groups > 1;
}

static void write_true_value(const printer *p, size_t parameter, char *text, size_t capacity)
{
  const pf_coefficient *c = &p->coefficients[parameter];
  if (!isnan(c->truth)) {
    (void)snprintf(text, capacity, verdict_on(p, parameter) == 1 ? "%-8.4g outside" : "%.4g",
                   c->truth);
  }
}

static bool has_truth(const printer *p, const pf_coefficient *c)
{
  (void)p;
  return !isnan(c->truth);
}

static const column columns[] = {
    {"estimate", 12, write_estimate, is_always},
    {"interval", INTERVAL_WIDTH, write_interval, has_interval},
    {"sd of animals", 15, write_spread, is_of_animals},
    {"animals", 9, write_count, is_of_animals},
    {"truth", 8, write_true_value, has_truth},
};
enum { N_COLUMNS = sizeof columns / sizeof columns[0] };

static bool is_used(const printer *p, const column *of)
{
  for (size_t r = 0; r < p->n_rows; r++) {
    if (of->is_used(p, &p->coefficients[p->rows[r]])) {
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
    polynomial =
        polynomial && pf_is_taylor_name(p->problem->model->parameters[p->rows[i]].declared.name);
  }
  return p->n_rows > 0 &&
         (polynomial || is_used(p, &columns[N_COLUMNS - 1]) || p->n_rows <= MAX_TERMS);
}

/* Cells of a line, without blanks at its end. */
static void print_cells(FILE *out, const char *const *cells, const int *widths, size_t n)
{
  while (n > 0 && cells[n - 1][0] == '\0') {
    n--;
  }
  (void)fputs("  ", out);
  for (size_t k = 0; k < n; k++) {
    print_padded(out, cells[k], k + 1 < n ? widths[k] : 0);
  }
  (void)fputc('\n', out);
}

static void print_table(const printer *p)
{
  const size_t n = p->n_rows < MAX_TERMS ? p->n_rows : MAX_TERMS;
  int widths[N_COLUMNS + 1] = {12};
  char texts[N_COLUMNS + 1][96], head[64];
  const char *cells[N_COLUMNS + 1] = {"coefficient"};
  const column *used[N_COLUMNS];
  size_t n_used = 0;
  for (size_t i = 0; i < n; i++) {
    row_name(p, p->rows[i], texts[0], sizeof texts[0]);
    widths[0] = width_of(texts[0]) > widths[0] ? width_of(texts[0]) : widths[0];
  }
  widths[0] += 2;
  (void)snprintf(head, sizeof head, "%g %% interval", 100.0 * p->equations.coefficients.level);
  for (size_t k = 0; k < N_COLUMNS; k++) {
    if (is_used(p, &columns[k])) {
      used[n_used++] = &columns[k];
      widths[n_used] = columns[k].width;
      cells[n_used] = columns[k].write == write_interval ? head : columns[k].title;
    }
  }
  cells[1] = p->fit->n_groups > 1 ? "mean" : "estimate";
  print_cells(p->out, cells, widths, n_used + 1);
  for (size_t i = 0; i < n; i++) {
    row_name(p, p->rows[i], texts[0], sizeof texts[0]);
    for (size_t k = 0; k < n_used; k++) {
      texts[k + 1][0] = '\0';
      used[k]->write(p, p->rows[i], texts[k + 1], sizeof texts[0]);
      cells[k + 1] = texts[k + 1];
    }
    cells[0] = texts[0];
    print_cells(p->out, cells, widths, n_used + 1);
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
    row_name(p, i, name, sizeof name);
    if (parameter->tied) {
      row_name(p, parameter->tied_to, other, sizeof other);
      (void)fprintf(p->out, "  tied: %s = %g * %s\n", name, parameter->factor, other);
    } else {
      (void)fprintf(p->out, "  fixed: %s = %.4g\n", name, p->coefficients[i].value);
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
    const double between = isnan(p->coefficients[i].sd) ? 0.0 : p->coefficients[i].sd;
    if (is_free(model, i)) {
      sum += p->coefficients[i].value;
      squares += p->coefficients[i].value * p->coefficients[i].value + between * between;
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

/* ---- what came of the truth ---- */

/* What intervals say of the true values, whether or not the table had room for them. */
typedef struct truth_counts {
  size_t n_known, n_judged, n_wrong, n_missed; /* missed: true terms not told apart from 0 */
  pf_text wrong, missed;
} truth_counts;

static void list_row(const printer *p, size_t parameter, size_t n, pf_text *list)
{
  const pf_coefficient *c = &p->coefficients[parameter];
  char name[96];
  row_name(p, parameter, name, sizeof name);
  if (n <= MAX_TERMS) {
    pf_text_add(list, "%s%s: %.3g, truth %.3g", n > 1 ? "; " : "", name, c->value, c->truth);
  }
}

static truth_counts count_truths(const printer *p)
{
  truth_counts counts = {0};
  for (size_t i = 0; i < p->n_rows; i++) {
    const pf_coefficient *c = &p->coefficients[p->rows[i]];
    const int wrong = verdict_on(p, p->rows[i]);
    counts.n_known += isnan(c->truth) ? 0 : 1;
    counts.n_judged += wrong >= 0 ? 1 : 0;
    if (wrong == 1) {
      list_row(p, p->rows[i], ++counts.n_wrong, &counts.wrong);
    } else if (wrong == 0 && c->truth != 0.0 && c->lower <= 0.0 && c->upper >= 0.0) {
      list_row(p, p->rows[i], ++counts.n_missed, &counts.missed);
    }
  }
  return counts;
}

static void print_sentence(FILE *out, int indent, const char *text)
{
  (void)fprintf(out, "%*s", indent, "");
  pf_print_wrapped(out, text != NULL ? text : "", indent, false);
}

static void print_list(FILE *out, const pf_text *list, size_t n)
{
  print_sentence(out, 4, list->text);
  if (n > MAX_TERMS) {
    (void)fprintf(out, "    and %zu more, in theta.csv\n", n - MAX_TERMS);
  }
}

static void print_wrong(const printer *p, const truth_counts *counts)
{
  char line[512];
  const double level = p->equations.coefficients.level;
  (void)snprintf(line, sizeof line,
                 "%zu of %zu coefficients came out wrong: the truth lies outside its own %g %% "
                 "interval. Chance alone does so with %.2g of %zu:",
                 counts->n_wrong, counts->n_judged, 100.0 * level,
                 (1.0 - level) * (double)counts->n_judged, counts->n_judged);
  print_sentence(p->out, 2, line);
  print_list(p->out, &counts->wrong, counts->n_wrong);
  if (p->evaluation->mean.r2_weights >= 0.95) {
    print_sentence(p->out, 2,
                   "Yet the weights are predicted well (below): these data hardly tell such rules "
                   "apart, so trust the predictions, not the single coefficients.");
  }
}

/* Without intervals nothing is right or wrong; how far off the worst of the true terms is. */
static void print_distance(const printer *p)
{
  size_t worst = 0;
  double largest = -1.0;
  char name[96], line[512];
  for (size_t i = 0; i < p->n_rows; i++) {
    const pf_coefficient *c = &p->coefficients[p->rows[i]];
    const double off = fabs(c->value - c->truth) / fabs(c->truth);
    if (!isnan(c->truth) && c->truth != 0.0 && off > largest) {
      largest = off;
      worst = p->rows[i];
    }
  }
  if (largest < 0.0) {
    return;
  }
  row_name(p, worst, name, sizeof name);
  (void)snprintf(line, sizeof line,
                 "No coefficient has an interval, so none is called right or wrong. Of the terms "
                 "of the truth the one farthest off is %s, by %.3g %%.",
                 name, 100.0 * largest);
  print_sentence(p->out, 2, line);
}

static void print_verdict(const printer *p)
{
  truth_counts counts = count_truths(p);
  char line[512];
  if (counts.n_known == 0) {
    goto done;
  }
  if (counts.n_judged == 0) {
    print_distance(p);
  } else if (counts.n_wrong > 0) {
    print_wrong(p, &counts);
  } else {
    (void)snprintf(line, sizeof line,
                   "All %zu coefficients came out right: the truth lies inside its own %g %% "
                   "interval.",
                   counts.n_judged, 100.0 * p->equations.coefficients.level);
    print_sentence(p->out, 2, line);
  }
  if (counts.n_missed > 0) {
    (void)snprintf(line, sizeof line,
                   "%zu of them: the interval holds the truth, and 0 too:", counts.n_missed);
    print_sentence(p->out, 2, line);
    print_list(p->out, &counts.missed, counts.n_missed);
  }
  if (counts.n_judged > 0 && counts.n_judged < counts.n_known) {
    (void)snprintf(line, sizeof line, "%zu more have no interval, and are not judged.",
                   counts.n_known - counts.n_judged);
    print_sentence(p->out, 2, line);
  }
  (void)fputc('\n', p->out);
done:
  pf_text_free(&counts.wrong);
  pf_text_free(&counts.missed);
}

/* ---- scores ---- */

/* One figure over animals: the mean, or that of all together. */
typedef struct score_line {
  const char *name;
  double mean, median;
  const char *unit, *note;
} score_line;

static void print_score(const printer *p, score_line of)
{
  char left[32] = "n/a";
  char right[32] = "n/a";
  if (!isnan(of.mean)) {
    (void)snprintf(left, sizeof left, "%.4g%s", of.mean, of.unit);
    (void)snprintf(right, sizeof right, "%.4g%s", of.median, of.unit);
  }
  (void)fprintf(p->out, "  %-20s%s %-12s median ", of.name, p->evaluation->pooled ? "all " : "mean",
                left);
  if (of.note[0] != '\0') {
    (void)fprintf(p->out, "%-12s %s\n", right, of.note);
  } else {
    (void)fprintf(p->out, "%s\n", right);
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

/* Means over animals are over all that were scored, whatever their fits came to. */
static void print_doubtful(const printer *p)
{
  const pf_coefficients *c = &p->equations.coefficients;
  if (p->fit->n_groups > 1 && c->n_claims < c->n_fitted) {
    (void)fprintf(p->out, "  (among them %zu whose fit counts for nothing: see above)\n",
                  c->n_fitted - c->n_claims);
  }
}

/* Noise that lasts from step to step is a sign that the model misses something. */
static void print_residuals(const printer *p)
{
  const pf_scores *mean = &p->evaluation->mean;
  char text[400];
  if (!pf_residuals_are_correlated(mean->residual_correlation, mean->n_scored)) {
    return;
  }
  (void)snprintf(text, sizeof text,
                 "residuals last from step to step (correlation %.2f): the model misses something, "
                 "such as a slow response of the cells or an input that is not in the data; "
                 "intervals take the noise as independent, and are too short",
                 mean->residual_correlation);
  print_sentence(p->out, 2, text);
}

/* Particles too few to say what the table says. */
static void print_monte_carlo(const printer *p)
{
  const double percent = pf_monte_carlo_percent(p->evaluation->animals, p->evaluation->n_animals);
  char text[300];
  if (!(percent > large_percent)) {
    return;
  }
  (void)snprintf(
      text, sizeof text,
      "warning: the mean deviance explained has a Monte Carlo error of %.1f %%; four times "
      "the particles (marginal.particles=%lld) halve it",
      percent, 4 * (long long)p->problem->settings->marginal.particles);
  print_sentence(p->out, 2, text);
}

/* Of choices between options: against models without synapses, fitted to each animal. */
static void print_baselines(const printer *p)
{
  const pf_evaluation *e = p->evaluation;
  for (size_t b = 0; b < PF_N_BASELINES; b++) {
    char note[96];
    if (isnan(e->mean.baselines[b])) {
      continue;
    }
    (void)snprintf(note, sizeof note, "baseline: %s", pf_baseline_name(b));
    if (b == PF_BASELINE_HISTORY) {
      (void)snprintf(note, sizeof note, "baseline: %s, %lld trials back", pf_baseline_name(b),
                     (long long)p->problem->settings->evaluate.history);
    }
    print_score(p, (score_line){"", e->mean.baselines[b], e->median.baselines[b], " %", note});
  }
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
  print_doubtful(p);
  if (p->problem->models->teacher != NULL) {
    if (e->mean.n_still > 0) {
      (void)snprintf(note, sizeof note, "%lld %s that never vary left out",
                     (long long)e->mean.n_still,
                     plural_of((size_t)e->mean.n_still, "synapse", "synapses"));
    }
    if (note[0] == '\0' && pf_weights_are_latent(p->problem->model)) {
      (void)snprintf(note, sizeof note, "against the teacher's; no data show them");
    }
    print_score(p,
                (score_line){"R2 of weights", e->mean.r2_weights, e->median.r2_weights, "", note});
  }
  if (!isnan(e->mean.r2_activity)) {
    print_score(
        p, (score_line){"R2 of activity", e->mean.r2_activity, e->median.r2_activity, "",
                        p->problem->models->teacher != NULL ? "" : "of the recorded activity"});
  }
  const bool likelihood = has_likelihood(p->problem->model);
  print_score(p,
              (score_line){likelihood ? "deviance explained" : "sq. error explained",
                           e->mean.no_plasticity, e->median.no_plasticity, " %",
                           e->null_refitted ? "null: no plasticity (all but the rule refitted)"
                                            : "null: no plasticity (weights stay as they start)"});
  print_score(p, (score_line){"", e->mean.mean_rate, e->median.mean_rate, " %",
                              likelihood ? "null: mean rate (the best constant)"
                                         : "null: mean rate (each unit's mean)"});
  print_baselines(p);
  print_residuals(p);
  print_monte_carlo(p);
  if (e->pooled) {
    (void)fputs("  (all: of all animals together, since some have fewer than 20 observations)\n",
                p->out);
  }
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
    pf_print_likelihood(problem, fit, stream);
    print_equations(&p);
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
  pf_equations_clear(&p.equations);
  pf_memory_free(p.rows);
  return status;
}
