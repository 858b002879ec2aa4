/*
 * A run folder appears whole or not at all. Files are written into `<out>.part`, which nobody else
 * writes into meanwhile (it is locked), brought to the disk, and put in the place of `out` by one
 * rename. An earlier run there stays until that moment.
 *
 * Nothing is deleted that plastfit did not make: core/store/folder_contents.h.
 */
#ifndef PLASTFIT_CORE_STORE_FOLDER_H
#define PLASTFIT_CORE_STORE_FOLDER_H

#include <plastfit/abi/base.h>
#include <stdbool.h>

typedef struct pf_folder {
  char *out;  /**< where the results go, without trailing slashes */
  char *part; /**< where they are written */
  int lock;   /**< file descriptor of the locked part; meaningless where part is NULL */
} pf_folder;

/**
 * May a run folder be made at `out`? It is free, or empty, or (with force) a folder that plastfit
 * made. Also the name: it can be made, it is not the current folder, it is not too long. Changes
 * nothing.
 */
pf_status pf_folder_check(const char *out, bool force, pf_error *error);
/**
 * Make the parents and an empty `<out>.part`, and lock it: until pf_folder_commit, _end or _forget
 * another process gets a message that it is being written. What a process that died left there is
 * removed, or put in its place where it was whole; a warning says which.
 */
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
/**
 * The same for results that are not whole: where `out` holds a complete run, that one stays, and
 * these go to `<out>.interrupted`. folder->out is then that name.
 */
pf_status pf_folder_commit_interrupted(pf_folder *folder, bool force, pf_error *error);
/**
 * Remember which folder `path` names, before it is read. -1: there is none. To be given to
 * pf_folder_lock and pf_folder_unlock.
 */
int pf_folder_hold(const char *path);
/**
 * Lock it, to write into it: figures, a page, scores. PF_STOP, with the line: another process still
 * writes there after so many seconds, or `path` names another folder by now, because a new run took
 * its place. A file system without locks: on it nobody can tell.
 */
pf_status pf_folder_lock(const char *path, int held, int seconds, pf_error *error);
/** What was written into it is on the disk, and others may write. */
pf_status pf_folder_unlock(const char *path, int held, pf_error *error);
/** Forget it; unlocks it too. */
void pf_folder_let_go(int held);
/** Remove what was written. After a commit: only frees the names. */
void pf_folder_end(pf_folder *folder);

#endif
