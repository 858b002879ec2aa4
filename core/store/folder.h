/*
 * A run folder appears whole or not at all: files are written into `<out>.part`, which is renamed
 * at the end. Nothing is deleted that plastfit did not write: a folder with any other file in it is
 * refused.
 */
#ifndef PLASTFIT_CORE_STORE_FOLDER_H
#define PLASTFIT_CORE_STORE_FOLDER_H

#include <plastfit/abi/base.h>
#include <stdbool.h>

typedef struct pf_folder {
  char *out;  /**< where the results go, without trailing slashes */
  char *part; /**< where they are written */
} pf_folder;

/** May a run folder be made at `out`? It is free, or empty, or (with force) a run folder of ours.
 * Changes nothing. */
pf_status pf_folder_check(const char *out, bool force, pf_error *error);
/** Make the parents and an empty `<out>.part`; what an interrupted run left there is removed. */
pf_status pf_folder_begin(const char *out, bool force, pf_folder *folder, pf_error *error);
/**
 * As pf_folder_begin, with a folder `jobs` in it for what is done bit by bit (files NAME.job). What
 * an interrupted one left there is kept with `resume`; without it, it is an error unless `force`.
 */
pf_status pf_folder_begin_jobs(const char *out, bool force, bool resume, pf_folder *folder,
                               pf_error *error);
/** Remove the folder `jobs`, before pf_folder_commit. */
pf_status pf_folder_end_jobs(const pf_folder *folder, pf_error *error);
/** Leave everything where it is, to be resumed; frees the names. */
void pf_folder_forget(pf_folder *folder);
/** Path of a file in the folder being written, to be freed with pf_memory_free, or NULL with the
 * line written. */
char *pf_folder_path(const pf_folder *folder, const char *name, pf_error *error);
/** Put the folder in its place; with force, an earlier run there is replaced and then deleted. */
pf_status pf_folder_commit(pf_folder *folder, bool force, pf_error *error);
/** Remove what was written. After a commit: only frees the names. */
void pf_folder_end(pf_folder *folder);

#endif
