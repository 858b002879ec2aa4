/*
 * The ops of trace that are compiled once per instruction set (author/simd.h). The form is a
 * constant in each call, so that each form gets loops of its own.
 */

PF_ISA_TARGET static pf_status PF_ISA_NAME(forward)(const void *object, const pf_block *in,
                                                    pf_real *dw, int64_t lddw, pf_error *error)
{
  const trace *self = object;
  (void)error;
  switch (self->form) {
  case FORM_XY:
    forward_form(in, FORM_XY, dw, lddw);
    break;
  case FORM_X:
    forward_form(in, FORM_X, dw, lddw);
    break;
  default:
    forward_form(in, FORM_Y, dw, lddw);
    break;
  }
  return PF_OK;
}

PF_ISA_TARGET static pf_status PF_ISA_NAME(vjp)(const void *object, const pf_block *in,
                                                const pf_real *cotangent, int64_t ld_cotangent,
                                                const pf_rule_gradient *gradient, pf_error *error)
{
  const trace *self = object;
  (void)error;
  switch (self->form) {
  case FORM_XY:
    vjp_form(in, FORM_XY, cotangent, ld_cotangent, gradient);
    break;
  case FORM_X:
    vjp_form(in, FORM_X, cotangent, ld_cotangent, gradient);
    break;
  default:
    vjp_form(in, FORM_Y, cotangent, ld_cotangent, gradient);
    break;
  }
  return PF_OK;
}

PF_ISA_TARGET static pf_status PF_ISA_NAME(update_traces)(const void *object, const pf_block *in,
                                                          const pf_traces *next, pf_error *error)
{
  const trace *self = object;
  rule_decay k = {0.0, 0.0};
  const pf_status status = rule_decay_of("tau", in->theta[TAU], in->dt, &k, error);
  if (status != PF_OK) {
    return status;
  }
  const pf_real left = (pf_real)k.left;
  if (self->form == FORM_X && next->pre != NULL) {
    rule_trace_update(in->n_pre, left, in->traces->pre, 1, in->pre, next->pre);
  }
  if (self->form == FORM_Y && next->post != NULL) {
    rule_trace_update(in->n_rows, left, in->traces->post, 1, in->post, next->post);
  }
  if (self->form == FORM_XY && next->synapse != NULL) {
    for (int64_t i = 0; i < in->n_rows; i++) {
      rule_trace_update(in->n_pre, left, in->traces->synapse + i * in->traces->ldw, in->post[i],
                        in->pre, next->synapse + i * next->ldw);
    }
  }
  return PF_OK;
}

PF_ISA_TARGET static pf_status
PF_ISA_NAME(update_traces_vjp)(const void *object, const pf_block *in, const pf_traces *cotangent,
                               const pf_rule_gradient *gradient, pf_error *error)
{
  const trace *self = object;
  const pf_traces *g = gradient->traces;
  rule_decay k = {0.0, 0.0};
  const pf_status status = rule_decay_of("tau", in->theta[TAU], in->dt, &k, error);
  if (status != PF_OK) {
    return status;
  }
  const pf_real left = (pf_real)k.left;
  double d_left = 0.0;
  if (self->form == FORM_X && cotangent->pre != NULL) {
    d_left = rule_trace_vjp(in->n_pre, left, in->traces->pre, 1, cotangent->pre,
                            (rule_trace_gradient){g->pre, gradient->pre});
  }
  if (self->form == FORM_Y && cotangent->post != NULL) {
    d_left = rule_trace_vjp(in->n_rows, left, in->traces->post, 1, cotangent->post,
                            (rule_trace_gradient){g->post, gradient->post});
  }
  if (self->form == FORM_XY && cotangent->synapse != NULL) {
    for (int64_t i = 0; i < in->n_rows; i++) {
      d_left += update_row_vjp(in, left, i, cotangent->synapse + i * cotangent->ldw, gradient);
    }
  }
  if (gradient->theta != NULL) {
    gradient->theta[TAU] += k.slope * d_left;
  }
  return PF_OK;
}

PF_ISA_TARGET static pf_status PF_ISA_NAME(jvp)(const void *object, const pf_block *in,
                                                const pf_rule_tangent *tangent, pf_error *error)
{
  const trace *self = object;
  (void)error;
  for (int64_t k = 0; k < tangent->n_tangents; k++) {
    const trace_direction of = direction_of(tangent, self->form, k);
    pf_real *dw = tangent->dw + k * tangent->dw_stride;
    switch (self->form) {
    case FORM_XY:
      jvp_form(in, FORM_XY, &of, dw, tangent->lddw);
      break;
    case FORM_X:
      jvp_form(in, FORM_X, &of, dw, tangent->lddw);
      break;
    default:
      jvp_form(in, FORM_Y, &of, dw, tangent->lddw);
      break;
    }
  }
  return PF_OK;
}

PF_ISA_TARGET static pf_status PF_ISA_NAME(update_traces_jvp)(const void *object,
                                                              const pf_block *in,
                                                              const pf_rule_tangent *tangent,
                                                              const pf_traces *next,
                                                              pf_error *error)
{
  const trace *self = object;
  rule_decay decay = {0.0, 0.0};
  const pf_status status = rule_decay_of("tau", in->theta[TAU], in->dt, &decay, error);
  if (status != PF_OK) {
    return status;
  }
  for (int64_t k = 0; k < tangent->n_tangents; k++) {
    const trace_direction of = direction_of(tangent, self->form, k);
    const int64_t at = k * tangent->traces_stride;
    if (self->form == FORM_X && next->pre != NULL) {
      rule_trace_jvp(in->n_pre, &decay, of.theta[TAU], in->traces->pre, of.e.pre, of.x,
                     next->pre + at);
    }
    if (self->form == FORM_Y && next->post != NULL) {
      rule_trace_jvp(in->n_rows, &decay, of.theta[TAU], in->traces->post, of.e.post, of.y,
                     next->post + at);
    }
    for (int64_t i = 0; i < in->n_rows && self->form == FORM_XY && next->synapse != NULL; i++) {
      update_row_jvp(in, &decay, i, &of, next->synapse + at + i * next->ldw);
    }
  }
  return PF_OK;
}

static const pf_rule_ops PF_ISA_NAME(ops) = {
    .size = sizeof(pf_rule_ops),
    .create = create,
    .destroy = destroy,
    .declare = declare,
    .describe = describe,
    .forward = PF_ISA_NAME(forward),
    .vjp = PF_ISA_NAME(vjp),
    .jvp = PF_ISA_NAME(jvp),
    .update_traces = PF_ISA_NAME(update_traces),
    .update_traces_vjp = PF_ISA_NAME(update_traces_vjp),
    .update_traces_jvp = PF_ISA_NAME(update_traces_jvp),
};

static const pf_plugin PF_ISA_NAME(plugin) = {
    PF_PLUGIN_HEAD(PF_KIND_RULE),
    .name = "trace",
    .version = "1.0",
    .summary = "dw = rate r e - decay w, e <- exp(-dt / tau) e + x y: an eligibility trace "
               "awaits the reward",
    .options = PF_TABLE_OF(options),
    .rule = &PF_ISA_NAME(ops),
};

#undef PF_ISA
