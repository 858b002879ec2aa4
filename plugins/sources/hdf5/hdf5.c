/*
 * hdf5 - recordings in HDF5 files: datasets by path, one row a step.
 *
 * ../common/h5_arrays.c reads; the rest is in ../common.
 */
#include "../common/experiments.h"
#include "../common/h5_arrays.h"

static pf_status list_dataset(void *context, const char *path, pf_error *error)
{
  container *of = context;
  const h5_file *file = of->file;
  char label[300];
  container_array *array = container_add(of, path, error);
  if (array == NULL) {
    return PF_STOP;
  }
  (void)snprintf(label, sizeof label, "%.150s: dataset '%.60s'", of->path, path);
  const h5_shape shape = h5_shape_of(file->file, path, label, of->choices->most_memory);
  array->is_text = shape.is_text;
  array->n_dims = shape.n_dims;
  array->rows = shape.rows;
  array->columns = shape.columns;
  if (shape.sizes[0] > 0 && !shape.is_text) {
    static const int in_order[] = {0, 1, 2};
    return container_fold(of, shape.sizes, in_order, error);
  }
  return shape.why[0] == '\0' ? PF_OK : container_refuse(of, error, "%s", shape.why);
}

static pf_status open_hdf5(container *of, pf_error *error)
{
  h5_file *file = of->host->allocate(of->host, sizeof *file);
  if (file == NULL) {
    return pf_fail(error, PF_STOP, "%.300s: out of memory", of->path);
  }
  of->file = file;
  if (h5_open(of->path, "HDF5", file, error) != PF_OK ||
      h5_each_dataset(of->path, file->file, list_dataset, of, error) != PF_OK) {
    return PF_STOP;
  }
  return of->n > 0 ? PF_OK : pf_fail(error, PF_STOP, "%.300s: has no dataset in it", of->path);
}

static void close_hdf5(container *of)
{
  if (of->file != NULL) {
    h5_close(of->file);
    of->host->release(of->host, of->file);
  }
}

static pf_status read_numbers(const container *of, size_t i, double *out, pf_error *error)
{
  return h5_numbers(of, ((const h5_file *)of->file)->file, of->arrays[i].name, out, error);
}

static pf_status read_texts(const container *of, size_t i, char **out, pf_error *error)
{
  const container_array *array = &of->arrays[i];
  return h5_texts(of, ((const h5_file *)of->file)->file, array->name, array->rows * array->columns,
                  out, error);
}

static const container_format hdf5_format = {.word = "dataset",
                                             .has = "it has",
                                             .has_axes = 1,
                                             .open = open_hdf5,
                                             .close = close_hdf5,
                                             .numbers = read_numbers,
                                             .texts = read_texts};

TABLE_ARRAYS(hdf5, "dataset",
             "the HDF5 file: datasets with one row a step; with * in its name: all files like it",
             "", TABLE_AXES_OPTION("dataset"), )

static const char *const hdf5_aliases[] = {"h5"};

TABLE_SOURCE(hdf5, "your own recordings: datasets of HDF5 files with one row a step",
             PF_NAMES_OF(hdf5_aliases))
