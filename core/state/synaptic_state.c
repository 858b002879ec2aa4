#include "core/state/synaptic_state.h"

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

/** Traces of one rule on the projection, as they lie from `at` on; rows from row `first` of the
 * range on. */
static pf_traces traces_at(const pf_synaptic_state *synaptic, const pf_plastic *plastic,
                           pf_real *at, int64_t first)
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
  traces.pre = n[PF_PER_PRE] > 0 ? at : NULL;
  at += n[PF_PER_PRE] * weights->n_pre;
  traces.post = n[PF_PER_POST] > 0 ? at + first : NULL;
  at += n[PF_PER_POST] * synaptic->n_rows;
  traces.synapse = n[PF_PER_SYNAPSE] > 0 ? at + first * weights->ldw : NULL;
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

/** What a rule sees of `rows` at any step. */
static pf_block block_of(const pf_synaptic_state *synaptic, const pf_plastic *plastic,
                         pf_range rows)
{
  const pf_weights *weights = synaptic->weights;
  return (pf_block){.size = sizeof(pf_block),
                    .n_rows = rows.n,
                    .n_pre = weights->n_pre,
                    .row0 = synaptic->row0 + rows.first,
                    .theta = synaptic->theta + plastic->theta0,
                    .ld_pre = synaptic->workspace->activity[weights->info->pre].plane_stride,
                    .ld_post = synaptic->workspace->activity[weights->info->post].plane_stride,
                    .ldw = weights->ldw};
}

static pf_update update_of(const pf_synaptic_state *synaptic, const pf_plastic *plastic,
                           pf_range rows)
{
  const pf_weights *weights = synaptic->weights;
  const int64_t row0 = synaptic->row0 + rows.first;
  return (pf_update){.size = sizeof(pf_update),
                     .eta = plastic->eta,
                     .mask = weights->mask == NULL ? NULL : weights->mask + row0 * weights->ldw,
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

/** The rows of one of its ranges; `in` points to `traces`. */
typedef struct rule_rows {
  pf_range rows;
  pf_block in;
  pf_traces traces;
} rule_rows;

static rule_step rule_step_of(const state_step *step, const pf_plastic *plastic, size_t traces_at)
{
  return (rule_step){.step = step,
                     .plastic = plastic,
                     .ops = plastic->rule->plugin->rule,
                     .self = plastic->rule->self,
                     .traces_at = traces_at};
}

/** Its data of the step, where it sees more than activity. */
static const pf_real *data_seen(const rule_step *rule)
{
  const pf_step_context *context = rule->step->context;
  const size_t p = (size_t)(rule->plastic - rule->step->synaptic->model->plastic);
  return context->seen[p] + (size_t)context->data_row * pf_seen_cells(rule->plastic);
}

/** Where its values stand; their cotangents lie behind them. */
static pf_real *values_seen(const rule_step *rule)
{
  const pf_synaptic_state *synaptic = rule->step->synaptic;
  return synaptic->workspace->seen[rule->plastic - synaptic->model->plastic];
}

/** The block's postsynaptic signals. */
static void see_post(const rule_step *rule, pf_block *in)
{
  const pf_synaptic_state *synaptic = rule->step->synaptic;
  const pf_activity *post = &synaptic->workspace->activity[synaptic->weights->info->post];
  pf_real *signals = post->signals + rule->step->context->row * post->ld;
  if (rule->plastic->n_seen == 0) {
    in->post = signals + in->row0;
    return;
  }
  const pf_unit_signals from = {signals, post->plane_stride};
  pf_seen_values(rule->plastic, data_seen(rule), &from, (pf_range){in->row0, in->n_rows},
                 values_seen(rule));
  in->post = values_seen(rule) + in->row0;
  in->ld_post = rule->plastic->n_post;
}

/** Range r of the rule, which sees `traces` (of this rule; NULL: none); false: no row is of it. */
static bool take_range(const rule_step *rule, size_t r, pf_real *traces, rule_rows *out)
{
  const pf_synaptic_state *synaptic = rule->step->synaptic;
  const pf_step_context *context = rule->step->context;
  const pf_weights *weights = synaptic->weights;
  const size_t p = (size_t)(rule->plastic - synaptic->model->plastic);
  out->rows = rows_within(synaptic, rule->plastic->ranges[r]);
  if (out->rows.n == 0) {
    return false;
  }
  out->in = block_of(synaptic, rule->plastic, out->rows);
  out->in.flags = context->flags;
  out->in.pre =
      pf_presynaptic_signal(synaptic->workspace, weights, context->row, context->previous);
  see_post(rule, &out->in);
  out->in.w = rule->step->w + out->rows.first * weights->ldw;
  out->in.modulator = context->modulators[p] +
                      context->data_row * (int64_t)rule->plastic->declared.modulators.count;
  out->in.dt = context->dt;
  if (traces != NULL) {
    out->traces = traces_at(synaptic, rule->plastic, traces, out->rows.first);
    out->in.traces = &out->traces;
  }
  return true;
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
  const pf_range all = {0, synaptic->n_rows};
  const pf_weights *weights = synaptic->weights;
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
                    .in = block_of(synaptic, plastic, all),
                    .update = update_of(synaptic, plastic, all),
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

/** The rule's traces after the step; its first rows also update those per network and per pre. */
static pf_status update_traces(const rule_step *rule, pf_error *error)
{
  const state_step *step = rule->step;
  rule_rows part;
  bool is_first = true;
  for (size_t r = 0; r < rule->plastic->n_ranges; r++) {
    if (!take_range(rule, r, step->before + rule->traces_at, &part)) {
      continue;
    }
    pf_traces next =
        traces_at(step->synaptic, rule->plastic, step->after + rule->traces_at, part.rows.first);
    if (!is_first) {
      next.network = next.pre = NULL;
    }
    const pf_status status = rule->ops->update_traces(rule->self, &part.in, &next, error);
    if (status != PF_OK) {
      return status;
    }
    is_first = false;
  }
  return PF_OK;
}

/** w_out = w + eta mask dw, without bounds. */
static pf_status apply_rule(const rule_step *rule, pf_real *w_out, pf_error *error)
{
  const state_step *step = rule->step;
  const pf_weights *weights = step->synaptic->weights;
  pf_real *traces = seen_traces(rule, step->before, step->after);
  rule_rows part;
  for (size_t r = 0; r < rule->plastic->n_ranges; r++) {
    if (!take_range(rule, r, traces, &part)) {
      continue;
    }
    pf_real *out = w_out + part.rows.first * weights->ldw;
    const pf_update update = update_of(step->synaptic, rule->plastic, part.rows);
    pf_status status = PF_OK;
    if (PF_HAS(rule->ops, pf_rule_ops, step) && rule->ops->step != NULL) {
      status = rule->ops->step(rule->self, &part.in, &update, out, weights->ldw, error);
    } else {
      status = rule->ops->forward(rule->self, &part.in, step->dw, weights->ldw, error);
      if (status == PF_OK) {
        step->synaptic->workspace->kernels->update(part.rows.n, weights->n_pre, &update, step->dw,
                                                   weights->ldw, part.in.w, out, weights->ldw);
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

/** Cotangents of what the rule sees of `rows`, none yet. */
static pf_real *clear_seen_cotangents(const rule_step *rule, pf_range rows)
{
  const pf_plastic *plastic = rule->plastic;
  pf_real *g = values_seen(rule) + (int64_t)plastic->n_seen * plastic->n_post +
               rule->step->synaptic->row0 + rows.first;
  for (size_t s = 0; s < plastic->n_seen; s++) {
    memset(g + (int64_t)s * plastic->n_post, 0, (size_t)rows.n * sizeof *g);
  }
  return g;
}

/** They go on into those of the population's signals. */
static void add_seen_cotangents(const rule_step *rule, const state_cotangents *g, pf_range rows)
{
  const pf_plastic *plastic = rule->plastic;
  const int64_t row0 = rule->step->synaptic->row0;
  if (plastic->n_seen == 0) {
    return;
  }
  const pf_unit_signals to = {g->gradient->post - row0, g->gradient->ld_post};
  pf_seen_vjp(plastic, data_seen(rule),
              values_seen(rule) + (int64_t)plastic->n_seen * plastic->n_post,
              (pf_range){row0 + rows.first, rows.n}, &to);
}

/** Where the adjoint of a rule's rows adds. */
static pf_rule_gradient gradient_of(const rule_step *rule, const state_cotangents *g, pf_range rows)
{
  const int64_t ldw = rule->step->synaptic->weights->ldw;
  const bool sees_more = rule->plastic->n_seen > 0;
  return (pf_rule_gradient){.size = sizeof(pf_rule_gradient),
                            .theta = g->gradient->theta + rule->plastic->theta0,
                            .pre = g->gradient->pre,
                            .post = sees_more ? clear_seen_cotangents(rule, rows)
                                              : g->gradient->post + rows.first,
                            .w = g->w + rows.first * ldw,
                            .ld_pre = g->gradient->ld_pre,
                            .ld_post = sees_more ? rule->plastic->n_post : g->gradient->ld_post,
                            .ldw = ldw};
}

/** The rule's change: the cotangent of the weights after it becomes that of those before. */
static pf_status apply_rule_vjp(const rule_step *rule, const state_cotangents *g, pf_error *error)
{
  const state_step *step = rule->step;
  const pf_weights *weights = step->synaptic->weights;
  pf_real *traces = seen_traces(rule, step->before, step->after);
  pf_real *g_traces = seen_traces(rule, g->before, g->after);
  rule_rows part;
  for (size_t r = 0; r < rule->plastic->n_ranges; r++) {
    if (!take_range(rule, r, traces, &part)) {
      continue;
    }
    pf_rule_gradient into = gradient_of(rule, g, part.rows);
    const pf_update update = update_of(step->synaptic, rule->plastic, part.rows);
    pf_traces cotangents;
    if (g_traces != NULL) {
      cotangents = traces_at(step->synaptic, rule->plastic, g_traces, part.rows.first);
      into.traces = &cotangents;
    }
    pf_status status = PF_OK;
    if (PF_HAS(rule->ops, pf_rule_ops, step_vjp) && rule->ops->step_vjp != NULL) {
      status = rule->ops->step_vjp(rule->self, &part.in, &update, &into, error);
    } else {
      step->synaptic->workspace->kernels->scale(part.rows.n, weights->n_pre, &update, into.w,
                                                weights->ldw, step->dw, weights->ldw);
      status = rule->ops->vjp(rule->self, &part.in, step->dw, weights->ldw, &into, error);
    }
    if (status != PF_OK) {
      return status;
    }
    add_seen_cotangents(rule, g, part.rows);
  }
  return PF_OK;
}

/** The rule's traces: cotangents of those after the step into those before. */
static pf_status update_traces_vjp(const rule_step *rule, const state_cotangents *g,
                                   pf_error *error)
{
  const pf_synaptic_state *synaptic = rule->step->synaptic;
  rule_rows part;
  bool is_first = true;
  for (size_t r = 0; r < rule->plastic->n_ranges; r++) {
    if (!take_range(rule, r, rule->step->before + rule->traces_at, &part)) {
      continue;
    }
    pf_rule_gradient into = gradient_of(rule, g, part.rows);
    pf_traces after =
        traces_at(synaptic, rule->plastic, g->after + rule->traces_at, part.rows.first);
    const pf_traces before =
        traces_at(synaptic, rule->plastic, g->before + rule->traces_at, part.rows.first);
    into.traces = &before;
    if (!is_first) {
      after.network = after.pre = NULL;
    }
    const pf_status status =
        rule->ops->update_traces_vjp(rule->self, &part.in, &after, &into, error);
    if (status != PF_OK) {
      return status;
    }
    add_seen_cotangents(rule, g, part.rows);
    is_first = false;
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
