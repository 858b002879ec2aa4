/* The ops of the loss choice that are compiled once per instruction set (author/simd.h). */

PF_ISA_TARGET static pf_status PF_ISA_NAME(choice_evaluate)(const void *self, const pf_loss_in *in,
                                                            double *log_likelihood, int64_t *count,
                                                            pf_error *error)
{
  (void)self;
  if (choice_check(in, error) != PF_OK) {
    return PF_STOP;
  }
  choice_tile tile;
  for (int64_t t0 = 0; t0 < in->n_steps; t0 += CHOICE_TILE) {
    const int64_t n = in->n_steps - t0 < CHOICE_TILE ? in->n_steps - t0 : CHOICE_TILE;
    if (choice_gather(in, t0, n, &tile, error) != PF_OK) {
      return PF_STOP;
    }
    choice_log_likelihood(in->theta[CHOICE_LAPSE], &tile);
    for (int64_t k = 0; k < n; k++) {
      const int counts = tile.sign[k] != 0.0;
      log_likelihood[t0 + k] = counts ? tile.m[k] : 0.0;
      count[t0 + k] = counts;
    }
  }
  return PF_OK;
}

PF_ISA_TARGET static pf_status PF_ISA_NAME(choice_vjp)(const void *self, const pf_loss_in *in,
                                                       const double *cotangent,
                                                       const pf_loss_gradient *gradient,
                                                       pf_error *error)
{
  (void)self;
  if (choice_check(in, error) != PF_OK) {
    return PF_STOP;
  }
  pf_real *d_logit = gradient->observable == NULL ? NULL : gradient->observable[0];
  const int wants_theta = gradient->theta != NULL;
  if (d_logit == NULL && !wants_theta) {
    return PF_OK;
  }
  double lapse_slope[CHOICE_TILE];
  choice_tile tile;
  for (int64_t t0 = 0; t0 < in->n_steps; t0 += CHOICE_TILE) {
    const int64_t n = in->n_steps - t0 < CHOICE_TILE ? in->n_steps - t0 : CHOICE_TILE;
    if (choice_gather(in, t0, n, &tile, error) != PF_OK) {
      return PF_STOP;
    }
    choice_slopes(in->theta[CHOICE_LAPSE], &tile, wants_theta ? lapse_slope : NULL);
    for (int64_t k = 0; k < n && d_logit != NULL; k++) {
      if (tile.sign[k] != 0.0) {
        d_logit[(t0 + k) * gradient->ld_observable[0]] +=
            (pf_real)(cotangent[t0 + k] * (tile.sign[k] * tile.m[k]));
      }
    }
    for (int64_t k = 0; k < n && wants_theta; k++) {
      if (tile.sign[k] != 0.0) {
        gradient->theta[CHOICE_BIAS] += cotangent[t0 + k] * tile.sign[k] * tile.m[k];
        gradient->theta[CHOICE_LAPSE] += cotangent[t0 + k] * lapse_slope[k];
      }
    }
  }
  return PF_OK;
}

/** One column: d P along the direction over the sd of the choice. */
PF_ISA_TARGET static pf_status PF_ISA_NAME(choice_whiten)(const void *self, const pf_loss_in *in,
                                                          const pf_loss_tangent *tangent,
                                                          const pf_loss_roots *out, pf_error *error)
{
  (void)self;
  if (choice_check(in, error) != PF_OK) {
    return PF_STOP;
  }
  const double lapse = in->theta[CHOICE_LAPSE];
  const pf_real *d_logit = tangent->observable == NULL ? NULL : tangent->observable[0];
  choice_tile tile;
  for (int64_t t0 = 0; t0 < in->n_steps; t0 += CHOICE_TILE) {
    const int64_t n = in->n_steps - t0 < CHOICE_TILE ? in->n_steps - t0 : CHOICE_TILE;
    if (choice_gather(in, t0, n, &tile, error) != PF_OK) {
      return PF_STOP;
    }
    for (int64_t k = 0; k < n; k++) {
      const double l = -tile.sign[k] * tile.m[k]; /* (1 - 2 c) m */
      const double yes = pf_sigmoid_double(l), no = pf_sigmoid_double(-l);
      const double p = 0.5 * lapse + (1.0 - lapse) * yes, q = 0.5 * lapse + (1.0 - lapse) * no;
      const double sd = sqrt(p * q);
      const double of_logit = lapse == 0.0 ? sd : (1.0 - lapse) * yes * no / sd;
      for (int64_t d = 0; d < tangent->n_tangents; d++) {
        const double *d_theta =
            tangent->theta == NULL ? NULL : tangent->theta + d * CHOICE_N_PARAMETERS;
        double along =
            d_logit == NULL
                ? 0.0
                : (double)d_logit[d * tangent->stride[0] + (t0 + k) * in->ld_observable[0]];
        along += d_theta == NULL ? 0.0 : d_theta[CHOICE_BIAS];
        double value = of_logit * along;
        if (d_theta != NULL && d_theta[CHOICE_LAPSE] != 0.0) {
          value += (0.5 - yes) / sd * d_theta[CHOICE_LAPSE];
        }
        out->root[d * out->stride + (t0 + k) * out->ld] =
            (pf_real)(tile.sign[k] != 0.0 ? value : 0.0);
      }
    }
  }
  return PF_OK;
}

static const pf_loss_ops PF_ISA_NAME(choice_ops) = {
    .size = sizeof(pf_loss_ops),
    .create = choice_create,
    .destroy = choice_destroy,
    .declare = choice_declare,
    .evaluate = PF_ISA_NAME(choice_evaluate),
    .vjp = PF_ISA_NAME(choice_vjp),
    .whiten = PF_ISA_NAME(choice_whiten),
    .null_accumulate = choice_null_accumulate,
    .null_evaluate = choice_null_evaluate,
};

static const pf_plugin PF_ISA_NAME(choice_plugin) = {
    PF_PLUGIN_HEAD(PF_KIND_LOSS),
    .name = "choice",
    .version = "1.0",
    .summary = "log likelihood of choices by their logit, with bias and lapses",
    .options = {NULL, 0, sizeof(pf_option)},
    .loss = &PF_ISA_NAME(choice_ops),
};

#undef PF_ISA
