/* The ops of expr that are compiled once per instruction set (author/simd.h). */

PF_ISA_TARGET static void PF_ISA_NAME(values)(int for_adjoint, const tape *t, tape_tile *tile,
                                              tape_plane out)
{
  tape_values(for_adjoint, t, tile, out);
}

PF_ISA_TARGET static void PF_ISA_NAME(adjoint)(const tape *t, tape_tile *tile,
                                               const pf_rule_gradient *gradient, tape_plane seed)
{
  tape_adjoint(t, tile, gradient, seed);
}

PF_ISA_TARGET static void PF_ISA_NAME(tangent)(const tape *t, tape_tile *tile,
                                               const tape_direction *to, tape_plane out)
{
  tape_tangent(t, tile, to, out);
}

static const tape_kernels PF_ISA_NAME(kernels) = {PF_ISA_NAME(values), PF_ISA_NAME(adjoint),
                                                  PF_ISA_NAME(tangent)};

PF_ISA_TARGET static pf_status PF_ISA_NAME(forward)(const void *self, const pf_block *in,
                                                    pf_real *dw, int64_t lddw, pf_error *error)
{
  return values_block(&PF_ISA_NAME(kernels), self, 0, in, dw, lddw, error);
}

PF_ISA_TARGET static pf_status PF_ISA_NAME(vjp)(const void *self, const pf_block *in,
                                                const pf_real *cotangent, int64_t ld_cotangent,
                                                const pf_rule_gradient *gradient, pf_error *error)
{
  (void)error;
  vjp_block(&PF_ISA_NAME(kernels), self, 0, in, cotangent, ld_cotangent, gradient);
  return PF_OK;
}

PF_ISA_TARGET static pf_status PF_ISA_NAME(jvp)(const void *self, const pf_block *in,
                                                const pf_rule_tangent *tangent, pf_error *error)
{
  (void)error;
  for (int64_t k = 0; k < tangent->n_tangents; k++) {
    jvp_block(&PF_ISA_NAME(kernels), self, 0, in, tangent, k,
              (tape_plane){tangent->dw + k * tangent->dw_stride, tangent->lddw});
  }
  return PF_OK;
}

PF_ISA_TARGET static pf_status PF_ISA_NAME(step)(const void *self, const pf_block *in,
                                                 const pf_update *update, pf_real *w_out,
                                                 int64_t ld_out, pf_error *error)
{
  return step_block(&PF_ISA_NAME(kernels), self, in, update, w_out, ld_out, error);
}

PF_ISA_TARGET static pf_status PF_ISA_NAME(step_vjp)(const void *self, const pf_block *in,
                                                     const pf_update *update,
                                                     const pf_rule_gradient *gradient,
                                                     pf_error *error)
{
  (void)error;
  step_vjp_block(&PF_ISA_NAME(kernels), self, in, update, gradient);
  return PF_OK;
}

PF_ISA_TARGET static pf_status PF_ISA_NAME(update_traces)(const void *self, const pf_block *in,
                                                          const pf_traces *next, pf_error *error)
{
  const expr *rule = self;
  if (next->synapse == NULL) {
    return PF_OK;
  }
  for (int e = 0; e < rule->f.traces.count; e++) {
    const pf_status status =
        values_block(&PF_ISA_NAME(kernels), self, 1 + e, in,
                     next->synapse + e * next->synapse_stride, next->ldw, error);
    if (status != PF_OK) {
      return status;
    }
  }
  return PF_OK;
}

PF_ISA_TARGET static pf_status PF_ISA_NAME(update_traces_vjp)(const void *self, const pf_block *in,
                                                              const pf_traces *cotangent,
                                                              const pf_rule_gradient *gradient,
                                                              pf_error *error)
{
  const expr *rule = self;
  (void)error;
  if (cotangent->synapse == NULL) {
    return PF_OK;
  }
  for (int e = 0; e < rule->f.traces.count; e++) {
    vjp_block(&PF_ISA_NAME(kernels), self, 1 + e, in,
              cotangent->synapse + e * cotangent->synapse_stride, cotangent->ldw, gradient);
  }
  return PF_OK;
}

PF_ISA_TARGET static pf_status PF_ISA_NAME(update_traces_jvp)(const void *self, const pf_block *in,
                                                              const pf_rule_tangent *tangent,
                                                              const pf_traces *next,
                                                              pf_error *error)
{
  const expr *rule = self;
  (void)error;
  if (next->synapse == NULL) {
    return PF_OK;
  }
  for (int64_t k = 0; k < tangent->n_tangents; k++) {
    for (int e = 0; e < rule->f.traces.count; e++) {
      pf_real *to = next->synapse + k * tangent->traces_stride + e * next->synapse_stride;
      jvp_block(&PF_ISA_NAME(kernels), self, 1 + e, in, tangent, k, (tape_plane){to, next->ldw});
    }
  }
  return PF_OK;
}

static const pf_rule_ops PF_ISA_NAME(ops) = {
    .size = sizeof(pf_rule_ops),
    .create = create,
    .destroy = destroy,
    .declare = declare,
    .forward = PF_ISA_NAME(forward),
    .vjp = PF_ISA_NAME(vjp),
    .jvp = PF_ISA_NAME(jvp),
    .step = PF_ISA_NAME(step),
    .step_vjp = PF_ISA_NAME(step_vjp),
    .describe = describe,
    .update_traces = PF_ISA_NAME(update_traces),
    .update_traces_vjp = PF_ISA_NAME(update_traces_vjp),
    .update_traces_jvp = PF_ISA_NAME(update_traces_jvp),
};

static const pf_plugin PF_ISA_NAME(plugin) = {
    PF_PLUGIN_HEAD(PF_KIND_RULE),
    .name = "expr",
    .version = "1.0",
    .summary = "dw = a formula in the config: \"a*x*(reward - expected_reward) - b*w + c*tanh(y)\"",
    .options = PF_TABLE_OF(options),
    .rule = &PF_ISA_NAME(ops),
};

#undef PF_ISA
