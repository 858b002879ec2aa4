/*
 * npz - your own recordings, from one .npz file of numpy arrays with one row a step.
 *
 * zip_arrays.c reads the archive (libzip), npy.c an array, roles.c finds which is what, rows.c makes experiments of
 * them.
 */
#include "rows.h"

#include <plastfit/abi/plugin.h>
#include <string.h>

typedef struct npz {
  const pf_host *host;
  char *path, *stem;
  npz_file file; /**< names and headers; the archive is shut between create and read */
  npz_roles roles;
  const char **channel_names, **target_names;
} npz;

#define NPZ_NAMED(key_, what_)                                                                             \
  {                                                                                                        \
    .name = "arrays." key_, .type = PF_TYPE_STRING, .help = what_ "; default \"" key_ "\" if there is one" \
  }

static const pf_option npz_options[] = {
    {.name = "path", .type = PF_TYPE_PATH, .required = 1, .help = "the .npz file: arrays with one row a step"},
    NPZ_NAMED("animal", "array of the animal's name (text or whole numbers; one value: of all steps)"),
    NPZ_NAMED("session", "array of the session, likewise"),
    NPZ_NAMED("experiment", "array of the experiment, an uninterrupted run of steps, likewise"),
    NPZ_NAMED("block", "array of the block, from 0"),
    NPZ_NAMED("trial", "array of the trial, from 0, not decreasing"),
    NPZ_NAMED("dt", "array of the step's length, ms; one value: of all steps"),
    NPZ_NAMED("reward", "array of the reward; NaN: none could come"),
    NPZ_NAMED("choice", "array of the choice: 1 accepted, 0 rejected, NaN not observed"),
    NPZ_NAMED("plastic", "array that says whether weights change after the step: 1 or 0"),
    {.name = "arrays.inputs",
     .type = PF_TYPE_STRINGS,
     .help = "arrays of the inputs, [steps] or [steps][n], side by side; default inputs, input or x, else x1, x2, ..."},
    {.name = "arrays.activities",
     .type = PF_TYPE_STRINGS,
     .help = "arrays of the target activity, likewise; default activity, activities or y, else y1, y2, ..."},
    {.name = "arrays.channels",
     .type = PF_TYPE_STRINGS,
     .help = "arrays that are channels beside reward; default: every other one of one number a step"},
    {.name = "targets[].name", .type = PF_TYPE_STRING, .required = 1, .help = "a further target that a loss asks for"},
    {.name = "targets[].arrays", .type = PF_TYPE_STRINGS, .required = 1, .help = "its arrays, side by side"},
    {.name = "plastic",
     .type = PF_TYPE_STRING,
     .choices = "always|accepts|array",
     .help = "steps after which weights change; default: as the array plastic says, else at accepts, else always"},
    {.name = "most_memory",
     .type = PF_TYPE_REAL,
     .fallback = "4096",
     .unit = "MiB",
     .lower = 1,
     .upper = 1e9,
     .help = "most that the used arrays may take when unpacked: a small file can claim to hold anything"},
};

/* ---- life ---- */

static void npz_destroy(void *self)
{
  npz *source = self;
  if (source == NULL) {
    return;
  }
  const pf_host *host = source->host;
  npz_free_roles(&source->roles);
  npz_close(&source->file);
  host->release(host, (void *)source->channel_names);
  host->release(host, (void *)source->target_names);
  host->release(host, source->stem);
  host->release(host, source->path);
  host->release(host, source);
}

static pf_status npz_keep_path(npz *source, const char *path, pf_error *error)
{
  const pf_host *host = source->host;
  const char *slash = strrchr(path, '/');
  const char *base = slash != NULL ? slash + 1 : path;
  const char *dot = strrchr(base, '.');
  const size_t stem = dot != NULL && dot != base ? (size_t)(dot - base) : strlen(base);
  source->path = host->allocate(host, strlen(path) + 1);
  source->stem = host->allocate(host, stem + 1);
  if (source->path == NULL || source->stem == NULL) {
    return pf_fail(error, PF_STOP, "out of memory for a source");
  }
  memcpy(source->path, path, strlen(path) + 1);
  memcpy(source->stem, base, stem); /* zeroed before: ends with 0 */
  return PF_OK;
}

static pf_status npz_list_names(npz *source, pf_error *error)
{
  const pf_host *host = source->host;
  const npz_roles *r = &source->roles;
  source->channel_names = host->allocate(host, (r->n_channels + 1) * sizeof *source->channel_names);
  source->target_names = host->allocate(host, (r->n_targets + 1) * sizeof *source->target_names);
  if (source->channel_names == NULL || source->target_names == NULL) {
    return pf_fail(error, PF_STOP, "out of memory for a source");
  }
  for (size_t k = 0; k < r->n_channels; k++) {
    source->channel_names[k] = r->channels[k].name;
  }
  for (size_t k = 0; k < r->n_targets; k++) {
    source->target_names[k] = r->targets[k].name;
  }
  return PF_OK;
}

static pf_status npz_check_memory(const npz *source, const pf_options *options, pf_error *error)
{
  const double mebibyte = 1048576.0;
  const double bytes = npz_used_bytes(&source->file, &source->roles);
  const double most = options->real(options, "most_memory");
  if (bytes <= most * mebibyte) {
    return PF_OK;
  }
  return pf_fail_key(error, PF_STOP, "most_memory",
                     "%.300s: its arrays unpack to %.0f MiB, more than the %.0f MiB of most_memory; set that higher if "
                     "the file is what you think it is",
                     source->path, bytes / mebibyte, most);
}

static pf_status npz_create(const pf_host *host, const pf_options *options, void **self, pf_error *error)
{
  npz *source = host->allocate(host, sizeof *source);
  if (source == NULL) {
    return pf_fail(error, PF_STOP, "out of memory for a source");
  }
  source->host = host;
  source->file.host = host;
  pf_status status = npz_keep_path(source, options->string(options, "path"), error);
  status = status == PF_OK ? npz_open(host, source->path, &source->file, error) : status;
  status = status == PF_OK ? npz_find_roles(&source->file, options, &source->roles, error) : status;
  status = status == PF_OK ? npz_check_memory(source, options, error) : status;
  status = status == PF_OK ? npz_list_names(source, error) : status;
  npz_shut(&source->file);
  if (status != PF_OK) {
    npz_destroy(source);
    return status;
  }
  *self = source;
  return PF_OK;
}

static pf_status npz_needs(const void *self, pf_source_needs *needs, pf_error *error)
{
  const npz *source = self;
  (void)error;
  needs->n_input = source->roles.inputs.columns;
  needs->channels = (pf_names){source->channel_names, source->roles.n_channels};
  needs->targets = (pf_names){source->target_names, source->roles.n_targets};
  return PF_OK;
}

static pf_status npz_read(const void *self, const pf_sink *sink, pf_error *error)
{
  const npz *source = self;
  npz_file file;
  pf_status status = npz_open(source->host, source->path, &file, error);
  if (status != PF_OK) {
    return status;
  }
  status = npz_same(&file, &source->file)
               ? npz_hand_over(&file, &source->roles, source->stem, sink, error)
               : pf_fail(error, PF_STOP, "%.300s: was replaced while it was being read; try again", source->path);
  npz_close(&file);
  return status;
}

/* ---- descriptor ---- */

static const pf_source_ops npz_ops = {
    .size = sizeof(pf_source_ops),
    .create = npz_create,
    .destroy = npz_destroy,
    .needs = npz_needs,
    .read = npz_read,
};

static const pf_plugin npz_plugin = {
    PF_PLUGIN_HEAD(PF_KIND_SOURCE),
    .name = "npz",
    .version = "1.0",
    .summary = "your own recordings: an .npz file of numpy arrays with one row a step",
    .options = PF_TABLE_OF(npz_options),
    .source = &npz_ops,
};

PF_PLUGIN_ENTRY(npz)
{
  return &npz_plugin;
}
