/* The ops of mlp that are compiled once per instruction set (author/simd.h). */

PF_ISA_TARGET static pf_status PF_ISA_NAME(forward)(const void *object, const pf_block *in,
                                                    pf_real *dw, int64_t lddw, pf_error *error)
{
  (void)error;
  if (takes_rows(object, in)) {
    mlp_wide_forward_block(object, in, dw, lddw);
  } else {
    mlp_packed_forward_block(object, in, dw, lddw);
  }
  return PF_OK;
}

PF_ISA_TARGET static pf_status PF_ISA_NAME(vjp)(const void *object, const pf_block *in,
                                                const pf_real *cotangent, int64_t ld_cotangent,
                                                const pf_rule_gradient *gradient, pf_error *error)
{
  (void)error;
  if (takes_rows(object, in)) {
    mlp_wide_vjp_block(object, in, cotangent, ld_cotangent, gradient);
  } else {
    mlp_packed_vjp_block(object, in, cotangent, ld_cotangent, gradient);
  }
  return PF_OK;
}

PF_ISA_TARGET static pf_status PF_ISA_NAME(jvp)(const void *object, const pf_block *in,
                                                const pf_rule_tangent *tangent, pf_error *error)
{
  (void)error;
  mlp_tangents(object, in, tangent);
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
};

static const pf_plugin PF_ISA_NAME(plugin) = {
    PF_PLUGIN_HEAD(PF_KIND_RULE),
    .name = "mlp",
    .version = "1.0",
    .summary = "dw = tanh of a multilayer perceptron of any of x, y, w, r; leaky ReLU 0.01",
    .options = PF_TABLE_OF(options),
    .rule = &PF_ISA_NAME(ops),
};

#undef PF_ISA
