#include "core/particles/filter.h"

#include "core/base/memory.h"
#include "core/particles/genealogy.h"
#include "core/particles/particle_states.h"
#include "core/particles/particle_weights.h"
#include "core/state/failures.h"
#include "core/state/losses.h"
#include "core/state/population.h"
#include "core/state/starting_state.h"
#include "core/state/workspace.h"

#include <math.h>
#include <string.h>

struct pf_filter {
  const pf_model *model;
  size_t n;
  pf_workspace *workspace; /* rows [0, n) and [n, 2n): particles at a step and the one before */
  pf_particle_states states;
  pf_genealogy genealogy;
  pf_step_context *contexts; /* [n] */
  int64_t *previous;         /* [n] row of each particle's step before */
  uint32_t *parents;         /* [n] */
  double *weight, *gain;     /* [n] */
  int64_t n_input;
  pf_real *x;      /* [2n][n_input] */
  double *numbers; /* [n][n_input], or [n_noise] */
  /* of the losses: a step's targets, once for each particle */
  pf_real **target; /* [n_targets of all losses] each [n][width] */
  int64_t *width;   /* likewise: what it has room for */
  size_t n_targets;
};

/* A run. */
typedef struct filter_run {
  pf_filter *filter;
  const pf_filter_in *in;
  pf_filter_out *out;
  int64_t probability; /* observable, or -1 */
  bool any;            /* particles differ */
  pf_error *error;
} filter_run;

void pf_unknowns_set(const pf_model *model, const double *theta, pf_unknowns *unknowns)
{
  if (model->learns_input_sd && unknowns->sd > 0.0) {
    unknowns->sd = theta[model->input_sd_theta];
  }
}

bool pf_unknowns_any(const pf_model *model, const pf_unknowns *unknowns)
{
  return unknowns->sd > 0.0 || unknowns->missing || unknowns->known_noise < model->n_noise;
}

/* ---- memory ---- */

static pf_status make_targets(pf_filter *filter, pf_error *error)
{
  for (size_t k = 0; k < filter->model->n_losses; k++) {
    filter->n_targets += filter->model->losses[k].declared.targets.count;
  }
  filter->target = pf_memory_need(filter->n_targets, sizeof(pf_real *), error);
  filter->width = pf_memory_need(filter->n_targets, sizeof *filter->width, error);
  return filter->target == NULL || filter->width == NULL ? PF_STOP : PF_OK;
}

static pf_status make_filter(pf_filter *filter, pf_error *error)
{
  const size_t n = filter->n, n_input = (size_t)filter->n_input;
  const size_t n_noise = (size_t)filter->model->n_noise;
  const size_t n_numbers = n * n_input > n_noise ? n * n_input : n_noise;
  pf_status status = pf_workspace_create(filter->model, 2 * (int64_t)n, &filter->workspace, error);
  if (status != PF_OK) {
    return status;
  }
  status = pf_trajectory_need(filter->workspace, error);
  if (status != PF_OK) {
    return status;
  }
  status = pf_particle_states_create(filter->workspace, n, &filter->states, error);
  if (status != PF_OK) {
    return status;
  }
  filter->genealogy = pf_genealogy_of(n);
  filter->contexts = pf_memory_need(n, sizeof *filter->contexts, error);
  filter->previous = pf_memory_need(n, sizeof *filter->previous, error);
  filter->parents = pf_memory_need(n, sizeof *filter->parents, error);
  filter->weight = pf_memory_need(2 * n, sizeof *filter->weight, error);
  filter->x = pf_memory_need(2 * n * n_input, sizeof *filter->x, error);
  filter->numbers = pf_memory_need(n_numbers, sizeof *filter->numbers, error);
  if (filter->contexts == NULL || filter->previous == NULL || filter->parents == NULL ||
      filter->weight == NULL || filter->x == NULL || filter->numbers == NULL) {
    return PF_STOP;
  }
  filter->gain = filter->weight + n;
  return make_targets(filter, error);
}

pf_status pf_filter_create(const pf_model *model, size_t n_particles, pf_filter **out,
                           pf_error *error)
{
  pf_filter *filter = pf_memory_need(1, sizeof *filter, error);
  if (filter == NULL) {
    return PF_STOP;
  }
  filter->model = model;
  filter->n = n_particles;
  filter->n_input = pf_model_n_input(model);
  const pf_status status = make_filter(filter, error);
  if (status != PF_OK) {
    pf_filter_free(filter);
    return status;
  }
  *out = filter;
  return PF_OK;
}

void pf_filter_free(pf_filter *filter)
{
  if (filter == NULL) {
    return;
  }
  for (size_t i = 0; filter->target != NULL && i < filter->n_targets; i++) {
    pf_memory_free(filter->target[i]);
  }
  pf_memory_free(filter->target);
  pf_memory_free(filter->width);
  pf_particle_states_clear(&filter->states);
  pf_genealogy_clear(&filter->genealogy);
  pf_memory_free(filter->contexts);
  pf_memory_free(filter->previous);
  pf_memory_free(filter->parents);
  pf_memory_free(filter->weight);
  pf_memory_free(filter->x);
  pf_memory_free(filter->numbers);
  pf_workspace_free(filter->workspace);
  pf_memory_free(filter);
}

/* ---- random numbers ---- */

static pf_stream stream_of(const pf_filter_in *in, enum pf_purpose purpose)
{
  pf_stream stream = in->stream;
  stream.purpose = (uint32_t)purpose;
  return stream;
}

/* Noise behind the starting weights of particle i: what is known, then what is drawn. */
static void start_noise(const pf_filter_in *in, size_t i, double *noise)
{
  const int64_t n = in->model->n_noise, known = in->unknowns.known_noise;
  if (n == 0) {
    return;
  }
  memmove(noise, in->draw->noise, (size_t)n * sizeof *noise); /* may be its own */
  pf_random_normal(stream_of(in, PF_RANDOM_PARTICLE_START),
                   (uint64_t)i * (uint64_t)n + (uint64_t)known, n - known, noise + known);
}

/* Particles [first, first + n) at step t. */
typedef struct particle_range {
  int64_t t;
  uint32_t first;
  size_t n;
} particle_range;

/* Their inputs, into x [n][n_input]. numbers: scratch of that size. */
static void draw_inputs(const pf_filter *filter, const pf_filter_in *in, particle_range of,
                        double *numbers, pf_real *x)
{
  const int64_t n_input = filter->n_input, t = of.t;
  const size_t n = of.n;
  const pf_real *known = in->draw->input + t * in->draw->ld_input;
  const uint64_t at = ((uint64_t)t * filter->n + of.first) * (uint64_t)n_input;
  if (in->unknowns.sd == 0.0 && !in->unknowns.missing) {
    for (size_t i = 0; i < n; i++) {
      memmove(x + (int64_t)i * n_input, known, (size_t)n_input * sizeof *x);
    }
    return;
  }
  pf_random_normal(stream_of(in, PF_RANDOM_PARTICLE), at, (int64_t)n * n_input, numbers);
  for (int64_t j = 0; j < n_input; j++) {
    const pf_input_distribution input = pf_recording_input(in->draw->recording, t * n_input + j,
                                                           in->unknowns.mean, in->unknowns.sd);
    for (size_t i = 0; i < n; i++) {
      const int64_t k = (int64_t)i * n_input + j;
      x[k] = (pf_real)(input.mean + input.sd * numbers[k]);
    }
  }
}

/* ---- the start ---- */

static pf_status start_particles(const filter_run *run)
{
  pf_filter *filter = run->filter;
  const pf_filter_in *in = run->in;
  const bool shared = in->unknowns.known_noise >= filter->model->n_noise;
  pf_particle_states_begin(&filter->states, filter->workspace, in->theta);
  for (size_t i = 0; i < (shared ? 1 : filter->n); i++) {
    start_noise(in, i, filter->numbers);
    const pf_status status = pf_simulation_start(filter->workspace, in->theta, filter->numbers,
                                                 in->draw->given_w, run->error);
    if (status != PF_OK) {
      return status;
    }
    pf_particle_states_start(&filter->states, filter->workspace, i);
  }
  if (shared) {
    pf_particle_states_share_start(&filter->states);
  }
  for (size_t i = 0; i < filter->n; i++) {
    filter->weight[i] = 1.0 / (double)filter->n;
  }
  return PF_OK;
}

/* Room for the targets of this recording. */
static pf_status reserve_targets(const filter_run *run)
{
  pf_filter *filter = run->filter;
  size_t at = 0;
  for (size_t k = 0; k < filter->model->n_losses; k++) {
    const pf_names *names = &filter->model->losses[k].declared.targets;
    for (size_t i = 0; i < names->count; i++, at++) {
      const int64_t width = pf_recording_target(run->in->draw->recording, names->items[i])->n;
      if (width == filter->width[at]) {
        continue;
      }
      pf_memory_free(filter->target[at]);
      filter->target[at] = pf_memory_need(filter->n * (size_t)width, sizeof(pf_real), run->error);
      if (filter->target[at] == NULL) {
        return PF_STOP;
      }
      filter->width[at] = width;
    }
  }
  return PF_OK;
}

/* ---- a step of the network ---- */

static void set_contexts(const filter_run *run, int64_t t)
{
  const pf_filter *filter = run->filter;
  const pf_draw *draw = run->in->draw;
  const int64_t row0 = t % 2 * (int64_t)filter->n;
  pf_step_context context =
      pf_step_context_of(draw, t, (draw->flags[t] & PF_STEP_PLASTIC) != 0 && !run->in->still);
  const bool anew = context.previous < 0;
  for (size_t i = 0; i < filter->n; i++) {
    context.row = row0 + (int64_t)i;
    context.previous = anew ? -1 : filter->previous[i];
    filter->contexts[i] = context;
  }
}

static pf_status activate_one(const filter_run *run, uint8_t phase, size_t i)
{
  pf_workspace *workspace = run->filter->workspace;
  const pf_step_context *context = &run->filter->contexts[i];
  for (size_t p = 1; p < run->filter->model->n_populations; p++) {
    if (workspace->activity[p].phase != phase) {
      continue;
    }
    const pf_population_steps steps = {p, context->row, context->row, context};
    const pf_status status = pf_population_activate(workspace, run->in->theta, &steps, run->error);
    if (status != PF_OK) {
      return status;
    }
  }
  return PF_OK;
}

/* All particles at once: their weights are the same, and nothing remembers the step before. */
static pf_status activate_together(const filter_run *run, uint8_t phase)
{
  pf_workspace *workspace = run->filter->workspace;
  const pf_step_context *first = &run->filter->contexts[0];
  for (size_t p = 1; p < run->filter->model->n_populations; p++) {
    if (workspace->activity[p].phase != phase) {
      continue;
    }
    const pf_population_steps steps = {p, first->row, first->row + (int64_t)run->filter->n - 1,
                                       first};
    const pf_status status = pf_population_activate(workspace, run->in->theta, &steps, run->error);
    if (status != PF_OK) {
      return status;
    }
  }
  return PF_OK;
}

/* Drives of one particle after the other, whose weights differ; then all units at once, since
 * nothing remembers the step before. */
static pf_status activate_units_together(const filter_run *run, uint8_t phase)
{
  pf_filter *filter = run->filter;
  pf_workspace *workspace = filter->workspace;
  const pf_step_context *contexts = filter->contexts;
  for (size_t p = 1; p < filter->model->n_populations; p++) {
    if (workspace->activity[p].phase != phase) {
      continue;
    }
    for (size_t i = 0; i < filter->n; i++) {
      const pf_population_steps own = {p, contexts[i].row, contexts[i].row, &contexts[i]};
      pf_particle_states_load(&filter->states, workspace, i);
      pf_population_drive(workspace, &own);
    }
    const pf_population_steps all = {p, contexts[0].row, contexts[filter->n - 1].row, contexts};
    const pf_status status = pf_population_respond(workspace, run->in->theta, &all, run->error);
    if (status != PF_OK) {
      return status;
    }
  }
  return PF_OK;
}

static pf_status activate_phase(const filter_run *run, uint8_t phase)
{
  pf_filter *filter = run->filter;
  if (!filter->model->stepwise[phase]) {
    return phase != PF_PHASE_PLASTIC && !filter->states.differ
               ? activate_together(run, phase)
               : activate_units_together(run, phase);
  }
  for (size_t i = 0; i < filter->n; i++) {
    pf_particle_states_load(&filter->states, filter->workspace, i);
    const pf_status status = activate_one(run, phase, i);
    if (status != PF_OK) {
      return status;
    }
  }
  return PF_OK;
}

static pf_status present_step(const filter_run *run, int64_t t)
{
  pf_filter *filter = run->filter;
  const double *gap = filter->model->forgets ? run->in->draw->recording->gap : NULL;
  if (gap != NULL && gap[t] > 0.0) {
    pf_particle_states_forget(&filter->states, gap[t]);
  }
  set_contexts(run, t);
  draw_inputs(filter, run->in, (particle_range){t, 0, filter->n}, filter->numbers,
              filter->x + filter->contexts[0].row * filter->n_input);
  pf_particle_states_load(&filter->states, filter->workspace, 0);
  for (int phase = PF_PHASE_BEFORE; phase <= PF_PHASE_AFTER; phase++) {
    const pf_status status = activate_phase(run, (uint8_t)phase);
    if (status != PF_OK) {
      return status;
    }
  }
  return PF_OK;
}

/* ---- what was observed ---- */

/* Step t's targets of loss k for every particle; is anything observed? `at`: its first target. */
static bool repeat_targets(const filter_run *run, int64_t t, size_t k, size_t at)
{
  const pf_filter *filter = run->filter;
  bool any = false;
  for (size_t i = 0; i < filter->model->losses[k].declared.targets.count; i++) {
    const int64_t width = filter->width[at + i];
    const pf_real *from = run->in->draw->targets[k][i] + t * width;
    for (int64_t j = 0; j < width; j++) {
      any = any || !isnan(from[j]);
    }
    for (size_t n = 0; n < filter->n; n++) {
      memcpy(filter->target[at + i] + (int64_t)n * width, from, (size_t)width * sizeof *from);
    }
  }
  return any;
}

/* The log likelihood that loss k gives every particle, added to its gain. */
static pf_status add_loss(const filter_run *run, size_t k, size_t at)
{
  pf_filter *filter = run->filter;
  const pf_workspace *workspace = filter->workspace;
  const pf_loss_term *term = &filter->model->losses[k];
  const pf_real *observable[PF_LOSS_MAX_ARRAYS], *target[PF_LOSS_MAX_ARRAYS];
  int64_t n_observable[PF_LOSS_MAX_ARRAYS], ld_observable[PF_LOSS_MAX_ARRAYS];
  for (size_t o = 0; o < term->declared.observables.count; o++) {
    observable[o] = pf_workspace_observable(workspace, term->observables[o], &n_observable[o],
                                            &ld_observable[o]);
    observable[o] += filter->contexts[0].row * ld_observable[o];
  }
  for (size_t i = 0; i < term->declared.targets.count; i++) {
    target[i] = filter->target[at + i];
  }
  const pf_loss_in in = {.size = sizeof in,
                         .n_steps = (int64_t)filter->n,
                         .theta = run->in->theta + term->theta0,
                         .observable = observable,
                         .n_observable = n_observable,
                         .ld_observable = ld_observable,
                         .target = target,
                         .n_target = filter->width + at,
                         .ld_target = filter->width + at};
  const pf_status status = term->loss->plugin->loss->evaluate(
      term->loss->self, &in, workspace->log_likelihood, workspace->count, run->error);
  if (status != PF_OK) {
    return status;
  }
  const bool is_likelihood = (term->declared.flags & PF_LOSS_LIKELIHOOD) != 0;
  const double variance = is_likelihood || run->in->variance == NULL ? 1.0 : run->in->variance[k];
  const double constant = is_likelihood ? 0.0 : 0.5 * log(6.283185307179586476925 * variance);
  for (size_t i = 0; i < filter->n; i++) {
    const double value = workspace->log_likelihood[i];
    filter->gain[i] +=
        is_likelihood ? value : 0.5 * value / variance - constant * (double)workspace->count[i];
  }
  return PF_OK;
}

/* How well every particle predicts what was observed at step t. */
static pf_status find_gains(const filter_run *run, int64_t t, bool *any)
{
  pf_filter *filter = run->filter;
  size_t at = 0;
  *any = false;
  memset(filter->gain, 0, filter->n * sizeof *filter->gain);
  if ((run->in->draw->flags[t] & run->in->weigh) == 0) {
    return PF_OK;
  }
  for (size_t k = 0; k < filter->model->n_losses; k++) {
    if (repeat_targets(run, t, k, at)) {
      const pf_status status = add_loss(run, k, at);
      if (status != PF_OK) {
        return status;
      }
      *any = true;
    }
    at += filter->model->losses[k].declared.targets.count;
  }
  return PF_OK;
}

/* The probability of a choice, predicted before it is seen. */
static void predict_choice(const filter_run *run, int64_t t)
{
  const pf_filter *filter = run->filter;
  int64_t n = 0, ld = 0;
  double sum = 0.0;
  if (run->out->probability == NULL) {
    return;
  }
  run->out->probability[t] = NAN;
  if (run->probability < 0) {
    return;
  }
  const pf_real *p = pf_workspace_observable(filter->workspace, run->probability, &n, &ld) +
                     filter->contexts[0].row * ld;
  for (size_t i = 0; i < filter->n; i++) {
    sum += filter->weight[i] > 0.0 ? filter->weight[i] * (double)p[(int64_t)i * ld] : 0.0;
  }
  run->out->probability[t] = n == 1 ? sum : (double)NAN;
}

static pf_status fail_lost(const filter_run *run)
{
  return pf_fail(run->error, PF_POINT_FAILED,
                 "all %zu particles were lost: what was recorded is impossible for each of them "
                 "(weights overflowed, or its probability is 0)",
                 run->filter->n);
}

/* Particles that overflowed count no more. */
static pf_status leave_lost(const filter_run *run)
{
  pf_filter *filter = run->filter;
  size_t n_left = 0;
  for (size_t i = 0; i < filter->n; i++) {
    filter->weight[i] = filter->states.lost[i] != 0 ? 0.0 : filter->weight[i];
    n_left += filter->weight[i] > 0.0 ? 1 : 0;
  }
  return n_left > 0 ? PF_OK : fail_lost(run);
}

/* New weights, and whether particles are to be drawn anew. */
static pf_status weigh_particles(const filter_run *run, int64_t t, bool *again)
{
  pf_filter *filter = run->filter;
  bool any = false;
  *again = false;
  predict_choice(run, t);
  const pf_status status = find_gains(run, t, &any);
  if (status != PF_OK) {
    return status;
  }
  if (run->out->predictive != NULL) {
    run->out->predictive[t] = NAN;
  }
  if (!any) {
    return PF_OK;
  }
  const double gain = pf_weights_update(filter->weight, filter->gain, filter->n);
  if (!isfinite(gain)) {
    return fail_lost(run);
  }
  const double share = pf_weights_effective(filter->weight, filter->n) / (double)filter->n;
  run->out->log_likelihood += gain;
  run->out->least_share = fmin(run->out->least_share, share);
  if (run->out->predictive != NULL) {
    run->out->predictive[t] = gain;
  }
  *again = run->any && share < run->in->threshold;
  return PF_OK;
}

/* ---- what particles become ---- */

static pf_status draw_parents(const filter_run *run, int64_t t)
{
  pf_filter *filter = run->filter;
  double uniform = 0.0;
  pf_random_uniform(stream_of(run->in, PF_RANDOM_RESAMPLE), (uint64_t)t, 1, &uniform);
  pf_weights_pick(filter->weight, filter->n, uniform, filter->n, filter->parents);
  for (size_t i = 0; i < filter->n; i++) {
    filter->weight[i] = 1.0 / (double)filter->n;
  }
  run->out->n_resampled++;
  return pf_genealogy_add(&filter->genealogy, t, filter->parents, run->error);
}

static pf_status finish_step(const filter_run *run, int64_t t, bool again)
{
  pf_filter *filter = run->filter;
  const uint32_t *parents = again ? filter->parents : NULL;
  const bool steps =
      filter->contexts[0].changes || (pf_model_has_traces(filter->model) && !run->in->still);
  pf_status status = PF_OK;
  if (again) {
    status = draw_parents(run, t);
    if (status != PF_OK) {
      return status;
    }
  }
  for (size_t i = 0; i < filter->n; i++) {
    filter->previous[i] = filter->contexts[again ? parents[i] : i].row;
  }
  if (steps) {
    status = pf_particle_states_step(&filter->states, filter->contexts, parents, run->error);
    return status == PF_OK ? leave_lost(run) : status;
  }
  if (again) {
    pf_particle_states_inherit(&filter->states, parents);
  }
  return PF_OK;
}

static void tell_watcher(const filter_run *run, int64_t change)
{
  const pf_filter_watcher *watcher = run->in->watcher;
  if (watcher != NULL) {
    watcher->changed(watcher->payload, run->filter, change);
  }
}

static pf_status run_steps(const filter_run *run)
{
  const pf_draw *draw = run->in->draw;
  int64_t n_changes = 0;
  tell_watcher(run, n_changes);
  for (int64_t t = 0; t < draw->n_steps; t++) {
    bool again = false;
    pf_status status = present_step(run, t);
    if (status == PF_OK) {
      status = weigh_particles(run, t, &again);
    }
    if (status == PF_OK) {
      status = finish_step(run, t, again && t + 1 < draw->n_steps);
    }
    if (status != PF_OK) {
      pf_error_at_step(run->error, draw->recording->name, t);
      return status;
    }
    if (run->filter->contexts[0].changes) {
      tell_watcher(run, ++n_changes);
    }
  }
  return PF_OK;
}

pf_status pf_filter_run(pf_filter *filter, const pf_filter_in *in, pf_filter_out *out,
                        pf_error *error)
{
  const filter_run run = {.filter = filter,
                          .in = in,
                          .out = out,
                          .probability = pf_model_observable(filter->model, "probability"),
                          .any = pf_unknowns_any(filter->model, &in->unknowns),
                          .error = error};
  out->log_likelihood = 0.0;
  out->least_share = 1.0;
  out->n_resampled = 0;
  pf_genealogy_begin(&filter->genealogy);
  filter->workspace->activity[0].signals = filter->x;
  filter->workspace->activity[0].ld = filter->n_input;
  pf_status status = reserve_targets(&run);
  if (status == PF_OK) {
    status = start_particles(&run);
  }
  return status == PF_OK ? run_steps(&run) : status;
}

/* ---- the posterior ---- */

void pf_filter_weights(const pf_filter *filter, size_t plastic, double *mean, double *sd)
{
  const size_t q = (size_t)filter->model->plastic[plastic].projection;
  const pf_weights *weights = &filter->workspace->weights[q];
  const size_t n_pre = (size_t)weights->n_pre, cells = (size_t)weights->n_post * n_pre;
  memset(mean, 0, cells * sizeof *mean);
  memset(sd, 0, cells * sizeof *sd);
  for (size_t i = 0; i < filter->n; i++) {
    const double share = filter->weight[i];
    const pf_real *of = pf_particle_states_weights(&filter->states, q, i);
    for (size_t k = 0; share > 0.0 && k < cells; k++) {
      mean[k] += share * (double)of[k / n_pre * (size_t)weights->ldw + k % n_pre];
    }
  }
  for (size_t i = 0; i < filter->n; i++) { /* a second time: no digits are lost */
    const double share = filter->weight[i];
    const pf_real *of = pf_particle_states_weights(&filter->states, q, i);
    for (size_t k = 0; share > 0.0 && k < cells; k++) {
      const double off = (double)of[k / n_pre * (size_t)weights->ldw + k % n_pre] - mean[k];
      sd[k] += share * off * off;
    }
  }
  for (size_t k = 0; k < cells; k++) {
    sd[k] = sqrt(sd[k]);
  }
}

pf_status pf_filter_draw(const pf_filter *filter, const pf_filter_in *in, pf_draw *const *draws,
                         size_t n, pf_error *error)
{
  const int64_t n_steps = in->draw->n_steps, n_input = filter->n_input;
  double uniform = 0.0;
  uint32_t *last = pf_memory_need(n + (size_t)n_steps, sizeof *last, error);
  double *numbers = pf_memory_need((size_t)n_input, sizeof *numbers, error);
  if (last == NULL || numbers == NULL) {
    pf_memory_free(last);
    pf_memory_free(numbers);
    return PF_STOP;
  }
  uint32_t *path = last + n;
  pf_random_uniform(stream_of(in, PF_RANDOM_RESAMPLE), (uint64_t)n_steps, 1, &uniform);
  pf_weights_pick(filter->weight, filter->n, uniform, n, last);
  for (size_t d = 0; d < n; d++) {
    pf_draw *draw = draws[d];
    pf_genealogy_trace(&filter->genealogy, last[d], n_steps, path);
    for (int64_t t = 0; t < n_steps; t++) {
      draw_inputs(filter, in, (particle_range){t, path[t], 1}, numbers,
                  draw->input + t * draw->ld_input);
    }
    if (n_steps > 0) {
      start_noise(in, path[0], draw->noise);
    }
  }
  pf_memory_free(last);
  pf_memory_free(numbers);
  return PF_OK;
}
