#include "core/population/animal_table.h"

#include "core/base/memory.h"
#include "core/base/text.h"

#include <math.h>
#include <string.h>

void pf_animal_table_clear(pf_animal_table *table)
{
  pf_sheet_free(table->sheet);
  pf_memory_free((void *)table->groups);
  pf_memory_free(table->row);
  *table = (pf_animal_table){0};
}

/* ---- where it comes from ---- */

static pf_status take_groups(const pf_problem *problem, pf_animal_table *out, pf_error *error)
{
  const pf_dataset *data = &problem->data;
  out->path = "simulated animals";
  out->groups = pf_memory_need(data->n_animals, sizeof *out->groups, error);
  if (out->groups == NULL) {
    return PF_STOP;
  }
  for (size_t a = 0; a < data->n_animals; a++) {
    const pf_recording *first = &data->recordings[pf_dataset_first(data, a)];
    out->groups[a] = pf_teacher_group(first->animal_number);
  }
  return PF_OK;
}

/* Where each animal's rows begin. */
static pf_status find_rows(const pf_problem *problem, const char *animal, pf_animal_table *out,
                           pf_error *error)
{
  const pf_dataset *data = &problem->data;
  const pf_sheet *sheet = out->sheet;
  const size_t column = pf_sheet_column(sheet, animal);
  if (column == sheet->n_columns) {
    return pf_fail(error, PF_STOP,
                   "%s: there is no column '%s'; the table of population.group names each row's "
                   "animal in it",
                   out->path, animal);
  }
  out->row = pf_memory_need(data->n_animals, sizeof *out->row, error);
  if (out->row == NULL) {
    return PF_STOP;
  }
  for (size_t a = 0; a < data->n_animals; a++) {
    size_t r = 0;
    while (r < sheet->n_rows && strcmp(pf_sheet_text(sheet, r, column), data->animals[a]) != 0) {
      r++;
    }
    if (r == sheet->n_rows) {
      return pf_fail(error, PF_STOP, "%s: there is no row of animal '%s'", out->path,
                     data->animals[a]);
    }
    out->row[a] = r;
  }
  return PF_OK;
}

/* The table of the data: columns of each step, the same in all steps of an animal. */
static pf_status read_data_table(const pf_problem *problem, pf_animal_table *out, pf_error *error)
{
  enum { MAX_COLUMNS = 64 };
  const pf_names *group = &problem->settings->population.group;
  const pf_node *source = problem->models->source.node, *path = pf_node_get(source, "path");
  const char *text = NULL, *animal = "animal", *columns[MAX_COLUMNS];
  if (path == NULL || !pf_node_string(path, &text) || strchr(text, '*') != NULL) {
    return pf_fail(error, PF_STOP,
                   "population.group names columns, but population.table, the file that has them, "
                   "is not given");
  }
  (void)pf_node_string(pf_node_get(source, "columns.animal"), &animal);
  if (group->count >= MAX_COLUMNS) {
    return pf_fail(error, PF_STOP, "population.group names more than %d columns",
                   (int)MAX_COLUMNS - 1);
  }
  columns[0] = animal;
  memcpy((void *)(columns + 1), (const void *)group->items, group->count * sizeof *columns);
  const pf_names wanted = {.count = group->count + 1, .items = columns};
  out->path = pf_node_absolute(path);
  const pf_status status = pf_sheet_read(out->path, &wanted, &out->sheet, error);
  return status == PF_OK ? find_rows(problem, animal, out, error) : status;
}

static pf_status read_any(const pf_problem *problem, pf_animal_table *out, pf_error *error)
{
  const char *table = problem->settings->population.table;
  if (table == NULL && pf_teacher_has_groups(problem->models) &&
      pf_source_is_task(&problem->models->source)) {
    return take_groups(problem, out, error);
  }
  if (table == NULL) {
    return read_data_table(problem, out, error);
  }
  out->path = table;
  const pf_status status = pf_sheet_read(table, NULL, &out->sheet, error);
  return status == PF_OK ? find_rows(problem, "animal", out, error) : status;
}

pf_status pf_animal_table_read(const pf_problem *problem, pf_animal_table *out, pf_error *error)
{
  *out = (pf_animal_table){0};
  const pf_status status = read_any(problem, out, error);
  if (status != PF_OK) {
    pf_animal_table_clear(out);
  }
  return status;
}

/* ---- a column ---- */

const char *pf_animal_table_text(const pf_animal_table *table, size_t animal, size_t column)
{
  return table->groups != NULL ? table->groups[animal]
                               : pf_sheet_text(table->sheet, table->row[animal], column);
}

double pf_animal_table_number(const pf_animal_table *table, size_t animal, size_t column)
{
  return table->groups != NULL ? (double)NAN
                               : pf_sheet_number(table->sheet, table->row[animal], column);
}

/* Every row of an animal says the same. */
static pf_status check_rows(const pf_animal_table *table, const pf_problem *problem,
                            const char *name, size_t column, pf_error *error)
{
  const pf_dataset *data = &problem->data;
  const pf_sheet *sheet = table->sheet;
  for (size_t a = 0; table->groups == NULL && a < data->n_animals; a++) {
    const char *word = pf_animal_table_text(table, a, column);
    for (size_t r = table->row[a] + 1; r < sheet->n_rows; r++) {
      if (strcmp(pf_sheet_text(sheet, r, column), word) != 0 &&
          strcmp(pf_sheet_text(sheet, r, 0), data->animals[a]) == 0) {
        return pf_fail(error, PF_STOP,
                       "%s: animal '%s' has '%s' and '%s' in column '%s' of population.group; an "
                       "animal has one",
                       table->path, data->animals[a], word, pf_sheet_text(sheet, r, column), name);
      }
    }
  }
  return PF_OK;
}

static pf_status check_words(const pf_animal_table *table, const pf_problem *problem,
                             const char *name, size_t column, pf_error *error)
{
  bool varies = false;
  for (size_t a = 0; a < problem->data.n_animals; a++) {
    const char *word = pf_animal_table_text(table, a, column);
    if (word[0] == '\0') {
      return pf_fail(error, PF_STOP, "%s: animal '%s' has no '%s'", table->path,
                     problem->data.animals[a], name);
    }
    varies = varies || strcmp(word, pf_animal_table_text(table, 0, column)) != 0;
  }
  return varies ? PF_OK
                : pf_fail(error, PF_STOP,
                          "%s: '%s' is the same for all animals, so that nothing can depend on it",
                          table->path, name);
}

pf_status pf_animal_table_column(const pf_animal_table *table, const pf_problem *problem,
                                 const char *name, size_t *column, pf_error *error)
{
  static const char *const simulated[] = {"group"};
  pf_names names = {.count = 1, .items = simulated};
  *column = strcmp(name, "group") == 0 ? 0 : 1;
  if (table->groups == NULL) {
    names = (pf_names){.count = table->sheet->n_columns,
                       .items = (const char *const *)table->sheet->columns};
    *column = pf_sheet_column(table->sheet, name);
  }
  if (*column == names.count) {
    const char *nearest = pf_text_nearest(name, names);
    return pf_fail(error, PF_STOP, "%s: there is no column '%s' of population.group%s%s%s",
                   table->path, name, nearest != NULL ? "; did you mean '" : "",
                   nearest != NULL ? nearest : "", nearest != NULL ? "'?" : "");
  }
  const pf_status status = check_rows(table, problem, name, *column, error);
  return status == PF_OK ? check_words(table, problem, name, *column, error) : status;
}
