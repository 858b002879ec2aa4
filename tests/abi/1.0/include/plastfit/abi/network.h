/*
 * plastfit/abi/network.h - a network: populations of units, joined by projections.
 *
 * The host does what all networks share: it computes the drive of a population
 *
 *     drive_i(t) = sum over projections into it, sum_j w_ij(t) pre_j
 *
 * (pre_j of this step, or of the step before: the projection says), applies the
 * rules, keeps every state in time, and runs the adjoint. The network says
 * which populations and projections there are, and how units respond to drive:
 *
 *     (signals, state') = activate_theta(drive, state)
 *
 * Populations are listed so that a projection with PF_PRE_NOW goes from an
 * earlier one to a later one. Units of a population do not see one another
 * within `activate` (so the host may hand over any range of them) unless it is
 * declared PF_POPULATION_COUPLED; then every call has all of them.
 *
 * Where no PF_PRE_PREVIOUS projection leads from a projection's post population
 * back to what drives it, its rows evolve without seeing one another
 * (PF_PROJECTION_ROW_SEPARABLE), and the host may take a block of them through all of time.
 */
#ifndef PLASTFIT_ABI_NETWORK_H
#define PLASTFIT_ABI_NETWORK_H

#include <plastfit/abi/options.h>
#include <plastfit/abi/parameters.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
  PF_POPULATION_INPUT =
      1, /**< its one signal is the experiment's input; `activate` is not called */
  PF_POPULATION_COUPLED = 2 /**< units see one another: always called with all rows */
};

/** Units that respond alike. */
typedef struct pf_population {
  const char *name; /**< "input", "layer1", ... */
  int64_t n;        /**< units; for the input population the data's n_input MUST match */
  int64_t n_state;  /**< state variables per unit; 0: stateless, several steps per call */
  pf_names signals; /**< [0] is "activity", what projections transmit unless they say otherwise */
  uint32_t flags;   /**< PF_POPULATION_* */
} pf_population;

/** A table of populations; its elements lie `stride` bytes apart (pf_table_at). */
typedef struct pf_population_table {
  const pf_population *items;
  size_t count;
  size_t stride;
} pf_population_table;

/**
 * Which step's presynaptic signal a projection transmits, and its rule sees. Before the first step,
 * and after PF_STEP_RESET_STATE, every signal of the step before is 0, whatever the starting state.
 */
enum pf_when { PF_PRE_NOW = 0, PF_PRE_PREVIOUS = 1 };

enum {
  PF_PROJECTION_PLASTIC = 1,      /**< MAY be given a rule */
  PF_PROJECTION_ROW_SEPARABLE = 2 /**< rows evolve without seeing one another */
};

/** Weights from one population to another: w [n of post][n of pre]. */
typedef struct pf_projection {
  const char *name;  /**< "layer1" */
  int64_t pre, post; /**< indices of populations */
  int64_t signal;    /**< index of the presynaptic signal that is transmitted */
  uint32_t when;     /**< enum pf_when */
  uint32_t flags;    /**< PF_PROJECTION_* */
} pf_projection;

/** A table of projections; its elements lie `stride` bytes apart (pf_table_at). */
typedef struct pf_projection_table {
  const pf_projection *items;
  size_t count;
  size_t stride;
} pf_projection_table;

/** A signal of a population under a name that losses and reports use. */
typedef struct pf_observable {
  const char *name; /**< "logit", "probability", "layer1" */
  int64_t population;
  int64_t signal;
  double lower, upper; /**< what it can be; both 0: any number */
} pf_observable;

/** A table of observables; its elements lie `stride` bytes apart (pf_table_at). */
typedef struct pf_observable_table {
  const pf_observable *items;
  size_t count;
  size_t stride;
} pf_observable_table;

/** Filled by `declare`. All tables are the network's and valid until destroy. */
typedef struct pf_network_declaration {
  size_t size;
  pf_population_table populations;
  pf_projection_table projections;
  pf_observable_table observables;
  pf_parameter_table parameters;
  int64_t n_noise; /**< standard normal numbers that `initial` takes */
} pf_network_declaration;

/** A range of units of one population over a range of steps: read only. */
typedef struct pf_units {
  size_t size;
  int64_t population;
  int64_t row0, n_rows; /**< units [row0, row0 + n_rows) */
  int64_t n_steps;      /**< 1 where the population has state */
  const double *theta;  /**< [n_parameters] of the network */
  const pf_real *drive; /**< [n_steps][ld_drive] */
  const pf_real *state; /**< [n_state][ld_state], before the step; NULL if stateless */
  int64_t ld_drive, ld_state;
  double dt; /**< ms; 0 where the data have no time axis */
} pf_units;

/** What `activate` fills (const in the adjoint: the values it filled). */
typedef struct pf_response {
  size_t size;
  pf_real *signals; /**< planes of stride signal_stride, each [n_steps][ld_signal] */
  pf_real *state;   /**< [n_state][ld_state], after the step; MUST NOT alias pf_units.state */
  int64_t signal_stride, ld_signal, ld_state;
} pf_response;

/** Where gradients of `activate` go: +=, NULL means not wanted. */
typedef struct pf_units_gradient {
  size_t size;
  pf_real *drive; /**< [n_steps][ld_drive] */
  pf_real *state; /**< [n_state][ld_state] */
  double *theta;  /**< [n_parameters] */
  int64_t ld_drive, ld_state;
} pf_units_gradient;

/** Starting weights and states: filled by `initial` (zeroed before). In `initial_vjp`: their
 * cotangents. */
typedef struct pf_initial {
  size_t size;
  pf_real *const
      *w; /**< [n_projections], each [n_post][ldw[p]]; NULL: the data give these weights */
  const int64_t *ldw;    /**< [n_projections] */
  pf_real *const *state; /**< [n_populations], each [n_state][ld_state[p]], NULL if stateless; NULL:
                            not wanted */
  const int64_t *ld_state;
} pf_initial;

/**
 * What a network can do. Of every op here (base.h says it in full):
 *
 * - Returns. PF_OK; PF_POINT_FAILED where these parameter values cannot be gone on with, so that an
 *   optimiser backs off; PF_STOP. With either of these a line in *error (pf_fail).
 * - Memory.  What is handed over is the host's and valid for the call; [hot] ops allocate nothing.
 * - Threads. `create` and `destroy`: one at a time for an object. All others: several at once on
 *   the same object.
 */
typedef struct pf_network_ops {
  size_t size; /**< sizeof(pf_network_ops) */

  /* ---- required ---- */

  /**
   * Make an object from its options (checked, defaults filled in; valid during this call only). On
   * failure *self is untouched and nothing leaks. `host` is valid until destroy returns.
   */
  pf_status (*create)(const pf_host *host, const pf_options *options, void **self, pf_error *error);
  /** Free it; self MAY be NULL. */
  void (*destroy)(void *self);
  /** Say what the network declares; *declared comes zeroed but for size. Tables are the object's,
   * valid until destroy. */
  pf_status (*declare)(const void *self, pf_network_declaration *declared, pf_error *error);
  /**
   * Starting weights and states from the parameters and `noise`, standard
   * normal numbers [n_noise]. The host decides when noise is drawn anew.
   */
  pf_status (*initial)(const void *self, const double *theta, const double *noise,
                       const pf_initial *out, pf_error *error);
  /** [hot] Signals (and next state) of a range of units; writes every cell of the range, and
   * nothing else. */
  pf_status (*activate)(const void *self, const pf_units *in, const pf_response *out,
                        pf_error *error);
  /** [hot] Its adjoint. `value`: what respond filled; `cotangent`: of the same, read only. */
  pf_status (*activate_vjp)(const void *self, const pf_units *in, const pf_response *value,
                            const pf_response *cotangent, const pf_units_gradient *gradient,
                            pf_error *error);

  /* ---- required when the network declares parameters ---- */

  /** Adjoint of initial: theta [n_parameters] += ... */
  pf_status (*initial_vjp)(const void *self, const double *theta, const double *noise,
                           const pf_initial *cotangent, double *gradient_theta, pf_error *error);

  /* ---- optional ---- */

  /** [hot] Tangents of respond; `tangent` in the same shapes as `in` and `out` (drive, state, theta
   * of tangent_in). */
  pf_status (*activate_jvp)(const void *self, const pf_units *in, const pf_response *value,
                            const pf_units *tangent_in, const pf_response *tangent_out,
                            pf_error *error);
} pf_network_ops;

#ifdef __cplusplus
}
#endif

#endif
