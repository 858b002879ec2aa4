/*
 * A particle filter: the likelihood of what an animal did where its inputs, or the weights that it
 * started with, are not known (Gordon, Salmond & Smith 1993).
 *
 * A particle is one guess of everything that was not recorded: the noise behind the starting
 * weights, the inputs so far, and what follows from them: weights, traces, the state of the
 * network. All particles go forward one step at a time. Each step says how well every particle
 * predicted what was recorded; the mean of that over particles, weighted by how well they predicted
 * before, is the predictive probability of the step, and the product of these is the likelihood.
 * Where few particles have nearly all the weight, they are drawn anew
 * (core/particles/particle_weights.h).
 *
 * A network, a rule, a loss is run as everywhere else: the particles are rows of a workspace, as if
 * they were steps, so that what no plastic weight influences is evaluated for all of them in one
 * call. Random numbers are a function of (stream, step, particle), so they need not be kept.
 */
#ifndef PLASTFIT_CORE_PARTICLES_FILTER_H
#define PLASTFIT_CORE_PARTICLES_FILTER_H

#include "core/base/random.h"
#include "core/state/draw.h"

/** What is not known of a recording. */
typedef struct pf_unknowns {
  double mean, sd; /**< x = mean cue + sd noise; sd 0: the inputs are those of the draw */
  bool missing;    /**< some cues were not recorded: pf_recording_input has their distribution */
  int64_t known_noise; /**< of the numbers behind the starting weights, the first so many are known
                          and are the draw's; model->n_noise: all */
} pf_unknowns;

/** The sd of the inputs' noise is that of theta where it is a parameter (and inputs have noise). */
void pf_unknowns_set(const pf_model *model, const double *theta, pf_unknowns *unknowns);
/** Is anything unknown, so that particles differ? */
bool pf_unknowns_any(const pf_model *model, const pf_unknowns *unknowns);

/** Memory of one thread. */
typedef struct pf_filter pf_filter;

/** Who is told of the particles' weights. */
typedef struct pf_filter_watcher {
  void *payload;
  /** After every change of the weights; change 0: as they start. pf_filter_weights says what they
   * are. */
  void (*changed)(void *payload, const pf_filter *filter, int64_t change);
} pf_filter_watcher;

typedef struct pf_filter_in {
  const pf_model *model;
  const pf_draw *draw; /**< flags, modulators, targets, what rules see; and what is known */
  const double *theta;
  const double *variance; /**< [n_losses] of losses that are minus a squared error; of others not
                             looked at. NULL: all are log likelihoods */
  pf_unknowns unknowns;
  uint32_t weigh;   /**< PF_STEP_FIT, PF_STEP_SCORE or both: steps whose observations count */
  bool still;       /**< weights stay as they start */
  double threshold; /**< particles are drawn anew where the effective sample size is below this
                       share of them */
  pf_stream stream; /**< its purpose is not looked at */
  const pf_filter_watcher *watcher; /**< NULL: nobody */
} pf_filter_in;

/** What a filter found. Pointers that are NULL are not wanted. */
typedef struct pf_filter_out {
  double log_likelihood;
  double least_share;  /**< the smallest effective sample size, as a share of the particles */
  int64_t n_resampled; /**< how often particles were drawn anew */
  double *predictive;  /**< [n_steps] log of the predictive probability of what was observed; NaN
                          where nothing was weighed */
  double *probability; /**< [n_steps] of a choice, predicted before it is seen; NaN where the
                          network has no such observable */
} pf_filter_out;

/** For n_particles >= 1. */
pf_status pf_filter_create(const pf_model *model, size_t n_particles, pf_filter **out,
                           pf_error *error);
void pf_filter_free(pf_filter *filter);

/**
 * PF_POINT_FAILED, with a line, where no particle can have done what was recorded: every one
 * overflowed, or gives it probability 0.
 */
pf_status pf_filter_run(pf_filter *filter, const pf_filter_in *in, pf_filter_out *out,
                        pf_error *error);
/** Mean and sd over the particles as they are, by their weights, of the synaptic weights of a
 * plastic projection: [n_post][n_pre] each. */
void pf_filter_weights(const pf_filter *filter, size_t plastic, double *mean, double *sd);
/**
 * Draws `n` whole histories of the run that stands in `filter` from what it found, their posterior:
 * inputs and noise of draws[0..n), which are draws of the same recording. `in` as it was.
 */
pf_status pf_filter_draw(const pf_filter *filter, const pf_filter_in *in, pf_draw *const *draws,
                         size_t n, pf_error *error);

#endif
