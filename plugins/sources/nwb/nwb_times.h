/* Steps in time: trials, epochs, frames of a series, bins; and what of a train of spikes, a series
 * of samples or a table of trials falls into each. */
#ifndef PLASTFIT_PLUGINS_NWB_TIMES_H
#define PLASTFIT_PLUGINS_NWB_TIMES_H

#include <stddef.h>
#include <stdint.h>

/** Step k lasts from start[k] to before stop[k], in seconds. */
typedef struct nwb_clock {
  double *start, *stop; /**< [n] */
  int64_t n;
} nwb_clock;

/** Samples in order of time. */
typedef struct nwb_samples {
  const double *times;  /**< [n] */
  const double *values; /**< [n][columns] */
  int64_t n, columns;
} nwb_samples;

/** Do they never go back? NaN is none. */
int nwb_is_in_order(const double *times, int64_t n);
void nwb_sort(double *times, int64_t n);
/** How many times are before t. */
int64_t nwb_before(const double *times, int64_t n, double t);
/** Frames last until the next one begins, the last as long as the one before it. */
void nwb_frames(const double *times, nwb_clock *clock);
/** Trials without a stop last until the next begins; those that never end until the end of time. */
void nwb_mend_stops(nwb_clock *clock);
/** Spikes (in order) of each step into out[k * stride]. */
void nwb_count_spikes(const nwb_clock *clock, const double *spikes, int64_t n, double *out,
                      int64_t stride);
/** Means of the samples that are there in each step, NaN where none is. */
void nwb_average(const nwb_clock *clock, const nwb_samples *samples, double *out);
/** The last row of `table` that has begun and not ended when each step begins, or -1. */
void nwb_rows_at(const nwb_clock *clock, const nwb_clock *table, int64_t *out);

#endif
