/* The ops of oja_by_hand, once per instruction set (author/simd.h). */

PF_ISA_TARGET static pf_status PF_ISA_NAME(forward)(const void *self, const pf_block *in,
                                                    pf_real *dw, int64_t lddw, pf_error *error)
{
  (void)error;
  forward_block(self, in, dw, lddw);
  return PF_OK;
}

PF_ISA_TARGET static pf_status PF_ISA_NAME(vjp)(const void *self, const pf_block *in,
                                                const pf_real *cotangent, int64_t ld_cotangent,
                                                const pf_rule_gradient *gradient, pf_error *error)
{
  (void)error;
  vjp_block(self, in, cotangent, ld_cotangent, gradient);
  return PF_OK;
}

PF_ISA_TARGET static pf_status PF_ISA_NAME(jvp)(const void *self, const pf_block *in,
                                                const pf_rule_tangent *tangent, pf_error *error)
{
  (void)error;
  jvp_block(self, in, tangent);
  return PF_OK;
}

PF_ISA_TARGET static pf_status PF_ISA_NAME(step)(const void *self, const pf_block *in,
                                                 const pf_update *update, pf_real *w_out,
                                                 int64_t ld_out, pf_error *error)
{
  (void)error;
  step_block(self, in, update, w_out, ld_out);
  return PF_OK;
}

PF_ISA_TARGET static pf_status PF_ISA_NAME(step_vjp)(const void *self, const pf_block *in,
                                                     const pf_update *update,
                                                     const pf_rule_gradient *gradient,
                                                     pf_error *error)
{
  (void)error;
  step_vjp_block(self, in, update, gradient);
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
    .name = "oja_by_hand",
    .version = "1.0",
    .summary = "dw = rate x y - decay y^2 w",
    .rule = &PF_ISA_NAME(ops),
};

#undef PF_ISA
