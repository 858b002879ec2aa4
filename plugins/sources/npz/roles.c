#include "roles.h"

#include <string.h>

const char *const npz_single_names[NPZ_N_SINGLE] = {"animal", "session", "experiment", "block",  "trial",
                                                    "dt",     "reward",  "choice",     "plastic"};
static const char *const single_keys[NPZ_N_SINGLE] = {"arrays.animal", "arrays.session", "arrays.experiment",
                                                      "arrays.block",  "arrays.trial",   "arrays.dt",
                                                      "arrays.reward", "arrays.choice",  "arrays.plastic"};

/** What the search works on. */
typedef struct finder {
  const npz_file *file;
  const pf_options *options;
  npz_roles *out;
  unsigned char *taken; /* [file->n] arrays that are something already */
  pf_error *error;
} finder;

/* ---- arrays ---- */

static pf_status no_array(const finder *f, const char *key, const char *name)
{
  char all[400] = "";
  size_t used = 0;
  for (size_t i = 0; i < f->file->n && used < sizeof all - 1; i++) {
    used += (size_t)snprintf(all + used, sizeof all - used, "%s%s", i > 0 ? ", " : "", f->file->arrays[i].name);
  }
  return pf_fail_key(f->error, PF_STOP, key, "%.300s: there is no array '%.60s'; it has: %s%s", f->file->path, name,
                     all, used >= sizeof all ? "..." : "");
}

static int64_t index_of(const finder *f, const char *name)
{
  const npz_array *array = npz_find(f->file, name);
  return array == NULL ? -1 : (int64_t)(array - f->file->arrays);
}

/** Can it stand in a modulator's expression? */
static int is_identifier(const char *name)
{
  static const char characters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789";
  return name[0] != '\0' && strchr("0123456789", name[0]) == NULL && strspn(name, characters) == strlen(name);
}

/**
 * An array that is used can be: numbers unless `text`, one column unless `wide`, as many rows as the others. One value
 * alone (no dimension) stands for all steps where `scalar`.
 */
static pf_status check_array(const finder *f, int64_t index, int text, int wide, int scalar)
{
  const npz_array *array = &f->file->arrays[index];
  const npy_header *h = &array->header;
  if (array->why[0] != '\0') {
    return pf_fail(f->error, PF_STOP, "%s", array->why);
  }
  if (!text && !npy_is_number(h)) {
    return pf_fail(f->error, PF_STOP, "%.300s: array '%.60s': holds text, expected numbers", f->file->path,
                   array->name);
  }
  if (h->n_dims == 0 && scalar) {
    return PF_OK;
  }
  if (h->n_dims == 0) {
    return pf_fail(f->error, PF_STOP, "%.300s: array '%.60s': is a single value, expected one a step", f->file->path,
                   array->name);
  }
  if (!wide && h->columns != 1) {
    return pf_fail(f->error, PF_STOP, "%.300s: array '%.60s': has shape (%lld, %lld), expected one value a step",
                   f->file->path, array->name, (long long)h->rows, (long long)h->columns);
  }
  if (f->out->steps >= 0 && h->rows != f->out->steps) {
    return pf_fail(f->error, PF_STOP,
                   "%.300s: array '%.60s': has %lld rows, others have %lld; expected one row a step in all of them",
                   f->file->path, array->name, (long long)h->rows, (long long)f->out->steps);
  }
  f->out->steps = h->rows;
  return PF_OK;
}

/* ---- groups ---- */

static pf_status begin_group(const finder *f, npz_group *group, const char *name, size_t most)
{
  const pf_host *host = f->file->host;
  *group = (npz_group){.name = host->allocate(host, strlen(name) + 1)};
  group->arrays = host->allocate(host, (most > 0 ? most : 1) * sizeof *group->arrays);
  if (group->name == NULL || group->arrays == NULL) {
    return pf_fail(f->error, PF_STOP, "%.300s: out of memory for its arrays", f->file->path);
  }
  memcpy(group->name, name, strlen(name) + 1);
  return PF_OK;
}

static pf_status add_array(const finder *f, npz_group *group, int64_t index, int wide)
{
  const pf_status status = check_array(f, index, 0, wide, 0);
  if (status == PF_OK) {
    group->arrays[group->n++] = (size_t)index;
    group->columns += f->file->arrays[index].header.columns;
    f->taken[index] = 1;
  }
  return status;
}

static pf_status one_array_group(const finder *f, npz_group *group, const char *name, int64_t index)
{
  const pf_status status = begin_group(f, group, name, 1);
  return status == PF_OK ? add_array(f, group, index, 0) : status;
}

/** The arrays that the list option `key` names. */
static pf_status listed_group(const finder *f, npz_group *group, const char *name, const char *key,
                              const char *declared)
{
  const int64_t n = f->options->length(f->options, key);
  pf_status status = begin_group(f, group, name, (size_t)n);
  for (int64_t i = 0; i < n && status == PF_OK; i++) {
    const char *array = f->options->string_at(f->options, key, i);
    const int64_t index = index_of(f, array);
    status = index < 0 ? no_array(f, declared, array) : PF_OK;
    for (size_t k = 0; k < group->n && status == PF_OK; k++) {
      if (group->arrays[k] == (size_t)index) {
        status = pf_fail_key(f->error, PF_STOP, declared, "names the array '%.60s' twice", array);
      }
    }
    status = status == PF_OK ? add_array(f, group, index, 1) : status;
  }
  return status;
}

/** The first of `names` (ended by NULL) that the file has; else STEM1, STEM2, ... as far as it has them. */
static pf_status usual_group(const finder *f, npz_group *group, const char *name, const char *const *names,
                             const char *stem)
{
  pf_status status = begin_group(f, group, name, f->file->n);
  for (; status == PF_OK && *names != NULL; names++) {
    const int64_t index = index_of(f, *names);
    if (index >= 0) {
      return add_array(f, group, index, 1);
    }
  }
  for (size_t k = 1; status == PF_OK && k <= f->file->n; k++) {
    char array[64];
    (void)snprintf(array, sizeof array, "%s%zu", stem, k);
    const int64_t index = index_of(f, array);
    if (index < 0) {
      break;
    }
    status = add_array(f, group, index, 1);
  }
  return status;
}

static void free_group(const pf_host *host, npz_group *group)
{
  host->release(host, group->name);
  host->release(host, group->arrays);
  *group = (npz_group){0};
}

/* ---- what each is ---- */

static pf_status find_inputs(const finder *f)
{
  static const char *const usual[] = {"inputs", "input", "x", NULL};
  return f->options->present(f->options, "arrays.inputs")
             ? listed_group(f, &f->out->inputs, "inputs", "arrays.inputs", "arrays.inputs")
             : usual_group(f, &f->out->inputs, "inputs", usual, "x");
}

static pf_status find_singles(const finder *f)
{
  for (int k = 0; k < NPZ_N_SINGLE; k++) {
    const int said = f->options->present(f->options, single_keys[k]);
    const char *name = said ? f->options->string(f->options, single_keys[k]) : npz_single_names[k];
    /* an empty name: there is an array of the usual name, but it is something else */
    const int64_t index = name[0] == '\0' ? -1 : index_of(f, name);
    f->out->single[k] = -1;
    if (index < 0 && said && name[0] != '\0') {
      return no_array(f, single_keys[k], name);
    }
    if (index < 0 || (!said && f->taken[index])) {
      continue;
    }
    const int names = k == NPZ_ANIMAL || k == NPZ_SESSION || k == NPZ_EXPERIMENT;
    const pf_status status = check_array(f, index, names, 0, names || k == NPZ_DT);
    if (status != PF_OK) {
      return status;
    }
    f->out->single[k] = index;
    f->taken[index] = 1;
  }
  return PF_OK;
}

static pf_status find_targets(const finder *f)
{
  static const char *const usual[] = {"activity", "activities", "y", NULL};
  const pf_host *host = f->file->host;
  npz_roles *r = f->out;
  const int64_t listed = f->options->length(f->options, "targets");
  r->targets = host->allocate(host, (size_t)(listed + 2) * sizeof *r->targets);
  if (r->targets == NULL) {
    return pf_fail(f->error, PF_STOP, "%.300s: out of memory for its arrays", f->file->path);
  }
  pf_status status = PF_OK;
  if (r->single[NPZ_CHOICE] >= 0) {
    status = one_array_group(f, &r->targets[r->n_targets++], "choice", r->single[NPZ_CHOICE]);
  }
  if (status == PF_OK) {
    npz_group *activity = &r->targets[r->n_targets++];
    status = f->options->present(f->options, "arrays.activities")
                 ? listed_group(f, activity, "activity", "arrays.activities", "arrays.activities")
                 : usual_group(f, activity, "activity", usual, "y");
    if (status == PF_OK && activity->n == 0) {
      free_group(host, activity);
      r->n_targets--;
    }
  }
  for (int64_t i = 0; i < listed && status == PF_OK; i++) {
    char name[64], arrays[64];
    (void)snprintf(name, sizeof name, "targets[%lld].name", (long long)i);
    (void)snprintf(arrays, sizeof arrays, "targets[%lld].arrays", (long long)i);
    status =
        listed_group(f, &r->targets[r->n_targets++], f->options->string(f->options, name), arrays, "targets[].arrays");
  }
  return status;
}

/** Could an array that nobody named be a channel: one finite-width column of numbers, a row a step? */
static int looks_like_channel(const finder *f, size_t i)
{
  const npz_array *array = &f->file->arrays[i];
  return !f->taken[i] && array->why[0] == '\0' && npy_is_number(&array->header) && array->header.n_dims > 0 &&
         array->header.columns == 1 && array->header.rows == f->out->steps && is_identifier(array->name);
}

static pf_status find_channels(const finder *f)
{
  const pf_host *host = f->file->host;
  npz_roles *r = f->out;
  const int said = f->options->present(f->options, "arrays.channels");
  const int64_t listed = said ? f->options->length(f->options, "arrays.channels") : 0;
  r->channels = host->allocate(host, (f->file->n + (size_t)listed + 1) * sizeof *r->channels);
  if (r->channels == NULL) {
    return pf_fail(f->error, PF_STOP, "%.300s: out of memory for its arrays", f->file->path);
  }
  pf_status status = PF_OK;
  if (r->single[NPZ_REWARD] >= 0) {
    status = one_array_group(f, &r->channels[r->n_channels++], "reward", r->single[NPZ_REWARD]);
  }
  for (int64_t i = 0; i < listed && status == PF_OK; i++) {
    const char *name = f->options->string_at(f->options, "arrays.channels", i);
    const int64_t index = index_of(f, name);
    status = index < 0 ? no_array(f, "arrays.channels", name) : PF_OK;
    if (status == PF_OK && index != r->single[NPZ_REWARD]) {
      status = one_array_group(f, &r->channels[r->n_channels++], name, index);
    }
  }
  for (size_t i = 0; i < f->file->n && status == PF_OK && !said; i++) {
    if (looks_like_channel(f, i)) {
      status = one_array_group(f, &r->channels[r->n_channels++], f->file->arrays[i].name, (int64_t)i);
    }
  }
  return status;
}

static pf_status find_plastic(const finder *f)
{
  npz_roles *r = f->out;
  const int has_array = r->single[NPZ_PLASTIC] >= 0;
  const int has_choice = r->single[NPZ_CHOICE] >= 0;
  if (!f->options->present(f->options, "plastic")) {
    r->plastic = has_array ? NPZ_ARRAY : has_choice ? NPZ_ACCEPTS : NPZ_ALWAYS;
    return PF_OK;
  }
  const char *word = f->options->string(f->options, "plastic");
  r->plastic = strcmp(word, "array") == 0 ? NPZ_ARRAY : strcmp(word, "accepts") == 0 ? NPZ_ACCEPTS : NPZ_ALWAYS;
  if (r->plastic == NPZ_ARRAY && !has_array) {
    return no_array(f, "plastic", "plastic");
  }
  return r->plastic == NPZ_ACCEPTS && !has_choice ? no_array(f, "plastic", "choice") : PF_OK;
}

static pf_status check_found(const finder *f)
{
  const npz_roles *r = f->out;
  if (r->inputs.columns == 0) {
    return pf_fail_key(f->error, PF_STOP, "arrays.inputs",
                       "%.300s: has no inputs: no array inputs, input or x, and no x1, x2, ...; name them with "
                       "arrays.inputs",
                       f->file->path);
  }
  if (r->n_targets == 0) {
    return pf_fail_key(f->error, PF_STOP, "arrays.choice",
                       "%.300s: has nothing to predict: no array choice, and no activity, y, or y1, y2, ...; name them "
                       "with arrays.choice or arrays.activities",
                       f->file->path);
  }
  if (r->steps == 0) {
    return pf_fail(f->error, PF_STOP, "%.300s: its arrays have no rows: there is no step in it", f->file->path);
  }
  return PF_OK;
}

pf_status npz_find_roles(const npz_file *file, const pf_options *options, npz_roles *out, pf_error *error)
{
  const pf_host *host = file->host;
  finder f = {.file = file, .options = options, .out = out, .error = error, .taken = host->allocate(host, file->n)};
  *out = (npz_roles){.host = host, .steps = -1};
  pf_status status =
      f.taken == NULL ? pf_fail(error, PF_STOP, "%.300s: out of memory for its arrays", file->path) : PF_OK;
  status = status == PF_OK ? find_inputs(&f) : status;
  status = status == PF_OK ? find_singles(&f) : status;
  status = status == PF_OK ? find_targets(&f) : status;
  status = status == PF_OK ? find_channels(&f) : status;
  status = status == PF_OK ? find_plastic(&f) : status;
  status = status == PF_OK ? check_found(&f) : status;
  host->release(host, f.taken);
  if (status != PF_OK) {
    npz_free_roles(out);
  }
  return status;
}

void npz_free_roles(npz_roles *roles)
{
  const pf_host *host = roles->host;
  if (host == NULL) {
    return;
  }
  for (size_t k = 0; roles->channels != NULL && k < roles->n_channels; k++) {
    free_group(host, &roles->channels[k]);
  }
  for (size_t k = 0; roles->targets != NULL && k < roles->n_targets; k++) {
    free_group(host, &roles->targets[k]);
  }
  free_group(host, &roles->inputs);
  host->release(host, roles->channels);
  host->release(host, roles->targets);
  *roles = (npz_roles){0};
}

static double group_bytes(const npz_file *file, const npz_group *group)
{
  double bytes = 0.0;
  for (size_t k = 0; k < group->n; k++) {
    bytes += (double)file->arrays[group->arrays[k]].size;
  }
  return bytes;
}

double npz_used_bytes(const npz_file *file, const npz_roles *roles)
{
  double bytes = group_bytes(file, &roles->inputs);
  for (size_t k = 0; k < roles->n_channels; k++) {
    bytes += group_bytes(file, &roles->channels[k]);
  }
  for (size_t k = 0; k < roles->n_targets; k++) {
    bytes += group_bytes(file, &roles->targets[k]);
  }
  for (int k = 0; k < NPZ_N_SINGLE; k++) {
    bytes += roles->single[k] >= 0 ? (double)file->arrays[roles->single[k]].size : 0.0;
  }
  return bytes;
}
