/*
 * What a plugin does beside computing: memory it asks for behind the host's back, files, random
 * numbers, and static variables that change. Seen by counting the calls that the plugin's shared
 * object makes (its table of addresses is pointed to counters of ours, in the child only) and by
 * comparing its writable data before and after.
 */
#ifndef PLASTFIT_CORE_CONFORMANCE_WATCH_H
#define PLASTFIT_CORE_CONFORMANCE_WATCH_H

#include <plastfit/abi/plugin.h>
#include <stdbool.h>

typedef struct cf_watch {
  int64_t n_allocations; /**< malloc and its like, so far */
  int64_t n_live;        /**< of those, not freed yet */
  int64_t n_random;      /**< rand and its like */
  int64_t n_files;       /**< files opened */
} cf_watch;

/** Start counting; false where that cannot be done (a plugin that is linked into the program,
 * another system). */
bool cf_watch_start(const pf_plugin *plugin);
/** So far; all 0 where nothing is counted. */
cf_watch cf_watch_now(void);

/** The plugin's static variables, as they are; NULL where there are none to see. The caller frees
 * with free(). */
char *cf_statics_copy(const pf_plugin *plugin);
/** Are they as in `before`? `before` MAY be NULL. */
bool cf_statics_same(const pf_plugin *plugin, const char *before);

#endif
