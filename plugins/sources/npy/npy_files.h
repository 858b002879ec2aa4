/* Bare .npy files beside one another: each is an array, named as its file is. */
#ifndef PLASTFIT_PLUGINS_NPY_FILES_H
#define PLASTFIT_PLUGINS_NPY_FILES_H

#include "../common/npy.h"

extern const container_format npy_format;

#endif
