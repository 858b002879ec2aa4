/*
 * What lies in a folder of results, and what of it is plastfit's.
 *
 * A folder that plastfit made holds the file ".plastfit", its mark. Only such a folder is ever
 * replaced or deleted, and only as long as every file in it is one that plastfit writes.
 */
#ifndef PLASTFIT_CORE_STORE_FOLDER_CONTENTS_H
#define PLASTFIT_CORE_STORE_FOLDER_CONTENTS_H

#include <plastfit/abi/base.h>
#include <stdbool.h>

#define PF_FOLDER_MARK ".plastfit"

enum pf_folder_state {
  PF_FOLDER_NONE,       /**< there is nothing of that name */
  PF_FOLDER_EMPTY,      /**< a folder with nothing in it */
  PF_FOLDER_OURS,       /**< marked, and every file in it is one that plastfit writes */
  PF_FOLDER_FOREIGN,    /**< it holds a file that plastfit does not write: `stranger` */
  PF_FOLDER_UNMARKED,   /**< files have names that plastfit uses, but it did not make the folder */
  PF_FOLDER_FILE,       /**< no folder */
  PF_FOLDER_UNREADABLE, /**< errno says why */
};

typedef struct pf_folder_contents {
  enum pf_folder_state state;
  bool complete;      /**< OURS: the mark says that everything was written */
  char stranger[128]; /**< FOREIGN, UNMARKED: a file in it */
} pf_folder_contents;

pf_folder_contents pf_folder_look(const char *path);
/** Jobs in `path`/jobs; -1: there is no such folder. */
long pf_folder_count_jobs(const char *path);
/** Writes the mark: who writes here, and whether everything was written. PF_STOP with the line. */
pf_status pf_folder_write_mark(const char *path, bool complete, pf_error *error);
/** Who writes there, "process 123 on host lab1"; "another process" where the mark does not say. */
void pf_folder_writer(const char *path, char *text, size_t capacity);
/** Deletes what plastfit writes, and the folder. -1, with errno: not all could be deleted. */
int pf_folder_delete(const char *path);
/** The same of `path`/jobs alone. */
int pf_folder_delete_jobs(const char *path);
/** Every file and folder in it, and it itself, is on the disk. PF_STOP with the line. */
pf_status pf_folder_sync(const char *path, pf_error *error);
/** The folder that holds `path` is on the disk: a rename in it lasts. */
pf_status pf_folder_sync_parent(const char *path, pf_error *error);

#endif
