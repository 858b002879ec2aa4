/* Clusters of steps that may depend on each other, animals or blocks of trials, and the scores of
 * each. */
#ifndef PLASTFIT_CORE_INTERVALS_CLUSTERS_H
#define PLASTFIT_CORE_INTERVALS_CLUSTERS_H

#include "core/uncertainty/infer_job.h"

/** Which cluster each step of each recording is in. */
typedef struct pf_clusters {
  size_t **of; /**< [n_recordings][n_steps] */
  size_t n_recordings, n;
  bool by_animal; /**< else blocks of trials */
} pf_clusters;

/** Sums over the steps of clusters, at the estimate; zeroed by whoever makes them. */
typedef struct pf_cluster_sums {
  double *scores;      /**< [n clusters][n values] dL / d value */
  double *information; /**< NULL, or [n animals][n][n] Fisher's */
} pf_cluster_sums;

/** By animal, or by blocks of intervals.block trials. On failure too, pf_clusters_clear frees it.
 */
pf_status pf_clusters_find(const pf_infer_job *job, bool by_animal, pf_clusters *out,
                           pf_error *error);
pf_status pf_clusters_sum(const pf_infer_job *job, const pf_clusters *in, pf_cluster_sums *to,
                          pf_error *error);
void pf_clusters_clear(pf_clusters *clusters);

#endif
