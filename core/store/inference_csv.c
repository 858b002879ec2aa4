/* intervals.csv, spectrum.csv and profiles.csv. */
#include "core/base/memory.h"
#include "core/store/csv_file.h"
#include "core/store/tables.h"

#include <math.h>

/* A share of a direction (scaled, of length 1) that is too small for spectrum.csv. */
static const double small_share = 1e-4;

/* ---- intervals.csv ---- */

/* unit,owner,name,animal,experiment of value k */
static void value_cells(const pf_inference_group *of, size_t k, FILE *file)
{
  const pf_layout *layout = of->group->layout;
  const size_t instance = layout->index[k];
  const pf_model_parameter *parameter = &layout->parameters[layout->instances[instance].parameter];
  const char *animal = "";
  int64_t experiment = -1;
  pf_layout_copy(layout, instance, &animal, &experiment);
  const char *const texts[] = {of->group->name, parameter->owner, parameter->declared.name, animal};
  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
    pf_csv_text(file, texts[i]);
    (void)fputc(',', file);
  }
  if (experiment >= 0) {
    (void)fprintf(file, "%lld", (long long)experiment);
  }
}

static void interval_rows(const pf_inference *inference, const pf_inference_group *of,
                          uint32_t method, FILE *file)
{
  const pf_intervals *intervals = &of->methods[method];
  const bool asked = intervals->there || intervals->why != NULL;
  for (size_t k = 0; asked && of->why == NULL && k < of->n; k++) {
    value_cells(of, k, file);
    (void)fprintf(file, ",%s,%.17g,", pf_interval_method_name(method), inference->level);
    pf_csv_number(file, of->group->values[k]);
    for (size_t i = 0; i < 3; i++) {
      const double *const columns[] = {intervals->se, intervals->lower, intervals->upper};
      (void)fputc(',', file);
      pf_csv_number(file, intervals->there ? columns[i][k] : (double)NAN);
    }
    (void)fputc(',', file);
    pf_csv_text(file, intervals->why);
    (void)fputc('\n', file);
  }
}

pf_status pf_write_intervals_csv(const pf_results *results, const char *path, pf_error *error)
{
  FILE *file = pf_csv_open_file(path, error);
  if (file == NULL) {
    return PF_STOP;
  }
  (void)fputs("unit,owner,name,animal,experiment,method,level,estimate,se,lower,upper,why\n", file);
  for (size_t u = 0; u < results->inference->n_groups; u++) {
    for (uint32_t method = 0; method < PF_N_INTERVAL_METHODS; method++) {
      interval_rows(results->inference, &results->inference->groups[u], method, file);
    }
  }
  return pf_csv_close_file(file, path, error);
}

/* ---- spectrum.csv ---- */

static void spectrum_rows(const pf_inference_group *of, FILE *file)
{
  const pf_spectrum *s = of->spectrum;
  for (size_t i = 0; s != NULL && of->why == NULL && i < s->n; i++) {
    for (size_t k = 0; k < s->n; k++) {
      const double share = s->vectors[i * s->n + k];
      if (fabs(share) <= small_share) {
        continue;
      }
      const pf_layout *layout = of->group->layout;
      const pf_parameter *declared =
          &layout->parameters[layout->instances[layout->index[k]].parameter].declared;
      value_cells(of, k, file);
      (void)fputc(',', file);
      pf_csv_text(file, declared->label != NULL ? declared->label : declared->name);
      (void)fprintf(file, ",%zu,", i + 1);
      pf_csv_number(file, s->eigenvalues[i]);
      (void)fprintf(file, ",%d,", i < s->n_free ? 1 : 0);
      pf_csv_number(file, share);
      (void)fputc(',', file);
      /* without information a value has no scale: it is the direction itself */
      pf_csv_number(file, s->scale[k] > 0.0 ? share * s->scale[k] : share);
      (void)fputc('\n', file);
    }
  }
}

pf_status pf_write_spectrum_csv(const pf_results *results, const char *path, pf_error *error)
{
  FILE *file = pf_csv_open_file(path, error);
  if (file == NULL) {
    return PF_STOP;
  }
  (void)fputs("unit,owner,name,animal,experiment,label,direction,eigenvalue,free,share,change\n",
              file);
  for (size_t u = 0; u < results->inference->n_groups; u++) {
    spectrum_rows(&results->inference->groups[u], file);
  }
  return pf_csv_close_file(file, path, error);
}

/* ---- profiles.csv ---- */

static bool comes_before(const pf_profile_point *a, const pf_profile_point *b)
{
  return a->value != b->value ? a->value < b->value : a->at < b->at;
}

/* In the order of values, and along each curve; as many as one has, they are few. */
static void sort_points(pf_profile_point *points, size_t n)
{
  for (size_t i = 1; i < n; i++) {
    const pf_profile_point moved = points[i];
    size_t k = i;
    for (; k > 0 && comes_before(&moved, &points[k - 1]); k--) {
      points[k] = points[k - 1];
    }
    points[k] = moved;
  }
}

static pf_status profile_rows(const pf_inference_group *of, FILE *file, pf_error *error)
{
  const size_t n = of->n_curve_points;
  pf_profile_point *points = pf_memory_need(n, sizeof *points, error);
  if (points == NULL) {
    return PF_STOP;
  }
  for (size_t i = 0; i < n; i++) {
    points[i] = of->curves[i];
  }
  sort_points(points, n);
  for (size_t i = 0; i < n; i++) {
    value_cells(of, points[i].value, file);
    (void)fputc(',', file);
    pf_csv_number(file, points[i].at);
    (void)fputc(',', file);
    pf_csv_number(file, points[i].twice_rise);
    (void)fprintf(file, ",%d\n", points[i].converged ? 1 : 0);
  }
  pf_memory_free(points);
  return PF_OK;
}

bool pf_has_profiles(const pf_results *results)
{
  const pf_inference *inference = results->inference;
  for (size_t u = 0; pf_has_inference(inference) && u < inference->n_groups; u++) {
    if (inference->groups[u].n_curve_points > 0) {
      return true;
    }
  }
  return false;
}

pf_status pf_write_profiles_csv(const pf_results *results, const char *path, pf_error *error)
{
  FILE *file = pf_csv_open_file(path, error);
  if (file == NULL) {
    return PF_STOP;
  }
  (void)fputs("unit,owner,name,animal,experiment,value,twice_log_likelihood_ratio,converged\n",
              file);
  for (size_t u = 0; u < results->inference->n_groups; u++) {
    const pf_status status = profile_rows(&results->inference->groups[u], file, error);
    if (status != PF_OK) {
      (void)pf_csv_close_file(file, path, error);
      return status;
    }
  }
  return pf_csv_close_file(file, path, error);
}
