/* multistart.csv: where every start of every fit ended. */
#include "core/base/memory.h"
#include "core/store/csv_file.h"
#include "core/store/tables.h"

#include <math.h>
#include <stdlib.h>

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

/* The starts of a group in that order, [n_starts]; NULL with the line written. */
static const pf_start_result **sort_starts(const pf_fit_group *group, pf_error *error)
{
  const pf_start_result **order = pf_memory_need(group->n_starts, sizeof *order, error);
  if (order == NULL) {
    return NULL;
  }
  for (size_t k = 0; k < group->n_starts; k++) {
    order[k] = &group->starts[k];
  }
  qsort((void *)order, group->n_starts, sizeof *order, by_objective);
  return order;
}

/* room: [n_instances + n_parameters] */
static void start_row(const pf_fit_group *group, size_t rank, const pf_start_result *start,
                      double *room, FILE *file)
{
  const pf_optimum *optimum = &start->optimum;
  const pf_layout *layout = group->layout;
  const bool works = start->status == PF_OK;
  const bool interrupted = optimum->reason == PF_REASON_INTERRUPTED;
  double *means = room + layout->n_instances;
  pf_csv_text(file, group->name);
  (void)fprintf(file, ",%zu,%zu,%s,", rank, (size_t)(start - group->starts),
                interrupted ? "interrupted" : pf_status_word(start->status));
  pf_csv_number(file, works ? optimum->objective : NAN);
  (void)fputc(',', file);
  pf_csv_number(file, start->data_term);
  (void)fprintf(file, ",%d,%d,%s,", start->reached ? 1 : 0, works && optimum->converged ? 1 : 0,
                pf_reason_key(optimum->reason));
  pf_csv_number(file, optimum->gradient_norm);
  (void)fprintf(file, ",%lld,%lld,", (long long)optimum->iterations,
                (long long)optimum->evaluations);
  pf_csv_number(file, optimum->start);
  pf_layout_instances(layout, start->values, room);
  pf_instance_means(layout, room, means);
  for (size_t i = 0; i < layout->n_parameters; i++) {
    (void)fputc(',', file);
    pf_csv_number(file, works ? means[i] : NAN);
  }
  (void)fputc('\n', file);
}

static pf_status start_rows(const pf_results *results, const pf_fit_group *group, FILE *file,
                            pf_error *error)
{
  (void)results;
  if (group->starts == NULL) {
    return PF_OK;
  }
  const pf_start_result **order = sort_starts(group, error);
  const size_t cells = group->layout->n_instances + group->layout->n_parameters;
  double *room = pf_memory_need(cells, sizeof *room, error);
  const bool whole = order != NULL && room != NULL;
  if (whole) {
    for (size_t k = 0; k < group->n_starts; k++) {
      start_row(group, k + 1, order[k], room, file);
    }
  }
  pf_memory_free((void *)order);
  pf_memory_free(room);
  return whole ? PF_OK : PF_STOP;
}

pf_status pf_write_multistart_csv(const pf_results *results, const char *path, pf_error *error)
{
  FILE *file = pf_csv_open_file(path, error);
  if (file == NULL) {
    return PF_STOP;
  }
  (void)fputs("unit,rank,start,status,objective,data_term,reached,converged,reason,gradient_norm,"
              "iterations,evaluations,start_objective",
              file);
  for (size_t i = 0; i < results->problem->model->n_parameters; i++) {
    (void)fputc(',', file);
    pf_csv_text(file, results->keys[i]);
  }
  (void)fputc('\n', file);
  return pf_write_groups(results, start_rows, file, path, error);
}
