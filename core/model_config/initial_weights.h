/*
 * Initial weights from a file (network.initial_weights.file): CSV with the columns
 *
 *     animal, experiment, projection, post, pre, value
 *
 * `animal` and `experiment` (its index in the animal, from 0) MAY be absent or empty: the row is
 * for all. A projection that the file names has every weight in it; the others start as the network
 * says. A file without these columns is a matrix: of the projection that has its shape.
 */
#ifndef PLASTFIT_CORE_MODEL_CONFIG_INITIAL_WEIGHTS_H
#define PLASTFIT_CORE_MODEL_CONFIG_INITIAL_WEIGHTS_H

#include "core/model/model.h"

/** The weights of one projection, for one experiment, one animal or all. */
typedef struct pf_initial_set {
  char *animal;       /**< "": all */
  int64_t experiment; /**< -1: all */
  int64_t projection, n_post, n_pre;
  double *w;     /**< [n_post][n_pre], NaN while not read */
  int64_t n_set; /**< how many were read */
} pf_initial_set;

typedef struct pf_initial_file {
  char *path;
  pf_initial_set *sets;
  size_t n_sets, capacity;
} pf_initial_file;

/**
 * Read and check against the model's projections; `rows`: what a row of a matrix is ("post", "pre",
 * NULL: not said). Errors, with file and line: no such column or
 * projection, an index out of range, a weight twice, a weight missing, no number.
 */
pf_status pf_initial_file_read(const char *path, const pf_model *model, const char *rows,
                               const pf_host *host, pf_initial_file **out, pf_error *error);
void pf_initial_file_free(pf_initial_file *file);

/**
 * The weights of a projection for a recording: what the file says of its experiment, else of its
 * animal, else of all. *w is NULL where the file does not name the
 * projection; an animal that it leaves out while it has others is an error.
 */
pf_status pf_initial_file_find(const pf_initial_file *file, const pf_model *model,
                               const pf_recording *of, int64_t projection, const double **w,
                               pf_error *error);

/** Projection q of the model's network. */
const pf_projection *pf_projection_at(const pf_model *model, size_t q);
/** The names of all; the caller frees out->items. */
pf_status pf_projection_names(const pf_model *model, pf_names *out, pf_error *error);
/** How many weights projection q of the model has. */
size_t pf_initial_cells(const pf_model *model, size_t q);

/**
 * The weights that the network starts from with these parameters and this noise, projection by
 * projection: *w [n_projections], each dense [n_post][n_pre]; to be freed with
 * pf_initial_weights_free.
 */
pf_status pf_initial_weights(const pf_model *model, const double *theta, const double *noise,
                             pf_real ***w, pf_error *error);
void pf_initial_weights_free(const pf_model *model, pf_real **w);

#endif
