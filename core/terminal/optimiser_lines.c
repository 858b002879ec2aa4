/* How the optimiser ended: the terminal's lines, and the waterfall of several starts as a table. */
#include "core/base/memory.h"
#include "core/optimise/optimiser.h"
#include "core/sensitivity/sensitivity.h"
#include "core/store/tables.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *pf_derivatives_words(uint32_t derivatives)
{
  if ((derivatives & PF_TANGENT_TRAJECTORY_DIFFERENCES) != 0) {
    return "central differences of whole trajectories";
  }
  if ((derivatives & PF_TANGENT_RULE_DIFFERENCES) != 0) {
    return "central differences of the rule (it has no jvp)";
  }
  return (derivatives & PF_TANGENT_NETWORK_DIFFERENCES) != 0 ? "central differences of the network"
                                                             : "exact";
}

/* ---- the terminal ---- */

static void print_one(const pf_optimum *optimum, const char *name, FILE *out)
{
  (void)fprintf(out,
                "  optimiser  %s: %s after %lld iterations (%lld evaluations), gradient %.2g: %s\n",
                name, pf_reason_words(optimum->reason), (long long)optimum->iterations,
                (long long)optimum->evaluations, optimum->gradient_norm,
                optimum->converged ? "converged" : "NOT converged");
}

static void print_many(const pf_fit *fit, const char *name, FILE *out)
{
  size_t n = 0;
  size_t n_converged = 0;
  int64_t fewest = INT64_MAX;
  int64_t most = 0;
  double gradient = 0.0;
  for (size_t u = 0; u < fit->n_groups; u++) {
    const pf_optimum *optimum = &fit->groups[u].optimum;
    if (fit->groups[u].status == PF_OK) {
      n++;
      n_converged += optimum->converged ? 1 : 0;
      fewest = optimum->iterations < fewest ? optimum->iterations : fewest;
      most = optimum->iterations > most ? optimum->iterations : most;
      gradient = fmax(gradient, optimum->gradient_norm);
    }
  }
  if (n > 0) {
    (void)fprintf(out,
                  "  optimiser  %s: %zu of %zu fits converged, %lld to %lld iterations, gradient "
                  "at most %.2g\n",
                  name, n_converged, n, (long long)fewest, (long long)most, gradient);
  }
}

static void print_starts(const pf_fit *fit, FILE *out)
{
  size_t n = 0;
  size_t n_reached = 0;
  size_t n_failed = 0;
  for (size_t u = 0; u < fit->n_groups; u++) {
    for (size_t k = 0; k < fit->groups[u].n_starts; k++) {
      n++;
      n_reached += fit->groups[u].starts[k].reached ? 1 : 0;
      n_failed += fit->groups[u].starts[k].status != PF_OK ? 1 : 0;
    }
  }
  (void)fprintf(out, "             %zu starts each; %zu of %zu reached the best optimum",
                fit->groups[0].n_starts, n_reached, n);
  if (n_failed > 0) {
    (void)fprintf(out, ", %zu failed", n_failed);
  }
  (void)fputs(" (multistart.csv)\n", out);
}

void pf_print_optimiser(const pf_problem *problem, const pf_fit *fit, FILE *out)
{
  const pf_optimiser *optimiser = pf_fit_optimiser(problem);
  const char *name = optimiser->name;
  const bool stops = !optimiser->fixed_passes;
  uint32_t derivatives = 0;
  bool ran = fit->n_groups > 0;
  for (size_t u = 0; u < fit->n_groups; u++) {
    derivatives |= fit->groups[u].derivatives;
    ran = ran && fit->groups[u].starts != NULL;
  }
  if (!ran || fit->n_failed == fit->n_groups) {
    return; /* read back from a run folder, or nothing to say */
  }
  if (stops && fit->n_groups == 1) {
    print_one(&fit->groups[0].optimum, name, out);
  } else if (stops) {
    print_many(fit, name, out);
  }
  if (fit->groups[0].n_starts > 1) {
    print_starts(fit, out);
  }
  if (derivatives != 0) {
    (void)fprintf(out, "             derivatives by %s\n", pf_derivatives_words(derivatives));
  }
  if (stops || fit->groups[0].n_starts > 1) {
    (void)fputc('\n', out);
  }
}

/* ---- multistart.csv ---- */

/* Those that worked by objective, then the others; of equal ones the first. */
static int by_objective(const void *left, const void *right)
{
  const pf_start_result *a = *(const pf_start_result *const *)left;
  const pf_start_result *b = *(const pf_start_result *const *)right;
  const bool works_a = a->status == PF_OK;
  const bool works_b = b->status == PF_OK;
  if (works_a != works_b) {
    return works_a ? -1 : 1;
  }
  if (works_a && a->optimum.objective != b->optimum.objective) {
    return a->optimum.objective < b->optimum.objective ? -1 : 1;
  }
  return (a > b) - (a < b); /* both are in one array */
}

/* The starts of a unit in that order, [n_starts]; NULL with the line written. */
static const pf_start_result **sorted(const pf_fit_group *unit, pf_error *error)
{
  const pf_start_result **order = pf_memory_need(unit->n_starts, sizeof *order, error);
  for (size_t k = 0; order != NULL && k < unit->n_starts; k++) {
    order[k] = &unit->starts[k];
  }
  if (order != NULL) {
    qsort((void *)order, unit->n_starts, sizeof *order, by_objective);
  }
  return order;
}

static void start_row(const pf_fit_group *unit, size_t rank, const pf_start_result *start,
                      double *instances, FILE *file)
{
  const pf_optimum *optimum = &start->optimum;
  const bool works = start->status == PF_OK;
  pf_csv_text(file, unit->name);
  (void)fprintf(file, ",%zu,%zu,%s,", rank, (size_t)(start - unit->starts),
                optimum->reason == PF_REASON_INTERRUPTED ? "interrupted"
                                                         : pf_status_word(start->status));
  pf_csv_number(file, works ? optimum->objective : NAN);
  (void)fputc(',', file);
  pf_csv_number(file, start->data_term);
  (void)fprintf(file, ",%d,%d,%s,", start->reached ? 1 : 0, works && optimum->converged ? 1 : 0,
                pf_reason_key(optimum->reason));
  pf_csv_number(file, optimum->gradient_norm);
  (void)fprintf(file, ",%lld,%lld,", (long long)optimum->iterations,
                (long long)optimum->evaluations);
  pf_csv_number(file, optimum->start);
  pf_layout_instances(unit->layout, start->values, instances);
  for (size_t i = 0; i < unit->layout->n_parameters;
       i++) { /* as in fit.csv: where a parameter has copies, their mean */
    const size_t end =
        i + 1 < unit->layout->n_parameters ? unit->layout->first[i + 1] : unit->layout->n_instances;
    double sum = 0.0;
    for (size_t s = unit->layout->first[i]; s < end; s++) {
      sum += instances[s];
    }
    (void)fputc(',', file);
    pf_csv_number(file, works ? sum / (double)(end - unit->layout->first[i]) : NAN);
  }
  (void)fputc('\n', file);
}

static pf_status write_starts(const pf_fit_group *unit, FILE *file, pf_error *error)
{
  if (unit->starts == NULL) {
    return PF_OK;
  }
  const pf_start_result **order = sorted(unit, error);
  double *instances = pf_memory_need(unit->layout->n_instances, sizeof *instances, error);
  for (size_t k = 0; order != NULL && instances != NULL && k < unit->n_starts; k++) {
    start_row(unit, k + 1, order[k], instances, file);
  }
  const pf_status status = order == NULL || instances == NULL ? PF_STOP : PF_OK;
  pf_memory_free((void *)order);
  pf_memory_free(instances);
  return status;
}

bool pf_has_starts(const pf_fit *fit)
{
  return fit->n_groups > 0 && fit->groups[0].n_starts > 1;
}

pf_status pf_write_multistart_csv(const pf_results *results, const char *path, pf_error *error)
{
  FILE *file = pf_csv_open_file(path, error);
  pf_status status = PF_OK;
  if (file == NULL) {
    return PF_STOP;
  }
  (void)fputs("unit,rank,start,status,objective,data_term,reached,converged,reason,gradient_norm,"
              "iterations,evaluations,"
              "start_objective",
              file);
  for (size_t i = 0; i < results->problem->model->n_parameters; i++) {
    (void)fputc(',', file);
    pf_csv_text(file, results->keys[i]);
  }
  (void)fputc('\n', file);
  for (size_t u = 0; u < results->fit->n_groups && status == PF_OK; u++) {
    status = write_starts(&results->fit->groups[u], file, error);
  }
  const pf_status closed = pf_csv_close_file(file, path, error);
  return status != PF_OK ? status : closed;
}
