/* The ops of stdp that are compiled once per instruction set (author/simd.h). */

PF_ISA_TARGET static pf_status PF_ISA_NAME(forward)(const void *object, const pf_block *in,
                                                    pf_real *dw, int64_t lddw, pf_error *error)
{
  const stdp *self = object;
  decays k;
  const pf_status status = decays_of(self, in, &k, error);
  if (status != PF_OK) {
    return status;
  }
  const pf_real m = third_of(self, in);
  for (int64_t i = 0; i < in->n_rows; i++) {
    pf_real *out = dw + i * lddw;
    if (self->third != THIRD_ELIGIBILITY) {
      pairs_line(self, in, &k, i, (pairs_use){.scale = m}, out);
      continue;
    }
    const pf_real left = m * (pf_real)k.c.left;
    const pf_real *c = in->traces->synapse + i * in->traces->ldw;
#pragma omp simd
    for (int64_t j = 0; j < in->n_pre; j++) {
      out[j] = left * c[j];
    }
  }
  return PF_OK;
}

PF_ISA_TARGET static pf_status PF_ISA_NAME(vjp)(const void *object, const pf_block *in,
                                                const pf_real *cotangent, int64_t ld_cotangent,
                                                const pf_rule_gradient *gradient, pf_error *error)
{
  const stdp *self = object;
  const pf_traces *g = gradient->traces;
  decays k;
  const pf_status status = decays_of(self, in, &k, error);
  if (status != PF_OK) {
    return status;
  }
  const pf_real m = third_of(self, in);
  double d_c = 0.0;
  for (int64_t i = 0; i < in->n_rows; i++) {
    const pf_real *c = cotangent + i * ld_cotangent;
    if (self->third != THIRD_ELIGIBILITY) {
      pairs_line_vjp(self, in, &k, i, (pairs_cotangent){m, c}, gradient);
      continue;
    }
    const rule_trace_gradient to = {g->synapse == NULL ? NULL : g->synapse + i * g->ldw, NULL};
    d_c += rule_trace_vjp(in->n_pre, m * (pf_real)k.c.left,
                          in->traces->synapse + i * in->traces->ldw, 1, c, to);
  }
  if (gradient->theta != NULL && self->third == THIRD_ELIGIBILITY) {
    gradient->theta[TAU_C] += (double)m * k.c.slope * d_c;
  }
  return PF_OK;
}

PF_ISA_TARGET static pf_status PF_ISA_NAME(update_traces)(const void *object, const pf_block *in,
                                                          const pf_traces *next, pf_error *error)
{
  const stdp *self = object;
  decays k;
  const pf_status status = decays_of(self, in, &k, error);
  if (status != PF_OK) {
    return status;
  }
  if (next->pre != NULL) {
    rule_trace_update(in->n_pre, (pf_real)k.p.left, in->traces->pre, 1, in->pre, next->pre);
  }
  if (next->post != NULL) {
    rule_trace_update(in->n_rows, (pf_real)k.q.left, in->traces->post, 1, in->post, next->post);
  }
  if (self->third == THIRD_ELIGIBILITY && next->synapse != NULL) {
    for (int64_t i = 0; i < in->n_rows; i++) {
      const pairs_use use = {
          .scale = 1, .keep = (pf_real)k.c.left, .add = in->traces->synapse + i * in->traces->ldw};
      pairs_line(self, in, &k, i, use, next->synapse + i * next->ldw);
    }
  }
  return PF_OK;
}

PF_ISA_TARGET static pf_status
PF_ISA_NAME(update_traces_vjp)(const void *object, const pf_block *in, const pf_traces *cotangent,
                               const pf_rule_gradient *gradient, pf_error *error)
{
  const stdp *self = object;
  const pf_traces *g = gradient->traces;
  decays k;
  const pf_status status = decays_of(self, in, &k, error);
  if (status != PF_OK) {
    return status;
  }
  double d_p = 0.0, d_q = 0.0, d_c = 0.0;
  if (cotangent->pre != NULL) {
    d_p = rule_trace_vjp(in->n_pre, (pf_real)k.p.left, in->traces->pre, 1, cotangent->pre,
                         (rule_trace_gradient){g->pre, gradient->pre});
  }
  if (cotangent->post != NULL) {
    d_q = rule_trace_vjp(in->n_rows, (pf_real)k.q.left, in->traces->post, 1, cotangent->post,
                         (rule_trace_gradient){g->post, gradient->post});
  }
  if (self->third == THIRD_ELIGIBILITY && cotangent->synapse != NULL) {
    for (int64_t i = 0; i < in->n_rows; i++) {
      const pf_real *c = cotangent->synapse + i * cotangent->ldw;
      const rule_trace_gradient to = {g->synapse == NULL ? NULL : g->synapse + i * g->ldw, NULL};
      d_c += rule_trace_vjp(in->n_pre, (pf_real)k.c.left, in->traces->synapse + i * in->traces->ldw,
                            1, c, to);
      pairs_line_vjp(self, in, &k, i, (pairs_cotangent){1, c}, gradient);
    }
  }
  if (gradient->theta != NULL) {
    gradient->theta[TAU_PLUS] += k.p.slope * d_p;
    gradient->theta[TAU_MINUS] += k.q.slope * d_q;
    if (self->third == THIRD_ELIGIBILITY) {
      gradient->theta[TAU_C] += k.c.slope * d_c;
    }
  }
  return PF_OK;
}

PF_ISA_TARGET static pf_status PF_ISA_NAME(jvp)(const void *object, const pf_block *in,
                                                const pf_rule_tangent *tangent, pf_error *error)
{
  const stdp *self = object;
  decays k;
  const pf_status status = decays_of(self, in, &k, error);
  if (status != PF_OK) {
    return status;
  }
  const pf_real m = third_of(self, in);
  for (int64_t n = 0; n < tangent->n_tangents; n++) {
    const pairs_tangent of = pairs_along(self, tangent, n);
    for (int64_t i = 0; i < in->n_rows; i++) {
      pf_real *out = tangent->dw + n * tangent->dw_stride + i * tangent->lddw;
      if (self->third == THIRD_ELIGIBILITY) {
        rule_trace_jvp(in->n_pre, &k.c, of.theta[TAU_C], in->traces->synapse + i * in->traces->ldw,
                       rule_plane(of.c, i * of.ldc), NULL, out);
        for (int64_t j = 0; j < in->n_pre; j++) {
          out[j] *= m;
        }
      } else {
        memset(out, 0, (size_t)in->n_pre * sizeof *out);
        pairs_line_jvp(self, in, &k, i, &of, m, out);
      }
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
  const stdp *self = object;
  decays k;
  const pf_status status = decays_of(self, in, &k, error);
  if (status != PF_OK) {
    return status;
  }
  for (int64_t n = 0; n < tangent->n_tangents; n++) {
    const pairs_tangent of = pairs_along(self, tangent, n);
    const int64_t at = n * tangent->traces_stride;
    if (next->pre != NULL) {
      rule_trace_jvp(in->n_pre, &k.p, of.theta[TAU_PLUS], in->traces->pre, of.p, of.x,
                     next->pre + at);
    }
    if (next->post != NULL) {
      rule_trace_jvp(in->n_rows, &k.q, of.theta[TAU_MINUS], in->traces->post, of.q, of.y,
                     next->post + at);
    }
    for (int64_t i = 0; i < in->n_rows && next->synapse != NULL; i++) {
      pf_real *out = next->synapse + at + i * next->ldw;
      rule_trace_jvp(in->n_pre, &k.c, of.theta[TAU_C], in->traces->synapse + i * in->traces->ldw,
                     rule_plane(of.c, i * of.ldc), NULL, out);
      pairs_line_jvp(self, in, &k, i, &of, 1, out);
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
    .name = "stdp",
    .version = "1.0",
    .summary = "dw = A_plus p y - A_minus x q, p and q traces of x and y; with a third factor "
               "where wanted",
    .options = PF_TABLE_OF(options),
    .rule = &PF_ISA_NAME(ops),
};

#undef PF_ISA
