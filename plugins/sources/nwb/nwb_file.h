/* An NWB 2 file as arrays of one row a step: trials, spike counts of units, series. */
#ifndef PLASTFIT_PLUGINS_NWB_FILE_H
#define PLASTFIT_PLUGINS_NWB_FILE_H

#include "../common/container.h"

extern const container_format nwb_format;

#endif
