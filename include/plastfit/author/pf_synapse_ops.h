/*
 * plastfit/author/pf_synapse_ops.h - the ops around PF_DW and PF_DDW. pf_synapse_rule.h includes it
 * once per instruction set (simd.h); alone it is empty.
 */
#ifdef PF_ISA

PF_ISA_TARGET static pf_status PF_ISA_NAME(pf_syn_forward)(const void *self, const pf_block *in,
                                                           pf_real *dw, int64_t lddw,
                                                           pf_error *error)
{
  (void)self;
  (void)error;
  pf_syn_forward_block(in, dw, lddw);
  return PF_OK;
}

PF_ISA_TARGET static pf_status
PF_ISA_NAME(pf_syn_vjp)(const void *self, const pf_block *in, const pf_real *cotangent,
                        int64_t ld_cotangent, const pf_rule_gradient *gradient, pf_error *error)
{
  (void)self;
  (void)error;
  pf_syn_vjp_block(in, cotangent, ld_cotangent, gradient);
  return PF_OK;
}

PF_ISA_TARGET static pf_status PF_ISA_NAME(pf_syn_jvp)(const void *self, const pf_block *in,
                                                       const pf_rule_tangent *tangent,
                                                       pf_error *error)
{
  (void)self;
  (void)error;
  for (int64_t t = 0; t < tangent->n_tangents; t++) {
    pf_syn_jvp_block(in, tangent, t);
  }
  return PF_OK;
}

PF_ISA_TARGET static pf_status PF_ISA_NAME(pf_syn_step)(const void *self, const pf_block *in,
                                                        const pf_update *update, pf_real *w_out,
                                                        int64_t ld_out, pf_error *error)
{
  (void)self;
  (void)error;
  pf_syn_step_block(in, update, w_out, ld_out);
  return PF_OK;
}

PF_ISA_TARGET static pf_status PF_ISA_NAME(pf_syn_step_vjp)(const void *self, const pf_block *in,
                                                            const pf_update *update,
                                                            const pf_rule_gradient *gradient,
                                                            pf_error *error)
{
  (void)self;
  (void)error;
  pf_syn_step_vjp_block(in, update, gradient);
  return PF_OK;
}

static const pf_rule_ops PF_ISA_NAME(pf_syn_ops) = {
    .size = sizeof(pf_rule_ops),
    .create = pf_syn_create,
    .destroy = pf_syn_destroy,
    .declare = pf_syn_declare,
    .forward = PF_ISA_NAME(pf_syn_forward),
    .vjp = PF_ISA_NAME(pf_syn_vjp),
    .jvp = PF_ISA_NAME(pf_syn_jvp),
    .step = PF_ISA_NAME(pf_syn_step),
    .step_vjp = PF_ISA_NAME(pf_syn_step_vjp),
    .describe = pf_syn_describe,
};

static const pf_plugin PF_ISA_NAME(pf_syn_plugin) = {
    PF_PLUGIN_HEAD(PF_KIND_RULE), .name = PF_SYN_TEXT(PF_RULE_NAME), .version = PF_RULE_VERSION,
    .summary = PF_RULE_SUMMARY,   .rule = &PF_ISA_NAME(pf_syn_ops),
};

#undef PF_ISA
#endif
