#include "core/sensitivity/synaptic_tangents.h"

#include "core/state/rule_slopes.h"
#include "core/state/seen.h"

#include <string.h>

/** Everything one step carries. */
typedef struct tangent_step {
  const pf_tangents *self;
  const pf_state_step *state;
  const pf_synaptic_tangents *at;
  const pf_synaptic_scratch_memory *scratch;
} tangent_step;

size_t pf_synaptic_seen_cells(const pf_model *model, const pf_weights *weights, bool is_post)
{
  size_t most = 0;
  for (size_t p = 0; p < model->n_plastic; p++) {
    const pf_plastic *plastic = &model->plastic[p];
    const pf_seen *seen = is_post ? &plastic->post : &plastic->pre;
    const size_t cells = seen->n * (size_t)seen->n_units;
    most = pf_rule_is_on(plastic, weights) && cells > most ? cells : most;
  }
  return most;
}

/* ---- tangents of what a rule sees ---- */

/** Tangents of a side's signals: of direction k at dots + k * stride; dots NULL: they do not move.
 */
typedef struct seen_tangent {
  const pf_real *dots;
  int64_t stride;
} seen_tangent;

/** Where one side of a projection is. */
typedef struct rule_side {
  const pf_seen *seen;
  const pf_real *data; /* of the step, where it sees more than activity */
  int64_t population, signal;
  int64_t row; /* -1: before the first step */
  pf_range units;
  pf_real *memory;
} rule_side;

static seen_tangent plane_tangent(const tangent_step *of, const rule_side *side)
{
  const pf_planes *planes = pf_tangents_planes(of->self, side->population, side->signal);
  if (planes->cells == NULL || side->row < 0) {
    return (seen_tangent){NULL, 0};
  }
  return (seen_tangent){pf_planes_at(planes, side->row, of->at->k0) + side->units.first,
                        planes->ld};
}

/** factor s' of every signal seen, as the values lie: [n][n_units]. */
static seen_tangent gather_seen(const tangent_step *of, const rule_side *side)
{
  const pf_seen *seen = side->seen;
  const int64_t n = seen->n_units, stride = (int64_t)seen->n * n;
  for (size_t s = 0; s < seen->n; s++) {
    const pf_planes *planes =
        pf_tangents_planes(of->self, side->population, seen->signals[s].signal);
    const pf_real *factor = side->data + ((int64_t)s * 2 + 1) * n;
    const bool moves = planes->cells != NULL && side->row >= 0;
    for (int64_t k = 0; k < of->at->n_k; k++) {
      pf_real *to = side->memory + k * stride + (int64_t)s * n;
      const pf_real *dot = moves ? pf_planes_at(planes, side->row, of->at->k0 + k) : NULL;
      for (int64_t i = side->units.first; i < side->units.first + side->units.n; i++) {
        to[i] = dot == NULL || factor[i] == 0 ? 0 : factor[i] * dot[i];
      }
    }
  }
  return (seen_tangent){side->memory + side->units.first, stride};
}

static seen_tangent see_tangent(const tangent_step *of, const rule_side *side)
{
  return side->seen->n == 0 ? plane_tangent(of, side) : gather_seen(of, side);
}

/** What a part of a rule sees moves along these tangents; `traces`: memory for what it points to.
 */
static pf_rule_tangent tangent_of(const tangent_step *of, const pf_rule_step *rule,
                                  const pf_rule_part *part, pf_real *trace_dots, pf_traces *traces)
{
  const pf_synaptic_state *synaptic = of->state->synaptic;
  const pf_weights *weights = synaptic->weights;
  const pf_step_context *context = of->state->context;
  const pf_plastic *plastic = rule->plastic;
  const size_t p = (size_t)(plastic - synaptic->model->plastic);
  const size_t n_theta = plastic->declared.parameters.count, k0 = (size_t)of->at->k0;
  const pf_seen_planes data = pf_rule_data_seen(rule);
  const bool back = weights->info->when == PF_PRE_PREVIOUS;
  const rule_side pre = {&plastic->pre,
                         data.pre,
                         weights->info->pre,
                         weights->info->signal,
                         back ? context->previous : context->row,
                         part->of.columns,
                         of->scratch->pre};
  const rule_side post = {&plastic->post,      data.post,
                          weights->info->post, 0,
                          context->row,        {part->in.row0, part->in.n_rows},
                          of->scratch->post};
  const seen_tangent x = see_tangent(of, &pre), y = see_tangent(of, &post);
  pf_rule_tangent tangent = {
      .size = sizeof tangent,
      .n_tangents = of->at->n_k,
      .theta = of->self->rule_theta + of->self->rule_at[p] + k0 * n_theta,
      .theta_unit = of->self->is_unit[p] ? of->self->unit + p * of->self->n + k0 : NULL,
      .pre = x.dots,
      .post = y.dots,
      .w = of->at->w + pf_synapses_cell(weights, &part->of),
      .pre_stride = x.stride,
      .post_stride = y.stride,
      .w_stride = (int64_t)of->at->w_cells,
      .traces_stride = (int64_t)of->at->n_trace_cells,
      .ldw = weights->ldw};
  if (trace_dots != NULL) {
    *traces = pf_traces_lay(synaptic, plastic, trace_dots, &part->of);
    tangent.traces = traces;
  }
  return tangent;
}

/* ---- a rule ---- */

static pf_status differentiate_traces(const tangent_step *of, const pf_rule_step *rule,
                                      pf_error *error)
{
  const pf_state_step *state = of->state;
  const int64_t first_row = pf_rule_first_row(rule);
  pf_rule_part part;
  for (size_t p = 0; p < rule->plastic->n_parts; p++) {
    if (!pf_rule_take_part(rule, p, state->before + rule->traces_at, &part)) {
      continue;
    }
    pf_traces along, next = pf_traces_lay(state->synaptic, rule->plastic,
                                          of->at->after + rule->traces_at, &part.of);
    pf_rule_share_traces(rule, p, first_row, &next);
    const pf_rule_tangent tangent =
        tangent_of(of, rule, &part, of->at->before + rule->traces_at, &along);
    const pf_status status =
        pf_rule_traces_jvp(rule->plastic, &part.in, &tangent, &next, &of->self->kept->rule, error);
    if (status != PF_OK) {
      return status;
    }
  }
  return PF_OK;
}

/** W' += eta mask dw' of the synapses of a part, which no other part has. */
static void add_change(const tangent_step *of, const pf_rule_step *rule, const pf_rule_part *part)
{
  const pf_synaptic_state *synaptic = of->state->synaptic;
  const int64_t ldw = synaptic->weights->ldw, cell = pf_synapses_cell(synaptic->weights, &part->of);
  const pf_update update = pf_synapses_update(synaptic, rule->plastic, &part->of);
  for (int64_t k = 0; k < of->at->n_k; k++) {
    const int64_t at = k * (int64_t)of->at->w_cells + cell;
    synaptic->workspace->kernels->update(part->in.n_rows, part->in.n_pre, &update,
                                         of->scratch->dw + at, ldw, of->at->w + at, of->at->w + at,
                                         ldw);
  }
}

static pf_status differentiate_change(const tangent_step *of, const pf_rule_step *rule,
                                      pf_error *error)
{
  const pf_state_step *state = of->state;
  pf_real *traces = pf_rule_seen_traces(rule, state->before, state->after);
  pf_real *dots = pf_rule_seen_traces(rule, of->at->before, of->at->after);
  pf_rule_part part;
  for (size_t p = 0; p < rule->plastic->n_parts; p++) {
    if (!pf_rule_take_part(rule, p, traces, &part)) {
      continue;
    }
    pf_traces along;
    pf_rule_tangent tangent = tangent_of(of, rule, &part, dots, &along);
    tangent.dw = of->scratch->dw + pf_synapses_cell(state->synaptic->weights, &part.of);
    tangent.dw_stride = (int64_t)of->at->w_cells;
    tangent.lddw = state->synaptic->weights->ldw;
    const pf_status status =
        pf_rule_jvp(rule->plastic, &part.in, &tangent, &of->self->kept->rule, error);
    if (status != PF_OK) {
      return status;
    }
    add_change(of, rule, &part);
  }
  return PF_OK;
}

/* ---- a step ---- */

typedef pf_status (*rule_tangents)(const tangent_step *of, const pf_rule_step *rule,
                                   pf_error *error);

/** One after the other, all rules on the projection, or those that keep traces. */
static pf_status differentiate_rules(const tangent_step *of, rule_tangents differentiate,
                                     bool with_traces, pf_error *error)
{
  const pf_synaptic_state *synaptic = of->state->synaptic;
  size_t at = 0;
  for (size_t p = 0; p < synaptic->model->n_plastic; p++) {
    const pf_plastic *plastic = &synaptic->model->plastic[p];
    if (!pf_rule_is_on(plastic, synaptic->weights)) {
      continue;
    }
    const pf_rule_step rule = pf_rule_step_of(of->state, plastic, at);
    if (!with_traces || pf_rule_keeps_traces(&rule)) {
      const pf_status status = differentiate(of, &rule, error);
      if (status != PF_OK) {
        return status;
      }
    }
    at += pf_trace_cells(plastic, synaptic->weights, synaptic->n_rows);
  }
  return PF_OK;
}

/** Does a bound hold any weight? Then it is not what the rules made of it. */
static bool is_any_held(const pf_bounded_rows *rows, const pf_real *unbounded, const pf_real *w)
{
  bool held = false;
  for (int64_t i = 0; i < rows->n_rows; i++) {
    for (int64_t j = 0; j < rows->n_pre; j++) {
      held |= unbounded[i * rows->ldw + j] != w[i * rows->ldw + j];
    }
  }
  return held;
}

/** A weight that a bound holds does not move. */
static pf_status hold_at_bounds(const tangent_step *of, pf_real *unbounded, pf_error *error)
{
  const pf_bounded_rows rows = pf_synaptic_rows(of->state->synaptic);
  const pf_status status = pf_rules_apply(of->state, unbounded, error);
  if (status != PF_OK || !is_any_held(&rows, unbounded, of->at->to)) {
    return status;
  }
  for (int64_t k = 0; k < of->at->n_k; k++) { /* a diagonal is its own transpose */
    pf_bound_clip_vjp(&rows, unbounded, of->at->w + k * (int64_t)of->at->w_cells);
  }
  return PF_OK;
}

pf_status pf_synaptic_step_jvp(const pf_tangents *self, const pf_synaptic_state *synaptic,
                               const pf_step_context *context, const pf_synaptic_tangents *at,
                               const pf_synaptic_scratch_memory *scratch, pf_error *error)
{
  const pf_weights *weights = synaptic->weights;
  const bool anew = weights->has_traces && (context->flags & PF_STEP_RESET_TRACES) != 0;
  const pf_state_step state = {
      .synaptic = synaptic,
      .context = context,
      .w = at->from,
      .before = pf_traces_before(synaptic, context, at->from, scratch->state + synaptic->w_cells),
      .after = at->to + synaptic->w_cells,
      .dw = scratch->state};
  const tangent_step of = {self, &state, at, scratch};
  if (anew) {
    memset(at->before, 0, (size_t)at->n_k * at->n_trace_cells * sizeof *at->before);
  }
  if (weights->has_traces) {
    const pf_status status = differentiate_rules(&of, differentiate_traces, true, error);
    if (status != PF_OK) {
      return status;
    }
  }
  if (!context->changes) {
    return PF_OK;
  }
  const pf_status status = differentiate_rules(&of, differentiate_change, false, error);
  if (status != PF_OK || !pf_weights_bounded(weights)) {
    return status;
  }
  return hold_at_bounds(&of, scratch->state + synaptic->cells, error);
}
