/* The ops of the loss activity that are compiled once per instruction set (author/simd.h). */

PF_ISA_TARGET static pf_status PF_ISA_NAME(activity_evaluate)(const void *self,
                                                              const pf_loss_in *in,
                                                              double *log_likelihood,
                                                              int64_t *count, pf_error *error)
{
  const activity_loss *loss = self;
  if (activity_check(loss, in, error) != PF_OK || activity_check_cells(loss, in, error) != PF_OK) {
    return PF_STOP;
  }
  const int plain = loss->units == NULL && loss->weights.by == CELLS_ALIKE;
  for (int64_t t = 0; t < in->n_steps; t++) {
    const pf_real *o = in->observable[0] + t * in->ld_observable[0];
    const pf_real *target = in->target[0] + t * in->ld_target[0];
    double sum = 0.0;
    int64_t n = 0;
    if (!activity_counts(in, t)) {
      /* left out: 0 and count 0 */
    } else if (plain) {
#pragma omp simd reduction(+ : sum, n)
      for (int64_t i = 0; i < in->n_target[0]; i++) {
        const int recorded = target[i] == target[i];
        const double e = recorded ? (double)o[i] - (double)target[i] : 0.0;
        sum += e * e;
        n += recorded;
      }
    } else {
      for (int64_t k = 0, i = 0; activity_next_unit(loss, in, &k, &i);) {
        if (target[i] == target[i]) {
          const double e = (double)o[i] - (double)target[i];
          sum += cell_weight(&loss->weights, in, t, i) * e * e;
          n++;
        }
      }
    }
    log_likelihood[t] = n > 0 ? -sum : 0.0;
    count[t] = n;
  }
  return PF_OK;
}

PF_ISA_TARGET static pf_status PF_ISA_NAME(activity_vjp)(const void *self, const pf_loss_in *in,
                                                         const double *cotangent,
                                                         const pf_loss_gradient *gradient,
                                                         pf_error *error)
{
  const activity_loss *loss = self;
  if (activity_check(loss, in, error) != PF_OK) {
    return PF_STOP;
  }
  const int plain = loss->units == NULL && loss->weights.by == CELLS_ALIKE;
  if (gradient->observable == NULL || gradient->observable[0] == NULL) {
    return PF_OK;
  }
  for (int64_t t = 0; t < in->n_steps; t++) {
    const pf_real *o = in->observable[0] + t * in->ld_observable[0];
    const pf_real *target = in->target[0] + t * in->ld_target[0];
    pf_real *d_o = gradient->observable[0] + t * gradient->ld_observable[0];
    const double c = -2.0 * cotangent[t];
    if (!activity_counts(in, t)) {
      continue;
    }
    if (plain) {
#pragma omp simd
      for (int64_t i = 0; i < in->n_target[0]; i++) {
        const double e = target[i] == target[i] ? (double)o[i] - (double)target[i] : 0.0;
        d_o[i] += (pf_real)(c * e);
      }
    } else {
      for (int64_t k = 0, i = 0; activity_next_unit(loss, in, &k, &i);) {
        if (target[i] == target[i]) {
          const double weight = cell_weight(&loss->weights, in, t, i);
          d_o[i] += (pf_real)(c * weight * ((double)o[i] - (double)target[i]));
        }
      }
    }
  }
  return PF_OK;
}

static const pf_loss_ops PF_ISA_NAME(activity_ops) = {
    .size = sizeof(pf_loss_ops),
    .create = activity_create,
    .destroy = activity_destroy,
    .declare = activity_declare,
    .evaluate = PF_ISA_NAME(activity_evaluate),
    .vjp = PF_ISA_NAME(activity_vjp),
    .whiten = activity_whiten,
    .null_accumulate = activity_null_accumulate,
    .null_evaluate = activity_null_evaluate,
};

static const pf_plugin PF_ISA_NAME(activity_plugin) = {
    PF_PLUGIN_HEAD(PF_KIND_LOSS),
    .name = "activity",
    .version = "1.0",
    .summary = "squared error of recorded activity, missing cells left out",
    .options = PF_TABLE_OF(activity_options),
    .loss = &PF_ISA_NAME(activity_ops),
};

#undef PF_ISA
