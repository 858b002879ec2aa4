/* The ops of feedforward that are compiled once per instruction set (author/simd.h). */

PF_ISA_TARGET static pf_status PF_ISA_NAME(ff_activate)(const void *self, const pf_units *in,
                                                        const pf_response *out, pf_error *error)
{
  const feedforward *net = self;
  int64_t l = 0;
  if (ff_find_layer(net, in->population, &l, error) != PF_OK) {
    return PF_STOP;
  }
  if (l == 0) {
    ff_fill_signals(in, out, (pf_real)1);
    return PF_OK;
  }
  const ff_affine affine = ff_affine_of(net, in, l);
  /* a constant each, so that each loop is compiled for its own f */
  switch (net->layers[l].function) {
  case UNIT_TANH:
    ff_activate_rows(UNIT_TANH, &affine, in, out);
    break;
  case UNIT_SIGMOID:
    ff_activate_rows(UNIT_SIGMOID, &affine, in, out);
    break;
  case UNIT_RELU:
    ff_activate_rows(UNIT_RELU, &affine, in, out);
    break;
  case UNIT_LINEAR:
    ff_activate_rows(UNIT_LINEAR, &affine, in, out);
    break;
  case UNIT_SOFTMAX:
    ff_activate_rows(UNIT_SOFTMAX, &affine, in, out);
    for (int64_t t = 0; t < in->n_steps; t++) {
      pf_real *signals = out->signals + t * out->ld_signal;
      unit_softmax(in->n_rows, signals + FF_DRIVE * out->signal_stride,
                   signals + FF_ACTIVITY * out->signal_stride);
    }
    break;
  }
  return PF_OK;
}

PF_ISA_TARGET static pf_status PF_ISA_NAME(ff_activate_vjp)(const void *self, const pf_units *in,
                                                            const pf_response *value,
                                                            const pf_response *cotangent,
                                                            const pf_units_gradient *gradient,
                                                            pf_error *error)
{
  const feedforward *net = self;
  int64_t l = 0;
  if (ff_find_layer(net, in->population, &l, error) != PF_OK) {
    return PF_STOP;
  }
  if (l == 0) {
    return PF_OK; /* always 1 */
  }
  const ff_affine affine = ff_affine_of(net, in, l);
  if (affine.scale != 1.0 || net->layers[l].function == UNIT_SOFTMAX ||
      (gradient->theta != NULL && l + 1 == net->n_layers)) {
    ff_vjp_affine(net, l, &affine, in, value, cotangent, gradient);
    return PF_OK;
  }
  if (gradient->drive == NULL) {
    return PF_OK;
  }
  /* a constant each, so that each loop is compiled for its own f' */
  switch (net->layers[l].function) {
  case UNIT_TANH:
    ff_vjp_rows(UNIT_TANH, in, value, cotangent, gradient);
    break;
  case UNIT_SIGMOID:
    ff_vjp_rows(UNIT_SIGMOID, in, value, cotangent, gradient);
    break;
  case UNIT_RELU:
    ff_vjp_rows(UNIT_RELU, in, value, cotangent, gradient);
    break;
  case UNIT_LINEAR:
  case UNIT_SOFTMAX: /* went the other way above */
    ff_vjp_rows(UNIT_LINEAR, in, value, cotangent, gradient);
    break;
  }
  return PF_OK;
}

/** Tangents: of the drive taken, then of f of it. */
PF_ISA_TARGET static pf_status PF_ISA_NAME(ff_activate_jvp)(const void *self, const pf_units *in,
                                                            const pf_response *value,
                                                            const pf_units *tangent_in,
                                                            const pf_response *tangent_out,
                                                            pf_error *error)
{
  const feedforward *net = self;
  int64_t l = 0;
  if (ff_find_layer(net, in->population, &l, error) != PF_OK) {
    return PF_STOP;
  }
  if (l == 0) {
    ff_fill_signals(in, tangent_out, (pf_real)0);
    return PF_OK;
  }
  const ff_affine affine = ff_affine_of(net, in, l);
  const unit_function function = net->layers[l].function;
  const int last = l + 1 == net->n_layers && tangent_in->theta != NULL;
  const pf_real scale = (pf_real)affine.scale;
  const pf_real d_scale = (pf_real)(last ? tangent_in->theta[FF_GAIN] / net->gain : 0.0);
  const pf_real d_bias = (pf_real)(last ? tangent_in->theta[FF_BIAS] : 0.0);
  for (int64_t t = 0; t < in->n_steps; t++) {
    const pf_real *drive = in->drive + t * in->ld_drive;
    const pf_real *d_drive =
        tangent_in->drive == NULL ? NULL : tangent_in->drive + t * tangent_in->ld_drive;
    const pf_real *y = value->signals + FF_ACTIVITY * value->signal_stride + t * value->ld_signal;
    pf_real *out_y = tangent_out->signals + FF_ACTIVITY * tangent_out->signal_stride +
                     t * tangent_out->ld_signal;
    pf_real *out_drive =
        tangent_out->signals + FF_DRIVE * tangent_out->signal_stride + t * tangent_out->ld_signal;
    for (int64_t i = 0; i < in->n_rows; i++) {
      const pf_real of_drive = d_drive == NULL ? (pf_real)0 : scale * d_drive[i];
      out_drive[i] = of_drive + d_scale * drive[i] + d_bias;
    }
    const pf_real mean = unit_softmax_mean(function, in->n_rows, out_drive, y);
    for (int64_t i = 0; i < in->n_rows; i++) {
      out_y[i] = unit_vjp(function, out_drive[i], y[i], mean);
    }
  }
  return PF_OK;
}

static const pf_network_ops PF_ISA_NAME(ff_ops) = {
    .size = sizeof(pf_network_ops),
    .create = ff_create,
    .destroy = ff_destroy,
    .declare = ff_declare,
    .initial = ff_initial,
    .activate = PF_ISA_NAME(ff_activate),
    .activate_vjp = PF_ISA_NAME(ff_activate_vjp),
    .initial_vjp = ff_initial_vjp,
    .activate_jvp = PF_ISA_NAME(ff_activate_jvp),
};

static const pf_plugin PF_ISA_NAME(ff_plugin) = {
    PF_PLUGIN_HEAD(PF_KIND_NETWORK),
    .name = "feedforward",
    .version = "1.0",
    .summary = "layers without memory: y = f(W x + b), any projection plastic",
    .options = PF_TABLE_OF(ff_options),
    .network = &PF_ISA_NAME(ff_ops),
};

#undef PF_ISA
