#include "core/model/reach.h"

#include "core/base/memory.h"
#include "core/model/plastic.h"

#include <string.h>

/** Units of all populations, in one row: which are reached, and which of these are to be followed.
 */
typedef struct spread {
  const pf_model *model;
  int64_t *first;   /* [n populations + 1] of each population's units */
  uint8_t *reached; /* [n units] */
  int64_t *stack;   /* [n units] still to be followed */
  int64_t n_stack;
  bool *all_done; /* [n projections] without a mask: one unit reaches all */
} spread;

static void reach_unit(spread *self, int64_t unit)
{
  if (self->reached[unit] == 0) {
    self->reached[unit] = 1;
    self->stack[self->n_stack++] = unit;
  }
}

static void reach_all(spread *self, int64_t population)
{
  for (int64_t unit = self->first[population]; unit < self->first[population + 1]; unit++) {
    reach_unit(self, unit);
  }
}

/** Units that projection q leads to from unit j of its presynaptic population. */
static void cross_projection(spread *self, size_t q, int64_t j)
{
  const pf_projection *projection = &self->model->projections[q];
  const pf_real *connected = self->model->masks[q].connected;
  const int64_t n_pre = self->first[projection->pre + 1] - self->first[projection->pre];
  const int64_t ldw = pf_leading_dimension(n_pre), to = self->first[projection->post];
  if (connected == NULL) {
    if (!self->all_done[q]) {
      self->all_done[q] = true;
      reach_all(self, projection->post);
    }
    return;
  }
  for (int64_t i = 0; i < self->first[projection->post + 1] - to; i++) {
    if (connected[i * ldw + j] != 0) {
      reach_unit(self, to + i);
    }
  }
}

static void follow_all(spread *self)
{
  while (self->n_stack > 0) {
    const int64_t unit = self->stack[--self->n_stack];
    int64_t p = 0;
    while (unit >= self->first[p + 1]) {
      p++;
    }
    if ((self->model->populations[p].flags & PF_POPULATION_COUPLED) != 0) {
      reach_all(self, p);
    }
    for (size_t q = 0; q < self->model->n_projections; q++) {
      if (self->model->projections[q].pre == p) {
        cross_projection(self, q, unit - self->first[p]);
      }
    }
  }
}

/** The postsynaptic units of synapses that the rule changes; returns how many such synapses there
 * are. */
static int64_t reach_changing(spread *self, const pf_plastic *plastic)
{
  const pf_real *changes = self->model->masks[plastic->projection].changes;
  const int64_t ldw = pf_leading_dimension(plastic->n_pre);
  const int64_t to = self->first[self->model->projections[plastic->projection].post];
  int64_t n = 0;
  for (int64_t i = 0; i < plastic->n_post; i++) {
    if (!pf_plastic_has_row(plastic, i)) {
      continue;
    }
    for (int64_t j = 0; j < plastic->n_pre; j++) {
      if (changes == NULL || changes[i * ldw + j] != 0) {
        reach_unit(self, to + i);
        n++;
      }
    }
  }
  return n;
}

static bool any_reached(const spread *self, int64_t population)
{
  for (int64_t unit = self->first[population]; unit < self->first[population + 1]; unit++) {
    if (self->reached[unit] != 0) {
      return true;
    }
  }
  return false;
}

/** Is a unit reached that a loss observes? */
static bool is_observed(const spread *self)
{
  const pf_model *model = self->model;
  for (size_t k = 0; k < model->n_losses; k++) {
    const pf_loss_term *term = &model->losses[k];
    for (size_t o = 0; o < term->declared.observables.count; o++) {
      if (any_reached(self, model->observables[term->observables[o]].population)) {
        return true;
      }
    }
  }
  return false;
}

pf_status pf_model_reach(const pf_model *model, size_t plastic, int64_t *n_changing, bool *seen,
                         pf_error *error)
{
  const size_t n = model->n_populations;
  pf_status status = PF_STOP;
  *n_changing = 0;
  *seen = false;
  spread self = {.model = model, .first = pf_memory_need(n + 1, sizeof *self.first, error)};
  if (self.first == NULL) {
    return PF_STOP;
  }
  for (size_t p = 0; p < n; p++) {
    self.first[p + 1] = self.first[p] + model->populations[p].n;
  }
  self.reached = pf_memory_need((size_t)self.first[n], 1, error);
  self.stack = pf_memory_need((size_t)self.first[n], sizeof *self.stack, error);
  self.all_done = pf_memory_need(model->n_projections, sizeof *self.all_done, error);
  if (self.reached == NULL || self.stack == NULL || self.all_done == NULL) {
    goto done;
  }
  *n_changing = reach_changing(&self, &model->plastic[plastic]);
  follow_all(&self);
  *seen = is_observed(&self);
  status = PF_OK;
done:
  pf_memory_free(self.first);
  pf_memory_free(self.reached);
  pf_memory_free(self.stack);
  pf_memory_free(self.all_done);
  return status;
}
