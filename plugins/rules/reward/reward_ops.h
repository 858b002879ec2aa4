/* The ops of reward that are compiled once per instruction set (author/simd.h). */

PF_ISA_TARGET static pf_status PF_ISA_NAME(forward)(const void *object, const pf_block *in,
                                                    pf_real *dw, int64_t lddw, pf_error *error)
{
  const reward *self = object;
  (void)error;
  for (int64_t i = 0; i < in->n_rows; i++) {
    const row_coefficients row = row_of(self, in, i);
    if (reads_weight(self)) {
      forward_row(1, row, in->n_pre, in->pre, in->w + i * in->ldw, dw + i * lddw);
    } else {
      forward_row(0, row, in->n_pre, in->pre, in->w + i * in->ldw, dw + i * lddw);
    }
  }
  return PF_OK;
}

PF_ISA_TARGET static pf_status PF_ISA_NAME(vjp)(const void *object, const pf_block *in,
                                                const pf_real *cotangent, int64_t ld_cotangent,
                                                const pf_rule_gradient *gradient, pf_error *error)
{
  const adjoint_input of = {.cotangent = cotangent, .ld = ld_cotangent};
  (void)error;
  add_adjoint(0, object, in, of, gradient);
  return PF_OK;
}

PF_ISA_TARGET static pf_status PF_ISA_NAME(jvp)(const void *object, const pf_block *in,
                                                const pf_rule_tangent *tangent, pf_error *error)
{
  (void)error;
  for (int64_t k = 0; k < tangent->n_tangents; k++) {
    tangent_block(object, in, tangent, k);
  }
  return PF_OK;
}

PF_ISA_TARGET static pf_status PF_ISA_NAME(step)(const void *object, const pf_block *in,
                                                 const pf_update *update, pf_real *w_out,
                                                 int64_t ld_out, pf_error *error)
{
  const reward *self = object;
  (void)error;
  for (int64_t i = 0; i < in->n_rows; i++) {
    const row_coefficients row = row_of(self, in, i);
    if (reads_weight(self)) {
      step_row(1, row, in, update, i, w_out + i * ld_out);
    } else {
      step_row(0, row, in, update, i, w_out + i * ld_out);
    }
  }
  return PF_OK;
}

PF_ISA_TARGET static pf_status PF_ISA_NAME(step_vjp)(const void *object, const pf_block *in,
                                                     const pf_update *update,
                                                     const pf_rule_gradient *gradient,
                                                     pf_error *error)
{
  const adjoint_input of = {
      .cotangent = update->mask, .ld = update->ldm, .eta = (pf_real)update->eta};
  (void)error;
  add_adjoint(1, object, in, of, gradient);
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
    .step = PF_ISA_NAME(step),
    .step_vjp = PF_ISA_NAME(step_vjp),
};

static const pf_plugin PF_ISA_NAME(plugin) = {
    PF_PLUGIN_HEAD(PF_KIND_RULE),
    .name = "reward",
    .version = "1.0",
    .summary = "reward-modulated rules: x r, x y r, covariance, Rescorla-Wagner; each with or "
               "without decay",
    .options = PF_TABLE_OF(options),
    .rule = &PF_ISA_NAME(ops),
};

#undef PF_ISA
