/*
 * trajectories.h5 of a run folder, read. There are two layouts (doc/files.md): each experiment in a
 * group of its own, or, of more than a thousand experiments, packed. Whoever reads goes by the
 * paths of the first, /ANIMAL/experiment_K/..., whichever it is.
 */
#ifndef PLASTFIT_CORE_READERS_TRAJECTORIES_FILE_H
#define PLASTFIT_CORE_READERS_TRAJECTORIES_FILE_H

#include "core/readers/h5_read.h"

typedef struct pf_trajectories_file pf_trajectories_file;

/** As pf_h5_open. */
pf_status pf_trajectories_open(const char *path, pf_trajectories_file **out, pf_error *error);
void pf_trajectories_shut(pf_trajectories_file *file); /**< NULL: does nothing */
/** As pf_h5_children; names are freed with pf_h5_children_free. */
pf_status pf_trajectories_children(pf_trajectories_file *file, const char *path, char ***names,
                                   size_t *n, pf_error *error);
/** As pf_h5_shape. */
bool pf_trajectories_shape(pf_trajectories_file *file, const char *path, pf_h5_array *out);
/** As pf_h5_read. */
bool pf_trajectories_read(pf_trajectories_file *file, const char *path, const size_t *step,
                          pf_h5_array *out);

#endif
