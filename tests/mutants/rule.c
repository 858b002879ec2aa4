/*
 * A rule, dw = rate x y - decay y^2 w, and its mutants: compiled with -DMUTANT=n, hunk n is broken;
 * with 0 it is the sound plugin, which passes. rule.txt has a line for each mutant: number | what
 * is broken | what `plastfit check` must say.
 *
 * Mutant 45, an error in the fourth digit, is not in the table: in single precision only the
 * double-precision reference shows it (tests/conformance.tap).
 */
#include <math.h>
#include <plastfit/abi/plugin.h>
#include <stdlib.h>
#include <string.h>

#ifndef MUTANT
#define MUTANT 0
#endif
#define IF(n, broken, right) (MUTANT == (n) ? (broken) : (right))

typedef struct rule {
  const pf_host *host;
  double *scale; /* [2] ones, so that there is a second allocation */
  int calls;
} rule;

static const pf_option options[] = {{.name = "scale",
                                     .type = PF_TYPE_REAL,
                                     .fallback = "1.0",
                                     .unit = "1",
                                     .lower = 0.5,
                                     .upper = 2.0,
                                     .help = "times dw"}};

static const pf_parameter parameters[2] = {{.name = "rate",
                                            .unit = "1",
                                            .initial = 0.1,
                                            .value = 1,
                                            .lower = -INFINITY,
                                            .upper = INFINITY},
                                           {.name = "decay",
                                            .unit = "1",
                                            .initial = IF(36, 2.0, 0.1),
                                            .value = 1,
                                            .lower = 0.0,
                                            .upper = 1.0}};

static pf_status create(const pf_host *host, const pf_options *given, void **out, pf_error *error)
{
  rule *self = host->allocate(host, sizeof *self);
  if (self == NULL) {
    return MUTANT == 38 ? PF_STOP : pf_fail(error, PF_STOP, "no memory for the rule");
  }
  self->host = host;
  self->scale = host->allocate(host, 2 * sizeof *self->scale);
  if (self->scale == NULL && MUTANT != 28) {
    if (MUTANT != 34) {
      host->release(host, self);
    }
    return pf_fail(error, PF_STOP, "no memory for the rule");
  }
  self->scale[0] = given->real(given, IF(29, "gain", "scale"));
  self->scale[1] = 1.0;
  if (MUTANT == 37) {
    self->scale[2] = 1.0;
  }
  *out = self;
  return PF_OK;
}

static void destroy(void *object)
{
  rule *self = object;
  if (self != NULL) {
    const pf_host *host = self->host;
    if (MUTANT != 18) {
      host->release(host, IF(42, self->scale + 1, self->scale));
    }
    host->release(host, self);
  }
}

static pf_status declare(const void *object, pf_rule_declaration *out, pf_error *error)
{
  (void)object;
  (void)error;
  out->parameters = (pf_parameter_table)PF_TABLE_OF(parameters);
  out->reads = PF_READS_PRE | PF_READS_WEIGHT | IF(46, 0, PF_READS_POST);
  return PF_OK;
}

static double y_of(const pf_block *in, int64_t i)
{
  double y = (double)in->post[IF(23, 0, i)];
  if (MUTANT == 26) {
    y = y < 10 ? y : 10;
  }
  return y;
}

static double dw_of(const rule *self, const pf_block *in, int64_t i, int64_t j)
{
  const double y = y_of(in, i), x = (double)in->pre[j],
               w = (double)in->w[i * IF(2, in->n_pre, in->ldw) + j];
  return self->scale[0] * (in->theta[0] * x * y - in->theta[1] * y * y * w);
}

static pf_status forward(const void *object, const pf_block *in, pf_real *dw, int64_t lddw,
                         pf_error *error)
{
  const rule *self = object;
  double extra = 0.0;
  (void)error;
#if MUTANT == 6
  extra = 1e-30 * (double)in->pre[in->n_pre];
#elif MUTANT == 7
  void *memory = malloc(16);
  extra = memory == NULL;
  free(memory);
#elif MUTANT == 9
  ((rule *)(uintptr_t)object)->calls++;
#elif MUTANT == 10
  static int calls;
  calls++;
#elif MUTANT == 11
  static double own;
  extra = own;
  own += 1e-9;
#elif MUTANT == 12
  extra = 1e-9 * (double)in->row0;
#elif MUTANT == 17
  extra = 1e-30 * (double)in->post[0];
#elif MUTANT == 35
  exit(0);
#elif MUTANT == 43
  extra = 0.0 * rand();
#endif
  for (int64_t i = 0; i < in->n_rows; i++) {
    for (int64_t j = 0; j < in->n_pre - IF(25, 1, 0); j++) {
      const double value = dw_of(self, in, i, j) + extra;
      dw[i * lddw + j] = (pf_real)IF(44, (double)dw[i * lddw + j] + value, value);
    }
  }
  if (in->n_rows > 1 && in->n_pre > 0) {
#if MUTANT == 5
    dw[lddw > in->n_pre ? in->n_pre : 0] = lddw > in->n_pre ? 0 : dw[0];
#elif MUTANT == 16
    dw[0] = (pf_real)NAN;
#elif MUTANT == 24
    ((pf_real *)(uintptr_t)in->w)[0] += 1;
#endif
  }
  return PF_OK;
}

/** The adjoint with cotangents c * factor. */
static void pull(const rule *self, const pf_block *in, const pf_real *c, int64_t ld, double factor,
                 const pf_real *mask, int64_t ldm, const pf_rule_gradient *g)
{
  const double a = self->scale[0] * in->theta[0], b = self->scale[0] * in->theta[1];
  for (int64_t i = 0; i < in->n_rows; i++) {
    const double y = y_of(in, i);
    for (int64_t j = 0; j < in->n_pre; j++) {
      const double x = (double)in->pre[j], w = (double)in->w[i * IF(2, in->n_pre, in->ldw) + j];
      const double k = factor * (mask == NULL ? 1.0 : (double)mask[i * ldm + j]) *
                       (double)c[i * IF(39, in->n_pre, ld) + j];
      if (g->theta != NULL) {
        g->theta[0] += k * self->scale[0] * x * y;
        g->theta[1] -= k * self->scale[0] * y * y * IF(3, 1.0, w) * IF(45, 1.0005, 1.0);
      }
      if (g->pre != NULL || MUTANT == 20) {
        const double add = k * a * y;
        g->pre[j] = (pf_real)(IF(1, i > 0, 1) * (double)g->pre[j] + add);
      }
      if (g->post != NULL && MUTANT != 19) {
        g->post[i] += (pf_real)(k * (a * x - 2 * b * y * w));
      }
      if (g->w != NULL) {
        g->w[i * IF(31, in->n_pre, g->ldw) + j] -= (pf_real)(IF(4, -1, 1) * k * b * y * y);
      }
    }
  }
}

static pf_status vjp(const void *object, const pf_block *in, const pf_real *cotangent, int64_t ld,
                     const pf_rule_gradient *gradient, pf_error *error)
{
  (void)error;
#if MUTANT == 8
  const rule *self = object;
  self->host->release(self->host, self->host->allocate(self->host, 8));
#endif
  pull(object, in, cotangent, ld, 1.0, NULL, 0, gradient);
  return PF_OK;
}

static pf_status jvp(const void *object, const pf_block *in, const pf_rule_tangent *t,
                     pf_error *error)
{
  const rule *self = object;
  const double a = self->scale[0] * in->theta[0], b = self->scale[0] * in->theta[1];
  (void)error;
  for (int64_t k = 0; k < t->n_tangents; k++) {
    for (int64_t i = 0; i < in->n_rows; i++) {
      const double y = y_of(in, i);
      for (int64_t j = 0; j < in->n_pre; j++) {
        const double x = (double)in->pre[j], w = (double)in->w[i * in->ldw + j];
        double sum = 0.0;
        if (t->theta != NULL) {
          sum += self->scale[0] * (t->theta[2 * k] * x * y - t->theta[2 * k + 1] * y * y * w);
        }
        if (t->pre != NULL) {
          sum += a * y * (double)t->pre[k * t->pre_stride + j];
        }
        if (t->post != NULL || MUTANT == 41) {
          sum += (a * x - 2 * b * IF(40, 1.0, y) * w) * (double)t->post[k * t->post_stride + i];
        }
        if (t->w != NULL) {
          sum -= b * y * y * (double)t->w[k * t->w_stride + i * t->ldw + j];
        }
        t->dw[k * t->dw_stride + i * t->lddw + j] = (pf_real)IF(21, -sum, sum);
      }
    }
  }
  return PF_OK;
}

static pf_status step(const void *object, const pf_block *in, const pf_update *update, pf_real *out,
                      int64_t ld, pf_error *error)
{
  (void)error;
  for (int64_t i = 0; i < in->n_rows; i++) {
    for (int64_t j = 0; j < in->n_pre; j++) {
      const double m =
          update->mask == NULL || MUTANT == 22 ? 1.0 : (double)update->mask[i * update->ldm + j];
      out[i * ld + j] = (pf_real)((double)in->w[i * IF(2, in->n_pre, in->ldw) + j] +
                                  update->eta * m * dw_of(object, in, i, j));
    }
  }
  return PF_OK;
}

static pf_status step_vjp(const void *object, const pf_block *in, const pf_update *update,
                          const pf_rule_gradient *gradient, pf_error *error)
{
  const rule *self = object;
  const double b = self->scale[0] * in->theta[1], eta = IF(30, 1.0, update->eta);
  pf_rule_gradient others = *gradient;
  (void)error;
  others.w = NULL; /* it holds the cotangent */
  pull(self, in, gradient->w, gradient->ldw, eta, update->mask, update->ldm, &others);
  for (int64_t i = 0; i < in->n_rows; i++) {
    const double y = y_of(in, i);
    for (int64_t j = 0; j < in->n_pre; j++) {
      const double m = update->mask == NULL ? 1.0 : (double)update->mask[i * update->ldm + j];
      gradient->w[i * gradient->ldw + j] *= (pf_real)(1.0 - eta * m * b * y * y);
    }
  }
  return PF_OK;
}

static pf_status describe(const void *object, const double *theta, uint32_t format, char *text,
                          size_t capacity, pf_error *error)
{
  (void)object;
  (void)format;
  (void)error;
  (void)snprintf(text, IF(27, 200, capacity), "dw = %.3g x y - %.3g y^2 w", theta[0], theta[1]);
  return PF_OK;
}

static const pf_rule_ops ops = {.size = IF(13, offsetof(pf_rule_ops, vjp), sizeof(pf_rule_ops)),
                                .create = create,
                                .destroy = destroy,
                                .declare = declare,
                                .forward = IF(15, NULL, forward),
                                .vjp = vjp,
                                .jvp = jvp,
                                .step = step,
                                .step_vjp = step_vjp,
                                .describe = describe};

static const pf_plugin plugin = {.abi_major = PF_ABI_MAJOR + IF(14, 1, 0),
                                 .abi_minor = PF_ABI_MINOR + IF(33, 1, 0),
                                 .real_bytes = IF(32, 12 - sizeof(pf_real), sizeof(pf_real)),
                                 .kind = PF_KIND_RULE,
                                 .size = sizeof(pf_plugin),
                                 .name = "mutant",
                                 .version = "1",
                                 .summary = "a rule that is checked",
                                 .options = PF_TABLE_OF(options),
                                 .rule = &ops};

PF_PLUGIN_ENTRY(mutant)
{
  return &plugin;
}
