/*
 * What a symmetric positive semidefinite matrix I [n][n] says about n values: which directions are
 * determined, and which are free.
 *
 * Values have scales of their own, so I is scaled first: S = D I D, D = diag(I)^(-1/2), a matrix
 * with ones on its diagonal whose eigenvalues sum to the number of values and do not depend on
 * units. A direction u with S u = lambda u and lambda <= cut is free: moving the values along D u
 * changes nothing. A value of which I_kk is 0 is free by itself.
 *
 * The free directions span the null space. A linear combination c'v is determined if and only if c
 * is orthogonal to all of it; values that hang together in it make a group, with a basis of the
 * combinations of them that are determined, with as few values in each as elimination gives.
 */
#ifndef PLASTFIT_CORE_UNCERTAINTY_SPECTRUM_H
#define PLASTFIT_CORE_UNCERTAINTY_SPECTRUM_H

#include <plastfit/abi/base.h>
#include <stdbool.h>

/** Values that are not identified one by one, but in combinations. */
typedef struct pf_unidentified_subspace {
  size_t *values; /**< [n_values] ascending */
  size_t n_values;
  double *combinations;  /**< [n_combinations][n_values]: what is determined; first coefficient that
                            is not 0 is 1 */
  double *se;            /**< [n_combinations] standard errors of them */
  size_t n_combinations; /**< 0: nothing of these values is determined */
} pf_unidentified_subspace;

typedef struct pf_spectrum {
  size_t n;
  double *eigenvalues; /**< [n] of S, ascending; those of values without information are 0 and come
                          first */
  double *vectors;     /**< [n][n] row i: direction i in terms of the scaled values; of length 1 */
  double *scale;       /**< [n] D; 0 where I_kk is 0 */
  double rank_tolerance;
  size_t n_free;    /**< eigenvalues <= cut */
  bool *identified; /**< [n] is the value itself determined? */
  pf_unidentified_subspace *subspaces;
  size_t n_subspaces;
  double condition; /**< largest eigenvalue over the smallest above the cut; NaN where none is */
} pf_spectrum;

/** PF_STOP: no memory; PF_POINT_FAILED: I is not finite. */
pf_status pf_spectrum_create(const double *information, size_t n, double rank_tolerance,
                             pf_spectrum **out, pf_error *error);
/** The same at `values` [n], by whose sizes too it is told whether there is information of a value.
 */
pf_status pf_spectrum_create_at(const double *information, const double *values, size_t n,
                                double rank_tolerance, pf_spectrum **out, pf_error *error);
void pf_spectrum_free(pf_spectrum *spectrum);
/** covariance [n][n]: the pseudoinverse of I over what is above the cut; rows of values not
 * identified are its too. */
void pf_spectrum_covariance(const pf_spectrum *spectrum, double *covariance);
/** The group of a value, or NULL: it is identified. */
const pf_unidentified_subspace *pf_spectrum_subspace(const pf_spectrum *spectrum, size_t k);
/**
 * "only a + 0.75 b is determined", "nothing of a is determined", with the names [n] of all values;
 * of the combinations those in which value k is (PF_WHOLE_SUBSPACE: all). What does not fit in the
 * text ends in "...".
 */
enum { PF_WHOLE_SUBSPACE = -1 };
void pf_subspace_print(const pf_unidentified_subspace *subspace, const char *const *names,
                       int64_t k, char *text, size_t capacity);

#endif
