/*
 * The model is a run's, the data or the task are others. Both are said by configs, so the two are
 * put together as one: that of the data, in which the run's groups take the place of its own.
 */
#ifndef PLASTFIT_CORE_CLI_RUN_CONFIG_H
#define PLASTFIT_CORE_CLI_RUN_CONFIG_H

#include "core/config/config.h"

/** config.cfg of a run folder. */
pf_status pf_run_config_read(const char *run, pf_config **out, pf_error *error);
/** Does the file's name say that it is a config? Everything else is a file of data. */
bool pf_run_config_is_one(const char *path);
/** The run's config, its source replaced by the file's: which plugin reads it, its suffix says. */
pf_status pf_run_config_file(pf_config *config, const char *path, pf_error *error);
/** `config`, read from `path`: everything but the source replaced by the run's. */
pf_status pf_run_config_data(pf_config *config, const pf_config *run, const char *path,
                             pf_error *error);
/** What the source of `config` does not say of inputs and expected reward is as the run had it. */
pf_status pf_run_config_inputs(pf_config *config, const pf_config *run, pf_error *error);
/** Masks drawn with a density are the model's: whatever seed the data have, they stay those of the
 * run. */
pf_status pf_run_config_keep_masks(pf_config *config, double seed, pf_error *error);

#endif
