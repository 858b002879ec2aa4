/*
 * mat - your own recordings, from .mat files of version 5 to 7.3: variables and fields of structs.
 *
 * mat_arrays.c lists and reads them (matio); the rest is in ../common.
 */
#include "../common/experiments.h"
#include "mat_arrays.h"

TABLE_ARRAYS(mat, "array",
             "the .mat file: arrays with one row a step; with * in its name: all files like it", "",
             TABLE_AXES_OPTION("array"), )

TABLE_SOURCE(mat, "your own recordings: arrays of MATLAB files with one row a step", {0})
