/* In what two readings of data differ. */
#ifndef PLASTFIT_CORE_DATA_DIFFERENCE_H
#define PLASTFIT_CORE_DATA_DIFFERENCE_H

#include "core/data/dataset.h"

/** The first thing that makes their scores incomparable, in words, with the recording; "" where
 * there is none. */
void pf_dataset_difference(const pf_dataset *a, const pf_dataset *b, char *text, size_t capacity);

#endif
