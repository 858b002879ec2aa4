/* Does HDF5 get through a file? Tried in a child, since a damaged one can end the program in it. */
#ifndef PLASTFIT_PLUGINS_SOURCES_H5_TRIAL_H
#define PLASTFIT_PLUGINS_SOURCES_H5_TRIAL_H

/**
 * HDF5 1.10 reads beyond memory where texts of any length, of a dataset or an attribute, point to a
 * damaged heap (tests/fuzz). A child opens the file, and reads all of these. 0: it crashed, or took
 * a minute.
 */
int h5_survives(const char *path);

#endif
