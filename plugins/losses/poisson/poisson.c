/*
 * poisson - log likelihood of spike counts n per bin, from the activity o of a layer, per step:
 *
 *     ll = sum over recorded units i of  n_i log(rate_i) - rate_i - log(n_i!)
 *     rate_i = link(gain o_i + baseline)
 *
 * with link exp (the canonical one), softplus log(1 + exp), or identity. Rates are counts per bin.
 */
#include <math.h>
#include <plastfit/abi/plugin.h>
#include <string.h>

enum poisson_link { POISSON_EXP, POISSON_SOFTPLUS, POISSON_IDENTITY };
enum { POISSON_GAIN, POISSON_BASELINE, POISSON_PARAMETERS };

typedef struct poisson_loss {
  const pf_host *host;
  char *observable, *target; /**< names, owned */
  const char *observables[1], *targets[1];
  enum poisson_link link;
} poisson_loss;

static const pf_option poisson_options[] = {
    {.name = "observable",
     .type = PF_TYPE_STRING,
     .fallback = "\"activity\"",
     .help = "of the network; \"activity\" is the first plastic layer's"},
    {.name = "target",
     .type = PF_TYPE_STRING,
     .fallback = "\"counts\"",
     .help = "of the data: spikes per bin, as wide as the observable"},
    {.name = "link",
     .type = PF_TYPE_STRING,
     .fallback = "\"exp\"",
     .choices = "exp|softplus|identity",
     .help = "from gain * activity + baseline to the expected count"},
};

static const pf_parameter poisson_parameters[POISSON_PARAMETERS] = {
    {.name = "gain",
     .unit = "1",
     .initial = 1.0,
     .value = 1.0,
     .lower = -INFINITY,
     .upper = INFINITY,
     .flags = PF_PARAMETER_FIXED,
     .help = "times the activity"},
    {.name = "baseline",
     .unit = "1",
     .lower = -INFINITY,
     .upper = INFINITY,
     .flags = PF_PARAMETER_FIXED,
     .help = "added to it; with link exp, the log of the expected count without activity"},
};

static void poisson_destroy(void *self)
{
  poisson_loss *loss = self;
  if (loss != NULL) {
    loss->host->release(loss->host, loss->observable);
    loss->host->release(loss->host, loss->target);
    loss->host->release(loss->host, loss);
  }
}

static char *poisson_copy(const pf_host *host, const char *text)
{
  const size_t bytes = strlen(text) + 1;
  char *copy = host->allocate(host, bytes);
  return copy == NULL ? NULL : memcpy(copy, text, bytes);
}

static pf_status poisson_create(const pf_host *host, const pf_options *options, void **self,
                                pf_error *error)
{
  poisson_loss *loss = host->allocate(host, sizeof *loss);
  if (loss == NULL) {
    return pf_fail(error, PF_STOP, "out of memory for a loss");
  }
  const char *link = options->string(options, "link");
  loss->host = host;
  loss->link = strcmp(link, "softplus") == 0 ? POISSON_SOFTPLUS : POISSON_EXP;
  if (strcmp(link, "identity") == 0) {
    loss->link = POISSON_IDENTITY;
  }
  loss->observable = poisson_copy(host, options->string(options, "observable"));
  loss->target = poisson_copy(host, options->string(options, "target"));
  if (loss->observable == NULL || loss->target == NULL) {
    poisson_destroy(loss);
    return pf_fail(error, PF_STOP, "out of memory for a loss");
  }
  loss->observables[0] = loss->observable;
  loss->targets[0] = loss->target;
  *self = loss;
  return PF_OK;
}

static pf_status poisson_declare(const void *self, pf_loss_declaration *declared, pf_error *error)
{
  const poisson_loss *loss = self;
  (void)error;
  declared->parameters = (pf_parameter_table)PF_TABLE_OF(poisson_parameters);
  declared->observables = (pf_names){loss->observables, 1};
  declared->targets = (pf_names){loss->targets, 1};
  declared->padded = 0.0;
  declared->flags = PF_LOSS_LIKELIHOOD;
  declared->n_null_sums = 2; /* recorded bins, spikes in them */
  return PF_OK;
}

/* ---- one cell ---- */

/** Expected count and its derivative in a = gain o + baseline. */
typedef struct poisson_rate {
  double rate, log_rate, slope;
} poisson_rate;

static poisson_rate poisson_link_of(enum poisson_link link, double a)
{
  if (link == POISSON_EXP) {
    const double rate = exp(a);
    return (poisson_rate){rate, a, rate};
  }
  if (link == POISSON_SOFTPLUS) {
    /* below -40, log(1 + exp(a)) is exp(a) to the last bit, whose log is a */
    const double rate = a > 0.0 ? a + log1p(exp(-a)) : log1p(exp(a));
    return (poisson_rate){rate, a < -40.0 ? a : log(rate), 1.0 / (1.0 + exp(-a))};
  }
  return (poisson_rate){a, a > 0.0 ? log(a) : -INFINITY, 1.0};
}

/** The count of a cell that counts, else NaN. */
static pf_status poisson_count(const poisson_loss *loss, const pf_loss_in *in, int64_t t, int64_t i,
                               double *n, pf_error *error)
{
  *n = in->scored != NULL && in->scored[t] == 0 ? NAN
                                                : (double)in->target[0][t * in->ld_target[0] + i];
  if (*n < 0.0 || *n != floor(*n)) { /* NaN: neither; infinite: refused below */
    return isnan(*n) ? PF_OK
                     : pf_fail(error, PF_STOP,
                               "a count of %g in target \"%s\", column %lld; expected a whole "
                               "number of spikes per bin, or NaN where none was recorded",
                               *n, loss->target, (long long)i + 1);
  }
  return isinf(*n) ? pf_fail(error, PF_STOP, "an infinite count in target \"%s\", column %lld",
                             loss->target, (long long)i + 1)
                   : PF_OK;
}

static pf_status poisson_cell(const poisson_loss *loss, const pf_loss_in *in, int64_t t, int64_t i,
                              double *n, poisson_rate *rate, pf_error *error)
{
  pf_status status = poisson_count(loss, in, t, i, n, error);
  if (status != PF_OK || isnan(*n)) {
    return status;
  }
  const double o = (double)in->observable[0][t * in->ld_observable[0] + i];
  *rate = poisson_link_of(loss->link, in->theta[POISSON_GAIN] * o + in->theta[POISSON_BASELINE]);
  if (loss->link == POISSON_IDENTITY && !(rate->rate > 0.0)) {
    return pf_fail(error, PF_POINT_FAILED,
                   "an expected count of %g for unit %lld; link = \"identity\" needs activities "
                   "above 0, link = \"exp\" takes any",
                   rate->rate, (long long)i);
  }
  return PF_OK;
}

static pf_status poisson_check(const poisson_loss *loss, const pf_loss_in *in, pf_error *error)
{
  if (in->observable != NULL && in->n_observable[0] != in->n_target[0]) {
    return pf_fail(error, PF_STOP,
                   "observable \"%s\" has %lld units, but target \"%s\" has %lld; they must be the "
                   "same (NaN marks what was not recorded)",
                   loss->observable, (long long)in->n_observable[0], loss->target,
                   (long long)in->n_target[0]);
  }
  return PF_OK;
}

static pf_status poisson_evaluate(const void *self, const pf_loss_in *in, double *log_likelihood,
                                  int64_t *count, pf_error *error)
{
  const poisson_loss *loss = self;
  if (poisson_check(loss, in, error) != PF_OK) {
    return PF_STOP;
  }
  for (int64_t t = 0; t < in->n_steps; t++) {
    log_likelihood[t] = 0.0;
    count[t] = 0;
    for (int64_t i = 0; i < in->n_target[0]; i++) {
      double n;
      poisson_rate rate;
      const pf_status status = poisson_cell(loss, in, t, i, &n, &rate, error);
      if (status != PF_OK) {
        return status;
      }
      if (!isnan(n)) {
        /* 0 log 0 = 0, also where exp underflowed */
        log_likelihood[t] += (n > 0.0 ? n * rate.log_rate : 0.0) - rate.rate - lgamma(n + 1.0);
        count[t]++;
      }
    }
  }
  return PF_OK;
}

static pf_status poisson_vjp(const void *self, const pf_loss_in *in, const double *cotangent,
                             const pf_loss_gradient *gradient, pf_error *error)
{
  const poisson_loss *loss = self;
  pf_real *d_o = gradient->observable == NULL ? NULL : gradient->observable[0];
  if (poisson_check(loss, in, error) != PF_OK) {
    return PF_STOP;
  }
  for (int64_t t = 0; t < in->n_steps; t++) {
    for (int64_t i = 0; i < in->n_target[0]; i++) {
      double n;
      poisson_rate rate;
      const pf_status status = poisson_cell(loss, in, t, i, &n, &rate, error);
      if (status != PF_OK) {
        return status;
      }
      if (isnan(n)) {
        continue;
      }
      /* d ll / d a = (n / rate - 1) slope; with exp, rate and slope are the same number and may
       * underflow together */
      double slope = n > 0.0 ? (n / rate.rate - 1.0) * rate.slope : -rate.slope;
      if (loss->link == POISSON_EXP) {
        slope = n - rate.rate;
      }
      const double d = cotangent[t] * slope;
      if (d_o != NULL) {
        d_o[t * gradient->ld_observable[0] + i] += (pf_real)(d * in->theta[POISSON_GAIN]);
      }
      if (gradient->theta != NULL) {
        gradient->theta[POISSON_GAIN] +=
            d * (double)in->observable[0][t * in->ld_observable[0] + i];
        gradient->theta[POISSON_BASELINE] += d;
      }
    }
  }
  return PF_OK;
}

/** root = d rate / sqrt(rate), a Poisson variable's variance being its rate. */
static pf_status poisson_whiten(const void *self, const pf_loss_in *in,
                                const pf_loss_tangent *tangent, const pf_loss_roots *out,
                                pf_error *error)
{
  const poisson_loss *loss = self;
  if (poisson_check(loss, in, error) != PF_OK) {
    return PF_STOP;
  }
  for (int64_t t = 0; t < in->n_steps; t++) {
    for (int64_t i = 0; i < in->n_target[0]; i++) {
      double n;
      poisson_rate rate = {0};
      const pf_status status = poisson_cell(loss, in, t, i, &n, &rate, error);
      if (status != PF_OK) {
        return status;
      }
      const double scale = isnan(n) || !(rate.rate > 0.0) ? 0.0 : rate.slope / sqrt(rate.rate);
      const double o = (double)in->observable[0][t * in->ld_observable[0] + i];
      for (int64_t k = 0; k < tangent->n_tangents; k++) {
        const double *theta =
            tangent->theta == NULL ? NULL : tangent->theta + k * POISSON_PARAMETERS;
        const double d_o =
            tangent->observable == NULL || tangent->observable[0] == NULL
                ? 0.0
                : (double)
                      tangent->observable[0][k * tangent->stride[0] + t * in->ld_observable[0] + i];
        const double d_a =
            in->theta[POISSON_GAIN] * d_o +
            (theta == NULL ? 0.0 : theta[POISSON_GAIN] * o + theta[POISSON_BASELINE]);
        out->root[k * out->stride + t * out->ld + i] = (pf_real)(scale == 0.0 ? 0.0 : scale * d_a);
      }
    }
  }
  return PF_OK;
}

/* ---- mean rate ---- */

static pf_status poisson_null_accumulate(const void *self, const pf_loss_in *in, double *null_sums,
                                         pf_error *error)
{
  const poisson_loss *loss = self;
  for (int64_t t = 0; t < in->n_steps; t++) {
    for (int64_t i = 0; i < in->n_target[0]; i++) {
      double n;
      const pf_status status = poisson_count(loss, in, t, i, &n, error);
      if (status != PF_OK) {
        return status;
      }
      if (!isnan(n)) {
        null_sums[2 * i] += 1.0;
        null_sums[2 * i + 1] += n;
      }
    }
  }
  return PF_OK;
}

static pf_status poisson_null_evaluate(const void *self, const pf_loss_in *in,
                                       const double *null_sums, double *log_likelihood,
                                       pf_error *error)
{
  const poisson_loss *loss = self;
  for (int64_t t = 0; t < in->n_steps; t++) {
    log_likelihood[t] = 0.0;
    for (int64_t i = 0; i < in->n_target[0]; i++) {
      double n;
      const pf_status status = poisson_count(loss, in, t, i, &n, error);
      if (status != PF_OK) {
        return status;
      }
      if (!isnan(n)) {
        const double rate = null_sums[2 * i] > 0.0 ? null_sums[2 * i + 1] / null_sums[2 * i] : NAN;
        /* a unit that was silent where it was fitted cannot fire under this null: there is none */
        log_likelihood[t] +=
            n > 0.0 && rate == 0.0 ? NAN : (n > 0.0 ? n * log(rate) : 0.0) - rate - lgamma(n + 1.0);
      }
    }
  }
  return PF_OK;
}

/* ---- saturated model, expected counts ---- */

static pf_status poisson_saturate(const void *self, const pf_loss_in *in, double *log_likelihood,
                                  pf_error *error)
{
  const poisson_loss *loss = self;
  for (int64_t t = 0; t < in->n_steps; t++) {
    log_likelihood[t] = 0.0;
    for (int64_t i = 0; i < in->n_target[0]; i++) {
      double n;
      const pf_status status = poisson_count(loss, in, t, i, &n, error);
      if (status != PF_OK) {
        return status;
      }
      if (n > 0.0) { /* the rate is the count; of 0 spikes it is 0, and so is the log likelihood */
        log_likelihood[t] += n * log(n) - n - lgamma(n + 1.0);
      }
    }
  }
  return PF_OK;
}

static pf_status poisson_expect(const void *self, const pf_loss_in *in, pf_real *expected,
                                int64_t ld, pf_error *error)
{
  const poisson_loss *loss = self;
  const pf_status status = poisson_check(loss, in, error);
  if (status != PF_OK) {
    return status;
  }
  for (int64_t t = 0; t < in->n_steps; t++) {
    for (int64_t i = 0; i < in->n_target[0]; i++) {
      const double o = (double)in->observable[0][t * in->ld_observable[0] + i];
      const double a = in->theta[POISSON_GAIN] * o + in->theta[POISSON_BASELINE];
      expected[t * ld + i] = (pf_real)poisson_link_of(loss->link, a).rate;
    }
  }
  return PF_OK;
}

static const pf_loss_ops poisson_ops = {
    .size = sizeof(pf_loss_ops),
    .create = poisson_create,
    .destroy = poisson_destroy,
    .declare = poisson_declare,
    .evaluate = poisson_evaluate,
    .vjp = poisson_vjp,
    .whiten = poisson_whiten,
    .null_accumulate = poisson_null_accumulate,
    .null_evaluate = poisson_null_evaluate,
    .saturate = poisson_saturate,
    .expect = poisson_expect,
};

static const pf_plugin poisson_plugin = {
    PF_PLUGIN_HEAD(PF_KIND_LOSS),
    .name = "poisson",
    .version = "1.0",
    .summary = "log likelihood of spike counts per bin: n log(rate) - rate - log(n!)",
    .options = PF_TABLE_OF(poisson_options),
    .loss = &poisson_ops,
};

PF_PLUGIN_ENTRY(poisson)
{
  return &poisson_plugin;
}
