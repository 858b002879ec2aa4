/*
 * plastfit/abi/loss.h - how well observables predict what was recorded.
 *
 * A loss gives, per step, a log likelihood (or minus a squared error), and how
 * many cells it observed there. The host normalises, weights, sums and negates.
 */
#ifndef PLASTFIT_ABI_LOSS_H
#define PLASTFIT_ABI_LOSS_H

#include <plastfit/abi/options.h>
#include <plastfit/abi/parameters.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
  PF_LOSS_LIKELIHOOD = 1,        /**< a log likelihood, so a deviance means something */
  PF_LOSS_SEPARABLE_BY_UNIT = 2, /**< a sum over units: rows may be evaluated apart */
  PF_LOSS_UNEQUAL_CELLS = 4 /**< squared errors whose cells have weights of their own, so that no
                               one variance says how far they scatter */
};

/** Filled by `declare`. */
typedef struct pf_loss_declaration {
  size_t size;
  pf_parameter_table parameters;
  pf_names observables; /**< of the network, in the order of pf_loss_in. "activity": the first
                           plastic layer's */
  pf_names targets;     /**< of the data: "choice", "activity", ... */
  double padded; /**< what one padded cell adds to the log likelihood (normalise = "padded"): -ln 2,
                    0 */
  uint32_t flags;     /**< PF_LOSS_* */
  int64_t n_whitened; /**< columns that `whiten` writes; 0: as many as the first observable has, and
                         column i of a root depends on column i of the tangents alone */
  int64_t n_null_sums; /**< numbers that `null_accumulate` keeps per column of the first target */
} pf_loss_declaration;

/** A range of steps: read only. */
typedef struct pf_loss_in {
  size_t size;
  int64_t n_steps;
  const double *theta;              /**< [n_parameters] of the loss */
  const pf_real *const *observable; /**< [n_observables], each [n_steps][ld_observable[k]] */
  const int64_t *n_observable;      /**< [n_observables] columns */
  const int64_t *ld_observable;
  const pf_real *const *target; /**< [n_targets], each [n_steps][ld_target[k]], NaN where missing */
  const int64_t *n_target;      /**< [n_targets] columns */
  const int64_t *ld_target;
  const uint8_t *scored; /**< [n_steps], 0: leave this step out (0 and count 0); NULL: all */
} pf_loss_in;

/** Where gradients go: +=, NULL means not wanted. */
typedef struct pf_loss_gradient {
  size_t size;
  pf_real *const
      *observable; /**< [n_observables], each [n_steps][ld_observable[k]]; an entry MAY be NULL */
  const int64_t *ld_observable;
  double *theta;
} pf_loss_gradient;

/** Tangents of what a loss sees along n_tangents directions: read only. A NULL plane means zero. */
typedef struct pf_loss_tangent {
  size_t size;
  int64_t n_tangents;
  const pf_real *const
      *observable; /**< [n_observables], each [n_tangents] planes of [n_steps][ld_observable[k]] */
  const int64_t *stride; /**< [n_observables] from one tangent's plane to the next's */
  const double *theta;   /**< [n_tangents][n_parameters] of the loss; NULL: zero */
} pf_loss_tangent;

/** Where `whiten` writes. */
typedef struct pf_loss_roots {
  size_t size;
  pf_real *root;      /**< [n_tangents] planes of `stride`, each [n_steps][ld] */
  int64_t stride, ld; /**< ld at least n_whitened */
} pf_loss_roots;

/**
 * What a loss can do. Of every op here (base.h says it in full):
 *
 * - Returns. PF_OK; PF_POINT_FAILED where these parameter values cannot be gone on with, so that an
 *   optimiser backs off; PF_STOP. With either of these a line in *error (pf_fail).
 * - Memory.  What is handed over is the host's and valid for the call; [hot] ops allocate nothing.
 * - Threads. `create` and `destroy`: one at a time for an object. All others: several at once on
 *   the same object.
 */
typedef struct pf_loss_ops {
  size_t size; /**< sizeof(pf_loss_ops) */

  /* ---- required ---- */

  /**
   * Make an object from its options (checked, defaults filled in; valid during this call only). On
   * failure *self is untouched and nothing leaks. `host` is valid until destroy returns.
   */
  pf_status (*create)(const pf_host *host, const pf_options *options, void **self, pf_error *error);
  /** Free it; self MAY be NULL. */
  void (*destroy)(void *self);
  /** Say what the loss declares; *declared comes zeroed but for size. Tables are the object's,
   * valid until destroy. */
  pf_status (*declare)(const void *self, pf_loss_declaration *declared, pf_error *error);
  /**
   * [hot] Log likelihood [n_steps] of each step and cells observed [n_steps] in it, both
   * overwritten. The counts MUST depend on the targets alone, not on the observables' values.
   */
  pf_status (*evaluate)(const void *self, const pf_loss_in *in, double *log_likelihood,
                        int64_t *count, pf_error *error);
  /** [hot] Adjoint: `cotangent` [n_steps] of the log likelihoods. */
  pf_status (*vjp)(const void *self, const pf_loss_in *in, const double *cotangent,
                   const pf_loss_gradient *gradient, pf_error *error);

  /* ---- optional ---- */

  /**
   * [hot] Tangents scaled by the root of the expected information, overwritten in n_whitened
   * columns: root_k . root_l summed over the columns of a step is
   * E[(d ll / d direction k)(d ll / d direction l)], the step's Fisher information. 0 where nothing
   * was observed. For squared errors: the Gauss-Newton matrix, so that root_k . root_k is the
   * curvature times the squared tangent.
   */
  pf_status (*whiten)(const void *self, const pf_loss_in *in, const pf_loss_tangent *tangent,
                      const pf_loss_roots *out, pf_error *error);
  /**
   * The null model "mean rate", a prediction that is constant in time, in two calls; a loss without
   * them has no such null. `null_accumulate` adds what it needs to know of the steps that
   * in->scored marks, null_sums[n_target[0]][n_null_sums] +=, e.g. how often each choice was made.
   * Observables and theta are NULL here and in `null_evaluate`.
   */
  pf_status (*null_accumulate)(const void *self, const pf_loss_in *in, double *null_sums,
                               pf_error *error);
  /**
   * Log likelihood [n_steps] of each step under the constant that fits the tallied steps best,
   * overwritten, 0 where nothing counts; NaN where there is none, as for an animal that always
   * chose the same.
   */
  pf_status (*null_evaluate)(const void *self, const pf_loss_in *in, const double *null_sums,
                             double *log_likelihood, pf_error *error);
  /**
   * Log likelihood [n_steps] of each step under the saturated model, which predicts every observed
   * cell as well as the distribution allows, overwritten; it follows from the targets, observables
   * and theta are NULL. A deviance is counted from it. NULL: it is 0, as for choices, where a
   * perfect prediction has probability 1, and for squared errors.
   */
  pf_status (*saturate)(const void *self, const pf_loss_in *in, double *log_likelihood,
                        pf_error *error);
  /**
   * The expected value of target 0, [n_steps][ld], overwritten, whatever is scored: what R2
   * compares the recorded values with. NULL: the observable itself is compared, where it has the
   * target's name.
   */
  pf_status (*expect)(const void *self, const pf_loss_in *in, pf_real *expected, int64_t ld,
                      pf_error *error);
} pf_loss_ops;

#ifdef __cplusplus
}
#endif

#endif
