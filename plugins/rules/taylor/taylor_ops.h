/* The ops of taylor that are compiled once per instruction set (author/simd.h). */

/* `way`: packed or pairs; V, C: highest powers of y and w */
#define TAYLOR_SHAPE(way, V, C)                                                      \
  PF_ISA_TARGET static void PF_ISA_NAME(apply_##way##_##V##C)(                       \
      const taylor *self, const pf_block *in, const pf_update *update, pf_real *out, \
      int64_t ld_out)                                                                \
  {                                                                                  \
    taylor_apply_##way(V, C, self, in, update, out, ld_out);                         \
  }                                                                                  \
  PF_ISA_TARGET static void PF_ISA_NAME(adjoint_##way##_##V##C)(                     \
      const taylor *self, const pf_block *in, taylor_cotangent of,                   \
      const pf_rule_gradient *gradient)                                              \
  {                                                                                  \
    taylor_adjoint_##way(V, C, self, in, of, gradient);                              \
  }
#define TAYLOR_ENTRY(way, shape)                                             \
  {                                                                          \
    PF_ISA_NAME(apply_##way##_##shape), PF_ISA_NAME(adjoint_##way##_##shape) \
  }
#define TAYLOR_SHAPES_OF(way)                                              \
  TAYLOR_SHAPE(way, 0, 0)                                                  \
  TAYLOR_SHAPE(way, 0, 1)                                                  \
  TAYLOR_SHAPE(way, 0, 2)                                                  \
  TAYLOR_SHAPE(way, 1, 0)                                                  \
  TAYLOR_SHAPE(way, 1, 1)                                                  \
  TAYLOR_SHAPE(way, 1, 2)                                                  \
  TAYLOR_SHAPE(way, 2, 0)                                                  \
  TAYLOR_SHAPE(way, 2, 1)                                                  \
  TAYLOR_SHAPE(way, 2, 2)                                                  \
  static const taylor_kernel PF_ISA_NAME(way)[TAYLOR_SHAPES] = {           \
      TAYLOR_ENTRY(way, 00), TAYLOR_ENTRY(way, 01), TAYLOR_ENTRY(way, 02), \
      TAYLOR_ENTRY(way, 10), TAYLOR_ENTRY(way, 11), TAYLOR_ENTRY(way, 12), \
      TAYLOR_ENTRY(way, 20), TAYLOR_ENTRY(way, 21), TAYLOR_ENTRY(way, 22)};
TAYLOR_SHAPES_OF(packed)
TAYLOR_SHAPES_OF(pairs)
#undef TAYLOR_SHAPES_OF
#undef TAYLOR_ENTRY
#undef TAYLOR_SHAPE

static pf_status PF_ISA_NAME(forward)(const void *object, const pf_block *in, pf_real *dw,
                                      int64_t lddw, pf_error *error)
{
  (void)error;
  kernel_of(PF_ISA_NAME(packed), &PF_ISA_NAME(taylor_rows), object, in)
      ->apply(object, in, NULL, dw, lddw);
  return PF_OK;
}

static pf_status PF_ISA_NAME(vjp)(const void *object, const pf_block *in, const pf_real *cotangent,
                                  int64_t ld_cotangent, const pf_rule_gradient *gradient,
                                  pf_error *error)
{
  const taylor_cotangent of = {.dw = cotangent, .ld = ld_cotangent};
  (void)error;
  kernel_of(PF_ISA_NAME(packed), &PF_ISA_NAME(taylor_rows), object, in)
      ->adjoint(object, in, of, gradient);
  return PF_OK;
}

static pf_status PF_ISA_NAME(step)(const void *object, const pf_block *in, const pf_update *update,
                                   pf_real *w_out, int64_t ld_out, pf_error *error)
{
  const taylor_kernel *narrow =
      is_of_pairs(in, update, ld_out) ? PF_ISA_NAME(pairs) : PF_ISA_NAME(packed);
  (void)error;
  kernel_of(narrow, &PF_ISA_NAME(taylor_rows), object, in)
      ->apply(object, in, update, w_out, ld_out);
  return PF_OK;
}

static pf_status PF_ISA_NAME(step_vjp)(const void *object, const pf_block *in,
                                       const pf_update *update, const pf_rule_gradient *gradient,
                                       pf_error *error)
{
  const taylor_kernel *narrow =
      is_of_pairs(in, update, gradient->ldw) ? PF_ISA_NAME(pairs) : PF_ISA_NAME(packed);
  const taylor_cotangent of = {.update = update};
  (void)error;
  kernel_of(narrow, &PF_ISA_NAME(taylor_rows), object, in)->adjoint(object, in, of, gradient);
  return PF_OK;
}

PF_ISA_TARGET static pf_status PF_ISA_NAME(jvp)(const void *object, const pf_block *in,
                                                const pf_rule_tangent *tangent, pf_error *error)
{
  (void)error;
  taylor_tangents(object, in, tangent);
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
};

static const pf_plugin PF_ISA_NAME(plugin) = {
    PF_PLUGIN_HEAD(PF_KIND_RULE),
    .name = "taylor",
    .version = "1.0",
    .summary = "dw = sum of theta x^a y^b w^c r^d, powers 0..2, any subset of the 81 terms",
    .aliases = PF_NAMES_OF(aliases),
    .options = PF_TABLE_OF(options),
    .rule = &PF_ISA_NAME(ops),
};

#undef PF_ISA
