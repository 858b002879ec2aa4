/*
 * The names of data that the host itself knows: of targets ("choice", "activity"), of channels
 * ("reward", "expected_reward", and "choice" as a modulator), and of the signal that every
 * population has ("activity"). All other names of data are the config's and the plugins'.
 */
#ifndef PLASTFIT_CORE_DATA_DATA_NAMES_H
#define PLASTFIT_CORE_DATA_DATA_NAMES_H

#include <stdbool.h>

bool pf_is_choice(const char *name);
bool pf_is_activity(const char *name);
bool pf_is_reward(const char *name);
bool pf_is_expected_reward(const char *name);

#endif
