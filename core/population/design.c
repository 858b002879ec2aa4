#include "core/population/design.h"

#include "core/base/array.h"
#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/population/animal_table.h"
#include "core/uncertainty/inference.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MAX_NAME = 200 };

/* ---- which values are drawn ---- */

static const char *declared_name(const pf_layout *layout, size_t k)
{
  return layout->parameters[layout->instances[layout->index[k]].parameter].declared.name;
}

/* A coefficient is called by what it is called in print, or by its name in theta.csv. */
static pf_status mark_values(const pf_layout *layout, const char **labels, const pf_names *names,
                             uint8_t sharing, uint8_t *out, pf_error *error)
{
  const char *key = sharing == PF_SHARING_SHARED ? "shared" : "separate";
  for (size_t i = 0; i < names->count; i++) {
    bool is_there = false;
    for (size_t k = 0; k < layout->n; k++) {
      if (strcmp(names->items[i], labels[k]) == 0 ||
          strcmp(names->items[i], declared_name(layout, k)) == 0) {
        out[k] = sharing;
        is_there = true;
      }
    }
    if (!is_there) {
      const char *nearest =
          pf_text_nearest(names->items[i], (pf_names){.count = layout->n, .items = labels});
      return pf_fail(error, PF_STOP,
                     "population.%s: there is no free coefficient '%s'; the first is '%s'%s%s%s",
                     key, names->items[i], labels[0], nearest != NULL ? "; did you mean '" : "",
                     nearest != NULL ? nearest : "", nearest != NULL ? "'?" : "");
    }
  }
  return PF_OK;
}

/* Starting weights that are learned are each animal's own, unless the config says otherwise: of
 * many neurons drawn from one population nothing is gained. */
static void set_defaults(const pf_problem *problem, const pf_layout *layout, uint8_t *out)
{
  (void)problem;
  for (size_t k = 0; k < layout->n; k++) {
    const bool is_start = strncmp(declared_name(layout, k), "w0.", 3) == 0;
    out[k] = is_start ? PF_SHARING_SEPARATE : PF_SHARING_DRAWN;
  }
}

static pf_status find_sharing(const pf_problem *problem, const pf_layout *layout, uint8_t *out,
                              pf_error *error)
{
  const pf_population_settings *settings = &problem->settings->population;
  const char **labels = pf_value_names(problem, layout, error);
  if (labels == NULL) {
    return PF_STOP;
  }
  set_defaults(problem, layout, out);
  pf_status status = mark_values(layout, labels, &settings->shared, PF_SHARING_SHARED, out, error);
  if (status == PF_OK) {
    status = mark_values(layout, labels, &settings->separate, PF_SHARING_SEPARATE, out, error);
  }
  pf_memory_free((void *)labels);
  return status;
}

/* ---- covariates ---- */

/* The columns so far. */
typedef struct covariate_table {
  const pf_problem *problem;
  pf_animal_table animals;
  pf_array names;   /* of char * */
  pf_array columns; /* of double, [n][n_animals] */
} covariate_table;

/* A column of the design, all 0. */
static double *add_column(covariate_table *t, const char *name, pf_error *error)
{
  const size_t n = t->problem->data.n_animals;
  char **slot = pf_array_append(&t->names, error);
  if (slot == NULL) {
    return NULL;
  }
  *slot = pf_memory_string(name, error);
  const size_t first = t->columns.n;
  if (*slot == NULL || pf_array_reserve(&t->columns, first + n, error) != PF_OK) {
    return NULL;
  }
  t->columns.n += n;
  double *column = (double *)t->columns.items + first;
  memset(column, 0, n * sizeof *column);
  return column;
}

static pf_status add_number(covariate_table *t, const char *key, size_t column, pf_error *error)
{
  const size_t n = t->problem->data.n_animals;
  double sum = 0.0;
  double *to = add_column(t, key, error);
  if (to == NULL) {
    return PF_STOP;
  }
  for (size_t a = 0; a < n; a++) {
    to[a] = pf_animal_table_number(&t->animals, a, column);
    sum += to[a];
  }
  for (size_t a = 0; a < n; a++) {
    to[a] -= sum / (double)n;
  }
  return PF_OK;
}

/* A column for each word but the first, which is what the others are compared with. */
static pf_status add_words(covariate_table *t, const char *key, size_t column, pf_error *error)
{
  const size_t n = t->problem->data.n_animals;
  for (size_t a = 1; a < n; a++) {
    const char *word = pf_animal_table_text(&t->animals, a, column);
    bool is_new = true;
    for (size_t b = 0; b < a; b++) {
      is_new = is_new && strcmp(word, pf_animal_table_text(&t->animals, b, column)) != 0;
    }
    if (!is_new) {
      continue;
    }
    char name[MAX_NAME];
    (void)snprintf(name, sizeof name, "%.80s = %.80s", key, word);
    double *to = add_column(t, name, error);
    if (to == NULL) {
      return PF_STOP;
    }
    for (size_t b = 0; b < n; b++) {
      to[b] = strcmp(word, pf_animal_table_text(&t->animals, b, column)) == 0 ? 1.0 : 0.0;
    }
  }
  return PF_OK;
}

static bool is_all_numbers(const covariate_table *t, size_t column)
{
  for (size_t a = 0; a < t->problem->data.n_animals; a++) {
    if (isnan(pf_animal_table_number(&t->animals, a, column))) {
      return false;
    }
  }
  return true;
}

static pf_status read_covariates(covariate_table *t, pf_error *error)
{
  const pf_names *group = &t->problem->settings->population.group;
  if (group->count == 0) {
    return PF_OK;
  }
  pf_status status = pf_animal_table_read(t->problem, &t->animals, error);
  for (size_t i = 0; i < group->count; i++) {
    size_t column = 0;
    if (status != PF_OK) {
      return status;
    }
    const char *key = group->items[i];
    status = pf_animal_table_column(&t->animals, t->problem, key, &column, error);
    if (status == PF_OK) {
      status = is_all_numbers(t, column) ? add_number(t, key, column, error)
                                         : add_words(t, key, column, error);
    }
  }
  return status;
}

/* From columns to rows. */
static pf_status take_design(covariate_table *t, pf_population_covariates *out, pf_error *error)
{
  const size_t n_animals = t->problem->data.n_animals;
  const double *columns = t->columns.items;
  out->names = pf_array_take(&t->names, &out->n);
  out->rows = pf_memory_need(n_animals * out->n, sizeof *out->rows, error);
  if (out->rows == NULL) {
    return PF_STOP;
  }
  for (size_t a = 0; a < n_animals; a++) {
    for (size_t c = 0; c < out->n; c++) {
      out->rows[a * out->n + c] = columns[c * n_animals + a];
    }
  }
  return PF_OK;
}

static pf_status make_covariates(covariate_table *t, pf_population_covariates *out, pf_error *error)
{
  const size_t n_animals = t->problem->data.n_animals;
  double *mean = add_column(t, "mean", error);
  if (mean == NULL) {
    return PF_STOP;
  }
  for (size_t a = 0; a < n_animals; a++) {
    mean[a] = 1.0;
  }
  const pf_status status = read_covariates(t, error);
  return status == PF_OK ? take_design(t, out, error) : status;
}

pf_status pf_population_covariates_create(const pf_problem *problem, const pf_layout *layout,
                                          pf_population_covariates *out, pf_error *error)
{
  covariate_table t = {.problem = problem,
                       .names = pf_array_of(sizeof(char *)),
                       .columns = pf_array_of(sizeof(double))};
  *out = (pf_population_covariates){.sharing = pf_memory_need(layout->n, 1, error)};
  pf_status status = out->sharing == NULL ? PF_STOP : PF_OK;
  if (status == PF_OK) {
    status = find_sharing(problem, layout, out->sharing, error);
  }
  if (status == PF_OK) {
    status = make_covariates(&t, out, error);
  }
  for (size_t i = 0; i < t.names.n; i++) {
    pf_memory_free(((char **)t.names.items)[i]);
  }
  pf_array_free(&t.names);
  pf_array_free(&t.columns);
  pf_animal_table_clear(&t.animals);
  if (status != PF_OK) {
    pf_population_covariates_clear(out);
  }
  return status;
}

pf_population_design pf_population_design_of(const pf_problem *problem,
                                             const pf_population_covariates *covariates,
                                             const double *weights)
{
  const pf_population_settings *settings = &problem->settings->population;
  return (pf_population_design){.sharing = covariates->sharing,
                                .n_covariates = covariates->n,
                                .rows = covariates->rows,
                                .correlated = settings->correlated,
                                .bounded = settings->scale == PF_POPULATION_BOUNDED,
                                .means = settings->centre == PF_POPULATION_MEANS && weights == NULL,
                                .weights = weights};
}

void pf_population_covariates_clear(pf_population_covariates *covariates)
{
  for (size_t i = 0; covariates->names != NULL && i < covariates->n; i++) {
    pf_memory_free(covariates->names[i]);
  }
  pf_memory_free(covariates->names);
  pf_memory_free(covariates->rows);
  pf_memory_free(covariates->sharing);
  *covariates = (pf_population_covariates){0};
}
