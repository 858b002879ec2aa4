/* The ops of recurrent that are compiled once per instruction set (author/simd.h). */

PF_ISA_TARGET static pf_status PF_ISA_NAME(rn_activate)(const void *self, const pf_units *in,
                                                        const pf_response *out, pf_error *error)
{
  const recurrent *net = self;
  if (!rn_responds(net, in)) { /* the unit that is always 1 */
    for (int64_t t = 0; t < in->n_steps; t++) {
      for (int64_t i = 0; i < in->n_rows; i++) {
        out->signals[t * out->ld_signal + i] = (pf_real)1;
      }
    }
    return PF_OK;
  }
  rn_dynamics with;
  const pf_status status = rn_dynamics_of(net, in, &with, error);
  if (status != PF_OK) {
    return status;
  }
  for (int64_t t = 0; t < in->n_steps; t++) {
    pf_real *signals = out->signals + t * out->ld_signal;
    const rn_step step = {.drive = in->drive + t * in->ld_drive,
                          .state = with.leaks ? in->state : NULL,
                          .scale = with.scale,
                          .shift = with.shift,
                          .kept = (pf_real)with.kept,
                          .v = signals + RN_POTENTIAL * out->signal_stride,
                          .y = signals + RN_ACTIVITY * out->signal_stride};
    switch (with.function) { /* a constant each, so that each loop is compiled for its own f */
    case UNIT_TANH:
      rn_activate_rows(UNIT_TANH, in->n_rows, step);
      break;
    case UNIT_SIGMOID:
      rn_activate_rows(UNIT_SIGMOID, in->n_rows, step);
      break;
    case UNIT_RELU:
      rn_activate_rows(UNIT_RELU, in->n_rows, step);
      break;
    case UNIT_LINEAR:
      rn_activate_rows(UNIT_LINEAR, in->n_rows, step);
      break;
    case UNIT_SOFTMAX:
      rn_activate_rows(UNIT_LINEAR, in->n_rows, step);
      unit_softmax(in->n_rows, step.v, step.y);
      break;
    }
    if (with.leaks) {
      memcpy(out->state, step.v, (size_t)in->n_rows * sizeof *out->state);
    }
  }
  return PF_OK;
}

PF_ISA_TARGET static pf_status PF_ISA_NAME(rn_activate_vjp)(const void *self, const pf_units *in,
                                                            const pf_response *value,
                                                            const pf_response *cotangent,
                                                            const pf_units_gradient *gradient,
                                                            pf_error *error)
{
  const recurrent *net = self;
  if (!rn_responds(net, in)) {
    return PF_OK;
  }
  rn_dynamics with;
  const pf_status status = rn_dynamics_of(net, in, &with, error);
  if (status != PF_OK) {
    return status;
  }
  double d_tau = 0.0, d_gain = 0.0, d_bias = 0.0;
  for (int64_t t = 0; t < in->n_steps; t++) {
    const pf_real *y = value->signals + RN_ACTIVITY * value->signal_stride + t * value->ld_signal;
    const pf_real *c_activity =
        cotangent->signals + RN_ACTIVITY * cotangent->signal_stride + t * cotangent->ld_signal;
    const pf_real *c_potential =
        cotangent->signals + RN_POTENTIAL * cotangent->signal_stride + t * cotangent->ld_signal;
    const pf_real *drive = in->drive + t * in->ld_drive;
    const pf_real mean = unit_softmax_mean(with.function, in->n_rows, c_activity, y);
    for (int64_t i = 0; i < in->n_rows; i++) {
      pf_real c = c_potential[i] + unit_vjp(with.function, c_activity[i], y[i], mean);
      if (with.leaks && cotangent->state != NULL) {
        c += cotangent->state[i];
      }
      if (gradient->drive != NULL) {
        gradient->drive[t * gradient->ld_drive + i] += with.scale * c;
      }
      if (with.leaks) {
        if (gradient->state != NULL) {
          gradient->state[i] += (pf_real)with.kept * c;
        }
        d_tau += (double)c * ((double)in->state[i] - (double)drive[i]);
      }
      if (with.is_output) {
        d_gain += (double)c * (double)drive[i];
        d_bias += (double)c;
      }
    }
  }
  if (gradient->theta != NULL) {
    gradient->theta[RN_TAU] += with.slope * d_tau;
    gradient->theta[RN_GAIN] += d_gain;
    gradient->theta[RN_BIAS] += d_bias;
  }
  return PF_OK;
}

/** Tangents: of the potential, then of f of it. */
PF_ISA_TARGET static pf_status PF_ISA_NAME(rn_activate_jvp)(const void *self, const pf_units *in,
                                                            const pf_response *value,
                                                            const pf_units *tangent_in,
                                                            const pf_response *tangent_out,
                                                            pf_error *error)
{
  const recurrent *net = self;
  if (!rn_responds(net, in)) {
    for (int64_t t = 0; t < in->n_steps; t++) {
      memset(tangent_out->signals + t * tangent_out->ld_signal, 0,
             (size_t)in->n_rows * sizeof *tangent_out->signals);
    }
    return PF_OK;
  }
  rn_dynamics with;
  const pf_status status = rn_dynamics_of(net, in, &with, error);
  if (status != PF_OK) {
    return status;
  }
  for (int64_t t = 0; t < in->n_steps; t++) {
    pf_real *signals = tangent_out->signals + t * tangent_out->ld_signal;
    pf_real *v_dot = signals + RN_POTENTIAL * tangent_out->signal_stride;
    pf_real *y_dot = signals + RN_ACTIVITY * tangent_out->signal_stride;
    const pf_real *y = value->signals + RN_ACTIVITY * value->signal_stride + t * value->ld_signal;
    rn_potential_jvp(&with, in, tangent_in, t, v_dot);
    const pf_real mean = unit_softmax_mean(with.function, in->n_rows, v_dot, y);
    for (int64_t i = 0; i < in->n_rows; i++) {
      y_dot[i] = unit_vjp(with.function, v_dot[i], y[i], mean);
    }
    if (with.leaks) {
      memcpy(tangent_out->state, v_dot, (size_t)in->n_rows * sizeof *v_dot);
    }
  }
  return PF_OK;
}

static const pf_network_ops PF_ISA_NAME(rn_ops) = {
    .size = sizeof(pf_network_ops),
    .create = rn_create,
    .destroy = rn_destroy,
    .declare = rn_declare,
    .initial = rn_initial,
    .initial_vjp = rn_initial_vjp,
    .activate = PF_ISA_NAME(rn_activate),
    .activate_vjp = PF_ISA_NAME(rn_activate_vjp),
    .activate_jvp = PF_ISA_NAME(rn_activate_jvp),
};

static const pf_plugin PF_ISA_NAME(rn_plugin) = {
    PF_PLUGIN_HEAD(PF_KIND_NETWORK),
    .name = "recurrent",
    .version = "1.0",
    .summary = "leaky or discrete units that see one another's last activity, and a readout; "
               "any projection plastic",
    .options = PF_TABLE_OF(rn_options),
    .network = &PF_ISA_NAME(rn_ops),
};

#undef PF_ISA
