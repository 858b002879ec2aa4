#include "core/model/reach.h"

#include "core/base/memory.h"

#include <string.h>

/** Units of all populations, in one row, and those still to be followed. */
typedef struct spread {
  const pf_model *model;
  int64_t *first;   /* [n populations + 1] of each population's units */
  uint8_t *reached; /* [n units] */
  int64_t *follow;  /* [n units] a stack */
  int64_t n_follow;
  bool *all_done; /* [n projections] without a mask: one unit reaches all */
} spread;

static const pf_population *population_at(const pf_model *model, int64_t p)
{
  return pf_table_at(model->declared.populations.items, model->declared.populations.stride,
                     model->declared.populations.count, (size_t)p);
}

static const pf_projection *projection_at(const pf_model *model, size_t q)
{
  return pf_table_at(model->declared.projections.items, model->declared.projections.stride,
                     model->declared.projections.count, q);
}

static void reach(spread *self, int64_t unit)
{
  if (self->reached[unit] == 0) {
    self->reached[unit] = 1;
    self->follow[self->n_follow++] = unit;
  }
}

static void reach_all(spread *self, int64_t population)
{
  for (int64_t unit = self->first[population]; unit < self->first[population + 1]; unit++) {
    reach(self, unit);
  }
}

/** Units that projection q leads to from unit j of its presynaptic population. */
static void cross(spread *self, size_t q, int64_t j)
{
  const pf_projection *projection = projection_at(self->model, q);
  const pf_real *connected = self->model->masks[q].connected;
  const int64_t n_pre = self->first[projection->pre + 1] - self->first[projection->pre];
  const int64_t ldw = pf_leading_dimension(n_pre), to = self->first[projection->post];
  if (connected == NULL && !self->all_done[q]) {
    self->all_done[q] = true;
    reach_all(self, projection->post);
  }
  for (int64_t i = 0; connected != NULL && i < self->first[projection->post + 1] - to; i++) {
    if (connected[i * ldw + j] != 0) {
      reach(self, to + i);
    }
  }
}

static void follow(spread *self)
{
  while (self->n_follow > 0) {
    const int64_t unit = self->follow[--self->n_follow];
    int64_t p = 0;
    while (unit >= self->first[p + 1]) {
      p++;
    }
    if ((population_at(self->model, p)->flags & PF_POPULATION_COUPLED) != 0) {
      reach_all(self, p);
    }
    for (size_t q = 0; q < self->model->declared.projections.count; q++) {
      if (projection_at(self->model, q)->pre == p) {
        cross(self, q, unit - self->first[p]);
      }
    }
  }
}

/** The postsynaptic units of synapses that the rule changes; returns how many such synapses there
 * are. */
static int64_t begin(spread *self, const pf_plastic *plastic)
{
  const pf_real *changes = self->model->masks[plastic->projection].changes;
  const int64_t ldw = pf_leading_dimension(plastic->n_pre);
  const int64_t to = self->first[projection_at(self->model, (size_t)plastic->projection)->post];
  int64_t n = 0;
  for (int64_t i = 0; i < plastic->n_post; i++) {
    for (int64_t j = 0; j < plastic->n_pre && pf_plastic_has_row(plastic, i); j++) {
      if (changes == NULL || changes[i * ldw + j] != 0) {
        reach(self, to + i);
        n++;
      }
    }
  }
  return n;
}

static bool is_seen(const spread *self)
{
  const pf_model *model = self->model;
  for (size_t k = 0; k < model->n_losses; k++) {
    for (size_t o = 0; o < model->losses[k].declared.observables.count; o++) {
      const pf_observable *observable =
          pf_table_at(model->declared.observables.items, model->declared.observables.stride,
                      model->declared.observables.count, (size_t)model->losses[k].observables[o]);
      for (int64_t unit = self->first[observable->population];
           unit < self->first[observable->population + 1]; unit++) {
        if (self->reached[unit] != 0) {
          return true;
        }
      }
    }
  }
  return false;
}

pf_status pf_model_reach(const pf_model *model, size_t plastic, int64_t *n_changing, bool *seen,
                         pf_error *error)
{
  const size_t n = model->declared.populations.count;
  spread self = {.model = model, .first = pf_memory_need(n + 1, sizeof *self.first, error)};
  pf_status status = PF_STOP;
  *n_changing = 0;
  *seen = false;
  if (self.first != NULL) {
    for (size_t p = 0; p < n; p++) {
      self.first[p + 1] = self.first[p] + population_at(model, (int64_t)p)->n;
    }
    self.reached = pf_memory_need((size_t)self.first[n], 1, error);
    self.follow = pf_memory_need((size_t)self.first[n], sizeof *self.follow, error);
    self.all_done = pf_memory_need(model->declared.projections.count, sizeof *self.all_done, error);
  }
  if (self.reached != NULL && self.follow != NULL && self.all_done != NULL) {
    *n_changing = begin(&self, &model->plastic[plastic]);
    follow(&self);
    *seen = is_seen(&self);
    status = PF_OK;
  }
  pf_memory_free(self.first);
  pf_memory_free(self.reached);
  pf_memory_free(self.follow);
  pf_memory_free(self.all_done);
  return status;
}
