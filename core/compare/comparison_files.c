#include "core/compare/comparison_files.h"

#include "core/base/memory.h"
#include "core/problem/problem.h"
#include "core/store/h5.h"
#include "core/store/tables.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- compare.csv ---- */

static void write_row(FILE *file, const pf_comparison *comparison, const pf_compare_row *row)
{
  const double values[] = {row->log_likelihood,
                           row->n > 0 ? row->log_likelihood / (double)row->n : (double)NAN,
                           row->no_plasticity,
                           row->mean_rate,
                           row->explained_no_plasticity,
                           row->explained_mean_rate,
                           row->r2_weights,
                           row->r2_activity};
  pf_csv_text(file, comparison->candidates[row->candidate].name);
  (void)fprintf(file, ",%s,%d,%lld,", pf_validation_name(row->validation),
                pf_validation_is_held_out(row->validation) ? 1 : 0, (long long)row->fold);
  pf_csv_text(file, comparison->animals[row->animal]);
  (void)fprintf(file, ",%s,%s,%lld,%lld", pf_ablation_name(row->ablation),
                pf_status_word(row->status), (long long)row->n_fit, (long long)row->n);
  for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
    (void)fputc(',', file);
    pf_csv_number(file, values[i]);
  }
  (void)fputc(',', file);
  pf_csv_text(file, row->error);
  (void)fputc('\n', file);
}

pf_status pf_compare_write_csv(const pf_comparison *comparison, const char *path, pf_error *error)
{
  FILE *file = fopen(path, "w");
  if (file == NULL) {
    return pf_fail(error, PF_STOP, "cannot write '%s': %s", path, strerror(errno));
  }
  (void)fputs("candidate,validation,held_out,fold,animal,ablation,status,n_fit,n,log_likelihood,"
              "log_likelihood_per_observation,null_no_plasticity,null_mean_rate,deviance_explained_"
              "no_plasticity,"
              "deviance_explained_mean_rate,r2_weights,r2_activity,error\n",
              file);
  for (size_t i = 0; i < comparison->n_rows; i++) {
    write_row(file, comparison, &comparison->rows[i]);
  }
  const bool failed = fflush(file) != 0 || ferror(file) != 0;
  const int reason = errno;
  if (fclose(file) != 0 || failed) {
    return pf_fail(error, PF_STOP, "cannot write '%s': %s", path,
                   strerror(failed ? reason : errno));
  }
  return PF_OK;
}

/* ---- selection.csv ---- */

static pf_status write_selection(const pf_selection *selection, const char *path, pf_error *error)
{
  FILE *file = pf_csv_open_file(path, error);
  if (file == NULL) {
    return PF_STOP;
  }
  (void)fputs("method,round,on_path,best,chosen,change,n_terms,terms,l1,validation,n_failed,log_"
              "likelihood_per_observation,"
              "low,high\n",
              file);
  for (size_t i = 0; i < selection->n; i++) {
    const pf_selection_set *set = &selection->sets[i];
    (void)fprintf(file, "%s,%lld,%d,%d,%d,", pf_selection_method_name(set->method),
                  (long long)set->round, set->on_path ? 1 : 0, set->best ? 1 : 0,
                  set->chosen ? 1 : 0);
    pf_csv_text(file, set->change);
    (void)fputc(',', file);
    pf_csv_number(file, set->n_terms);
    (void)fputc(',', file);
    pf_csv_text(file, set->terms);
    (void)fputc(',', file);
    pf_csv_number(file, set->l1);
    (void)fprintf(file, ",%s,%zu,", pf_validation_name(selection->validation), set->n_failed);
    pf_csv_number(file, set->score.value);
    (void)fputc(',', file);
    pf_csv_number(file, set->score.low);
    (void)fputc(',', file);
    pf_csv_number(file, set->score.high);
    (void)fputc('\n', file);
  }
  return pf_csv_close_file(file, path, error);
}

/* ---- compare.h5 ---- */

static void write_recordings(pf_h5 *h5, const pf_comparison *comparison)
{
  char path[96];
  for (size_t i = 0; i < comparison->n_recordings; i++) {
    const pf_compare_recording *r = &comparison->recordings[i];
    const int64_t n = r->n_steps;
    char group[64];
    (void)snprintf(group, sizeof group, "/recordings/%zu", i);
    pf_h5_group(h5, group);
    pf_h5_text(h5, group, "name", r->name);
    pf_h5_text(h5, group, "animal", comparison->animals[r->animal]);
    const int64_t *const integers[] = {r->trial, r->block, r->cue};
    static const char *const integer_names[] = {"trial", "block", "cue"};
    for (size_t k = 0; k < 3; k++) {
      (void)snprintf(path, sizeof path, "%s/%s", group, integer_names[k]);
      pf_h5_matrix(h5, path, PF_H5_INT64, integers[k], n, -1, 1);
    }
    const double *const reals[] = {r->choice, r->reward};
    static const char *const real_names[] = {"choice", "reward"};
    for (size_t k = 0; k < 2; k++) {
      if (reals[k] != NULL) {
        (void)snprintf(path, sizeof path, "%s/%s", group, real_names[k]);
        pf_h5_matrix(h5, path, PF_H5_DOUBLE, reals[k], n, -1, 1);
      }
    }
    (void)snprintf(path, sizeof path, "%s/forecast", group);
    pf_h5_matrix(h5, path, PF_H5_UINT32, r->forecast, n, -1, 1);
  }
}

static pf_status write_scores(pf_h5 *h5, const pf_comparison *comparison, pf_error *error)
{
  const size_t n = comparison->n_candidates, n_animals = comparison->n_animals;
  double *matrix = pf_memory_need(n * n_animals, sizeof *matrix, error);
  if (matrix == NULL) {
    return PF_STOP;
  }
  for (uint32_t v = 0; v < PF_N_VALIDATIONS; v++) {
    char path[96];
    for (size_t c = 0; c < n && comparison->asked[v]; c++) {
      memcpy(matrix + c * n_animals, comparison->candidates[c].figures[v].per_animal,
             n_animals * sizeof *matrix);
    }
    if (comparison->asked[v]) {
      (void)snprintf(path, sizeof path, "/scores/%s", pf_validation_name(v));
      pf_h5_matrix(h5, path, PF_H5_DOUBLE, matrix, (int64_t)n, (int64_t)n_animals,
                   (int64_t)n_animals);
    }
  }
  pf_memory_free(matrix);
  return PF_OK;
}

/** "w|x|x r": names of parameters in one attribute, since they may be many. */
static void write_names(pf_h5 *h5, const char *group, const pf_compare_candidate *candidate)
{
  for (size_t i = 0; i < candidate->n_theta; i++) {
    char name[48];
    (void)snprintf(name, sizeof name, "parameter_%zu", i);
    pf_h5_text(h5, group, name, candidate->keys[i]);
  }
}

static pf_status write_candidate(pf_h5 *h5, const pf_comparison *comparison, size_t c,
                                 pf_error *error)
{
  const pf_compare_candidate *candidate = &comparison->candidates[c];
  char group[64], path[160];
  (void)snprintf(group, sizeof group, "/candidates/%zu", c);
  pf_h5_group(h5, group);
  pf_h5_text(h5, group, "name", candidate->name);
  pf_h5_text(h5, group, "rule", candidate->rule);
  write_names(h5, group, candidate);
  size_t n = 0;
  for (size_t i = 0; i < comparison->n_estimates; i++) {
    n += comparison->estimates[i].candidate == c ? 1 : 0;
  }
  double *theta = pf_memory_need(n * candidate->n_theta, sizeof *theta, error);
  int64_t *of = pf_memory_need(3 * n, sizeof *of, error);
  if (theta == NULL || of == NULL) {
    pf_memory_free(theta);
    pf_memory_free(of);
    return PF_STOP;
  }
  n = 0;
  for (size_t i = 0; i < comparison->n_estimates; i++) {
    const pf_compare_estimate *estimate = &comparison->estimates[i];
    if (estimate->candidate == c) {
      if (candidate->n_theta > 0) {
        memcpy(theta + n * candidate->n_theta, estimate->theta, candidate->n_theta * sizeof *theta);
      }
      of[3 * n] = (int64_t)estimate->validation;
      of[3 * n + 1] = estimate->fold;
      of[3 * n + 2] = (int64_t)estimate->animal;
      n++;
    }
  }
  if (n > 0 && candidate->n_theta > 0) {
    (void)snprintf(path, sizeof path, "%s/theta", group);
    pf_h5_matrix(h5, path, PF_H5_DOUBLE, theta, (int64_t)n, (int64_t)candidate->n_theta,
                 (int64_t)candidate->n_theta);
    (void)snprintf(path, sizeof path, "%s/theta_of", group);
    pf_h5_matrix(h5, path, PF_H5_INT64, of, (int64_t)n, 3, 3);
  }
  pf_memory_free(theta);
  pf_memory_free(of);
  for (size_t i = 0; i < comparison->n_predictions; i++) {
    const pf_compare_prediction *p = &comparison->predictions[i];
    if (p->candidate == c) {
      (void)snprintf(path, sizeof path, "%s/probability/%s/%zu", group,
                     pf_validation_name(p->validation), p->recording);
      pf_h5_matrix(h5, path, PF_H5_DOUBLE, p->probability, p->n_steps, -1, 1);
    }
  }
  return PF_OK;
}

pf_status pf_compare_write_h5(const pf_comparison *comparison, const char *path, pf_error *error)
{
  pf_h5 *h5 = NULL;
  pf_status status = pf_h5_create(path, &h5, error);
  if (status != PF_OK) {
    return status;
  }
  pf_h5_text(h5, "/", "name", comparison->name);
  pf_h5_text(h5, "/", "headline", pf_validation_name(comparison->headline));
  pf_h5_integer(h5, "/", "base", (int64_t)comparison->base);
  for (size_t a = 0; a < comparison->n_animals; a++) {
    char group[64];
    (void)snprintf(group, sizeof group, "/animals/%zu", a);
    pf_h5_group(h5, group);
    pf_h5_text(h5, group, "name", comparison->animals[a]);
  }
  write_recordings(h5, comparison);
  status = write_scores(h5, comparison, error);
  for (size_t c = 0; c < comparison->n_candidates && status == PF_OK; c++) {
    status = write_candidate(h5, comparison, c, error);
  }
  pf_error unused = pf_error_none();
  const pf_status closed = pf_h5_close(h5, status == PF_OK ? error : &unused);
  return status == PF_OK ? closed : status;
}

/* ---- config.cfg ---- */

/**
 * The config as it was read, so that it repeats the comparison. Paths in it may be relative to its
 * own folder; those of the base's candidate have been made absolute, and stand in for them.
 */
static pf_status write_config(const pf_config *config, const pf_candidates *candidates,
                              const char *path, pf_error *error)
{
  const pf_node *compare = pf_node_get(pf_config_root(config), "compare");
  pf_status status = pf_config_write(candidates->items[0].own.config, path, error);
  char *text = status == PF_OK ? pf_node_text(compare, error) : NULL;
  FILE *file = text == NULL ? NULL : fopen(path, "a");
  if (status == PF_OK && text == NULL) {
    return PF_STOP;
  }
  if (status == PF_OK) {
    const bool failed = file == NULL || fprintf(file, "compare = %s;\n", text) < 0;
    if ((file != NULL && fclose(file) != 0) || failed) {
      status = pf_fail(error, PF_STOP, "%s: cannot be written: %s", path, strerror(errno));
    }
  }
  free(text);
  return status;
}

/* ---- all ---- */

pf_status pf_compare_write(const pf_comparison *comparison, const pf_config *config,
                           const pf_candidates *candidates, const pf_folder *folder,
                           pf_error *error)
{
  static const char *const names[] = {"config.cfg", "compare.csv", "compare.h5", "summary.json",
                                      "selection.csv"};
  const size_t n_files = comparison->selection.rule != NULL ? 5 : 4;
  pf_status status = PF_OK;
  for (size_t i = 0; i < n_files && status == PF_OK; i++) {
    char *path = pf_folder_path(folder, names[i], error);
    if (path == NULL) {
      return PF_STOP;
    }
    status = i == 0   ? write_config(config, candidates, path, error)
             : i == 1 ? pf_compare_write_csv(comparison, path, error)
             : i == 2 ? pf_compare_write_h5(comparison, path, error)
             : i == 3 ? pf_compare_write_summary(comparison, path, error)
                      : write_selection(&comparison->selection, path, error);
    pf_memory_free(path);
  }
  return status;
}
