/*
 * npz - your own recordings, from one .npz file of numpy arrays with one row a step.
 *
 * zip_arrays.c reads the archive (libzip), npy.c an array, arrays.c finds which is what (with
 * ../common/roles.c), rows.c makes experiments of them.
 */
#include "rows.h"

typedef struct npz {
  recording recording; /**< first: recording_needs */
  npz_file file;       /**< names and headers; the archive is shut between create and read */
  int64_t steps;
} npz;

#define NPZ_NAMED(key_, what_)                             \
  {                                                        \
    .name = "arrays." key_, .type = PF_TYPE_STRING,        \
    .help = what_ "; default \"" key_ "\" if there is one" \
  }

static const pf_option npz_options[] = {
    {.name = "path",
     .type = PF_TYPE_PATH,
     .required = 1,
     .help = "the .npz file: arrays with one row a step"},
    NPZ_NAMED("animal",
              "array of the animal's name (text or whole numbers; one value: of all steps)"),
    NPZ_NAMED("session", "array of the session, likewise"),
    NPZ_NAMED("experiment", "array of the experiment, an uninterrupted run of steps, likewise"),
    NPZ_NAMED("block", "array of the block, from 0"),
    NPZ_NAMED("trial", "array of the trial, from 0, not decreasing"),
    NPZ_NAMED("dt", "array of the step's length, ms; one value: of all steps"),
    NPZ_NAMED("gap", "array of the time before the step, ms; given on as channel gap"),
    NPZ_NAMED("reward", "array of the reward; NaN: none could come"),
    NPZ_NAMED("choice",
              "array of the choice: 1 accepted, 0 rejected, NaN not observed; among K: 0 to K - 1"),
    NPZ_NAMED("plastic", "array that says whether weights change after the step: 1 or 0"),
    {.name = "arrays.inputs",
     .type = PF_TYPE_STRINGS,
     .help = "arrays of the inputs, [steps] or [steps][n], side by side; default inputs, input or "
             "x, else x1, x2, ..."},
    {.name = "arrays.activities",
     .type = PF_TYPE_STRINGS,
     .help = "arrays of the target activity, likewise; default activity, activities or y, else y1, "
             "y2, ..."},
    {.name = "arrays.channels",
     .type = PF_TYPE_STRINGS,
     .help =
         "arrays that are channels beside reward; default: every other one of one number a step"},
    {.name = "targets[].name",
     .type = PF_TYPE_STRING,
     .required = 1,
     .help = "a further target that a loss asks for"},
    {.name = "targets[].arrays",
     .type = PF_TYPE_STRINGS,
     .required = 1,
     .help = "its arrays, side by side"},
    ROLE_KIND_OPTION,
    {.name = "plastic",
     .type = PF_TYPE_STRING,
     .choices = "always|accepts|chosen|array",
     .help = "steps after which weights change; default: as the array plastic says, else at "
             "accepts, else always"},
    {.name = "most_memory",
     .type = PF_TYPE_REAL,
     .fallback = "4096",
     .unit = "MiB",
     .lower = 1,
     .upper = 1e9,
     .help = "most that the used arrays may take when unpacked: a small file can claim to hold "
             "anything"},
};

/* ---- life ---- */

static void npz_destroy(void *self)
{
  npz *source = self;
  if (source == NULL) {
    return;
  }
  const pf_host *host = source->recording.host;
  npz_close(&source->file);
  recording_free(&source->recording);
  host->release(host, source);
}

static pf_status npz_check_memory(const npz *source, const pf_options *options, pf_error *error)
{
  const double mebibyte = 1048576.0;
  const double bytes = npz_used_bytes(&source->file, &source->recording.roles);
  const double most = options->real(options, "most_memory");
  if (bytes <= most * mebibyte) {
    return PF_OK;
  }
  return pf_fail_key(error, PF_STOP, "most_memory",
                     "%.300s: its arrays unpack to %.0f MiB, more than the %.0f MiB of "
                     "most_memory; set that higher if "
                     "the file is what you think it is",
                     source->recording.path, bytes / mebibyte, most);
}

/** What the file has; its archive stays open. */
static pf_status npz_look(const pf_host *host, const pf_options *options, npz *source,
                          pf_error *error)
{
  recording *r = &source->recording;
  pf_status status = recording_create(host, options->string(options, "path"), r, error);
  if (status != PF_OK) {
    return status;
  }
  status = npz_open(host, r->path, &source->file, error);
  if (status != PF_OK) {
    return status;
  }
  status = npz_find_roles(r, &source->file, options, &source->steps, error);
  if (status != PF_OK) {
    return status;
  }
  return npz_check_memory(source, options, error);
}

static pf_status npz_create(const pf_host *host, const pf_options *options, void **self,
                            pf_error *error)
{
  npz *source = host->allocate(host, sizeof *source);
  if (source == NULL) {
    return pf_fail(error, PF_STOP, "out of memory for a source");
  }
  const pf_status status = npz_look(host, options, source, error);
  npz_shut(&source->file);
  if (status != PF_OK) {
    npz_destroy(source);
    return status;
  }
  *self = source;
  return PF_OK;
}

static pf_status npz_read(const void *self, const pf_sink *sink, pf_error *error)
{
  const npz *source = self;
  npz_file file;
  const recording *r = &source->recording;
  pf_status status = npz_open(r->host, r->path, &file, error);
  if (status != PF_OK) {
    return status;
  }
  status = npz_same(&file, &source->file)
               ? npz_hand_over(r, &file, source->steps, sink, error)
               : pf_fail(error, PF_STOP, "%.300s: was replaced while it was being read; try again",
                         r->path);
  npz_close(&file);
  return status;
}

/* ---- descriptor ---- */

static const pf_source_ops npz_ops = {
    .size = sizeof(pf_source_ops),
    .create = npz_create,
    .destroy = npz_destroy,
    .declare = recording_declare,
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
