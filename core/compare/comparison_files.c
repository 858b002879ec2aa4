#include "core/compare/comparison_files.h"

#include "core/base/memory.h"
#include "core/hdf5/h5.h"
#include "core/ranking/comparison_json.h"
#include "core/store/csv_file.h"
#include "core/store/results.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- compare.csv ---- */

/** What the animal says of the candidate and the base, all folds together; "": nothing. */
static const char *word_against_base(const pf_comparison *comparison, const pf_compare_row *row)
{
  const pf_compare_figures *own = &comparison->candidates[row->candidate].figures[row->validation];
  if (row->candidate == comparison->base || row->ablation != PF_ABLATION_FULL) {
    return "";
  }
  const double difference = own->differences[row->animal];
  if (isnan(difference)) {
    return "";
  }
  if (difference > 0.0) {
    return "better";
  }
  return difference < 0.0 ? "worse" : "tie";
}

static void write_row(FILE *file, const pf_comparison *comparison, const pf_compare_row *row)
{
  const double values[] = {row->log_likelihood,
                           row->n > 0 ? row->log_likelihood / (double)row->n : (double)NAN,
                           row->no_plasticity,
                           row->mean_rate,
                           row->explained_no_plasticity,
                           row->explained_mean_rate,
                           row->r2_weights,
                           row->r2_activity,
                           row->baselines[PF_BASELINE_WIN_STAY],
                           row->baselines[PF_BASELINE_HISTORY],
                           row->explained_baselines[PF_BASELINE_WIN_STAY],
                           row->explained_baselines[PF_BASELINE_HISTORY]};
  const pf_validation *validation = pf_validation_at(row->validation);
  pf_csv_text(file, comparison->candidates[row->candidate].name);
  (void)fprintf(file, ",%s,%d,%lld,", validation->name, validation->held_out ? 1 : 0,
                (long long)row->fold);
  pf_csv_text(file, comparison->animals[row->animal]);
  (void)fprintf(file, ",%s,%s,%lld,%lld", pf_ablation_name(row->ablation),
                row->status == PF_OK ? pf_compare_status_word(row->verdict)
                                     : pf_status_word(row->status),
                (long long)row->n_fit, (long long)row->n);
  for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
    (void)fputc(',', file);
    pf_csv_number(file, values[i]);
  }
  (void)fprintf(file, ",%s,", word_against_base(comparison, row));
  pf_csv_text(file, row->error);
  (void)fputc('\n', file);
}

static pf_status write_rows(const pf_comparison *comparison, const char *path, pf_error *error)
{
  FILE *file = pf_csv_open_file(path, error);
  if (file == NULL) {
    return PF_STOP;
  }
  (void)fputs(
      "candidate,validation,held_out,fold,animal,ablation,status,n_fit,n,log_likelihood,"
      "log_likelihood_per_observation,null_no_plasticity,null_mean_rate,deviance_explained_"
      "no_plasticity,deviance_explained_mean_rate,r2_weights,r2_activity,null_win_stay_lose_"
      "shift,null_logistic_history,deviance_explained_win_stay_lose_shift,deviance_"
      "explained_logistic_history,animal_against_base,error\n",
      file);
  for (size_t i = 0; i < comparison->n_rows; i++) {
    write_row(file, comparison, &comparison->rows[i]);
  }
  return pf_csv_close_file(file, path, error);
}

/* ---- selection.csv ---- */

static pf_status write_selection(const pf_comparison *comparison, const char *path, pf_error *error)
{
  const pf_selection *selection = &comparison->selection;
  const pf_selection_set *sets = selection->sets.items;
  FILE *file = pf_csv_open_file(path, error);
  if (file == NULL) {
    return PF_STOP;
  }
  (void)fputs("method,round,on_path,best,chosen,change,n_terms,terms,l1,validation,n_failed,log_"
              "likelihood_per_observation,low,high\n",
              file);
  for (size_t i = 0; i < selection->sets.n; i++) {
    const pf_selection_set *set = &sets[i];
    (void)fprintf(file, "%s,%lld,%d,%d,%d,", pf_selection_method_name(set->method),
                  (long long)set->round, set->on_path, set->best, set->chosen);
    pf_csv_text(file, set->change);
    (void)fputc(',', file);
    pf_csv_number(file, set->n_terms);
    (void)fputc(',', file);
    pf_csv_text(file, set->terms);
    (void)fputc(',', file);
    pf_csv_number(file, set->l1);
    (void)fprintf(file, ",%s,%zu", pf_validation_at(selection->validation)->name, set->n_failed);
    const double values[] = {set->score.value, set->score.low, set->score.high};
    for (size_t k = 0; k < 3; k++) {
      (void)fputc(',', file);
      pf_csv_number(file, values[k]);
    }
    (void)fputc('\n', file);
  }
  return pf_csv_close_file(file, path, error);
}

/* ---- compare.h5 ---- */

static void write_recordings(pf_h5 *h5, const pf_comparison *comparison)
{
  for (size_t i = 0; i < comparison->n_recordings; i++) {
    const pf_compare_recording *r = &comparison->recordings[i];
    const struct {
      const char *name;
      enum pf_h5_type type;
      const void *values; /* NULL: the data have none */
    } columns[] = {{"trial", PF_H5_INT64, r->trial},    {"block", PF_H5_INT64, r->block},
                   {"cue", PF_H5_INT64, r->cue},        {"choice", PF_H5_DOUBLE, r->choice},
                   {"reward", PF_H5_DOUBLE, r->reward}, {"forecast", PF_H5_UINT32, r->forecast}};
    char group[64], path[96];
    (void)snprintf(group, sizeof group, "/recordings/%zu", i);
    pf_h5_group(h5, group);
    pf_h5_text(h5, group, "name", r->name);
    pf_h5_text(h5, group, "animal", comparison->animals[r->animal]);
    for (size_t k = 0; k < sizeof columns / sizeof columns[0]; k++) {
      if (columns[k].values != NULL) {
        (void)snprintf(path, sizeof path, "%s/%s", group, columns[k].name);
        pf_h5_matrix(h5, path, (pf_h5_rows){columns[k].type, columns[k].values, r->n_steps, -1, 1});
      }
    }
  }
}

static pf_status write_scores(pf_h5 *h5, const pf_comparison *comparison, pf_error *error)
{
  const size_t n = comparison->n_candidates, n_animals = comparison->n_animals;
  double *matrix = pf_memory_need(n * n_animals, sizeof *matrix, error);
  if (matrix == NULL) {
    return PF_STOP;
  }
  for (uint32_t v = 0; v < pf_validation_count(); v++) {
    char path[96];
    if (!comparison->asked[v]) {
      continue;
    }
    for (size_t c = 0; c < n; c++) {
      memcpy(matrix + c * n_animals, comparison->candidates[c].figures[v].per_animal,
             n_animals * sizeof *matrix);
    }
    (void)snprintf(path, sizeof path, "/scores/%s", pf_validation_at(v)->name);
    pf_h5_matrix(
        h5, path,
        (pf_h5_rows){PF_H5_DOUBLE, matrix, (int64_t)n, (int64_t)n_animals, (int64_t)n_animals});
  }
  pf_memory_free(matrix);
  return PF_OK;
}

/** Estimates of candidate c: /candidates/C/theta, and whose they are: theta_of. */
static pf_status write_estimates(pf_h5 *h5, const pf_comparison *comparison, size_t c,
                                 const char *group, pf_error *error)
{
  const size_t n_theta = comparison->candidates[c].n_theta;
  double *theta = pf_memory_need(comparison->n_estimates * n_theta, sizeof *theta, error);
  int64_t *of = pf_memory_need(3 * comparison->n_estimates, sizeof *of, error);
  const bool there = theta != NULL && of != NULL;
  size_t n = 0;
  for (size_t i = 0; there && i < comparison->n_estimates; i++) {
    const pf_compare_estimate *estimate = &comparison->estimates[i];
    if (estimate->candidate != c || n_theta == 0) {
      continue;
    }
    memcpy(theta + n * n_theta, estimate->theta, n_theta * sizeof *theta);
    of[3 * n] = (int64_t)estimate->validation;
    of[3 * n + 1] = estimate->fold;
    of[3 * n + 2] = (int64_t)estimate->animal;
    n++;
  }
  if (n > 0) {
    char path[96];
    (void)snprintf(path, sizeof path, "%s/theta", group);
    pf_h5_matrix(h5, path,
                 (pf_h5_rows){PF_H5_DOUBLE, theta, (int64_t)n, (int64_t)n_theta, (int64_t)n_theta});
    (void)snprintf(path, sizeof path, "%s/theta_of", group);
    pf_h5_matrix(h5, path, (pf_h5_rows){PF_H5_INT64, of, (int64_t)n, 3, 3});
  }
  pf_memory_free(theta);
  pf_memory_free(of);
  return there ? PF_OK : PF_STOP;
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
  for (size_t i = 0; i < candidate->n_theta; i++) {
    char name[48];
    (void)snprintf(name, sizeof name, "parameter_%zu", i);
    pf_h5_text(h5, group, name, candidate->keys[i]);
  }
  if (write_estimates(h5, comparison, c, group, error) != PF_OK) {
    return PF_STOP;
  }
  for (size_t i = 0; i < comparison->n_predictions; i++) {
    const pf_compare_prediction *p = &comparison->predictions[i];
    if (p->candidate == c) {
      (void)snprintf(path, sizeof path, "%s/probability/%s/%zu", group,
                     pf_validation_at(p->validation)->name, p->recording);
      pf_h5_matrix(h5, path, (pf_h5_rows){PF_H5_DOUBLE, p->probability, p->n_steps, -1, 1});
    }
  }
  return PF_OK;
}

static pf_status write_matrices(pf_h5 *h5, const pf_comparison *comparison, pf_error *error)
{
  pf_h5_text(h5, "/", "name", comparison->name);
  pf_h5_text(h5, "/", "headline", pf_validation_at(comparison->headline)->name);
  pf_h5_integer(h5, "/", "base", (int64_t)comparison->base);
  for (size_t a = 0; a < comparison->n_animals; a++) {
    char group[64];
    (void)snprintf(group, sizeof group, "/animals/%zu", a);
    pf_h5_group(h5, group);
    pf_h5_text(h5, group, "name", comparison->animals[a]);
  }
  write_recordings(h5, comparison);
  if (write_scores(h5, comparison, error) != PF_OK) {
    return PF_STOP;
  }
  for (size_t c = 0; c < comparison->n_candidates; c++) {
    if (write_candidate(h5, comparison, c, error) != PF_OK) {
      return PF_STOP;
    }
  }
  return PF_OK;
}

static pf_status write_h5(const pf_comparison *comparison, const char *path, pf_error *error)
{
  pf_h5 *h5 = NULL;
  pf_error unused = pf_error_none();
  pf_status status = pf_h5_create(path, &h5, error);
  if (status != PF_OK) {
    return status;
  }
  status = write_matrices(h5, comparison, error);
  const pf_status closed = pf_h5_close(h5, status == PF_OK ? error : &unused);
  return status == PF_OK ? closed : status;
}

/* ---- config.cfg ---- */

/** Appends the group `compare`, which no candidate's config has. */
static pf_status append_compare(const char *text, const char *path, pf_error *error)
{
  FILE *file = fopen(path, "a");
  if (file == NULL) {
    return pf_fail(error, PF_STOP, "%s: cannot be written: %s", path, strerror(errno));
  }
  (void)fprintf(file, "compare = %s;\n", text);
  return pf_csv_close_file(file, path, error);
}

/**
 * The config as it was read, so that it repeats the comparison. Paths in it may be relative to its
 * own folder; those of the base's candidate have been made absolute, and replace them.
 */
static pf_status write_config(const pf_config *config, const pf_candidates *candidates,
                              const char *path, pf_error *error)
{
  if (pf_config_write(candidates->items[0].own.config, path, error) != PF_OK) {
    return PF_STOP;
  }
  char *text = pf_node_text(pf_node_get(pf_config_root(config), "compare"), error);
  if (text == NULL) {
    return PF_STOP;
  }
  const pf_status status = append_compare(text, path, error);
  free(text);
  return status;
}

/* ---- all ---- */

pf_status pf_compare_write(const pf_comparison *comparison, const pf_config *config,
                           const pf_candidates *candidates, const pf_folder *folder,
                           pf_error *error)
{
  static const struct {
    const char *name;
    pf_status (*write)(const pf_comparison *, const char *, pf_error *);
    bool of_selection;
  } files[] = {{"compare.csv", write_rows, false},
               {"compare.h5", write_h5, false},
               {"summary.json", pf_compare_write_summary, false},
               {"selection.csv", write_selection, true}};
  char *path = pf_folder_path(folder, "config.cfg", error);
  pf_status status = path == NULL ? PF_STOP : write_config(config, candidates, path, error);
  pf_memory_free(path);
  for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
    if (status != PF_OK) {
      return status;
    }
    if (files[i].of_selection && comparison->selection.rule == NULL) {
      continue;
    }
    path = pf_folder_path(folder, files[i].name, error);
    status = path == NULL ? PF_STOP : files[i].write(comparison, path, error);
    pf_memory_free(path);
  }
  return status;
}
