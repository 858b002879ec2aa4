/* Memory of one simulation on one thread: see core/engine/trajectory.h for what is in it. */
#ifndef PLASTFIT_CORE_ENGINE_WORKSPACE_H
#define PLASTFIT_CORE_ENGINE_WORKSPACE_H

#include "core/engine/draw.h"
#include "core/model/model.h"

typedef struct pf_workspace pf_workspace;
/** Memory for draws of up to n_steps steps. One per thread. */
pf_status pf_workspace_create(const pf_model *model, int64_t n_steps, pf_workspace **out,
                              pf_error *error);
void pf_workspace_free(pf_workspace *workspace);

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
/** How many rows' states fit in a few MiB: for going through a projection with pf_simulation_rows.
 */
int64_t pf_workspace_rows_at_once(const pf_workspace *workspace, size_t plastic);
enum {
  PF_SIMULATE_NO_PLASTICITY = 1, /**< the plastic flag off at every step */
  PF_SIMULATE_ACTIVITY_ONLY =
      2 /**< keep activities, not every state of the weights (pf_simulation_rows recomputes them) */
};

/** A run that stands in a workspace, and what it was made with. */
typedef struct pf_standing_run {
  pf_workspace *workspace;
  const pf_draw *draw;
  const double *theta;
} pf_standing_run;

#endif
