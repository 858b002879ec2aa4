/* A plugin that the user named is opened in a child process first. */
#ifndef PLASTFIT_CORE_PLUGIN_TRIAL_H
#define PLASTFIT_CORE_PLUGIN_TRIAL_H

#include <plastfit/abi/base.h>

/**
 * Opens the shared object `object` in a child, asks it for its descriptor, and waits ten seconds at
 * most. PF_STOP, with the line that names `file`: it exited, crashed, or never came back. PF_OK too
 * where it cannot be opened: the program's own loader says why. No promise against malice: it may
 * behave otherwise the second time.
 */
pf_status pf_plugin_trial(const char *object, const char *file, pf_error *error);

#endif
