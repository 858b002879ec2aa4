/* Opening shared objects. The source file is the one that includes ltdl.h. */
#ifndef PLASTFIT_CORE_PLUGIN_LOADER_H
#define PLASTFIT_CORE_PLUGIN_LOADER_H

#include <plastfit/abi/plugin.h>

/** Calls are counted: each start needs its stop. Not for several threads at once, as libltdl is
 * not. */
pf_status pf_loader_start(pf_error *error);
void pf_loader_stop(void);

/** File name ("oja.a") of a module that was linked into the program; NULL: there are not so many.
 */
const char *pf_loader_preloaded(size_t index);
/** Open `file` and ask it for its descriptor. *handle is for pf_loader_close. The line names the
 * file and the cause. */
pf_status pf_loader_open(const char *file, void **handle, const pf_plugin **plugin,
                         pf_error *error);
/** Try in a child process whether `file` can be opened: core/plugin/trial.h. */
pf_status pf_loader_try(const char *file, pf_error *error);
void pf_loader_close(void *handle);

#endif
