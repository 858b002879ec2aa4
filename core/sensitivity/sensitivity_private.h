/*
 * Between the files that make sensitivities. Private to core/engine/sensitivity*.c.
 *
 * Directions are taken in an order of their own: by the first population that they move, so that
 * those that move a population are the first `n_active` ones. Tangents of a signal stand as planes
 * [n_steps][n_active][ld]: of one step, one row per direction.
 */
#ifndef PLASTFIT_CORE_SENSITIVITY_SENSITIVITY_PRIVATE_H
#define PLASTFIT_CORE_SENSITIVITY_SENSITIVITY_PRIVATE_H

#include "core/engine/workspace.h"
#include "core/sensitivity/sensitivity.h"

/* Signals of a population; of networks with more, tangents are had by differences. */
enum { PF_MAX_SIGNALS = 8 };

/** Memory that grows, and stays from call to call. */
typedef struct pf_pool {
  void *at;
  size_t bytes;
} pf_pool;

/** At least `count` elements of `size` bytes, contents undefined; NULL with the error line written.
 */
void *pf_pool_need(pf_pool *pool, size_t count, size_t size, pf_error *error);

/** Tangents of a signal: of step t, direction k, unit i at cells[(t * n_active + k) * ld + i]. */
typedef struct pf_planes {
  pf_real *cells; /**< NULL: not wanted, or nothing moves it */
  int64_t n_active, ld;
} pf_planes;

static inline pf_real *pf_planes_at(const pf_planes *planes, int64_t t, int64_t k)
{
  return planes->cells + (t * planes->n_active + k) * planes->ld;
}

/** Is column i of the loss's whitened tangents column i of the observable's, times a number? */
static inline bool pf_loss_is_diagonal(const pf_loss_declaration *declared)
{
  return declared->n_whitened == 0 && declared->observables.count == 1;
}

/** What sensitivities keep in a workspace. */
struct pf_sensitivity {
  pf_pool setup;  /**< directions in order; see pf_tangent_setup */
  pf_pool thetas; /**< [n_plastic][n][parameters of the rule], then the units */
  pf_pool planes; /**< cells of all planes */
  pf_pool table;  /**< their pf_planes */
  pf_pool wanted; /**< which signals get planes */
  pf_pool sums;   /**< of losses, in the order of the tangents */
  pf_pool initial,
      initial_table; /**< tangents of starting weights, and where each projection's are */
  pf_pool block;     /**< a thread's: weights and their tangents of a block of rows */
  pf_pool
      slopes;   /**< a thread's: of the signals of a block, seeds of the adjoint that gives them */
  pf_pool rule; /**< a thread's: for a rule without jvp */
  pf_pool network; /**< a thread's: direct tangents of a population's signals */
  pf_pool loss;    /**< a thread's: cotangents of the observables, roots of their cells */
  pf_pool scores;  /**< a thread's: [n_steps][n] of one loss */
  pf_pool root;    /**< a thread's: whitened tangents of some cells */
  pf_pool whiten;  /**< a thread's: tangents and roots in the shape of the ABI */
  pf_pool lanes;   /**< sums by lane */
  pf_pool scratch; /**< of differences of trajectories, and of products */
};

/** Get it, made on first use. NULL with the error line written. */
struct pf_sensitivity *pf_sensitivity_of(pf_workspace *workspace, pf_error *error);

/** Everything one call carries; const while blocks are swept. */
typedef struct pf_tangents {
  const pf_model *model;
  const pf_draw *draw;
  const double *theta;
  pf_workspace *const *workspaces; /* [0] has the trajectory */
  size_t n_workspaces;
  size_t n;            /* directions */
  int64_t n_network;   /* the first ones move parameters of the network */
  const size_t *order; /* [n] the caller's index of each */
  const double *along; /* [n][n_parameters], in this order */
  const size_t
      *first; /* [n] the first population that it moves; n_populations: none, losses only */
  const int64_t
      *unit; /* [n_plastic][n] the rule's parameter that it is alone, or -1 where it has none */
  const bool *is_unit; /* [n_plastic] is that so of all directions? */
  const double
      *rule_theta;       /* [n_plastic] blocks of [n][parameters of the rule], from rule_at[p] on */
  const size_t *rule_at; /* [n_plastic] */
  pf_real *const
      *initial;      /* [n_projections] tangents of starting weights, [n_network][cells], or NULL */
  pf_planes *planes; /* [n_populations][max_signals] */
  size_t max_signals;
  uint32_t *how; /* PF_TANGENT_* met so far: pf_tangents_note() */
} pf_tangents;

/** From any thread. */
static inline void pf_tangents_note(const pf_tangents *self, uint32_t met)
{
#pragma omp atomic
  *self->how |= met;
}

static inline pf_planes *pf_tangents_planes(const pf_tangents *self, int64_t population,
                                            int64_t signal)
{
  return &self->planes[(size_t)population * self->max_signals + (size_t)signal];
}

/** Sums that losses add to; NULL: not wanted. In the order of pf_tangents. */
typedef struct pf_loss_sums {
  double *gradient;    /* [n] */
  double *information; /* [n][n], upper triangle */
  double *step_scores; /* [n_steps][n] */
} pf_loss_sums;

/**
 * Add what losses make of the tangents of their observables. `planes` of a block: its columns only,
 * of the population `only`; rows [row0, row0 + n_rows) are then looked at, of losses that are sums
 * over units. only 0: everything.
 */
typedef struct pf_loss_part {
  int64_t population; /* 0: all populations, all units */
  int64_t row0, n_rows;
  const pf_planes *planes; /* [max_signals] of the block; NULL: self->planes */
} pf_loss_part;

pf_status pf_tangents_losses(const pf_tangents *self, const double *scale, const pf_loss_part *part,
                             pf_workspace *mine, const pf_loss_sums *sums, pf_error *error);

/** Simulate with the tangents of all that losses see: planes, trajectory in workspaces[0]. self: as
 * its caller sets it up to n_workspaces, and how. */
pf_status pf_tangents_make(pf_tangents *self, const pf_directions *directions, pf_error *error);

/** How many directions (the first ones) move population p. */
int64_t pf_tangents_n_active(const pf_tangents *self, int64_t p);
/** Make planes for the wanted signals [n_populations][max_signals] of populations below
 * n_populations. */
pf_status pf_tangents_make_planes(pf_tangents *self, const bool *wanted, int64_t n_populations,
                                  pf_error *error);

/** Does the sweep cover this model? If not: differences of trajectories. */
bool pf_tangents_can_sweep(const pf_model *model);

/** How the losses of a sweep enter: NULL for planes alone. */
typedef struct pf_tangent_losses {
  const double *scale; /* [n_losses] */
  pf_loss_sums sums;
} pf_tangent_losses;

/**
 * Forward with tangents; planes of `wanted` [n_populations][max_signals] signals stand in
 * self->planes afterwards. Where every loss is a sum over units of the last population and `losses`
 * is given, they are added block by block and no planes of that population are made: *done says so.
 */
pf_status pf_tangents_sweep(pf_tangents *self, const bool *wanted, const pf_tangent_losses *losses,
                            bool *done, pf_error *error);

/** The same planes by central differences of whole trajectories. The trajectory at theta stands in
 * workspaces[0]. */
pf_status pf_tangents_by_differences(pf_tangents *self, const bool *wanted, pf_error *error);

/** What differences of a rule need. */
typedef struct pf_rule_difference {
  const pf_component *rule;
  const pf_rule_declaration *declared;
  pf_pool *pool;
} pf_rule_difference;

/** jvp of a rule that has none, by central differences of its forward. pf_rule_tangent as for the
 * op. */
pf_status pf_rule_jvp_by_differences(const pf_rule_difference *self, const pf_block *in,
                                     const pf_rule_tangent *tangent, pf_error *error);

#endif
