#include "h5_arrays.h"

#include "h5_trial.h"

#include <errno.h>
#include <math.h>
#include <string.h>

enum { H5_MOST_OBJECTS = 100000 };

/* ---- the file ---- */

pf_status h5_open(const char *path, const char *kind, h5_file *out, pf_error *error)
{
  out->file = -1;
  (void)H5Eget_auto2(H5E_DEFAULT, &out->printing, &out->printing_data);
  (void)H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
  FILE *file = fopen(path, "rb");
  if (file == NULL) {
    return pf_fail(error, PF_STOP, "%.300s: cannot be opened: %s", path, strerror(errno));
  }
  (void)fclose(file);
  if (!h5_survives(path)) {
    return pf_fail(error, PF_STOP,
                   "%.300s: is damaged so that the HDF5 library crashes on it, or takes a minute",
                   path);
  }
  out->file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
  return out->file >= 0
             ? PF_OK
             : pf_fail(error, PF_STOP,
                       "%.300s: is no %s file that can be read: it is no HDF5, or it is cut off or "
                       "damaged",
                       path, kind);
}

void h5_close(h5_file *file)
{
  if (file->file >= 0) {
    (void)H5Fclose(file->file);
  }
  (void)H5Eset_auto2(H5E_DEFAULT, file->printing, file->printing_data);
}

/* ---- what a dataset is ---- */

/** Every link of the path stays in the file. */
int h5_has(hid_t file, const char *path)
{
  char part[1000];
  for (size_t n = 1; n < sizeof part - 1; n++) {
    if (path[n - 1] != '\0' && path[n] != '/' && path[n] != '\0') {
      continue;
    }
    memcpy(part, path, n);
    part[n] = '\0';
    H5L_info_t link;
    if (strcmp(part, "/") != 0 &&
        (H5Lexists(file, part, H5P_DEFAULT) <= 0 ||
         H5Lget_info(file, part, &link, H5P_DEFAULT) < 0 || link.type == H5L_TYPE_EXTERNAL)) {
      return 0;
    }
    if (path[n] == '\0') {
      return H5Oexists_by_name(file, path, H5P_DEFAULT) > 0;
    }
  }
  return 0;
}

/** Do the bits of a number lie within its bytes? HDF5 does not ask, and reads beyond them. */
static int has_bits_within(hid_t type, H5T_class_t class)
{
  const size_t bits = 8 * H5Tget_size(type), precision = H5Tget_precision(type);
  const int offset = H5Tget_offset(type);
  size_t sign = 0, exponent = 0, n_exponent = 0, mantissa = 0, n_mantissa = 0;
  if (bits > 128 || precision == 0 || precision > bits || offset < 0 ||
      (size_t)offset > bits - precision) {
    return 0;
  }
  if (class == H5T_INTEGER) {
    return 1;
  }
  return H5Tget_fields(type, &sign, &exponent, &n_exponent, &mantissa, &n_mantissa) >= 0 &&
         sign < precision && n_exponent <= precision && exponent <= precision - n_exponent &&
         n_mantissa <= precision && mantissa <= precision - n_mantissa;
}

/** Numbers, booleans (an enumeration of whole numbers) or text; 0: another type. */
static int is_readable_type(hid_t type, int *is_text)
{
  const H5T_class_t class = H5Tget_class(type);
  *is_text = class == H5T_STRING;
  return *is_text || class == H5T_ENUM ||
         ((class == H5T_INTEGER || class == H5T_FLOAT) && has_bits_within(type, class));
}

/** A compressed chunk is unpacked whole: one of more bytes than the budget is refused. */
static int has_huge_chunks(hid_t dataset, hid_t type, double most_bytes)
{
  hsize_t sizes[H5S_MAX_RANK];
  const hid_t made = H5Dget_create_plist(dataset);
  double bytes = 0.0;
  if (made >= 0 && H5Pget_layout(made) == H5D_CHUNKED) {
    const int rank = H5Pget_chunk(made, H5S_MAX_RANK, sizes);
    bytes = (double)H5Tget_size(type);
    for (int k = 0; k < rank; k++) {
      bytes *= (double)sizes[k];
    }
  }
  if (made >= 0) {
    (void)H5Pclose(made);
  }
  return bytes > most_bytes;
}

static void take_sizes(hid_t space, const char *label, h5_shape *shape)
{
  hsize_t sizes[H5S_MAX_RANK] = {0};
  const int rank = H5Sget_simple_extent_ndims(space);
  if (rank < 0 || H5Sget_simple_extent_dims(space, sizes, NULL) != rank || rank > 2) {
    (void)snprintf(shape->why, sizeof shape->why,
                   "%.220s: has %d dimensions; expected [steps] or [steps][columns]", label, rank);
    for (int k = 0; k < 3 && rank == 3; k++) {
      shape->sizes[k] = sizes[k] > INT64_MAX / 64 ? INT64_MAX / 64 : (int64_t)sizes[k];
    }
    return;
  }
  shape->n_dims = rank;
  shape->rows = rank == 0 ? 1 : (int64_t)sizes[0];
  shape->columns = rank < 2 ? 1 : (int64_t)sizes[1];
  if (sizes[0] > INT64_MAX / 64 || (rank == 2 && sizes[1] > INT64_MAX / 64)) {
    (void)snprintf(shape->why, sizeof shape->why, "%.220s: is larger than can be meant", label);
  }
}

h5_shape h5_shape_of(hid_t file, const char *path, const char *label, double most_bytes)
{
  h5_shape shape = {.rows = 0};
  const hid_t dataset = H5Dopen2(file, path, H5P_DEFAULT);
  if (dataset < 0) {
    (void)snprintf(shape.why, sizeof shape.why,
                   "%.220s: cannot be read: it is no dataset, or the "
                   "file is damaged",
                   label);
    return shape;
  }
  const hid_t type = H5Dget_type(dataset), space = H5Dget_space(dataset);
  if (type < 0 || space < 0) {
    (void)snprintf(shape.why, sizeof shape.why, "%.220s: cannot be read, the file is damaged",
                   label);
  } else if (!is_readable_type(type, &shape.is_text)) {
    (void)snprintf(shape.why, sizeof shape.why,
                   "%.220s: holds neither numbers nor text (references and structures are not "
                   "read)",
                   label);
  } else if (has_huge_chunks(dataset, type, most_bytes)) {
    (void)snprintf(shape.why, sizeof shape.why, "%.220s: is stored in pieces above most_memory",
                   label);
  } else {
    take_sizes(space, label, &shape);
  }
  if (space >= 0) {
    (void)H5Sclose(space);
  }
  if (type >= 0) {
    (void)H5Tclose(type);
  }
  (void)H5Dclose(dataset);
  return shape;
}

/* ---- values ---- */

static pf_status cannot_read(const container *of, const char *path, pf_error *error)
{
  return pf_fail(error, PF_STOP, "%.300s: %s '%.100s' cannot be read; the file is damaged",
                 of->path, of->format->word, path);
}

/** The memory type that a dataset of numbers is read through: double, but of an enumeration (numpy
 * writes booleans as one) its whole numbers, which are then converted in place. */
static int read_as_numbers(hid_t dataset, hid_t type, int64_t n, double *out)
{
  if (H5Tget_class(type) != H5T_ENUM) {
    return H5Dread(dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, out) >= 0;
  }
  const size_t item = H5Tget_size(type);
  const hid_t base = H5Tget_super(type);
  if (base < 0) {
    return 0;
  }
  int done = item <= sizeof(double) &&
             H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, out) >= 0 &&
             H5Tconvert(base, H5T_NATIVE_DOUBLE, (size_t)n, out, NULL, H5P_DEFAULT) >= 0;
  (void)H5Tclose(base);
  return done;
}

static int64_t cells_of(hid_t dataset)
{
  const hid_t space = H5Dget_space(dataset);
  if (space < 0) {
    return -1;
  }
  const int64_t n = (int64_t)H5Sget_simple_extent_npoints(space);
  (void)H5Sclose(space);
  return n;
}

pf_status h5_numbers(const container *of, hid_t file, const char *path, double *out,
                     pf_error *error)
{
  const hid_t dataset = H5Dopen2(file, path, H5P_DEFAULT);
  if (dataset < 0) {
    return cannot_read(of, path, error);
  }
  const hid_t type = H5Dget_type(dataset);
  const int done = type >= 0 && read_as_numbers(dataset, type, cells_of(dataset), out);
  if (type >= 0) {
    (void)H5Tclose(type);
  }
  (void)H5Dclose(dataset);
  return done ? PF_OK : cannot_read(of, path, error);
}

/** Texts of one length each: `width` bytes a cell. */
static pf_status read_fixed_texts(const container *of, hid_t dataset, size_t width, int64_t n,
                                  char **out, pf_error *error)
{
  const pf_host *host = of->host;
  if ((double)width * (double)n > of->choices->most_memory) {
    return pf_fail(error, PF_STOP, "%.300s: texts of %zu bytes in %lld cells, above most_memory",
                   of->path, width, (long long)n);
  }
  char *cells = host->allocate(host, width * (size_t)n + 1);
  const hid_t memory = H5Tcopy(H5T_C_S1);
  pf_status status = PF_OK;
  if (cells == NULL || memory < 0 || H5Tset_size(memory, width) < 0 ||
      H5Tset_strpad(memory, H5T_STR_NULLPAD) < 0) {
    status = pf_fail(error, PF_STOP, "%.300s: out of memory for texts", of->path);
  } else {
    const hid_t type = H5Dget_type(dataset);
    (void)H5Tset_cset(memory, H5Tget_cset(type));
    (void)H5Tclose(type);
    if (H5Dread(dataset, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, cells) < 0) {
      status = cannot_read(of, "", error);
    }
  }
  for (int64_t k = 0; k < n; k++) {
    if (status != PF_OK) {
      break;
    }
    const char *text = cells + (size_t)k * width;
    size_t length = 0;
    while (length < width && text[length] != '\0') {
      length++;
    }
    out[k] = container_text(host, text, length);
    if (out[k] == NULL) {
      status = pf_fail(error, PF_STOP, "%.300s: out of memory for texts", of->path);
    }
  }
  if (memory >= 0) {
    (void)H5Tclose(memory);
  }
  host->release(host, cells);
  return status;
}

/** Texts of any length: HDF5 makes them, and they are copied. */
static pf_status read_free_texts(const container *of, hid_t dataset, hid_t type, int64_t n,
                                 char **out, pf_error *error)
{
  const pf_host *host = of->host;
  char **texts = host->allocate(host, ((size_t)n + 1) * sizeof *texts);
  const hid_t space = H5Dget_space(dataset);
  pf_status status = PF_OK;
  if (texts == NULL || space < 0) {
    status = pf_fail(error, PF_STOP, "%.300s: out of memory for texts", of->path);
  } else if (H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, texts) < 0) {
    status = cannot_read(of, "", error);
  } else {
    for (int64_t k = 0; k < n; k++) {
      out[k] = container_text(host, texts[k] == NULL ? "" : texts[k],
                              texts[k] == NULL ? 0 : strlen(texts[k]));
      if (out[k] == NULL) {
        status = pf_fail(error, PF_STOP, "%.300s: out of memory for texts", of->path);
        break;
      }
    }
    (void)H5Dvlen_reclaim(type, space, H5P_DEFAULT, texts);
  }
  if (space >= 0) {
    (void)H5Sclose(space);
  }
  host->release(host, texts);
  return status;
}

pf_status h5_texts(const container *of, hid_t file, const char *path, int64_t n, char **out,
                   pf_error *error)
{
  const hid_t dataset = H5Dopen2(file, path, H5P_DEFAULT);
  if (dataset < 0) {
    return cannot_read(of, path, error);
  }
  const hid_t type = H5Dget_type(dataset);
  pf_status status = PF_OK;
  if (type < 0 || cells_of(dataset) != n) {
    status = cannot_read(of, path, error);
  } else if (H5Tis_variable_str(type) > 0) {
    status = read_free_texts(of, dataset, type, n, out, error);
  } else {
    status = read_fixed_texts(of, dataset, H5Tget_size(type), n, out, error);
  }
  if (type >= 0) {
    (void)H5Tclose(type);
  }
  (void)H5Dclose(dataset);
  return status;
}

/* ---- all datasets ---- */

typedef struct h5_walk {
  h5_take take;
  void *context;
  pf_error *error;
  pf_status status;
  int64_t n;
} h5_walk;

static herr_t visit_object(hid_t group, const char *name, const H5O_info_t *info, void *payload)
{
  h5_walk *walk = payload;
  (void)group;
  if (info->type != H5O_TYPE_DATASET) {
    return 0;
  }
  if (walk->n++ >= H5_MOST_OBJECTS) {
    walk->status =
        pf_fail(walk->error, PF_STOP, "more than %d datasets in one file", (int)H5_MOST_OBJECTS);
    return -1;
  }
  walk->status = walk->take(walk->context, name, walk->error);
  return walk->status == PF_OK ? 0 : -1;
}

pf_status h5_each_dataset(const char *file_path, hid_t group, h5_take take, void *context,
                          pf_error *error)
{
  h5_walk walk = {.take = take, .context = context, .error = error};
  if (H5Ovisit2(group, H5_INDEX_NAME, H5_ITER_INC, visit_object, &walk, H5O_INFO_BASIC) < 0) {
    return walk.status != PF_OK ? walk.status
                                : pf_fail(error, PF_STOP,
                                          "%.300s: its datasets cannot be listed; the file is "
                                          "damaged",
                                          file_path);
  }
  return PF_OK;
}

/* ---- attributes ---- */

static hid_t open_attribute(hid_t file, const char *path, const char *name)
{
  return H5Aexists_by_name(file, path, name, H5P_DEFAULT) > 0
             ? H5Aopen_by_name(file, path, name, H5P_DEFAULT, H5P_DEFAULT)
             : -1;
}

/** One text of any length. */
static void read_free_attribute(hid_t attribute, hid_t type, char *text, size_t capacity)
{
  char *own = NULL;
  if (H5Aread(attribute, type, (void *)&own) >= 0 && own != NULL) {
    (void)snprintf(text, capacity, "%s", own);
    (void)H5free_memory(own);
  }
}

void h5_attribute_text(hid_t file, const char *path, const char *name, char *text, size_t capacity)
{
  text[0] = '\0';
  const hid_t attribute = open_attribute(file, path, name);
  if (attribute < 0) {
    return;
  }
  const hid_t type = H5Aget_type(attribute), space = H5Aget_space(attribute);
  const int is_one = space >= 0 && H5Sget_simple_extent_npoints(space) == 1;
  if (type >= 0 && is_one && H5Tget_class(type) == H5T_STRING) {
    char fixed[512] = "";
    if (H5Tis_variable_str(type) > 0) {
      read_free_attribute(attribute, type, text, capacity);
    } else if (H5Tget_size(type) < sizeof fixed && H5Aread(attribute, type, fixed) >= 0) {
      (void)snprintf(text, capacity, "%s", fixed);
    }
  }
  if (space >= 0) {
    (void)H5Sclose(space);
  }
  if (type >= 0) {
    (void)H5Tclose(type);
  }
  (void)H5Aclose(attribute);
}

double h5_attribute_number(hid_t file, const char *path, const char *name)
{
  double value = (double)NAN;
  const hid_t attribute = open_attribute(file, path, name);
  if (attribute < 0) {
    return value;
  }
  const hid_t space = H5Aget_space(attribute);
  if (space >= 0 && H5Sget_simple_extent_npoints(space) == 1) {
    double read = 0.0;
    value = H5Aread(attribute, H5T_NATIVE_DOUBLE, &read) >= 0 ? read : value;
  }
  if (space >= 0) {
    (void)H5Sclose(space);
  }
  (void)H5Aclose(attribute);
  return value;
}
