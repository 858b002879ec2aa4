/*
 * categorical - log likelihood of a choice c among K, from K logits l, per step:
 *
 *     p_k = (1 - lapse) s_k + lapse / K,   s = softmax(l + bias),   ll = log p_c
 *
 * (multinomial logit with a uniform lapse; bias of the first category is 0, since softmax sees
 * differences only). Without lapse, ll = (l + bias)_c - logsumexp(l + bias), which neither
 * overflows nor cancels.
 */
#include <math.h>
#include <plastfit/abi/plugin.h>
#include <stdio.h>
#include <string.h>

/* Categories are few; every hot call works on the stack. */
enum { CATEGORICAL_MAX = 64, CATEGORICAL_NAME = 16 };

typedef struct categorical_loss {
  const pf_host *host;
  int64_t k;                                /**< categories */
  pf_parameter parameters[CATEGORICAL_MAX]; /**< lapse, then the biases of categories 1 to K - 1 */
  char names[CATEGORICAL_MAX][CATEGORICAL_NAME];
} categorical_loss;

static const pf_option categorical_options[] = {
    {.name = "categories",
     .type = PF_TYPE_INTEGER,
     .required = 1,
     .lower = 2,
     .upper = CATEGORICAL_MAX,
     .help = "how many there are to choose from; units of the network's last layer. Choices are 0, "
             "1, ..."},
};
static const char *const categorical_observables[] = {"logit"};
static const char *const categorical_targets[] = {"choice"};

static void categorical_destroy(void *self)
{
  categorical_loss *loss = self;
  if (loss != NULL) {
    loss->host->release(loss->host, loss);
  }
}

static pf_status categorical_create(const pf_host *host, const pf_options *options, void **self,
                                    pf_error *error)
{
  categorical_loss *loss = host->allocate(host, sizeof *loss);
  if (loss == NULL) {
    return pf_fail(error, PF_STOP, "out of memory for a loss");
  }
  loss->host = host;
  loss->k = options->integer(options, "categories");
  loss->parameters[0] =
      (pf_parameter){.name = "lapse",
                     .unit = "1",
                     .lower = 0.0,
                     .upper = 1.0,
                     .flags = PF_PARAMETER_FIXED,
                     .help = "share of choices made at random, each category alike"};
  for (int64_t j = 1; j < loss->k; j++) {
    (void)snprintf(loss->names[j], sizeof loss->names[j], "bias%lld", (long long)j);
    loss->parameters[j] = (pf_parameter){.name = loss->names[j],
                                         .unit = "1",
                                         .lower = -INFINITY,
                                         .upper = INFINITY,
                                         .flags = PF_PARAMETER_FIXED,
                                         .help = "added to this category's logit"};
  }
  *self = loss;
  return PF_OK;
}

static pf_status categorical_declare(const void *self, pf_loss_declaration *declared,
                                     pf_error *error)
{
  const categorical_loss *loss = self;
  (void)error;
  declared->parameters =
      (pf_parameter_table){loss->parameters, (size_t)loss->k, sizeof loss->parameters[0]};
  declared->observables = (pf_names)PF_NAMES_OF(categorical_observables);
  declared->targets = (pf_names)PF_NAMES_OF(categorical_targets);
  declared->padded = -log((double)loss->k); /* logits 0 */
  declared->flags = PF_LOSS_LIKELIHOOD;
  declared->n_whitened = loss->k;
  declared->n_null_sums = loss->k;
  return PF_OK;
}

/* ---- one step ---- */

/** What was chosen at step t; -1: nothing that counts. */
static pf_status categorical_choice(const categorical_loss *loss, const pf_loss_in *in, int64_t t,
                                    int64_t *choice, pf_error *error)
{
  const double c = (double)in->target[0][t * in->ld_target[0]];
  *choice = -1;
  if (isnan(c) || (in->scored != NULL && in->scored[t] == 0)) {
    return PF_OK;
  }
  if (!(c >= 0.0 && c < (double)loss->k) || c != floor(c)) {
    return pf_fail(error, PF_STOP,
                   "choice %g; expected a whole number from 0 to %lld (`categories` is %lld), or "
                   "NaN where none was recorded",
                   c, (long long)loss->k - 1, (long long)loss->k);
  }
  *choice = (int64_t)c;
  return PF_OK;
}

static pf_status categorical_check(const categorical_loss *loss, const pf_loss_in *in,
                                   pf_error *error)
{
  if (in->n_target[0] != 1) {
    return pf_fail(error, PF_STOP, "one choice a step was expected, but the data have %lld",
                   (long long)in->n_target[0]);
  }
  if (in->observable != NULL && in->n_observable[0] != loss->k) {
    return pf_fail(
        error, PF_STOP,
        "`categories` is %lld, but the network's last layer has %lld units; make them equal",
        (long long)loss->k, (long long)in->n_observable[0]);
  }
  return PF_OK;
}

/** softmax(l + bias) of step t into s; returns log of the normaliser relative to the shifted logits
 * `z`. */
static double categorical_softmax(const categorical_loss *loss, const pf_loss_in *in, int64_t t,
                                  double *z, double *s)
{
  const pf_real *logit = in->observable[0] + t * in->ld_observable[0];
  double top = -INFINITY;
  for (int64_t j = 0; j < loss->k; j++) {
    z[j] = (double)logit[j] + (j > 0 ? in->theta[j] : 0.0);
    top = z[j] > top ? z[j] : top;
  }
  double sum = 0.0;
  for (int64_t j = 0; j < loss->k; j++) {
    z[j] -= top;
    s[j] = exp(z[j]);
    sum += s[j];
  }
  for (int64_t j = 0; j < loss->k; j++) {
    s[j] /= sum;
  }
  return log(sum); /* cppcheck-suppress invalidFunctionArg ; the highest adds 1 */
}

static pf_status categorical_evaluate(const void *self, const pf_loss_in *in,
                                      double *log_likelihood, int64_t *count, pf_error *error)
{
  const categorical_loss *loss = self;
  double z[CATEGORICAL_MAX], s[CATEGORICAL_MAX];
  pf_status status = categorical_check(loss, in, error);
  if (status != PF_OK) {
    return status;
  }
  for (int64_t t = 0; t < in->n_steps; t++) {
    int64_t c;
    status = categorical_choice(loss, in, t, &c, error);
    if (status != PF_OK) {
      return status;
    }
    log_likelihood[t] = 0.0;
    count[t] = 0;
    if (c >= 0) {
      const double lapse = in->theta[0];
      const double normaliser = categorical_softmax(loss, in, t, z, s);
      log_likelihood[t] = lapse > 0.0 ? log((1.0 - lapse) * s[c] + lapse / (double)loss->k)
                                      : z[c] - normaliser; /* no cancellation */
      count[t] = 1;
    }
  }
  return status;
}

static pf_status categorical_vjp(const void *self, const pf_loss_in *in, const double *cotangent,
                                 const pf_loss_gradient *gradient, pf_error *error)
{
  const categorical_loss *loss = self;
  double z[CATEGORICAL_MAX], s[CATEGORICAL_MAX];
  pf_real *d_logit = gradient->observable == NULL ? NULL : gradient->observable[0];
  pf_status status = categorical_check(loss, in, error);
  if (status != PF_OK) {
    return status;
  }
  for (int64_t t = 0; t < in->n_steps; t++) {
    int64_t c;
    status = categorical_choice(loss, in, t, &c, error);
    if (status != PF_OK) {
      return status;
    }
    if (c < 0) {
      continue;
    }
    const double lapse = in->theta[0];
    (void)categorical_softmax(loss, in, t, z, s);
    const double p = (1.0 - lapse) * s[c] + lapse / (double)loss->k;
    const double share =
        lapse > 0.0 ? (1.0 - lapse) * s[c] / p : 1.0; /* that the choice was no lapse */
    for (int64_t j = 0; j < loss->k; j++) {
      const double d = cotangent[t] * share * ((j == c ? 1.0 : 0.0) - s[j]);
      if (d_logit != NULL) {
        d_logit[t * gradient->ld_observable[0] + j] += (pf_real)d;
      }
      if (gradient->theta != NULL && j > 0) {
        gradient->theta[j] += d;
      }
    }
    if (gradient->theta != NULL) {
      gradient->theta[0] += cotangent[t] * (1.0 / (double)loss->k - s[c]) / p;
    }
  }
  return status;
}

/** root_j = d p_j / sqrt(p_j): summed over categories, E[(d log p_c)(d log p_c)] = sum_j d p_j d
 * p_j / p_j. */
static pf_status categorical_whiten(const void *self, const pf_loss_in *in,
                                    const pf_loss_tangent *tangent, const pf_loss_roots *roots,
                                    pf_error *error)
{
  const categorical_loss *loss = self;
  double z[CATEGORICAL_MAX], s[CATEGORICAL_MAX], d[CATEGORICAL_MAX];
  pf_status status = categorical_check(loss, in, error);
  if (status != PF_OK) {
    return status;
  }
  for (int64_t t = 0; t < in->n_steps; t++) {
    int64_t c;
    status = categorical_choice(loss, in, t, &c, error);
    if (status != PF_OK) {
      return status;
    }
    const double lapse = in->theta[0];
    if (c >= 0) {
      (void)categorical_softmax(loss, in, t, z, s);
    }
    for (int64_t i = 0; i < tangent->n_tangents; i++) {
      const double *theta = tangent->theta == NULL ? NULL : tangent->theta + i * loss->k;
      const pf_real *logit =
          tangent->observable == NULL || tangent->observable[0] == NULL
              ? NULL
              : tangent->observable[0] + i * tangent->stride[0] + t * in->ld_observable[0];
      pf_real *out = roots->root + i * roots->stride + t * roots->ld;
      double mean = 0.0;
      for (int64_t j = 0; j < loss->k; j++) {
        d[j] = c < 0 ? 0.0
                     : (logit == NULL ? 0.0 : (double)logit[j]) +
                           (theta == NULL || j == 0 ? 0.0 : theta[j]);
        mean += c < 0 ? 0.0 : s[j] * d[j];
      }
      for (int64_t j = 0; j < loss->k; j++) {
        const double p = c < 0 ? 0.0 : (1.0 - lapse) * s[j] + lapse / (double)loss->k;
        const double d_p = (1.0 - lapse) * s[j] * (d[j] - mean) +
                           (theta == NULL ? 0.0 : theta[0] * (1.0 / (double)loss->k - s[j]));
        out[j] = (pf_real)(p > 0.0 ? d_p / sqrt(p) : 0.0); /* what never happens adds nothing */
      }
    }
  }
  return status;
}

/* ---- mean rate ---- */

static pf_status categorical_null_accumulate(const void *self, const pf_loss_in *in,
                                             double *null_sums, pf_error *error)
{
  const categorical_loss *loss = self;
  pf_status status = categorical_check(loss, in, error);
  if (status != PF_OK) {
    return status;
  }
  for (int64_t t = 0; t < in->n_steps; t++) {
    int64_t c;
    status = categorical_choice(loss, in, t, &c, error);
    if (status != PF_OK) {
      return status;
    }
    if (c >= 0) {
      null_sums[c] += 1.0;
    }
  }
  return status;
}

static pf_status categorical_null_evaluate(const void *self, const pf_loss_in *in,
                                           const double *null_sums, double *log_likelihood,
                                           pf_error *error)
{
  const categorical_loss *loss = self;
  double all = 0.0, most = 0.0;
  for (int64_t j = 0; j < loss->k; j++) {
    all += null_sums[j];
    most = null_sums[j] > most ? null_sums[j] : most;
  }
  pf_status status = categorical_check(loss, in, error);
  if (status != PF_OK) {
    return status;
  }
  for (int64_t t = 0; t < in->n_steps; t++) {
    int64_t c;
    status = categorical_choice(loss, in, t, &c, error);
    if (status != PF_OK) {
      return status;
    }
    if (c < 0) {
      log_likelihood[t] = 0.0;
      continue;
    }
    /* a choice that was never made before has probability 0 under this null, and where all are the
     * same the null says nothing */
    log_likelihood[t] = null_sums[c] > 0.0 && most < all ? log(null_sums[c] / all) : NAN;
  }
  return status;
}

static const pf_loss_ops categorical_ops = {
    .size = sizeof(pf_loss_ops),
    .create = categorical_create,
    .destroy = categorical_destroy,
    .declare = categorical_declare,
    .evaluate = categorical_evaluate,
    .vjp = categorical_vjp,
    .whiten = categorical_whiten,
    .null_accumulate = categorical_null_accumulate,
    .null_evaluate = categorical_null_evaluate,
};

static const pf_plugin categorical_plugin = {
    PF_PLUGIN_HEAD(PF_KIND_LOSS),
    .name = "categorical",
    .version = "1.0",
    .summary = "log likelihood of a choice among K: log softmax of K logits",
    .options = PF_TABLE_OF(categorical_options),
    .loss = &categorical_ops,
};

PF_PLUGIN_ENTRY(categorical)
{
  return &categorical_plugin;
}
