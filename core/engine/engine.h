/*
 * The engine: a network with plastic weights simulated through an experiment,
 * and the adjoint of the whole trajectory.
 *
 *   pf_model      what is simulated: network, rules, losses; const once built
 *   pf_draw       what it is simulated on: one experiment with one draw of its inputs
 *   pf_workspace  memory of one thread: trajectory and cotangents
 *   pf_batch      draws that make one objective
 */
#ifndef PLASTFIT_CORE_ENGINE_ENGINE_H
#define PLASTFIT_CORE_ENGINE_ENGINE_H

#include "core/data/dataset.h"
#include "core/plugin/component.h"

/* ---- model ---- */

/** Units [first, first + n). */
typedef struct pf_range {
  int64_t first, n;
} pf_range;

/** A plastic projection, or the rows of one that learn by this rule: several may share a
 * projection. */
typedef struct pf_plastic {
  const pf_component *rule;
  pf_rule_declaration declared;
  int64_t projection; /**< index in the network's table */
  int64_t n_pre, n_post;
  double eta;            /**< synaptic learning rate */
  pf_linear *modulators; /**< [needs.modulators.count] */
  size_t theta0;         /**< first of its parameters in theta */
  pf_range *ranges;      /**< [n_ranges] rows it acts on, ascending and apart from one another's */
  size_t n_ranges;
  int64_t n_traces[4]; /**< of the rule, by enum pf_per */
} pf_plastic;

/** Hard bounds of a projection's weights, by presynaptic unit: see pf_model_bound. */
typedef struct pf_bound {
  pf_real *lower, *upper; /**< [n_pre]; NULL: no bounds */
} pf_bound;

/** Which synapses of a projection there are, and which of them change. */
typedef struct pf_mask {
  pf_real *connected; /**< [n_post][pf_leading_dimension(n_pre)] 0 or 1; where 0: w = 0; NULL: all
                         are there */
  pf_real *changes;   /**< likewise, connected and plastic; where 0: w stays; NULL: all change */
} pf_mask;

/** A loss. */
typedef struct pf_loss_term {
  const pf_component *loss;
  pf_loss_declaration declared;
  double weight;
  int64_t *observables; /**< [needs.observables.count] indices in the network's table */
  size_t theta0;
} pf_loss_term;

/** A parameter of the whole model, with its owner. */
typedef struct pf_model_parameter {
  pf_parameter declared; /**< as the plugin declared it, config's changes applied */
  const char *owner;     /**< "rules.learn", "network", "losses.[0]" */
  bool tied;             /**< theta = factor * theta[tied_to], another that is not tied; not free */
  size_t tied_to;
  double factor;
  bool is_start; /**< a starting weight, or their mean or sd (pf_model_learn_start): many, of which
                    none means much */
  bool own_penalty; /**< l1 and l2 are its own; else those of `penalty` if it is a rule's, and none
                       if it is not */
  double l1, l2;
} pf_model_parameter;

/** Where a projection's weights start from. */
enum pf_start_mode { PF_START_NETWORK = 0, PF_START_EACH = 1, PF_START_MEAN_SD = 2 };

/** Starting weights of a projection: see core/model/starting_weights.h. */
typedef struct pf_start {
  uint32_t mode;  /**< enum pf_start_mode */
  size_t theta0;  /**< each: [n_post][n_pre] of theta; mean and sd: two of it */
  int64_t noise0; /**< where its noise starts, of the draw's */
  char *names;    /**< of the parameters */
} pf_start;

enum pf_normalise { PF_NORMALISE_STEPS = 0, PF_NORMALISE_PADDED = 1, PF_NORMALISE_SUM = 2 };

typedef struct pf_model {
  const pf_component *network;
  pf_network_declaration declared;
  pf_plastic *plastic;
  size_t n_plastic;
  pf_mask *masks;   /**< [n projections] */
  pf_bound *bounds; /**< [n projections] */
  pf_loss_term *losses;
  size_t n_losses;
  pf_start *starts; /**< [n projections] */
  int64_t n_noise;  /**< normal numbers behind the starting weights: the network's, then those of
                       learned sds */
  /** theta: rules' parameters in the order of `plastic`, then the network's, the losses', the
   * host's, then starting weights. */
  pf_model_parameter *parameters;
  size_t n_parameters;
  size_t network_theta0;
  size_t start_theta0; /**< of the first starting weight; n_parameters: none is learned */
  bool forgets;        /**< weights are forgotten over gaps between sessions: w exp(-rate gap) */
  size_t forgetting_theta; /**< the rate's place in theta */
  uint32_t normalise;
  uint8_t *phase; /**< [n populations] enum pf_phase (core/engine/kernels.h): when in a run each is
                     evaluated */
  bool stepwise[4]; /**< by phase: something in it remembers the step before, so that steps go one
                       by one */
  const struct pf_kernels *kernels; /**< the host's inner loops for this processor */
  size_t
      state_budget; /**< bytes a thread may use for states of the weights; 0: what fits in cache */
} pf_model;

/** What to build a model from; pointers stay the caller's and MUST outlive the model. */
typedef struct pf_plastic_spec {
  const pf_component *rule;
  const char *projection; /**< the network's name for it, "layer1" */
  double eta;             /**< NaN: 1 / n_pre */
  const char *modulator;  /**< expression of the rule's first modulator; NULL: its fallback, as for
                             the others */
  const char *owner;
  const pf_range *ranges; /**< [n_ranges] postsynaptic units that learn by it; none: all */
  size_t n_ranges;
} pf_plastic_spec;

typedef struct pf_loss_spec {
  const pf_component *loss;
  double weight;
  const char *owner;
} pf_loss_spec;

/** `channels`: names the data will have, for checking modulators. */
pf_status pf_model_create(const pf_component *network, const pf_plastic_spec *plastic,
                          size_t n_plastic, const pf_loss_spec *losses, size_t n_losses,
                          uint32_t normalise, pf_names channels, pf_model **out, pf_error *error);
void pf_model_free(pf_model *model);
/**
 * Mask a projection: dense [n_post][n_pre] of 0 and other, or NULL: ones. Copied. Before any
 * workspace is made. Where not connected, w = 0 and nothing is transmitted; where not plastic, w
 * stays as it starts.
 */
pf_status pf_model_mask(pf_model *model, int64_t projection, const uint8_t *connected,
                        const uint8_t *plastic, pf_error *error);
/**
 * Bound a projection's weights: W_{t+1} = clip(W_t + eta mask dw) to [lower, upper] (-INFINITY,
 * INFINITY: none), and to one side of 0 where `sign_per_pre` [n_pre] (MAY be NULL) is +1 or -1:
 * Dale's principle. Starting weights are clipped too. Before any workspace is made. Where a weight
 * was beyond a bound, the derivative through the clip is 0; at the bound and within, 1: at a bound
 * it is the one-sided derivative towards the inside, so that a weight that lies on its bound can
 * leave it. An interval that is empty for a unit: an error.
 */
pf_status pf_model_bound(pf_model *model, int64_t projection, double lower, double upper,
                         const int8_t *sign_per_pre, pf_error *error);
/** Append a parameter that is the host's own; before pf_model_learn_start, and before anything is
 * laid out by them. *index: its place in theta. */
pf_status pf_model_add_parameter(pf_model *model, const pf_parameter *declared, const char *owner,
                                 size_t *index, pf_error *error);
/**
 * Weights are forgotten over gaps between sessions (recording->gap): w exp(-rate gap), then bounds,
 * where weights change. Adds the parameter "forgetting" of owner "sessions", which starts at `rate`
 * (1/h).
 */
pf_status pf_model_forget(pf_model *model, double rate, pf_error *error);
/**
 * How many synapses a rule changes, and whether a change of any reaches, through the synapses that
 * there are, a unit that a loss looks at. What it reaches is a matter of masks alone: a weight that
 * is 0 may change.
 */
pf_status pf_model_reach(const pf_model *model, size_t plastic, int64_t *n_changing, bool *seen,
                         pf_error *error);
/** Does row i of the projection learn by this rule? */
bool pf_plastic_has_row(const pf_plastic *plastic, int64_t i);
/** How starting weights are learned; bounds do not count for an sd, which is not negative. */
typedef struct pf_start_spec {
  uint32_t scope; /**< enum pf_scope */
  double lower, upper, l1, l2;
} pf_start_spec;
/**
 * The starting weights of a projection become parameters, "w0.layer1[3][0]" (enum pf_start_mode
 * PF_START_EACH), or their mean and sd do; their initial value is what the network starts with
 * where its noise is 0. What is not connected is fixed at 0: after pf_model_mask, before any draw
 * is made.
 */
pf_status pf_model_learn_start(pf_model *model, int64_t projection, uint32_t mode,
                               const pf_start_spec *spec, pf_error *error);
/** Index of a projection by name, or -1; sizes as the network says. */
int64_t pf_model_projection(const pf_model *model, const char *name, int64_t *n_post,
                            int64_t *n_pre);
/** Index of an observable by name ("activity": the first plastic projection's post population), or
 * -1. */
int64_t pf_model_observable(const pf_model *model, const char *name);
int64_t pf_model_n_input(const pf_model *model);

/* ---- draw ---- */

/** One experiment with one draw of its inputs and initial weights. Owns its arrays. */
typedef struct pf_draw {
  const pf_recording *recording;
  int64_t n_steps;
  uint32_t *flags; /**< [n_steps], a copy of the recording's */
  pf_real *input;  /**< [n_steps][ld_input] */
  int64_t ld_input;
  pf_real **modulators; /**< [n_plastic], each [n_steps][n modulators] */
  pf_real ***targets;   /**< [n_losses][n_targets], each [n_steps][n], NaN where missing */
  double *noise;        /**< [model->n_noise] behind the initial weights */
  pf_real **given_w;    /**< [n_projections], each dense [n_post][n_pre] or NULL: initial weights
                           stated outright */
} pf_draw;

/**
 * Make a draw for this model: x as `input` [n_steps][n_input] (copied), modulators and targets from
 * the recording's channels and targets, noise [model->n_noise] copied (NULL: zeros).
 */
pf_status pf_draw_create(const pf_model *model, const pf_recording *recording, const double *input,
                         const double *noise, pf_draw **out, pf_error *error);
/** State the initial weights of a projection, dense [n_post][n_pre]; they replace the network's. */
pf_status pf_draw_give_weights(const pf_model *model, pf_draw *draw, int64_t projection,
                               const double *w, pf_error *error);
void pf_draw_free(const pf_model *model, pf_draw *draw);

/* ---- simulation and adjoint ---- */

typedef struct pf_workspace pf_workspace;
/** Memory for draws of up to n_steps steps. One per thread. */
pf_status pf_workspace_create(const pf_model *model, int64_t n_steps, pf_workspace **out,
                              pf_error *error);
void pf_workspace_free(pf_workspace *workspace);

enum {
  PF_RUN_NO_PLASTICITY = 1, /**< the plastic flag off at every step */
  PF_RUN_FORGET_WEIGHTS =
      2 /**< keep activities, not every state of the weights (pf_standing_rows recomputes them) */
};

/** What one loss got on one draw. */
typedef struct pf_loss_value {
  double log_likelihood; /**< sum over counted steps, unweighted */
  int64_t count;         /**< cells observed */
} pf_loss_value;

/**
 * Simulate. Trajectories stay in the workspace until its next use. `count_flag`: PF_STEP_FIT or
 * PF_STEP_SCORE, the steps that count. values: [n_losses], MAY be NULL (losses are then not
 * evaluated). PF_POINT_FAILED when something stopped being finite; the line names experiment, step
 * and what.
 */
pf_status pf_forward(const pf_model *model, const pf_draw *draw, const double *theta,
                     uint32_t run_flags, uint32_t count_flag, pf_workspace *workspace,
                     pf_loss_value *values, pf_error *error);
/**
 * Simulate, then the adjoint: gradient[n_parameters] += sum_k scale[k] d log_likelihood_k / d theta
 * (scale: [n_losses], signed as the caller wants). Counts PF_STEP_FIT steps. Blocks of rows are
 * shared among the n_workspaces threads (the trajectory is in workspaces[0]); bits do not depend on
 * how many there are.
 */
pf_status pf_gradient(const pf_model *model, const pf_draw *draw, const double *theta,
                      const double *scale, pf_workspace *const *workspaces, size_t n_workspaces,
                      pf_loss_value *values, double *gradient, pf_error *error);

/** An observable's trajectory of the last run: [n_steps][*ld], *n columns. */
const pf_real *pf_workspace_observable(const pf_workspace *workspace, int64_t observable,
                                       int64_t *n, int64_t *ld);
/** Number of weight changes of plastic projection p in the last run. */
int64_t pf_workspace_n_changes(const pf_workspace *workspace, size_t plastic);
/** Weights [n_post][*ld] after k changes of the last run (k = 0: initial). */
const pf_real *pf_workspace_weights(const pf_workspace *workspace, size_t plastic, int64_t k,
                                    int64_t *ld);

/** Leading dimension of the weights of a plastic projection. */
int64_t pf_workspace_ld(const pf_workspace *workspace, size_t plastic);
/** A run that stands in a workspace, and what it was made with. */
typedef struct pf_standing_run {
  pf_workspace *workspace;
  const pf_draw *draw;
  const double *theta;
} pf_standing_run;
/**
 * Weights of rows [row0, row0 + n_rows) after each change of the run, [n_changes + 1][n_rows][ld],
 * into `states`. Kept or not: what was forgotten is recomputed from the activities.
 */
pf_status pf_standing_rows(const pf_standing_run *run, size_t plastic, int64_t row0, int64_t n_rows,
                           pf_real *states, pf_error *error);
/** How many rows' states fit in a few MiB: for going through a projection with pf_standing_rows. */
int64_t pf_workspace_rows_at_once(const pf_workspace *workspace, size_t plastic);

/* ---- batch ---- */

/** Draws that make one objective, with how each enters it. */
typedef struct pf_batch {
  const pf_draw *const *draws; /**< [n], the caller's */
  size_t n;
  double *scale;   /**< [n][n_losses], weight and normalisation: objective = constant - sum scale *
                      log likelihood */
  double constant; /**< what padded cells add */
} pf_batch;

/** Works out scale and constant from model->normalise. A batch in which no loss observes anything:
 * an error. */
pf_status pf_batch_create(const pf_model *model, const pf_draw *const *draws, size_t n,
                          pf_batch **out, pf_error *error);
void pf_batch_free(pf_batch *batch);
/** Cells that loss k observes on the fitted steps of a draw. */
pf_status pf_batch_cells(const pf_model *model, const pf_draw *draw, size_t k, int64_t *cells,
                         pf_error *error);
/**
 * Objective (without penalties) and its gradient (overwritten; NULL: not wanted). Draws are shared
 * among the n_workspaces threads; sums are taken in the order of the draws, so bits do not depend
 * on n_workspaces.
 */
pf_status pf_batch_objective(const pf_model *model, const pf_batch *batch, const double *theta,
                             pf_workspace *const *workspaces, size_t n_workspaces, double *value,
                             double *gradient, pf_error *error);
/**
 * The same with a theta for every draw, [n][n_parameters], and the gradient of each, likewise
 * (overwritten; NULL: not wanted): they are the caller's to add up, in the order of the draws.
 */
pf_status pf_batch_each(const pf_model *model, const pf_batch *batch, const double *thetas,
                        pf_workspace *const *workspaces, size_t n_workspaces, double *value,
                        double *gradients, pf_error *error);

/* ---- closed loop ---- */

/** How simulated animals see their inputs. */
typedef struct pf_input_noise {
  double mean, sd;
} pf_input_noise;

/** Sessions that a simulated animal has: its weights last over the hours between two, but for what
 * is forgotten. */
typedef struct pf_simulated_sessions {
  int64_t n; /**< each a run of the task from its beginning */
  double gap;
} pf_simulated_sessions;

/**
 * Run a task in closed loop with a model: draws noise, choices (from the observable "probability"
 * of the network, where it has one) and the task's random numbers by (seed, index), fills expected
 * reward, and appends the recording with its truth (true_input, true_noise) to `data`. Targets
 * recorded: those of the task's needs: "choice", or observables of the network by name ("activity":
 * the first plastic layer's). All sessions are one recording. `given` [n projections], each dense
 * or NULL: starting weights in the place of those drawn; NULL: none.
 */
pf_status pf_simulate(const pf_model *model, const double *theta, const pf_component *task,
                      const pf_input_noise *input, const pf_expected_reward *expectation,
                      const pf_simulated_sessions *sessions, pf_real *const *given, uint64_t seed,
                      int64_t index, const char *animal, pf_dataset *data, pf_error *error);

#endif
