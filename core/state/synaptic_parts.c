#include "core/state/synaptic_parts.h"

#include "core/model/modulation.h"
#include "core/state/seen.h"

/* ---- traces ---- */

pf_traces pf_traces_lay(const pf_synaptic_state *synaptic, const pf_plastic *plastic, pf_real *at,
                        const pf_synapses *of)
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
  traces.synapse = n[PF_PER_SYNAPSE] > 0 ? at + pf_synapses_cell(weights, of) : NULL;
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

void pf_traces_restart(const pf_synaptic_state *synaptic, pf_real *at)
{
  for (size_t p = 0; p < synaptic->model->n_plastic; p++) {
    const pf_plastic *plastic = &synaptic->model->plastic[p];
    if (pf_rule_is_on(plastic, synaptic->weights)) {
      start_traces(synaptic, plastic, at);
      at += pf_trace_cells(plastic, synaptic->weights, synaptic->n_rows);
    }
  }
}

pf_real *pf_traces_before(const pf_synaptic_state *synaptic, const pf_step_context *context,
                          pf_real *buffer, pf_real *anew)
{
  if ((context->flags & PF_STEP_RESET_TRACES) == 0 || !synaptic->weights->has_traces) {
    return buffer + synaptic->w_cells;
  }
  pf_traces_restart(synaptic, anew);
  return anew;
}

pf_bounded_rows pf_synaptic_rows(const pf_synaptic_state *synaptic)
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

pf_block pf_synapses_block(const pf_synaptic_state *synaptic, const pf_plastic *plastic,
                           const pf_synapses *of)
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

pf_update pf_synapses_update(const pf_synaptic_state *synaptic, const pf_plastic *plastic,
                             const pf_synapses *of)
{
  const pf_weights *weights = synaptic->weights;
  const int64_t at = synaptic->row0 * weights->ldw + pf_synapses_cell(weights, of);
  return (pf_update){.size = sizeof(pf_update),
                     .eta = plastic->eta,
                     .mask = weights->mask == NULL ? NULL : weights->mask + at,
                     .ldm = weights->ldw};
}

pf_rule_step pf_rule_step_of(const pf_state_step *step, const pf_plastic *plastic, size_t traces_at)
{
  return (pf_rule_step){.step = step,
                        .plastic = plastic,
                        .ops = plastic->rule->plugin->rule,
                        .self = plastic->rule->self,
                        .traces_at = traces_at};
}

static size_t index_of(const pf_rule_step *rule)
{
  return (size_t)(rule->plastic - rule->step->synaptic->model->plastic);
}

pf_seen_planes pf_rule_data_seen(const pf_rule_step *rule)
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

pf_seen_planes pf_rule_values_seen(const pf_rule_step *rule)
{
  return rule->step->synaptic->workspace->seen[index_of(rule)];
}

/** The part's postsynaptic signals. */
static void see_post(const pf_rule_step *rule, pf_block *in)
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
  pf_real *values = pf_rule_values_seen(rule).post;
  pf_seen_values(seen, pf_rule_data_seen(rule).post, &from, (pf_range){in->row0, in->n_rows},
                 values);
  in->post = values + in->row0;
  in->ld_post = seen->n_units;
}

/** Its presynaptic signals. */
static void see_pre(const pf_rule_step *rule, pf_range columns, pf_block *in)
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
  pf_real *values = pf_rule_values_seen(rule).pre;
  pf_seen_values(seen, pf_rule_data_seen(rule).pre, &from, columns, values);
  in->pre = values + columns.first;
  in->ld_pre = seen->n_units;
}

/** Its modulators. */
static void see_modulators(const pf_rule_step *rule, size_t p, const pf_synapses *of, pf_block *in)
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

bool pf_rule_take_part(const pf_rule_step *rule, size_t p, pf_real *traces, pf_rule_part *out)
{
  const pf_synaptic_state *synaptic = rule->step->synaptic;
  const pf_step_context *context = rule->step->context;
  out->of = (pf_synapses){rows_within(synaptic, rule->plastic->parts[p].rows),
                          rule->plastic->parts[p].columns};
  if (out->of.rows.n == 0) {
    return false;
  }
  out->in = pf_synapses_block(synaptic, rule->plastic, &out->of);
  out->in.flags = context->flags;
  see_pre(rule, out->of.columns, &out->in);
  see_post(rule, &out->in);
  see_modulators(rule, p, &out->of, &out->in);
  out->in.w = rule->step->w + pf_synapses_cell(synaptic->weights, &out->of);
  out->in.dt = context->dt;
  if (traces != NULL) {
    out->traces = pf_traces_lay(synaptic, rule->plastic, traces, &out->of);
    out->in.traces = &out->traces;
  }
  return true;
}

void pf_rule_share_traces(const pf_rule_step *rule, size_t p, int64_t first_row, pf_traces *traces)
{
  const pf_part *part = &rule->plastic->parts[p];
  if (part->rows.first != first_row) {
    traces->network = traces->pre = NULL;
  }
  if (!part->first_columns) {
    traces->network = traces->post = NULL;
  }
}

int64_t pf_rule_first_row(const pf_rule_step *rule)
{
  for (size_t p = 0; p < rule->plastic->n_parts; p++) {
    const pf_range rows = rule->plastic->parts[p].rows;
    if (rows_within(rule->step->synaptic, rows).n > 0) {
      return rows.first;
    }
  }
  return -1;
}

pf_real *pf_rule_seen_traces(const pf_rule_step *rule, pf_real *before, pf_real *after)
{
  if (!pf_rule_keeps_traces(rule)) {
    return NULL;
  }
  return (rule->plastic->declared.trace_order == PF_TRACES_AFTER_STEP ? after : before) +
         rule->traces_at;
}
