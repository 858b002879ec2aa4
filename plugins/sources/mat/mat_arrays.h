/* The variables of a .mat file as arrays, fields of structs by path, elements of struct and cell
 * arrays below one another. */
#ifndef PLASTFIT_PLUGINS_MAT_ARRAYS_H
#define PLASTFIT_PLUGINS_MAT_ARRAYS_H

#include "../common/container.h"

extern const container_format mat_format;

#endif
