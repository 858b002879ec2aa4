#include "core/engine/synaptic_state.h"

#include "core/base/memory.h"
#include "core/model/weight_bounds.h"

#include <math.h>
#include <string.h>

/* ---- layout ---- */

static bool is_on(const pf_plastic *plastic, const pf_weights *weights)
{
  return plastic->projection == weights->index;
}

size_t pf_synaptic_scratch(const pf_model *model, const pf_weights *weights, int64_t n_rows,
                           bool adjoint)
{
  const size_t w = (size_t)(n_rows * weights->ldw),
               traces = pf_synaptic_cells(model, weights, n_rows) - w;
  const bool bounded = weights->bound->lower != NULL;
  /* dw, traces that start anew; their cotangents, weights before the bound */
  return w + traces + (adjoint ? traces + (bounded ? w : 0) : 0);
}

/** Traces of one rule on the projection, as they lie from `at` on; rows from row `first` of the
 * carry on. */
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
  const pf_trace_table *table = &plastic->declared.traces;
  for (size_t kind = 0; kind < 4; kind++) {
    for (size_t k = 0; k < table->count; k++) {
      const pf_trace *trace = pf_table_at(table->items, table->stride, table->count, k);
      for (size_t i = 0; i < planes[kind] && trace->per == kinds[kind]; i++) {
        at[i] = (pf_real)trace->initial;
      }
      at += trace->per == kinds[kind] ? planes[kind] : 0;
    }
  }
}

/** All traces to their starting values. */
static void restart(const pf_synaptic_state *synaptic, pf_real *at)
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
    restart(synaptic, buffer + synaptic->w_cells);
  }
}

/**
 * Traces before the step: those of the slot, or, where they start anew, the starting ones in
 * `anew`. The slot is left as it is: its traces are also those after the step before, which a rule
 * may have seen.
 */
static pf_real *traces_before(const pf_synaptic_state *synaptic, const pf_step_context *context,
                              pf_real *buffer, pf_real *anew)
{
  if ((context->flags & PF_STEP_RESET_TRACES) == 0 || !synaptic->weights->has_traces) {
    return buffer + synaptic->w_cells;
  }
  restart(synaptic, anew);
  return anew;
}

/* ---- blocks ---- */

/** Rows of a range within the carry, from its row 0: n is 0 where there are none. */
static pf_range within(const pf_synaptic_state *synaptic, pf_range range)
{
  const int64_t first = range.first > synaptic->row0 ? range.first : synaptic->row0;
  const int64_t end_of_range = range.first + range.n,
                end_of_rows = synaptic->row0 + synaptic->n_rows;
  const int64_t end = end_of_range < end_of_rows ? end_of_range : end_of_rows;
  return (pf_range){first - synaptic->row0, end > first ? end - first : 0};
}

/** What a rule sees of `rows` of the carry at any step; the rest: block_at. */
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

/** The same at one step, with weights w [n_rows][ldw] of the carry. */
static void block_at(const pf_synaptic_state *synaptic, const pf_step_context *context,
                     const pf_plastic *plastic, const pf_real *w, pf_block *in)
{
  const pf_weights *weights = synaptic->weights;
  const pf_activity *post = &synaptic->workspace->activity[weights->info->post];
  const size_t p = (size_t)(plastic - synaptic->model->plastic);
  in->flags = context->flags;
  in->pre = pf_presynaptic_signal(synaptic->workspace, weights, context->row, context->previous);
  in->post = post->signals + context->row * post->ld + in->row0;
  in->w = w + (in->row0 - synaptic->row0) * weights->ldw;
  in->modulator =
      context->modulators[p] + context->modulator_row * (int64_t)plastic->declared.modulators.count;
  in->dt = context->dt;
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
      context->modulators[plain->index] + context->modulator_row * (int64_t)plain->n_modulators;
  plain->in.dt = context->dt;
  return &plain->in;
}

pf_synaptic_state pf_synaptic_make(const pf_workspace *workspace, const double *theta, size_t q,
                                   int64_t row0, int64_t n_rows)
{
  const pf_weights *weights = &workspace->weights[q];
  pf_synaptic_state synaptic = {.model = workspace->model,
                                .workspace = workspace,
                                .weights = weights,
                                .theta = theta,
                                .projection = (int64_t)q,
                                .row0 = row0,
                                .n_rows = n_rows,
                                .w_cells = (size_t)(n_rows * weights->ldw),
                                .cells = pf_synaptic_cells(workspace->model, weights, n_rows)};
  if (weights->plain) {
    synaptic.plain = plain_of(&synaptic);
  }
  return synaptic;
}

static const pf_real *connected_of(const pf_synaptic_state *synaptic)
{
  const pf_weights *weights = synaptic->weights;
  return weights->connected == NULL ? NULL : weights->connected + synaptic->row0 * weights->ldw;
}

/* ---- forward ---- */

/** Traces of rule p after the step; the first block also advances those per network and per pre. */
static pf_status advance(const pf_synaptic_state *synaptic, const pf_step_context *context,
                         size_t p, pf_real *before, const pf_real *w, pf_real *after,
                         pf_error *error)
{
  const pf_plastic *plastic = &synaptic->model->plastic[p];
  const pf_rule_ops *ops = plastic->rule->plugin->rule;
  bool first = true;
  for (size_t r = 0; r < plastic->n_ranges; r++) {
    const pf_range rows = within(synaptic, plastic->ranges[r]);
    if (rows.n == 0) {
      continue;
    }
    pf_block in = block_of(synaptic, plastic, rows);
    block_at(synaptic, context, plastic, w, &in);
    pf_traces next = traces_at(synaptic, plastic, after, rows.first);
    const pf_traces seen = traces_at(synaptic, plastic, before, rows.first);
    in.traces = &seen;
    if (!first) {
      next.network = next.pre = NULL;
    }
    const pf_status status = ops->update_traces(plastic->rule->self, &in, &next, error);
    if (status != PF_OK) {
      return status;
    }
    first = false;
  }
  return PF_OK;
}

/** w_out = w + eta mask dw by rule p, without bounds; traces as the rule sees them, or NULL. */
static pf_status apply_rule(const pf_synaptic_state *synaptic, const pf_step_context *context,
                            size_t p, const pf_real *w, pf_real *traces, pf_real *w_out,
                            pf_real *dw, pf_error *error)
{
  const pf_plastic *plastic = &synaptic->model->plastic[p];
  const pf_weights *weights = synaptic->weights;
  const pf_rule_ops *ops = plastic->rule->plugin->rule;
  void *self = plastic->rule->self;
  pf_status status = PF_OK;
  for (size_t r = 0; r < plastic->n_ranges && status == PF_OK; r++) {
    const pf_range rows = within(synaptic, plastic->ranges[r]);
    if (rows.n == 0) {
      continue;
    }
    pf_block in = block_of(synaptic, plastic, rows);
    block_at(synaptic, context, plastic, w, &in);
    pf_real *out = w_out + rows.first * weights->ldw;
    const pf_update update = update_of(synaptic, plastic, rows);
    pf_traces seen;
    if (traces != NULL) {
      seen = traces_at(synaptic, plastic, traces, rows.first);
      in.traces = &seen;
    }
    if (PF_HAS(ops, pf_rule_ops, step) && ops->step != NULL) {
      status = ops->step(self, &in, &update, out, weights->ldw, error);
      continue;
    }
    status = ops->forward(self, &in, dw, weights->ldw, error);
    if (status == PF_OK) {
      synaptic->workspace->kernels->update(rows.n, weights->n_pre, &update, dw, weights->ldw, in.w,
                                           out, weights->ldw);
    }
  }
  return status;
}

/** Where the traces that dw of a rule sees begin, in the slots before and after; NULL: it keeps
 * none. */
static pf_real *seen_traces(const pf_plastic *plastic, pf_real *before, pf_real *after)
{
  if (plastic->declared.traces.count == 0) {
    return NULL;
  }
  return plastic->declared.trace_order == PF_TRACES_AFTER_STEP ? after : before;
}

/** All traces after the step; only then may weights that see them be asked for. */
static pf_status advance_all(const pf_synaptic_state *synaptic, const pf_step_context *context,
                             const pf_real *w, pf_real *before, pf_real *after, pf_error *error)
{
  size_t at = 0;
  pf_status status = PF_OK;
  for (size_t p = 0; p < synaptic->model->n_plastic && status == PF_OK; p++) {
    const pf_plastic *plastic = &synaptic->model->plastic[p];
    if (is_on(plastic, synaptic->weights)) {
      status = plastic->declared.traces.count > 0
                   ? advance(synaptic, context, p, before + at, w, after + at, error)
                   : PF_OK;
      at += pf_trace_cells(plastic, synaptic->weights, synaptic->n_rows);
    }
  }
  return status;
}

/** Weights after the change into w_out, without bounds. */
static pf_status change_all(const pf_synaptic_state *synaptic, const pf_step_context *context,
                            const pf_real *w, pf_real *before, pf_real *after, pf_real *w_out,
                            pf_real *dw, pf_error *error)
{
  size_t at = 0;
  pf_status status = PF_OK;
  if (!synaptic->weights->covered && w_out != w) {
    memcpy(w_out, w, synaptic->w_cells * sizeof *w_out); /* rows that learn by no rule */
  }
  for (size_t p = 0; p < synaptic->model->n_plastic && status == PF_OK; p++) {
    const pf_plastic *plastic = &synaptic->model->plastic[p];
    if (is_on(plastic, synaptic->weights)) {
      pf_real *traces = seen_traces(plastic, before + at, after + at);
      status = apply_rule(synaptic, context, p, w, traces, w_out, dw, error);
      at += pf_trace_cells(plastic, synaptic->weights, synaptic->n_rows);
    }
  }
  return status;
}

/** One rule on all rows, no traces, no bounds: small networks would drown in loops over what there
 * is one of. */
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
  if (status == PF_OK) {
    synaptic->workspace->kernels->update(in->n_rows, in->n_pre, &plain->update, dw, ldw, from, to,
                                         ldw);
  }
  return status;
}

pf_status pf_synaptic_step(pf_synaptic_state *synaptic, const pf_step_context *context,
                           pf_real *from, pf_real *to, pf_real *scratch, pf_error *error)
{
  const pf_weights *weights = synaptic->weights;
  if (weights->plain && context->changes) {
    return step_plain(synaptic, context, from, to, scratch, error);
  }
  pf_real *dw = scratch,
          *before = traces_before(synaptic, context, from, scratch + synaptic->w_cells);
  pf_real *after = to + synaptic->w_cells;
  pf_status status =
      weights->has_traces ? advance_all(synaptic, context, from, before, after, error) : PF_OK;
  if (status != PF_OK) {
    return status;
  }
  if (!context->changes) {
    if (to != from) {
      memcpy(to, from, synaptic->w_cells * sizeof *to);
    }
    return PF_OK;
  }
  status = change_all(synaptic, context, from, before, after, to, dw, error);
  if (status == PF_OK && weights->bound->lower != NULL) {
    pf_bound_clip(weights->bound, synaptic->n_rows, weights->n_pre, connected_of(synaptic),
                  weights->ldw, to);
  }
  return status;
}

/* ---- forgetting ---- */

static pf_real kept_share(const pf_synaptic_state *synaptic, double gap)
{
  return (pf_real)exp(-synaptic->theta[synaptic->model->forgetting_theta] * gap);
}

/** Is synapse k of row i of the carry one that changes? */
static bool changes_at(const pf_synaptic_state *synaptic, size_t k)
{
  const pf_real *mask = synaptic->weights->mask;
  return mask == NULL || mask[(size_t)(synaptic->row0 * synaptic->weights->ldw) + k] != 0;
}

/** w *= share where weights change: what lies between rows and has no rule stays. */
static void shrink(const pf_synaptic_state *synaptic, pf_real share, pf_real *w)
{
  const pf_weights *weights = synaptic->weights;
  for (size_t p = 0; p < synaptic->model->n_plastic; p++) {
    const pf_plastic *plastic = &synaptic->model->plastic[p];
    for (size_t r = 0; r < plastic->n_ranges && is_on(plastic, weights); r++) {
      const pf_range rows = within(synaptic, plastic->ranges[r]);
      for (int64_t i = rows.first; i < rows.first + rows.n; i++) {
        for (int64_t j = 0; j < weights->n_pre; j++) {
          const size_t k = (size_t)(i * weights->ldw + j);
          w[k] = changes_at(synaptic, k) ? share * w[k] : w[k];
        }
      }
    }
  }
}

void pf_synaptic_forget(const pf_synaptic_state *synaptic, double gap, const pf_real *from,
                        pf_real *to)
{
  const pf_weights *weights = synaptic->weights;
  if (to != from) {
    memcpy(to, from, synaptic->cells * sizeof *to);
  }
  shrink(synaptic, kept_share(synaptic, gap), to);
  if (weights->bound->lower != NULL) {
    pf_bound_clip(weights->bound, synaptic->n_rows, weights->n_pre, connected_of(synaptic),
                  weights->ldw, to);
  }
}

void pf_synaptic_forget_vjp(const pf_synaptic_state *synaptic, double gap, const pf_real *from,
                            pf_real *g, double *gradient_theta, pf_real *scratch)
{
  const pf_weights *weights = synaptic->weights;
  const pf_real share = kept_share(synaptic, gap);
  double sum = 0.0;
  memcpy(scratch, from, synaptic->w_cells * sizeof *scratch);
  shrink(synaptic, share, scratch);
  if (weights->bound->lower != NULL) {
    pf_bound_clip_vjp(weights->bound, synaptic->n_rows, weights->n_pre, connected_of(synaptic),
                      weights->ldw, scratch, g);
  }
  for (int64_t i = 0; i < synaptic->n_rows; i++) {
    bool learns = weights->covered;
    for (size_t p = 0; p < synaptic->model->n_plastic && !learns; p++) {
      learns = is_on(&synaptic->model->plastic[p], weights) &&
               pf_plastic_has_row(&synaptic->model->plastic[p], synaptic->row0 + i);
    }
    for (int64_t j = 0; j < weights->n_pre && learns; j++) {
      const size_t k = (size_t)(i * weights->ldw + j);
      sum += changes_at(synaptic, k) ? (double)g[k] * (double)scratch[k] : 0.0;
    }
  }
  gradient_theta[synaptic->model->forgetting_theta] -= gap * sum;
  shrink(synaptic, share, g);
}

/* ---- adjoint ---- */

/** Where the adjoint of a rule's block adds. */
static pf_rule_gradient gradient_of(const pf_synaptic_state *synaptic,
                                    const pf_synaptic_gradient *gradient, const pf_plastic *plastic,
                                    pf_range rows, pf_real *g)
{
  return (pf_rule_gradient){.size = sizeof(pf_rule_gradient),
                            .theta = gradient->theta + plastic->theta0,
                            .pre = gradient->pre,
                            .post = gradient->post + rows.first,
                            .w = g + rows.first * synaptic->weights->ldw,
                            .ld_pre = gradient->ld_pre,
                            .ld_post = gradient->ld_post,
                            .ldw = synaptic->weights->ldw};
}

/** The weights' cotangent through the host's bounds; `free` (weights before them) and dw are
 * scratch. */
static pf_status back_bounds(const pf_synaptic_state *synaptic, const pf_step_context *context,
                             const pf_real *w, pf_real *before, pf_real *after, pf_real *g,
                             pf_real *free, pf_real *dw, pf_error *error)
{
  const pf_weights *weights = synaptic->weights;
  const pf_status status = change_all(synaptic, context, w, before, after, free, dw, error);
  if (status == PF_OK) {
    pf_bound_clip_vjp(weights->bound, synaptic->n_rows, weights->n_pre, connected_of(synaptic),
                      weights->ldw, free, g);
  }
  return status;
}

/** Rule p's change: cotangent of the weights after it in g becomes that of those before. g_traces:
 * of those it saw. */
static pf_status back_rule(const pf_synaptic_state *synaptic, const pf_step_context *context,
                           size_t p, const pf_real *from, pf_real *traces, pf_real *g,
                           pf_real *g_traces, const pf_synaptic_gradient *gradient, pf_real *dw,
                           pf_error *error)
{
  const pf_plastic *plastic = &synaptic->model->plastic[p];
  const pf_weights *weights = synaptic->weights;
  const pf_rule_ops *ops = plastic->rule->plugin->rule;
  void *self = plastic->rule->self;
  pf_status status = PF_OK;
  for (size_t r = 0; r < plastic->n_ranges && status == PF_OK; r++) {
    const pf_range rows = within(synaptic, plastic->ranges[r]);
    if (rows.n == 0) {
      continue;
    }
    pf_block in = block_of(synaptic, plastic, rows);
    block_at(synaptic, context, plastic, from, &in);
    pf_rule_gradient into = gradient_of(synaptic, gradient, plastic, rows, g);
    const pf_update update = update_of(synaptic, plastic, rows);
    pf_traces seen, cotangents;
    if (traces != NULL) {
      seen = traces_at(synaptic, plastic, traces, rows.first);
      cotangents = traces_at(synaptic, plastic, g_traces, rows.first);
      in.traces = &seen;
      into.traces = &cotangents;
    }
    if (PF_HAS(ops, pf_rule_ops, step_vjp) && ops->step_vjp != NULL) {
      status = ops->step_vjp(self, &in, &update, &into, error);
      continue;
    }
    synaptic->workspace->kernels->scale(rows.n, weights->n_pre, &update, into.w, weights->ldw, dw,
                                        weights->ldw);
    status = ops->vjp(self, &in, dw, weights->ldw, &into, error);
  }
  return status;
}

/** Rule p's traces: cotangents of those after the step, g_after, into those before, g_before. */
static pf_status back_advance(const pf_synaptic_state *synaptic, const pf_step_context *context,
                              size_t p, const pf_real *from, pf_real *before, pf_real *g,
                              pf_real *g_after, pf_real *g_before,
                              const pf_synaptic_gradient *gradient, pf_error *error)
{
  const pf_plastic *plastic = &synaptic->model->plastic[p];
  const pf_rule_ops *ops = plastic->rule->plugin->rule;
  bool first = true;
  pf_status status = PF_OK;
  for (size_t r = 0; r < plastic->n_ranges && status == PF_OK; r++) {
    const pf_range rows = within(synaptic, plastic->ranges[r]);
    if (rows.n == 0) {
      continue;
    }
    pf_block in = block_of(synaptic, plastic, rows);
    block_at(synaptic, context, plastic, from, &in);
    pf_rule_gradient into = gradient_of(synaptic, gradient, plastic, rows, g);
    pf_traces cotangent = traces_at(synaptic, plastic, g_after, rows.first);
    const pf_traces seen = traces_at(synaptic, plastic, before, rows.first);
    const pf_traces earlier = traces_at(synaptic, plastic, g_before, rows.first);
    in.traces = &seen;
    into.traces = &earlier;
    if (!first) {
      cotangent.network = cotangent.pre = NULL;
    }
    status = ops->update_traces_vjp(plastic->rule->self, &in, &cotangent, &into, error);
    first = false;
  }
  return status;
}

static inline pf_status back_plain(pf_synaptic_state *synaptic, const pf_step_context *context,
                                   const pf_real *from, pf_real *g,
                                   const pf_synaptic_gradient *gradient, pf_real *dw,
                                   pf_error *error)
{
  pf_plain *plain = &synaptic->plain;
  const pf_rule_ops *ops = plain->ops;
  const int64_t ldw = plain->in.ldw;
  const pf_block *in = plain_at(synaptic, context, from);
  plain->into.theta = gradient->theta + synaptic->weights->plastic->theta0;
  plain->into.pre = gradient->pre;
  plain->into.post = gradient->post;
  plain->into.w = g;
  plain->into.ld_pre = gradient->ld_pre;
  plain->into.ld_post = gradient->ld_post;
  if (PF_HAS(ops, pf_rule_ops, step_vjp) && ops->step_vjp != NULL) {
    return ops->step_vjp(plain->self, in, &plain->update, &plain->into, error);
  }
  synaptic->workspace->kernels->scale(in->n_rows, in->n_pre, &plain->update, g, ldw, dw, ldw);
  return ops->vjp(plain->self, in, dw, ldw, &plain->into, error);
}

pf_status pf_synaptic_step_vjp(pf_synaptic_state *synaptic, const pf_step_context *context,
                               pf_real *from, pf_real *to, pf_real *g,
                               const pf_synaptic_gradient *gradient, pf_real *scratch,
                               pf_error *error)
{
  const pf_weights *weights = synaptic->weights;
  if (weights->plain && context->changes) {
    return back_plain(synaptic, context, from, g, gradient, scratch, error);
  }
  const bool bounded = weights->bound->lower != NULL;
  const size_t n_traces = synaptic->cells - synaptic->w_cells;
  pf_real *dw = scratch, *anew = dw + synaptic->w_cells;
  pf_real *g_before = anew + n_traces; /* of traces, laid out as in a slot */
  pf_real *free = g_before + n_traces;
  pf_real *before = traces_before(synaptic, context, from, anew), *after = to + synaptic->w_cells;
  pf_real *g_after = g + synaptic->w_cells;
  pf_status status = context->changes && bounded
                         ? back_bounds(synaptic, context, from, before, after, g, free, dw, error)
                         : PF_OK;
  memset(g_before, 0, n_traces * sizeof *g_before);
  size_t at = 0;
  for (size_t p = 0; p < synaptic->model->n_plastic && status == PF_OK; p++) {
    const pf_plastic *plastic = &synaptic->model->plastic[p];
    if (!is_on(plastic, weights)) {
      continue;
    }
    if (context->changes) {
      pf_real *seen = seen_traces(plastic, before + at, after + at);
      pf_real *g_seen = seen_traces(plastic, g_before + at, g_after + at);
      status = back_rule(synaptic, context, p, from, seen, g, g_seen, gradient, dw, error);
    }
    if (status == PF_OK && plastic->declared.traces.count > 0) {
      status = back_advance(synaptic, context, p, from, before + at, g, g_after + at, g_before + at,
                            gradient, error);
    }
    at += pf_trace_cells(plastic, weights, synaptic->n_rows);
  }
  if (before == anew) { /* what traces were before is forgotten */
    memset(g_after, 0, n_traces * sizeof *g_after);
  } else {
    memcpy(g_after, g_before, n_traces * sizeof *g_after);
  }
  return status;
}
