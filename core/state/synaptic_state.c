#include "core/state/synaptic_state.h"

#include "core/model/plastic.h"
#include "core/model/weight_bounds.h"
#include "core/state/seen.h"

#include <math.h>
#include <string.h>

size_t pf_synaptic_scratch(const pf_model *model, const pf_weights *weights, int64_t n_rows,
                           bool adjoint)
{
  const size_t w = (size_t)(n_rows * weights->ldw),
               traces = pf_synaptic_cells(model, weights, n_rows) - w;
  if (!adjoint) {
    return w + traces; /* dw, traces that start anew */
  }
  return w + 2 * traces +
         (pf_weights_bounded(weights) ? w : 0); /* cotangents, weights before the bound */
}

void pf_synaptic_start(const pf_synaptic_state *synaptic, pf_real *buffer)
{
  memcpy(buffer, synaptic->weights->states + synaptic->row0 * synaptic->weights->ldw,
         synaptic->w_cells * sizeof *buffer);
  if (synaptic->weights->has_traces) {
    pf_traces_restart(synaptic, buffer + synaptic->w_cells);
  }
}

/* ---- one rule, no traces, no bounds ---- */

static pf_plain plain_of(const pf_synaptic_state *synaptic)
{
  const pf_weights *weights = synaptic->weights;
  const pf_synapses all = {{0, synaptic->n_rows}, {0, weights->n_pre}};
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
                    .in = pf_synapses_block(synaptic, plastic, &all),
                    .update = pf_synapses_update(synaptic, plastic, &all),
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
static pf_status update_traces(const pf_rule_step *rule, pf_error *error)
{
  const pf_state_step *step = rule->step;
  const int64_t first_row = pf_rule_first_row(rule);
  pf_rule_part part;
  for (size_t p = 0; p < rule->plastic->n_parts; p++) {
    if (!pf_rule_take_part(rule, p, step->before + rule->traces_at, &part)) {
      continue;
    }
    pf_traces next =
        pf_traces_lay(step->synaptic, rule->plastic, step->after + rule->traces_at, &part.of);
    pf_rule_share_traces(rule, p, first_row, &next);
    const pf_status status = rule->ops->update_traces(rule->self, &part.in, &next, error);
    if (status != PF_OK) {
      return status;
    }
  }
  return PF_OK;
}

/** w_out = w + eta mask dw, without bounds. */
static pf_status apply_rule(const pf_rule_step *rule, pf_real *w_out, pf_error *error)
{
  const pf_state_step *step = rule->step;
  const int64_t ldw = step->synaptic->weights->ldw;
  pf_real *traces = pf_rule_seen_traces(rule, step->before, step->after);
  pf_rule_part part;
  for (size_t p = 0; p < rule->plastic->n_parts; p++) {
    if (!pf_rule_take_part(rule, p, traces, &part)) {
      continue;
    }
    pf_real *out = w_out + pf_synapses_cell(step->synaptic->weights, &part.of);
    const pf_update update = pf_synapses_update(step->synaptic, rule->plastic, &part.of);
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
static pf_status update_all_traces(const pf_state_step *step, pf_error *error)
{
  const pf_synaptic_state *synaptic = step->synaptic;
  size_t at = 0;
  for (size_t p = 0; p < synaptic->model->n_plastic; p++) {
    const pf_plastic *plastic = &synaptic->model->plastic[p];
    if (!pf_rule_is_on(plastic, synaptic->weights)) {
      continue;
    }
    const pf_rule_step rule = pf_rule_step_of(step, plastic, at);
    if (pf_rule_keeps_traces(&rule)) {
      const pf_status status = update_traces(&rule, error);
      if (status != PF_OK) {
        return status;
      }
    }
    at += pf_trace_cells(plastic, synaptic->weights, synaptic->n_rows);
  }
  return PF_OK;
}

pf_status pf_rules_apply(const pf_state_step *step, pf_real *w_out, pf_error *error)
{
  const pf_synaptic_state *synaptic = step->synaptic;
  size_t at = 0;
  if (!synaptic->weights->covered && w_out != step->w) { /* rows that learn by no rule */
    memcpy(w_out, step->w, synaptic->w_cells * sizeof *w_out);
  }
  for (size_t p = 0; p < synaptic->model->n_plastic; p++) {
    const pf_plastic *plastic = &synaptic->model->plastic[p];
    if (!pf_rule_is_on(plastic, synaptic->weights)) {
      continue;
    }
    const pf_rule_step rule = pf_rule_step_of(step, plastic, at);
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
  const pf_state_step step = {
      .synaptic = synaptic,
      .context = context,
      .w = from,
      .before = pf_traces_before(synaptic, context, from, scratch + synaptic->w_cells),
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
  status = pf_rules_apply(&step, to, error);
  if (status == PF_OK && pf_weights_bounded(weights)) {
    const pf_bounded_rows rows = pf_synaptic_rows(synaptic);
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
    if (pf_rule_is_on(plastic, synaptic->weights) &&
        pf_plastic_has_row(plastic, synaptic->row0 + i)) {
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
  if (pf_weights_bounded(synaptic->weights)) {
    const pf_bounded_rows rows = pf_synaptic_rows(synaptic);
    pf_bound_clip(&rows, to);
  }
}

void pf_synaptic_forget_jvp(const pf_synaptic_state *synaptic, double gap, const pf_real *from,
                            double rate_dot, pf_real *scratch, pf_real *dot)
{
  const pf_weights *weights = synaptic->weights;
  const pf_real share = kept_share(synaptic, gap);
  pf_real *left = scratch;
  memcpy(left, from, synaptic->w_cells * sizeof *left);
  shrink_weights(synaptic, share, left);
  shrink_weights(synaptic, share, dot);
  for (int64_t i = 0; i < synaptic->n_rows; i++) {
    for (int64_t j = 0; j < weights->n_pre && row_learns(synaptic, i); j++) {
      const size_t k = (size_t)(i * weights->ldw + j);
      if (changes_at(synaptic, k)) {
        dot[k] -= (pf_real)(gap * rate_dot) * left[k];
      }
    }
  }
  if (pf_weights_bounded(weights)) {
    const pf_bounded_rows rows = pf_synaptic_rows(synaptic);
    pf_bound_clip_vjp(&rows, left, dot); /* a diagonal is its own transpose */
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
  if (pf_weights_bounded(weights)) {
    const pf_bounded_rows rows = pf_synaptic_rows(synaptic);
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

static void add_seen_cotangents(const pf_rule_step *rule, const state_cotangents *g,
                                const pf_rule_part *part)
{
  const pf_plastic *plastic = rule->plastic;
  const pf_synaptic_gradient *to = g->gradient;
  const pf_synaptic_state *synaptic = rule->step->synaptic;
  const int64_t signal = synaptic->weights->info->signal;
  const pf_seen_planes data = pf_rule_data_seen(rule), values = pf_rule_values_seen(rule);
  add_cotangents(&plastic->post, data.post, values.post, (pf_range){part->in.row0, part->in.n_rows},
                 to->post - synaptic->row0, to->ld_post);
  add_cotangents(&plastic->pre, data.pre, values.pre, part->of.columns,
                 to->pre == NULL ? NULL : to->pre - signal * to->ld_pre, to->ld_pre);
}

/** Where the adjoint of a part adds. */
static pf_rule_gradient gradient_of(const pf_rule_step *rule, const state_cotangents *g,
                                    const pf_rule_part *part)
{
  const pf_plastic *plastic = rule->plastic;
  const pf_weights *weights = rule->step->synaptic->weights;
  const pf_range units = {part->in.row0, part->in.n_rows};
  pf_rule_gradient into = {.size = sizeof into,
                           .theta = g->gradient->theta + plastic->theta0,
                           .pre = g->gradient->pre,
                           .post = g->gradient->post + part->of.rows.first,
                           .w = g->w + pf_synapses_cell(weights, &part->of),
                           .ld_pre = g->gradient->ld_pre,
                           .ld_post = g->gradient->ld_post,
                           .ldw = weights->ldw};
  if (plastic->post.n > 0) {
    into.post = clear_cotangents(&plastic->post, pf_rule_values_seen(rule).post, units);
    into.ld_post = plastic->post.n_units;
  }
  if (into.pre != NULL) {
    into.pre += part->of.columns.first;
  }
  if (into.pre != NULL && plastic->pre.n > 0) {
    into.pre = clear_cotangents(&plastic->pre, pf_rule_values_seen(rule).pre, part->of.columns);
    into.ld_pre = plastic->pre.n_units;
  }
  return into;
}

/** The rule's change: the cotangent of the weights after it becomes that of those before. */
static pf_status apply_rule_vjp(const pf_rule_step *rule, const state_cotangents *g,
                                pf_error *error)
{
  const pf_state_step *step = rule->step;
  const pf_weights *weights = step->synaptic->weights;
  pf_real *traces = pf_rule_seen_traces(rule, step->before, step->after);
  pf_real *g_traces = pf_rule_seen_traces(rule, g->before, g->after);
  pf_rule_part part;
  for (size_t p = 0; p < rule->plastic->n_parts; p++) {
    if (!pf_rule_take_part(rule, p, traces, &part)) {
      continue;
    }
    pf_rule_gradient into = gradient_of(rule, g, &part);
    const pf_update update = pf_synapses_update(step->synaptic, rule->plastic, &part.of);
    pf_traces cotangents;
    if (g_traces != NULL) {
      cotangents = pf_traces_lay(step->synaptic, rule->plastic, g_traces, &part.of);
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
static pf_status update_traces_vjp(const pf_rule_step *rule, const state_cotangents *g,
                                   pf_error *error)
{
  const pf_synaptic_state *synaptic = rule->step->synaptic;
  const int64_t first_row = pf_rule_first_row(rule);
  pf_rule_part part;
  for (size_t p = 0; p < rule->plastic->n_parts; p++) {
    if (!pf_rule_take_part(rule, p, rule->step->before + rule->traces_at, &part)) {
      continue;
    }
    pf_rule_gradient into = gradient_of(rule, g, &part);
    pf_traces after = pf_traces_lay(synaptic, rule->plastic, g->after + rule->traces_at, &part.of);
    const pf_traces before =
        pf_traces_lay(synaptic, rule->plastic, g->before + rule->traces_at, &part.of);
    into.traces = &before;
    pf_rule_share_traces(rule, p, first_row, &after);
    const pf_status status =
        rule->ops->update_traces_vjp(rule->self, &part.in, &after, &into, error);
    if (status != PF_OK) {
      return status;
    }
    add_seen_cotangents(rule, g, &part);
  }
  return PF_OK;
}

static pf_status rules_vjp(const pf_state_step *step, const state_cotangents *g, pf_error *error)
{
  const pf_synaptic_state *synaptic = step->synaptic;
  size_t at = 0;
  for (size_t p = 0; p < synaptic->model->n_plastic; p++) {
    const pf_plastic *plastic = &synaptic->model->plastic[p];
    if (!pf_rule_is_on(plastic, synaptic->weights)) {
      continue;
    }
    const pf_rule_step rule = pf_rule_step_of(step, plastic, at);
    pf_status status = PF_OK;
    if (step->context->changes) {
      status = apply_rule_vjp(&rule, g, error);
      if (status != PF_OK) {
        return status;
      }
    }
    if (pf_rule_keeps_traces(&rule)) {
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
  const pf_state_step step = {.synaptic = synaptic,
                              .context = context,
                              .w = adjoint->from,
                              .before = pf_traces_before(synaptic, context, adjoint->from, anew),
                              .after = adjoint->to + synaptic->w_cells,
                              .dw = adjoint->scratch};
  if (context->changes && pf_weights_bounded(weights)) {
    pf_real *unbounded = g.before + n_traces;
    const pf_status status = pf_rules_apply(&step, unbounded, error);
    if (status != PF_OK) {
      return status;
    }
    const pf_bounded_rows rows = pf_synaptic_rows(synaptic);
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
