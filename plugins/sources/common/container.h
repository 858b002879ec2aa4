/*
 * Named arrays of one file (npy, npz, mat, hdf5, nwb, JSON lines): what a reader of such files
 * offers, and all that the rest knows of it. rows.c makes rows of them.
 */
#ifndef PLASTFIT_PLUGINS_SOURCES_CONTAINER_H
#define PLASTFIT_PLUGINS_SOURCES_CONTAINER_H

#include <plastfit/abi/options.h>

/** What the axes of an array of three dimensions are. */
enum container_axis { CONTAINER_TRIALS, CONTAINER_STEPS, CONTAINER_CELLS, CONTAINER_AXES };

/** An array as it stands in the file: rows, and numbers side by side in a row. */
typedef struct container_array {
  char *name;
  char *why; /**< NULL, or why it cannot be used: told when somebody asks for it */
  int is_text;
  int n_dims;   /**< 0: one value, the same at every step */
  int64_t rows; /**< first dimension; 1 of one value */
  int64_t columns;
  double stored; /**< bytes that are taken while it is read, beside its values */
  int64_t at;    /**< the reader's own: where it is in the file */
  int64_t
      axes[CONTAINER_AXES]; /**< of three dimensions: numbers along trials, steps and cells... */
  int64_t apart[CONTAINER_AXES]; /**< ...and how far apart neighbours are in what is read */
  int64_t trial_of; /**< it is made, not read: which trial a row is of, of so many steps each */
} container_array;

typedef struct container container;

/** A kind of file. */
typedef struct container_format {
  const char *word; /**< what an array is called in messages and options: "array", "column" */
  const char *has;  /**< "it has" */
  int first;        /**< the number of the first row: 0 as in Python, 1 as in MATLAB */
  int row_vectors;  /**< a matrix of one row is a vector */
  int is_joined;    /**< files of a pattern are arrays beside one another */
  int has_steps;    /**< it has the option `steps` */
  int has_axes;     /**< it has the option `axes` */
  int has_rate;     /**< it has the option `sample_rate` */
  /** Open container->path and list its arrays with container_add. On failure `close` follows. */
  pf_status (*open)(container *of, pf_error *error);
  void (*close)(container *of);
  /** Numbers of array i, [rows][columns]; NaN where one is missing. */
  pf_status (*numbers)(const container *of, size_t i, double *out, pf_error *error);
  /** Texts of array i, [rows][columns], made with container_text; NULL: "". */
  pf_status (*texts)(const container *of, size_t i, char **out, pf_error *error);
} container_format;

/** What the config says to the reader. */
typedef struct container_choices {
  char *steps;        /**< of NWB and npy: what a step is; "" by default */
  double sample_rate; /**< of npy: samples a second; 0: not said */
  int has_axes;
  int axes[CONTAINER_AXES]; /**< of arrays of three dimensions: what each is, enum container_axis */
  double most_memory;       /**< bytes that what is used may take */
} container_choices;

struct container {
  const pf_host *host;
  const char *path; /**< the caller's */
  const container_format *format;
  const container_choices *choices;
  void *file; /**< the reader's own */
  container_array *arrays;
  size_t n, capacity;
};

/** Open a file. On failure there is nothing to close. */
pf_status container_open(const pf_host *host, const char *path, const container_format *format,
                         const container_choices *choices, container *out, pf_error *error);
void container_close(container *of);
/** Another array, its name copied: the last one. NULL: out of memory, said. */
container_array *container_add(container *of, const char *name, pf_error *error);
/**
 * The last array has three dimensions, read with `sizes`, the last fastest; file_axis: which axis
 * of the file each is. A row is then a step of a trial, a column a cell; refused where the option
 * `axes` does not say which is which.
 */
pf_status container_fold(container *of, const int64_t *sizes, const int *file_axis,
                         pf_error *error);
/** Numbers of such an array as they were read into rows and columns. */
void container_unfold(const container_array *array, const double *read, double *out);
/** Why array i cannot be used. */
PF_PRINTF(4, 5)
pf_status container_refuse_array(container *of, size_t i, pf_error *error, const char *format, ...);
/** Why the last one cannot. */
#define container_refuse(of, error, ...) \
  container_refuse_array((of), (of)->n - 1, (error), __VA_ARGS__)
/** A copy of a text's first n bytes, ended by 0; NULL: out of memory. */
char *container_text(const pf_host *host, const char *text, size_t n);
/** The index of the array of this name, or -1. */
int64_t container_index(const container *of, const char *name);

#endif
