#include "core/state/synaptic_state.h"

#include "core/model/modulation.h"
#include "core/model/plastic.h"
#include "core/model/weight_bounds.h"
#include "core/state/seen.h"

#include <math.h>
#include <string.h>

/* ---- layout ---- */

static bool is_on(const pf_plastic *plastic, const pf_weights *weights)
{
  return plastic->projection == weights->index;
}

static bool is_bounded(const pf_weights *weights)
{
  return weights->bound->lower != NULL;
}

size_t pf_synaptic_scratch(const pf_model *model, const pf_weights *weights, int64_t n_rows,
                           bool adjoint)
{
  const size_t w = (size_t)(n_rows * weights->ldw),
               traces = pf_synaptic_cells(model, weights, n_rows) - w;
  if (!adjoint) {
    return w + traces; /* dw, traces that start anew */
  }
  return w + 2 * traces + (is_bounded(weights) ? w : 0); /* cotangents, weights before the bound */
}

/** Synapses [rows.n][columns.n] of a state. */
typedef struct synapses {
  pf_range rows, columns;
} synapses;

/** Its first cell, of a matrix of the state's rows. */
static int64_t cell_at(const pf_weights *weights, const synapses *of)
{
  return of->rows.first * weights->ldw + of->columns.first;
}

/** Traces of one rule on the projection, as they lie from `at` on; of some of its synapses. */
static pf_traces traces_at(const pf_synaptic_state *synaptic, const pf_plastic *plastic,
                           pf_real *at, const synapses *of)
{
  const int64_t *n = plastic->n_traces;
  const pf_weights *weights = synaptic->weights;
  pf_traces traces = {.size = sizeof traces,
                      .ld_pre = weights->n_pre,
                      .ld_post = synaptic->n_rows,
                      .ldw = weights->ldw,
                      .synapse_stride = (int64_t)synaptic->w_cells};
  traces.network = n[PF_PER_NETWORK] > 0 ? at : NULL;
  at += n[PF_PER_NETWORK];
  traces.pre = n[PF_PER_PRE] > 0 ? at + of->columns.first : NULL;
  at += n[PF_PER_PRE] * weights->n_pre;
  traces.post = n[PF_PER_POST] > 0 ? at + of->rows.first : NULL;
  at += n[PF_PER_POST] * synaptic->n_rows;
  traces.synapse = n[PF_PER_SYNAPSE] > 0 ? at + cell_at(weights, of) : NULL;
  return traces;
}

static void start_traces(const pf_synaptic_state *synaptic, const pf_plastic *plastic, pf_real *at)
{
  static const uint32_t kinds[] = {PF_PER_NETWORK, PF_PER_PRE, PF_PER_POST, PF_PER_SYNAPSE};
  const size_t planes[] = {1, (size_t)synaptic->weights->n_pre, (size_t)synaptic->n_rows,
                           synaptic->w_cells};
  for (size_t kind = 0; kind < 4; kind++) {
    for (size_t k = 0; k < plastic->declared.traces.count; k++) {
      const pf_trace *trace = &plastic->traces[k];
      if (trace->per != kinds[kind]) {
        continue;
      }
      for (size_t i = 0; i < planes[kind]; i++) {
        at[i] = (pf_real)trace->initial;
      }
      at += planes[kind];
    }
  }
}

/** All traces to their starting values. */
static void restart_traces(const pf_synaptic_state *synaptic, pf_real *at)
{
  for (size_t p = 0; p < synaptic->model->n_plastic; p++) {
    const pf_plastic *plastic = &synaptic->model->plastic[p];
    if (is_on(plastic, synaptic->weights)) {
      start_traces(synaptic, plastic, at);
      at += pf_trace_cells(plastic, synaptic->weights, synaptic->n_rows);
    }
  }
}

void pf_synaptic_start(const pf_synaptic_state *synaptic, pf_real *buffer)
{
  memcpy(buffer, synaptic->weights->states + synaptic->row0 * synaptic->weights->ldw,
         synaptic->w_cells * sizeof *buffer);
  if (synaptic->weights->has_traces) {
    restart_traces(synaptic, buffer + synaptic->w_cells);
  }
}

/**
 * Traces before the step: those of the buffer, or, where they start anew, the starting ones in
 * `anew`. The buffer is left as it is: its traces are also those after the step before, which a
 * rule may have seen.
 */
static pf_real *traces_before(const pf_synaptic_state *synaptic, const pf_step_context *context,
                              pf_real *buffer, pf_real *anew)
{
  if ((context->flags & PF_STEP_RESET_TRACES) == 0 || !synaptic->weights->has_traces) {
    return buffer + synaptic->w_cells;
  }
  restart_traces(synaptic, anew);
  return anew;
}

static pf_bounded_rows bounded_rows(const pf_synaptic_state *synaptic)
{
  const pf_weights *weights = synaptic->weights;
  return (pf_bounded_rows){.bound = weights->bound,
                           .connected = weights->connected == NULL
                                            ? NULL
                                            : weights->connected + synaptic->row0 * weights->ldw,
                           .n_rows = synaptic->n_rows,
                           .n_pre = weights->n_pre,
                           .ldw = weights->ldw};
}

/* ---- what a rule sees ---- */

/** Rows of a range within the state's, from its row 0 on: n is 0 where there are none. */
static pf_range rows_within(const pf_synaptic_state *synaptic, pf_range range)
{
  const int64_t first = range.first > synaptic->row0 ? range.first : synaptic->row0;
  const int64_t end_of_range = range.first + range.n,
                end_of_rows = synaptic->row0 + synaptic->n_rows;
  const int64_t end = end_of_range < end_of_rows ? end_of_range : end_of_rows;
  return (pf_range){first - synaptic->row0, end > first ? end - first : 0};
}

/** What a rule sees of its synapses at any step. */
static pf_block block_of(const pf_synaptic_state *synaptic, const pf_plastic *plastic,
                         const synapses *of)
{
  const pf_weights *weights = synaptic->weights;
  return (pf_block){.size = sizeof(pf_block),
                    .n_rows = of->rows.n,
                    .n_pre = of->columns.n,
                    .row0 = synaptic->row0 + of->rows.first,
                    .theta = synaptic->theta + plastic->theta0,
                    .ld_pre = synaptic->workspace->activity[weights->info->pre].plane_stride,
                    .ld_post = synaptic->workspace->activity[weights->info->post].plane_stride,
                    .ldw = weights->ldw};
}

static pf_update update_of(const pf_synaptic_state *synaptic, const pf_plastic *plastic,
                           const synapses *of)
{
  const pf_weights *weights = synaptic->weights;
  const int64_t at = synaptic->row0 * weights->ldw + cell_at(weights, of);
  return (pf_update){.size = sizeof(pf_update),
                     .eta = plastic->eta,
                     .mask = weights->mask == NULL ? NULL : weights->mask + at,
                     .ldm = weights->ldw};
}

/** One step of the state. */
typedef struct state_step {
  const pf_synaptic_state *synaptic;
  const pf_step_context *context;
  const pf_real *w;        /* weights before it */
  pf_real *before, *after; /* traces before and after it, of all rules */
  pf_real *dw;             /* scratch [n_rows][ldw] */
} state_step;

/** A rule on the projection, in a step. */
typedef struct rule_step {
  const state_step *step;
  const pf_plastic *plastic;
  const pf_rule_ops *ops;
  void *self;
  size_t traces_at; /* where its traces lie among those of all rules */
} rule_step;

/** One of its parts; `in` points to `traces`. */
typedef struct rule_part {
  synapses of;
  pf_block in;
  pf_traces traces;
} rule_part;

static rule_step rule_step_of(const state_step *step, const pf_plastic *plastic, size_t traces_at)
{
  return (rule_step){.step = step,
                     .plastic = plastic,
                     .ops = plastic->rule->plugin->rule,
                     .self = plastic->rule->self,
                     .traces_at = traces_at};
}

static size_t index_of(const rule_step *rule)
{
  return (size_t)(rule->plastic - rule->step->synaptic->model->plastic);
}

/** Its data of the step, where it sees more than activity. */
static pf_seen_planes data_seen(const rule_step *rule)
{
  const pf_step_context *context = rule->step->context;
  const pf_plastic *plastic = rule->plastic;
  pf_seen_planes data = context->seen[index_of(rule)];
  if (data.post != NULL) {
    data.post += (size_t)context->data_row * pf_seen_cells(&plastic->post);
  }
  if (data.pre != NULL) {
    data.pre += (size_t)context->data_row * pf_seen_cells(&plastic->pre);
  }
  return data;
}

/** Where its values stand; their cotangents lie behind them. */
static pf_seen_planes values_seen(const rule_step *rule)
{
  return rule->step->synaptic->workspace->seen[index_of(rule)];
}

/** The part's postsynaptic signals. */
static void see_post(const rule_step *rule, pf_block *in)
{
  const pf_synaptic_state *synaptic = rule->step->synaptic;
  const pf_seen *seen = &rule->plastic->post;
  const pf_activity *post = &synaptic->workspace->activity[synaptic->weights->info->post];
  pf_real *signals = post->signals + rule->step->context->row * post->ld;
  if (seen->n == 0) {
    in->post = signals + in->row0;
    return;
  }
  const pf_unit_signals from = {signals, post->plane_stride};
  pf_real *values = values_seen(rule).post;
  pf_seen_values(seen, data_seen(rule).post, &from, (pf_range){in->row0, in->n_rows}, values);
  in->post = values + in->row0;
  in->ld_post = seen->n_units;
}

/** Its presynaptic signals. */
static void see_pre(const rule_step *rule, pf_range columns, pf_block *in)
{
  const pf_synaptic_state *synaptic = rule->step->synaptic;
  const pf_step_context *context = rule->step->context;
  const pf_seen *seen = &rule->plastic->pre;
  if (seen->n == 0) {
    in->pre = pf_presynaptic_signal(synaptic->workspace, synaptic->weights, context->row,
                                    context->previous) +
              columns.first;
    return;
  }
  pf_unit_signals from = {NULL, 0};
  from.cells = pf_presynaptic_planes(synaptic->workspace, synaptic->weights, context->row,
                                     context->previous, &from.stride);
  pf_real *values = values_seen(rule).pre;
  pf_seen_values(seen, data_seen(rule).pre, &from, columns, values);
  in->pre = values + columns.first;
  in->ld_pre = seen->n_units;
}

/** Its modulators. */
static void see_modulators(const rule_step *rule, size_t p, const synapses *of, pf_block *in)
{
  const pf_step_context *context = rule->step->context;
  const pf_plastic *plastic = rule->plastic;
  const pf_real *step = context->modulators[index_of(rule)] +
                        (size_t)context->data_row * pf_modulation_cells(plastic);
  const pf_real *post = pf_modulation_post(plastic, step), *pre = pf_modulation_pre(plastic, step);
  in->modulator = pf_modulation_part(plastic, step, p);
  in->modulator_post = post == NULL ? NULL : post + in->row0;
  in->modulator_pre = pre == NULL ? NULL : pre + of->columns.first;
}

/** Part p of the rule, which sees `traces` (of this rule; NULL: none); false: no row is of it. */
static bool take_part(const rule_step *rule, size_t p, pf_real *traces, rule_part *out)
{
  const pf_synaptic_state *synaptic = rule->step->synaptic;
  const pf_step_context *context = rule->step->context;
  out->of = (synapses){rows_within(synaptic, rule->plastic->parts[p].rows),
                       rule->plastic->parts[p].columns};
  if (out->of.rows.n == 0) {
    return false;
  }
  out->in = block_of(synaptic, rule->plastic, &out->of);
  out->in.flags = context->flags;
  see_pre(rule, out->of.columns, &out->in);
  see_post(rule, &out->in);
  see_modulators(rule, p, &out->of, &out->in);
  out->in.w = rule->step->w + cell_at(synaptic->weights, &out->of);
  out->in.dt = context->dt;
  if (traces != NULL) {
    out->traces = traces_at(synaptic, rule->plastic, traces, &out->of);
    out->in.traces = &out->traces;
  }
  return true;
}

/** Of traces that several parts share, those that this part is asked for, so that each is once. */
static void share_traces(const rule_step *rule, size_t p, int64_t first_row, pf_traces *traces)
{
  const pf_part *part = &rule->plastic->parts[p];
  if (part->rows.first != first_row) {
    traces->network = traces->pre = NULL;
  }
  if (!part->first_columns) {
    traces->network = traces->post = NULL;
  }
}

/** The first row of the first part that has rows of the state. */
static int64_t first_row_of(const rule_step *rule)
{
  for (size_t p = 0; p < rule->plastic->n_parts; p++) {
    const pf_range rows = rule->plastic->parts[p].rows;
    if (rows_within(rule->step->synaptic, rows).n > 0) {
      return rows.first;
    }
  }
  return -1;
}

static bool keeps_traces(const rule_step *rule)
{
  return rule->plastic->declared.traces.count > 0;
}

/** Of the rule's traces before and after the step, those that dw sees; NULL: it keeps none. */
static pf_real *seen_traces(const rule_step *rule, pf_real *before, pf_real *after)
{
  if (!keeps_traces(rule)) {
    return NULL;
  }
  return (rule->plastic->declared.trace_order == PF_TRACES_AFTER_STEP ? after : before) +
         rule->traces_at;
}

/* ---- one rule, no traces, no bounds ---- */

static pf_plain plain_of(const pf_synaptic_state *synaptic)
{
  const pf_weights *weights = synaptic->weights;
  const synapses all = {{0, synaptic->n_rows}, {0, weights->n_pre}};
  const pf_plastic *plastic = weights->plastic;
  const pf_activity *pre = &synaptic->workspace->activity[weights->info->pre];
  const pf_activity *post = &synaptic->workspace->activity[weights->info->post];
  const bool now = weights->info->when != PF_PRE_PREVIOUS;
  return (pf_plain){.ops = plastic->rule->plugin->rule,
                    .self = plastic->rule->self,
                    .pre = now ? pf_presynaptic_signal(synaptic->workspace, weights, 0, -1) : NULL,
                    .post = post->signals + synaptic->row0,
                    .step_pre = pre->ld,
                    .step_post = post->ld,
                    .index = (size_t)(plastic - synaptic->model->plastic),
                    .n_modulators = plastic->declared.modulators.count,
                    .in = block_of(synaptic, plastic, &all),
                    .update = update_of(synaptic, plastic, &all),
                    .into = {.size = sizeof(pf_rule_gradient), .ldw = weights->ldw}};
}

/** What the rule sees at one step, with weights w. */
static inline const pf_block *plain_at(pf_synaptic_state *synaptic, const pf_step_context *context,
                                       const pf_real *w)
{
  pf_plain *plain = &synaptic->plain;
  plain->in.flags = context->flags;
  plain->in.pre = plain->pre != NULL ? plain->pre + context->row * plain->step_pre
                                     : pf_presynaptic_signal(synaptic->workspace, synaptic->weights,
                                                             context->row, context->previous);
  plain->in.post = plain->post + context->row * plain->step_post;
  plain->in.w = w;
  plain->in.modulator =
      context->modulators[plain->index] + context->data_row * (int64_t)plain->n_modulators;
  plain->in.dt = context->dt;
  return &plain->in;
}

/** Small networks would drown in loops over rules and ranges of which there is one. */
static inline pf_status step_plain(pf_synaptic_state *synaptic, const pf_step_context *context,
                                   const pf_real *from, pf_real *to, pf_real *dw, pf_error *error)
{
  const pf_plain *plain = &synaptic->plain;
  const pf_rule_ops *ops = plain->ops;
  const int64_t ldw = plain->in.ldw;
  const pf_block *in = plain_at(synaptic, context, from);
  if (PF_HAS(ops, pf_rule_ops, step) && ops->step != NULL) {
    return ops->step(plain->self, in, &plain->update, to, ldw, error);
  }
  const pf_status status = ops->forward(plain->self, in, dw, ldw, error);
  if (status != PF_OK) {
    return status;
  }
  synaptic->workspace->kernels->update(in->n_rows, in->n_pre, &plain->update, dw, ldw, from, to,
                                       ldw);
  return PF_OK;
}

static inline pf_status step_plain_vjp(pf_synaptic_state *synaptic, const pf_step_context *context,
                                       const pf_synaptic_adjoint *adjoint,
                                       const pf_synaptic_gradient *gradient, pf_error *error)
{
  pf_plain *plain = &synaptic->plain;
  const pf_rule_ops *ops = plain->ops;
  const int64_t ldw = plain->in.ldw;
  const pf_block *in = plain_at(synaptic, context, adjoint->from);
  pf_real *dw = adjoint->scratch;
  plain->into.theta = gradient->theta + synaptic->weights->plastic->theta0;
  plain->into.pre = gradient->pre;
  plain->into.post = gradient->post;
  plain->into.w = adjoint->g;
  plain->into.ld_pre = gradient->ld_pre;
  plain->into.ld_post = gradient->ld_post;
  if (PF_HAS(ops, pf_rule_ops, step_vjp) && ops->step_vjp != NULL) {
    return ops->step_vjp(plain->self, in, &plain->update, &plain->into, error);
  }
  synaptic->workspace->kernels->scale(in->n_rows, in->n_pre, &plain->update, adjoint->g, ldw, dw,
                                      ldw);
  return ops->vjp(plain->self, in, dw, ldw, &plain->into, error);
}

pf_synaptic_state pf_synaptic_make(const pf_workspace *workspace, const double *theta, size_t q,
                                   int64_t row0, int64_t n_rows)
{
  const pf_weights *weights = &workspace->weights[q];
  pf_synaptic_state synaptic = {.model = workspace->model,
                                .workspace = workspace,
                                .weights = weights,
                                .theta = theta,
                                .row0 = row0,
                                .n_rows = n_rows,
                                .w_cells = (size_t)(n_rows * weights->ldw),
                                .cells = pf_synaptic_cells(workspace->model, weights, n_rows)};
  if (weights->plain) {
    synaptic.plain = plain_of(&synaptic);
  }
  return synaptic;
}

/* ---- forward ---- */

/** The rule's traces after the step. */
static pf_status update_traces(const rule_step *rule, pf_error *error)
{
  const state_step *step = rule->step;
  const int64_t first_row = first_row_of(rule);
  rule_part part;
  for (size_t p = 0; p < rule->plastic->n_parts; p++) {
    if (!take_part(rule, p, step->before + rule->traces_at, &part)) {
      continue;
    }
    pf_traces next =
        traces_at(step->synaptic, rule->plastic, step->after + rule->traces_at, &part.of);
    share_traces(rule, p, first_row, &next);
    const pf_status status = rule->ops->update_traces(rule->self, &part.in, &next, error);
    if (status != PF_OK) {
      return status;
    }
  }
  return PF_OK;
}

/** w_out = w + eta mask dw, without bounds. */
static pf_status apply_rule(const rule_step *rule, pf_real *w_out, pf_error *error)
{
  const state_step *step = rule->step;
  const int64_t ldw = step->synaptic->weights->ldw;
  pf_real *traces = seen_traces(rule, step->before, step->after);
  rule_part part;
  for (size_t p = 0; p < rule->plastic->n_parts; p++) {
    if (!take_part(rule, p, traces, &part)) {
      continue;
    }
    pf_real *out = w_out + cell_at(step->synaptic->weights, &part.of);
    const pf_update update = update_of(step->synaptic, rule->plastic, &part.of);
    pf_status status = PF_OK;
    if (PF_HAS(rule->ops, pf_rule_ops, step) && rule->ops->step != NULL) {
      status = rule->ops->step(rule->self, &part.in, &update, out, ldw, error);
    } else {
      status = rule->ops->forward(rule->self, &part.in, step->dw, ldw, error);
      if (status == PF_OK) {
        step->synaptic->workspace->kernels->update(part.in.n_rows, part.in.n_pre, &update, step->dw,
                                                   ldw, part.in.w, out, ldw);
      }
    }
    if (status != PF_OK) {
      return status;
    }
  }
  return PF_OK;
}

/** All traces after the step; only then may weights that see them be asked for. */
static pf_status update_all_traces(const state_step *step, pf_error *error)
{
  const pf_synaptic_state *synaptic = step->synaptic;
  size_t at = 0;
  for (size_t p = 0; p < synaptic->model->n_plastic; p++) {
    const pf_plastic *plastic = &synaptic->model->plastic[p];
    if (!is_on(plastic, synaptic->weights)) {
      continue;
    }
    const rule_step rule = rule_step_of(step, plastic, at);
    if (keeps_traces(&rule)) {
      const pf_status status = update_traces(&rule, error);
      if (status != PF_OK) {
        return status;
      }
    }
    at += pf_trace_cells(plastic, synaptic->weights, synaptic->n_rows);
  }
  return PF_OK;
}

/** Weights after the change into w_out, without bounds. */
static pf_status apply_all_rules(const state_step *step, pf_real *w_out, pf_error *error)
{
  const pf_synaptic_state *synaptic = step->synaptic;
  size_t at = 0;
  if (!synaptic->weights->covered && w_out != step->w) { /* rows that learn by no rule */
    memcpy(w_out, step->w, synaptic->w_cells * sizeof *w_out);
  }
  for (size_t p = 0; p < synaptic->model->n_plastic; p++) {
    const pf_plastic *plastic = &synaptic->model->plastic[p];
    if (!is_on(plastic, synaptic->weights)) {
      continue;
    }
    const rule_step rule = rule_step_of(step, plastic, at);
    const pf_status status = apply_rule(&rule, w_out, error);
    if (status != PF_OK) {
      return status;
    }
    at += pf_trace_cells(plastic, synaptic->weights, synaptic->n_rows);
  }
  return PF_OK;
}

pf_status pf_synaptic_step(pf_synaptic_state *synaptic, const pf_step_context *context,
                           pf_real *from, pf_real *to, pf_real *scratch, pf_error *error)
{
  const pf_weights *weights = synaptic->weights;
  if (weights->plain && context->changes) {
    return step_plain(synaptic, context, from, to, scratch, error);
  }
  const state_step step = {.synaptic = synaptic,
                           .context = context,
                           .w = from,
                           .before =
                               traces_before(synaptic, context, from, scratch + synaptic->w_cells),
                           .after = to + synaptic->w_cells,
                           .dw = scratch};
  pf_status status = PF_OK;
  if (weights->has_traces) {
    status = update_all_traces(&step, error);
    if (status != PF_OK) {
      return status;
    }
  }
  if (!context->changes) {
    if (to != from) {
      memcpy(to, from, synaptic->w_cells * sizeof *to);
    }
    return PF_OK;
  }
  status = apply_all_rules(&step, to, error);
  if (status == PF_OK && is_bounded(weights)) {
    const pf_bounded_rows rows = bounded_rows(synaptic);
    pf_bound_clip(&rows, to);
  }
  return status;
}

/* ---- forgetting ---- */

static pf_real kept_share(const pf_synaptic_state *synaptic, double gap)
{
  return (pf_real)exp(-synaptic->theta[synaptic->model->forgetting_theta] * gap);
}

/** Is cell k of the range a synapse that changes? */
static bool changes_at(const pf_synaptic_state *synaptic, size_t k)
{
  const pf_real *mask = synaptic->weights->mask;
  return mask == NULL || mask[(size_t)(synaptic->row0 * synaptic->weights->ldw) + k] != 0;
}

/** Does a rule act on row i of the range? */
static bool row_learns(const pf_synaptic_state *synaptic, int64_t i)
{
  if (synaptic->weights->covered) {
    return true;
  }
  for (size_t p = 0; p < synaptic->model->n_plastic; p++) {
    const pf_plastic *plastic = &synaptic->model->plastic[p];
    if (is_on(plastic, synaptic->weights) && pf_plastic_has_row(plastic, synaptic->row0 + i)) {
      return true;
    }
  }
  return false;
}

/** w *= share where weights change: rows without a rule stay. */
static void shrink_weights(const pf_synaptic_state *synaptic, pf_real share, pf_real *w)
{
  for (int64_t i = 0; i < synaptic->n_rows; i++) {
    if (!row_learns(synaptic, i)) {
      continue;
    }
    for (int64_t j = 0; j < synaptic->weights->n_pre; j++) {
      const size_t k = (size_t)(i * synaptic->weights->ldw + j);
      w[k] = changes_at(synaptic, k) ? share * w[k] : w[k];
    }
  }
}

void pf_synaptic_forget(const pf_synaptic_state *synaptic, double gap, const pf_real *from,
                        pf_real *to)
{
  if (to != from) {
    memcpy(to, from, synaptic->cells * sizeof *to);
  }
  shrink_weights(synaptic, kept_share(synaptic, gap), to);
  if (is_bounded(synaptic->weights)) {
    const pf_bounded_rows rows = bounded_rows(synaptic);
    pf_bound_clip(&rows, to);
  }
}

void pf_synaptic_forget_vjp(const pf_synaptic_state *synaptic, double gap,
                            const pf_synaptic_adjoint *adjoint, double *gradient_theta)
{
  const pf_weights *weights = synaptic->weights;
  const pf_real share = kept_share(synaptic, gap);
  pf_real *left = adjoint->scratch, *g = adjoint->g;
  double sum = 0.0;
  memcpy(left, adjoint->from, synaptic->w_cells * sizeof *left);
  shrink_weights(synaptic, share, left);
  if (is_bounded(weights)) {
    const pf_bounded_rows rows = bounded_rows(synaptic);
    pf_bound_clip_vjp(&rows, left, g);
  }
  for (int64_t i = 0; i < synaptic->n_rows; i++) {
    if (!row_learns(synaptic, i)) {
      continue;
    }
    for (int64_t j = 0; j < weights->n_pre; j++) {
      const size_t k = (size_t)(i * weights->ldw + j);
      sum += changes_at(synaptic, k) ? (double)g[k] * (double)left[k] : 0.0;
    }
  }
  gradient_theta[synaptic->model->forgetting_theta] -= gap * sum;
  shrink_weights(synaptic, share, g);
}

/* ---- adjoint ---- */

/** Cotangents of a step: of the weights, first after and then before it; of traces after and before
 * it, of all rules. */
typedef struct state_cotangents {
  pf_real *w, *before, *after;
  const pf_synaptic_gradient *gradient;
} state_cotangents;

/** Cotangents of what the rule sees of units of one side, none yet. values: [n][n_units]. */
static pf_real *clear_cotangents(const pf_seen *seen, pf_real *values, pf_range units)
{
  pf_real *g = values + (int64_t)seen->n * seen->n_units + units.first;
  for (size_t s = 0; s < seen->n; s++) {
    memset(g + (int64_t)s * seen->n_units, 0, (size_t)units.n * sizeof *g);
  }
  return g;
}

/** They go on into those of the signals: `to` of unit 0's signal `first`, or NULL: not wanted. */
static void add_cotangents(const pf_seen *seen, const pf_real *data, const pf_real *values,
                           pf_range units, pf_real *to, int64_t stride)
{
  if (seen->n == 0 || to == NULL) {
    return;
  }
  const pf_unit_signals signals = {to, stride};
  pf_seen_vjp(seen, data, values + (int64_t)seen->n * seen->n_units, units, &signals);
}

static void add_seen_cotangents(const rule_step *rule, const state_cotangents *g,
                                const rule_part *part)
{
  const pf_plastic *plastic = rule->plastic;
  const pf_synaptic_gradient *to = g->gradient;
  const pf_synaptic_state *synaptic = rule->step->synaptic;
  const int64_t signal = synaptic->weights->info->signal;
  const pf_seen_planes data = data_seen(rule), values = values_seen(rule);
  add_cotangents(&plastic->post, data.post, values.post, (pf_range){part->in.row0, part->in.n_rows},
                 to->post - synaptic->row0, to->ld_post);
  add_cotangents(&plastic->pre, data.pre, values.pre, part->of.columns,
                 to->pre == NULL ? NULL : to->pre - signal * to->ld_pre, to->ld_pre);
}

/** Where the adjoint of a part adds. */
static pf_rule_gradient gradient_of(const rule_step *rule, const state_cotangents *g,
                                    const rule_part *part)
{
  const pf_plastic *plastic = rule->plastic;
  const pf_weights *weights = rule->step->synaptic->weights;
  const pf_range units = {part->in.row0, part->in.n_rows};
  pf_rule_gradient into = {.size = sizeof into,
                           .theta = g->gradient->theta + plastic->theta0,
                           .pre = g->gradient->pre,
                           .post = g->gradient->post + part->of.rows.first,
                           .w = g->w + cell_at(weights, &part->of),
                           .ld_pre = g->gradient->ld_pre,
                           .ld_post = g->gradient->ld_post,
                           .ldw = weights->ldw};
  if (plastic->post.n > 0) {
    into.post = clear_cotangents(&plastic->post, values_seen(rule).post, units);
    into.ld_post = plastic->post.n_units;
  }
  if (into.pre != NULL) {
    into.pre += part->of.columns.first;
  }
  if (into.pre != NULL && plastic->pre.n > 0) {
    into.pre = clear_cotangents(&plastic->pre, values_seen(rule).pre, part->of.columns);
    into.ld_pre = plastic->pre.n_units;
  }
  return into;
}

/** The rule's change: the cotangent of the weights after it becomes that of those before. */
static pf_status apply_rule_vjp(const rule_step *rule, const state_cotangents *g, pf_error *error)
{
  const state_step *step = rule->step;
  const pf_weights *weights = step->synaptic->weights;
  pf_real *traces = seen_traces(rule, step->before, step->after);
  pf_real *g_traces = seen_traces(rule, g->before, g->after);
  rule_part part;
  for (size_t p = 0; p < rule->plastic->n_parts; p++) {
    if (!take_part(rule, p, traces, &part)) {
      continue;
    }
    pf_rule_gradient into = gradient_of(rule, g, &part);
    const pf_update update = update_of(step->synaptic, rule->plastic, &part.of);
    pf_traces cotangents;
    if (g_traces != NULL) {
      cotangents = traces_at(step->synaptic, rule->plastic, g_traces, &part.of);
      into.traces = &cotangents;
    }
    pf_status status = PF_OK;
    if (PF_HAS(rule->ops, pf_rule_ops, step_vjp) && rule->ops->step_vjp != NULL) {
      status = rule->ops->step_vjp(rule->self, &part.in, &update, &into, error);
    } else {
      step->synaptic->workspace->kernels->scale(part.in.n_rows, part.in.n_pre, &update, into.w,
                                                weights->ldw, step->dw, weights->ldw);
      status = rule->ops->vjp(rule->self, &part.in, step->dw, weights->ldw, &into, error);
    }
    if (status != PF_OK) {
      return status;
    }
    add_seen_cotangents(rule, g, &part);
  }
  return PF_OK;
}

/** The rule's traces: cotangents of those after the step into those before. */
static pf_status update_traces_vjp(const rule_step *rule, const state_cotangents *g,
                                   pf_error *error)
{
  const pf_synaptic_state *synaptic = rule->step->synaptic;
  const int64_t first_row = first_row_of(rule);
  rule_part part;
  for (size_t p = 0; p < rule->plastic->n_parts; p++) {
    if (!take_part(rule, p, rule->step->before + rule->traces_at, &part)) {
      continue;
    }
    pf_rule_gradient into = gradient_of(rule, g, &part);
    pf_traces after = traces_at(synaptic, rule->plastic, g->after + rule->traces_at, &part.of);
    const pf_traces before =
        traces_at(synaptic, rule->plastic, g->before + rule->traces_at, &part.of);
    into.traces = &before;
    share_traces(rule, p, first_row, &after);
    const pf_status status =
        rule->ops->update_traces_vjp(rule->self, &part.in, &after, &into, error);
    if (status != PF_OK) {
      return status;
    }
    add_seen_cotangents(rule, g, &part);
  }
  return PF_OK;
}

static pf_status rules_vjp(const state_step *step, const state_cotangents *g, pf_error *error)
{
  const pf_synaptic_state *synaptic = step->synaptic;
  size_t at = 0;
  for (size_t p = 0; p < synaptic->model->n_plastic; p++) {
    const pf_plastic *plastic = &synaptic->model->plastic[p];
    if (!is_on(plastic, synaptic->weights)) {
      continue;
    }
    const rule_step rule = rule_step_of(step, plastic, at);
    pf_status status = PF_OK;
    if (step->context->changes) {
      status = apply_rule_vjp(&rule, g, error);
      if (status != PF_OK) {
        return status;
      }
    }
    if (keeps_traces(&rule)) {
      status = update_traces_vjp(&rule, g, error);
      if (status != PF_OK) {
        return status;
      }
    }
    at += pf_trace_cells(plastic, synaptic->weights, synaptic->n_rows);
  }
  return PF_OK;
}

pf_status pf_synaptic_step_vjp(pf_synaptic_state *synaptic, const pf_step_context *context,
                               const pf_synaptic_adjoint *adjoint,
                               const pf_synaptic_gradient *gradient, pf_error *error)
{
  const pf_weights *weights = synaptic->weights;
  if (weights->plain && context->changes) {
    return step_plain_vjp(synaptic, context, adjoint, gradient, error);
  }
  const size_t n_traces = synaptic->cells - synaptic->w_cells;
  pf_real *anew = adjoint->scratch + synaptic->w_cells;
  const state_cotangents g = {.w = adjoint->g,
                              .before = anew + n_traces,
                              .after = adjoint->g + synaptic->w_cells,
                              .gradient = gradient};
  const state_step step = {.synaptic = synaptic,
                           .context = context,
                           .w = adjoint->from,
                           .before = traces_before(synaptic, context, adjoint->from, anew),
                           .after = adjoint->to + synaptic->w_cells,
                           .dw = adjoint->scratch};
  if (context->changes && is_bounded(weights)) {
    pf_real *unbounded = g.before + n_traces;
    const pf_status status = apply_all_rules(&step, unbounded, error);
    if (status != PF_OK) {
      return status;
    }
    const pf_bounded_rows rows = bounded_rows(synaptic);
    pf_bound_clip_vjp(&rows, unbounded, g.w);
  }
  memset(g.before, 0, n_traces * sizeof *g.before);
  const pf_status status = rules_vjp(&step, &g, error);
  if (step.before == anew) { /* what traces were before is forgotten */
    memset(g.after, 0, n_traces * sizeof *g.after);
  } else {
    memcpy(g.after, g.before, n_traces * sizeof *g.after);
  }
  return status;
}
