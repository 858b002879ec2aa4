#include "arrays.h"

#include <string.h>

/** What the roles are found among. */
typedef struct arrays {
  const npz_file *file;
  int64_t steps; /**< rows of those used so far, or -1 */
} arrays;

static const char *name_of(const void *self, size_t i)
{
  return ((const arrays *)self)->file->arrays[i].name;
}

/** An array that is used can be: numbers unless a name, one column unless `use` takes more, as many
 * rows as others. */
static pf_status use_array(void *self, size_t i, enum role_use use, int64_t *width, pf_error *error)
{
  arrays *all = self;
  const char *path = all->file->path;
  const npz_array *array = &all->file->arrays[i];
  const npy_header *h = &array->header;
  if (array->why[0] != '\0') {
    return pf_fail(error, PF_STOP, "%s", array->why);
  }
  if (use != ROLE_NAME && !npy_is_number(h)) {
    return pf_fail(error, PF_STOP, "%.300s: array '%.60s': holds text, expected numbers", path,
                   array->name);
  }
  if (h->n_dims == 0 && (use == ROLE_NAME || use == ROLE_LENGTH)) {
    return PF_OK;
  }
  if (h->n_dims == 0) {
    return pf_fail(error, PF_STOP, "%.300s: array '%.60s': is a single value, expected one a step",
                   path, array->name);
  }
  if (use != ROLE_NUMBERS && h->columns != 1) {
    return pf_fail(error, PF_STOP,
                   "%.300s: array '%.60s': has shape (%lld, %lld), expected one value a step", path,
                   array->name, (long long)h->rows, (long long)h->columns);
  }
  if (all->steps >= 0 && h->rows != all->steps) {
    return pf_fail(error, PF_STOP,
                   "%.300s: array '%.60s': has %lld rows, others have %lld; expected one row a "
                   "step in all of them",
                   path, array->name, (long long)h->rows, (long long)all->steps);
  }
  all->steps = h->rows;
  *width = h->columns;
  return PF_OK;
}

/** One column of numbers, a row a step. */
static int may_be_channel(const void *self, size_t i)
{
  const arrays *all = self;
  const npz_array *array = &all->file->arrays[i];
  return array->why[0] == '\0' && npy_is_number(&array->header) && array->header.n_dims > 0 &&
         array->header.columns == 1 && array->header.rows == all->steps;
}

static const role_variables array_roles = {
    ROLE_KEYS("arrays."),
    .targets = "targets[].arrays",
    .word = "array",
    .where = "",
    .has = "it has",
    .usual_inputs = (const char *const[]){"inputs", "input", "x", "x#", NULL},
    .usual_activities = (const char *const[]){"activity", "activities", "y", "y#", NULL},
    .no_inputs = "no array inputs, input or x, and no x1, x2, ...",
    .no_activities = "no activity, y, or y1, y2, ...",
    .one_role = 1,
    .name = name_of,
    .may_be_channel = may_be_channel,
    .use = use_array,
};

pf_status npz_find_roles(recording *of, const npz_file *file, const pf_options *options,
                         int64_t *steps, pf_error *error)
{
  arrays all = {.file = file, .steps = -1};
  const pf_status status =
      roles_find(of->host, file->path, &array_roles, &all, file->n, options, &of->roles, error);
  *steps = all.steps;
  return status == PF_OK && all.steps == 0
             ? pf_fail(error, PF_STOP, "%.300s: its arrays have no rows: there is no step in it",
                       file->path)
             : status;
}

/* ---- memory ---- */

static double group_bytes(const npz_file *file, const role_group *group)
{
  double bytes = 0.0;
  for (size_t k = 0; k < group->n; k++) {
    bytes += (double)file->arrays[group->variables[k]].size;
  }
  return bytes;
}

double npz_used_bytes(const npz_file *file, const roles *of)
{
  double bytes = group_bytes(file, &of->inputs);
  for (size_t k = 0; k < of->channels.n; k++) {
    bytes += group_bytes(file, &of->channels.items[k]);
  }
  for (size_t k = 0; k < of->targets.n; k++) {
    bytes += group_bytes(file, &of->targets.items[k]);
  }
  for (int k = 0; k < ROLE_N_SINGLE; k++) {
    bytes += of->single[k] >= 0 ? (double)file->arrays[of->single[k]].size : 0.0;
  }
  return bytes;
}
