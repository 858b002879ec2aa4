/* The arrays of an .npz file: a zip archive of NAME.npy, read by libzip. */
#ifndef PLASTFIT_PLUGINS_NPZ_ZIP_ARRAYS_H
#define PLASTFIT_PLUGINS_NPZ_ZIP_ARRAYS_H

#include "../common/npy.h"

extern const container_format npz_format;

#endif
