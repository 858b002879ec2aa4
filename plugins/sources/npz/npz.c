/*
 * npz - your own recordings, from .npz files of numpy arrays with one row a step.
 *
 * zip_arrays.c reads the archive (libzip), ../common/npy.c an array; the rest is in ../common.
 */
#include "../common/experiments.h"
#include "zip_arrays.h"

TABLE_ARRAYS(npz, "array",
             "the .npz file: arrays with one row a step; with * in its name: all files like it", "",
             TABLE_AXES_OPTION("array"), )

TABLE_SOURCE(npz, "your own recordings: .npz files of numpy arrays with one row a step", {0})
