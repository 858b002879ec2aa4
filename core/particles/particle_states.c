#include "core/particles/particle_states.h"

#include "core/base/memory.h"

#include <string.h>

/* Is the projection one whose weights do not change? */
static bool is_fixed(const pf_weights *weights)
{
  return weights->plastic == NULL;
}

static size_t starting_cells(const pf_activity *activity)
{
  return activity->start == NULL ? 0 : (size_t)(activity->info->n_state * activity->ld);
}

pf_status pf_particle_states_create(const pf_workspace *workspace, size_t n,
                                    pf_particle_states *out, pf_error *error)
{
  const pf_model *model = workspace->model;
  size_t scratch = 0;
  *out = (pf_particle_states){.model = model, .n = n};
  for (size_t q = 0; q < model->n_projections; q++) {
    const pf_weights *weights = &workspace->weights[q];
    if (is_fixed(weights)) {
      out->fixed_cells += weights->cells;
      continue;
    }
    const size_t needed = pf_synaptic_scratch(model, weights, weights->n_post, false);
    scratch = needed > scratch ? needed : scratch;
    out->buffer_cells += pf_synaptic_cells(model, weights, weights->n_post);
  }
  for (size_t p = 1; p < model->n_populations; p++) {
    out->fixed_cells += starting_cells(&workspace->activity[p]);
  }
  out->now = pf_memory_need(n * out->buffer_cells, sizeof *out->now, error);
  out->next = pf_memory_need(n * out->buffer_cells, sizeof *out->next, error);
  out->fixed = pf_memory_need(n * out->fixed_cells, sizeof *out->fixed, error);
  out->place = pf_memory_need(n, sizeof *out->place, error);
  out->first = pf_memory_need(n, sizeof *out->first, error);
  out->lost = pf_memory_need(n, sizeof *out->lost, error);
  out->moved = pf_memory_need(n, sizeof *out->moved, error);
  out->scratch = pf_memory_need(scratch, sizeof *out->scratch, error);
  out->synaptic = pf_memory_need(model->n_projections, sizeof *out->synaptic, error);
  if (out->now == NULL || out->next == NULL || out->fixed == NULL || out->place == NULL ||
      out->first == NULL || out->lost == NULL || out->moved == NULL || out->scratch == NULL ||
      out->synaptic == NULL) {
    return PF_STOP;
  }
  return PF_OK;
}

void pf_particle_states_clear(pf_particle_states *states)
{
  pf_memory_free(states->now);
  pf_memory_free(states->next);
  pf_memory_free(states->fixed);
  pf_memory_free(states->place);
  pf_memory_free(states->first);
  pf_memory_free(states->lost);
  pf_memory_free(states->moved);
  pf_memory_free(states->scratch);
  pf_memory_free(states->synaptic);
}

void pf_particle_states_begin(pf_particle_states *states, const pf_workspace *workspace,
                              const double *theta)
{
  for (size_t q = 0; q < states->model->n_projections; q++) {
    const pf_weights *weights = &workspace->weights[q];
    if (!is_fixed(weights)) {
      states->synaptic[q] = pf_synaptic_make(workspace, theta, q, 0, weights->n_post);
    }
  }
  for (uint32_t i = 0; i < states->n; i++) {
    states->place[i] = states->first[i] = i;
  }
  states->differ = false;
}

static pf_real *state_at(pf_real *buffers, const pf_particle_states *states, size_t place)
{
  return buffers + place * states->buffer_cells;
}

void pf_particle_states_start(pf_particle_states *states, const pf_workspace *workspace, size_t i)
{
  pf_real *buffer = state_at(states->now, states, i);
  pf_real *fixed = states->fixed + i * states->fixed_cells;
  for (size_t q = 0; q < states->model->n_projections; q++) {
    const pf_weights *weights = &workspace->weights[q];
    if (is_fixed(weights)) {
      memcpy(fixed, weights->states, weights->cells * sizeof *fixed);
      fixed += weights->cells;
      continue;
    }
    pf_synaptic_start(&states->synaptic[q], buffer);
    buffer += states->synaptic[q].cells;
  }
  for (size_t p = 1; p < states->model->n_populations; p++) {
    const size_t cells = starting_cells(&workspace->activity[p]);
    if (cells > 0) {
      memcpy(fixed, workspace->activity[p].start, cells * sizeof *fixed);
      fixed += cells;
    }
  }
  states->differ = states->differ || (states->fixed_cells > 0 &&
                                      memcmp(states->fixed, states->fixed + i * states->fixed_cells,
                                             states->fixed_cells * sizeof *fixed) != 0);
}

void pf_particle_states_share_start(pf_particle_states *states)
{
  memset(states->place, 0, states->n * sizeof *states->place);
  memset(states->first, 0, states->n * sizeof *states->first);
}

void pf_particle_states_load(const pf_particle_states *states, pf_workspace *workspace, size_t i)
{
  pf_real *buffer = state_at(states->now, states, states->place[i]);
  pf_real *fixed = states->fixed + states->first[i] * states->fixed_cells;
  for (size_t q = 0; q < states->model->n_projections; q++) {
    pf_weights *weights = &workspace->weights[q];
    if (!is_fixed(weights)) {
      weights->now = buffer;
      buffer += states->synaptic[q].cells;
      continue;
    }
    weights->now = fixed;
    fixed += weights->cells;
  }
  if (!states->differ) {
    return;
  }
  for (size_t p = 1; p < states->model->n_populations; p++) {
    const size_t cells = starting_cells(&workspace->activity[p]);
    if (cells > 0) {
      memcpy(workspace->activity[p].start, fixed, cells * sizeof *fixed);
      fixed += cells;
    }
  }
}

const pf_real *pf_particle_states_weights(const pf_particle_states *states, size_t q, size_t i)
{
  const pf_real *buffer = states->now + states->place[i] * states->buffer_cells;
  for (size_t before = 0; before < q; before++) {
    buffer += states->synaptic[before].weights != NULL ? states->synaptic[before].cells : 0;
  }
  return buffer;
}

/* A copy of `from` by parents into `to`. */
static void inherit_numbers(uint32_t *numbers, uint32_t *scratch, const uint32_t *parents, size_t n)
{
  memcpy(scratch, numbers, n * sizeof *numbers);
  for (size_t i = 0; i < n; i++) {
    numbers[i] = scratch[parents[i]];
  }
}

void pf_particle_states_inherit(pf_particle_states *states, const uint32_t *parents)
{
  inherit_numbers(states->place, states->moved, parents, states->n);
  inherit_numbers(states->first, states->moved, parents, states->n);
}

/* One particle, from the state at `from` to that at `to`. */
static pf_status step_particle(pf_particle_states *states, const pf_step_context *context,
                               pf_real *from, pf_real *to, pf_error *error)
{
  for (size_t q = 0; q < states->model->n_projections; q++) {
    pf_synaptic_state *synaptic = &states->synaptic[q];
    if (synaptic->weights == NULL) {
      continue;
    }
    const pf_status status = pf_synaptic_step(synaptic, context, from, to, states->scratch, error);
    if (status != PF_OK) {
      return status;
    }
    from += synaptic->cells;
    to += synaptic->cells;
  }
  return PF_OK;
}

pf_status pf_particle_states_step(pf_particle_states *states, const pf_step_context *contexts,
                                  const uint32_t *parents, pf_error *error)
{
  for (uint32_t i = 0; i < states->n; i++) {
    const uint32_t parent = parents == NULL ? i : parents[i];
    if (i > 0 && parents != NULL && parents[i - 1] == parent) {
      states->moved[i] = states->moved[i - 1]; /* children of one share its state */
      states->lost[i] = states->lost[i - 1];
      continue;
    }
    pf_real *to = state_at(states->next, states, i);
    const pf_status status = step_particle(
        states, &contexts[parent], state_at(states->now, states, states->place[parent]), to, error);
    if (status != PF_OK) {
      return status;
    }
    /* units that saturate would hide it */
    states->lost[i] = pf_all_finite(to, states->buffer_cells) ? 0 : 1;
    states->moved[i] = i;
  }
  if (parents != NULL) {
    memcpy(states->place, states->first, states->n * sizeof *states->place);
    for (size_t i = 0; i < states->n; i++) {
      states->first[i] = states->place[parents[i]];
    }
  }
  memcpy(states->place, states->moved, states->n * sizeof *states->place);
  pf_real *swap = states->now;
  states->now = states->next;
  states->next = swap;
  return PF_OK;
}

/* Over the gap, every state that a particle has, once. */
void pf_particle_states_forget(pf_particle_states *states, double gap)
{
  memset(states->moved, 0, states->n * sizeof *states->moved);
  for (size_t i = 0; i < states->n; i++) {
    const uint32_t place = states->place[i];
    pf_real *buffer = state_at(states->now, states, place);
    for (size_t q = 0; states->moved[place] == 0 && q < states->model->n_projections; q++) {
      const pf_synaptic_state *synaptic = &states->synaptic[q];
      if (synaptic->weights != NULL) {
        pf_synaptic_forget(synaptic, gap, buffer, buffer);
        buffer += synaptic->cells;
      }
    }
    states->moved[place] = 1;
  }
}
