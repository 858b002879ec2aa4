#define _POSIX_C_SOURCE 200809L

#include "tests/unit/support/rule_check.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/** Padding of outputs: must be there afterwards. */
static const pf_real mark = (pf_real)-77.25;

enum { MAX_THETA = 4096 };

/** Inputs of one call, a cotangent, and where gradients go. */
typedef struct bench {
  pf_block in;
  pf_real *x, *y, *w, *r, *cotangent;
  double *theta;
  int64_t n_theta, ld_cotangent;
  double *g_theta;
  pf_real *g_x, *g_y, *g_w;
  int64_t ld_gw;
} bench;

/* ---- random numbers ---- */

static double uniform(uint64_t *state)
{
  /* splitmix64 */
  *state += 0x9E3779B97F4A7C15u;
  uint64_t z = *state;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  z ^= z >> 31;
  return (double)(z >> 11) * 0x1p-53;
}

static pf_real signed_value(uint64_t *state)
{
  const double value = 0.15 + 1.1 * uniform(state);
  return (pf_real)(uniform(state) < 0.4 ? -value : value);
}

static pf_real *matrix(int64_t rows, int64_t columns, int64_t ld, pf_real padding, uint64_t *state)
{
  /* Exactly as long as needed: a sanitizer sees what goes beyond. */
  const size_t cells = rows > 0 ? (size_t)((rows - 1) * ld + columns) : 0;
  pf_real *values = malloc((cells > 0 ? cells : 1) * sizeof *values);
  cr_assert_not_null(values);
  for (size_t i = 0; i < cells; i++) {
    values[i] = (int64_t)(i % (size_t)ld) < columns ? signed_value(state) : padding;
  }
  return values;
}

static void check_padding(const char *what, const pf_real *values, int64_t rows, int64_t columns, int64_t ld)
{
  for (int64_t i = 0; i + 1 < rows; i++) {
    for (int64_t j = columns; j < ld; j++) {
      cr_assert(values[i * ld + j] == mark, "%s: padding of row %lld was written", what, (long long)i);
    }
  }
}

/* ---- objects ---- */

void rule_make(rule_object *rule, pf_plugin_entry entry, const fake_value *given, size_t n_given)
{
  memset(rule, 0, sizeof *rule);
  rule->plugin = entry();
  rule->ops = rule->plugin->rule;
  rule->slope_h = sizeof(pf_real) == 4 ? 2e-2 : 1e-3;
  rule->slope_tolerance = sizeof(pf_real) == 4 ? 1e-3 : 1e-10;
  fake_options options;
  fake_options_init(&options, &rule->plugin->options, given, n_given);
  pf_error error = {.size = sizeof error};
  const pf_status status = rule->ops->create(fake_host_init(&rule->host), &options.face, &rule->self, &error);
  cr_assert(status == PF_OK, "create: %s", error.text);
  cr_assert(options.mistakes == 0, "create read %d options it should not have", options.mistakes);
  rule->needs.size = sizeof rule->needs;
  cr_assert(rule->ops->needs(rule->self, &rule->needs, &error) == PF_OK);
  cr_assert(rule->needs.parameters.count <= MAX_THETA);
}

void rule_unmake(rule_object *rule)
{
  rule->ops->destroy(rule->self);
  rule->ops->destroy(NULL);
  cr_assert(rule->host.live == 0, "%lld allocations leaked", (long long)rule->host.live);
}

void rule_refusal(pf_plugin_entry entry, const fake_value *given, size_t n_given, char *text, size_t capacity)
{
  const pf_plugin *plugin = entry();
  fake_options options;
  fake_host host;
  fake_options_init(&options, &plugin->options, given, n_given);
  pf_error error = {.size = sizeof error};
  void *self = &host;
  const pf_status status = plugin->rule->create(fake_host_init(&host), &options.face, &self, &error);
  cr_assert(status < 0, "create took what it should refuse");
  cr_assert(self == &host, "create touched *self on failure");
  cr_assert(host.live == 0, "a refusal leaks");
  cr_assert(error.text[0] != '\0', "a refusal without a line");
  (void)snprintf(text, capacity, "%s", error.text);
}

void rule_check_out_of_memory(pf_plugin_entry entry, const fake_value *given, size_t n_given)
{
  const pf_plugin *plugin = entry();
  for (int64_t n = 0; n < 100; n++) {
    fake_options options;
    fake_host host;
    fake_options_init(&options, &plugin->options, given, n_given);
    pf_error error = {.size = sizeof error};
    void *self = NULL;
    const pf_host *face = fake_host_init(&host);
    host.fail_at = n;
    if (plugin->rule->create(face, &options.face, &self, &error) == PF_OK) {
      plugin->rule->destroy(self);
      cr_assert(n > 0, "no allocation was asked for");
      cr_assert(host.live == 0);
      return;
    }
    cr_assert(error.text[0] != '\0', "out of memory without a line");
    cr_assert(host.live == 0, "a failed create leaks");
  }
  cr_assert_fail("create never succeeded");
}

/* ---- benches ---- */

static void bench_make(bench *b, const rule_object *rule, int64_t n_rows, int64_t n_pre, uint64_t seed)
{
  uint64_t state = seed * 1000003u + (uint64_t)(n_rows * 8191 + n_pre);
  memset(b, 0, sizeof *b);
  b->n_theta = (int64_t)rule->needs.parameters.count;
  b->ld_cotangent = n_pre + 5;
  b->ld_gw = n_pre + 2;
  b->theta = calloc((size_t)b->n_theta + 1, sizeof *b->theta);
  b->g_theta = calloc((size_t)b->n_theta + 1, sizeof *b->g_theta);
  cr_assert(b->theta != NULL && b->g_theta != NULL);
  for (int64_t k = 0; k < b->n_theta; k++) {
    b->theta[k] = 0.7 * (double)signed_value(&state);
    b->g_theta[k] = (double)signed_value(&state);
  }
  b->x = matrix(1, n_pre, n_pre + 1, mark, &state);
  b->y = matrix(1, n_rows, n_rows + 1, mark, &state);
  b->w = matrix(n_rows, n_pre, n_pre + 3, (pf_real)NAN, &state);
  b->r = matrix(1, 1, 1, mark, &state);
  b->cotangent = matrix(n_rows, n_pre, b->ld_cotangent, (pf_real)NAN, &state);
  b->g_x = matrix(1, n_pre, n_pre + 1, mark, &state);
  b->g_y = matrix(1, n_rows, n_rows + 1, mark, &state);
  b->g_w = matrix(n_rows, n_pre, b->ld_gw, mark, &state);
  b->in = (pf_block){.size = sizeof b->in,
                     .flags = PF_STEP_PLASTIC,
                     .n_rows = n_rows,
                     .n_pre = n_pre,
                     .row0 = 3,
                     .theta = b->theta,
                     .pre = b->x,
                     .post = b->y,
                     .w = b->w,
                     .modulator = b->r,
                     .ld_pre = n_pre + 1,
                     .ld_post = n_rows + 1,
                     .ldw = n_pre + 3};
}

static void bench_free(bench *b)
{
  free(b->theta);
  free(b->g_theta);
  free(b->x);
  free(b->y);
  free(b->w);
  free(b->r);
  free(b->cotangent);
  free(b->g_x);
  free(b->g_y);
  free(b->g_w);
}

static pf_rule_gradient gradient_of(const bench *b)
{
  return (pf_rule_gradient){.size = sizeof(pf_rule_gradient),
                            .theta = b->g_theta,
                            .pre = b->g_x,
                            .post = b->g_y,
                            .w = b->g_w,
                            .ld_pre = b->in.ld_pre,
                            .ld_post = b->in.ld_post,
                            .ldw = b->ld_gw};
}

static void run_forward(const rule_object *rule, const pf_block *in, pf_real *dw, int64_t lddw)
{
  pf_error error = {.size = sizeof error};
  cr_assert(rule->ops->forward(rule->self, in, dw, lddw, &error) == PF_OK, "forward: %s", error.text);
}

static void run_vjp(const rule_object *rule, const bench *b, const pf_rule_gradient *gradient)
{
  pf_error error = {.size = sizeof error};
  cr_assert(rule->ops->vjp(rule->self, &b->in, b->cotangent, b->ld_cotangent, gradient, &error) == PF_OK, "vjp: %s",
            error.text);
}

/** sum_ij c_ij dw_ij. */
static double objective(const rule_object *rule, const bench *b)
{
  const int64_t ld = b->in.n_pre + 4;
  uint64_t state = 1;
  pf_real *dw = matrix(b->in.n_rows, b->in.n_pre, ld, mark, &state);
  run_forward(rule, &b->in, dw, ld);
  double sum = 0.0;
  for (int64_t i = 0; i < b->in.n_rows; i++) {
    for (int64_t j = 0; j < b->in.n_pre; j++) {
      sum += (double)b->cotangent[i * b->ld_cotangent + j] * (double)dw[i * ld + j];
    }
  }
  check_padding("dw", dw, b->in.n_rows, b->in.n_pre, ld);
  free(dw);
  return sum;
}

double rule_dw(const rule_object *rule, const double *theta, double x, double y, double w, double r)
{
  const pf_real cell[4] = {(pf_real)x, (pf_real)y, (pf_real)w, (pf_real)r};
  const pf_block in = {.size = sizeof in,
                       .flags = PF_STEP_PLASTIC,
                       .n_rows = 1,
                       .n_pre = 1,
                       .theta = theta,
                       .pre = &cell[0],
                       .post = &cell[1],
                       .w = &cell[2],
                       .modulator = &cell[3],
                       .ld_pre = 1,
                       .ld_post = 1,
                       .ldw = 1};
  pf_real dw = mark;
  run_forward(rule, &in, &dw, 1);
  return (double)dw;
}

/* ---- checks ---- */

/** Central difference of the objective along one component, given by its address. */
static double slope_real(const rule_object *rule, const bench *b, pf_real *component, double h)
{
  const pf_real at = *component;
  *component = (pf_real)((double)at + h);
  const double above = (double)*component;
  const double f_above = objective(rule, b);
  *component = (pf_real)((double)at - h);
  const double below = (double)*component;
  const double f_below = objective(rule, b);
  *component = at;
  return (f_above - f_below) / (above - below);
}

static double slope_theta(const rule_object *rule, const bench *b, int64_t k, double h)
{
  const double at = b->theta[k];
  b->theta[k] = at + h;
  const double f_above = objective(rule, b);
  b->theta[k] = at - h;
  const double f_below = objective(rule, b);
  b->theta[k] = at;
  return (f_above - f_below) / (2 * h);
}

/** Largest error and largest slope of one argument. */
typedef struct discrepancy {
  double error, largest;
} discrepancy;

static void compare(discrepancy *d, double found, double expected)
{
  const double error = fabs(found - expected);
  d->error = !(error <= d->error) ? error : d->error; /* a NaN stays */
  d->largest = fabs(expected) > d->largest ? fabs(expected) : d->largest;
}

static void check_discrepancy(const char *what, discrepancy d, int must_depend, double tolerance)
{
  cr_assert(!must_depend || d.largest > 1e-3, "%s: every slope is 0, so nothing was tested", what);
  cr_assert(d.error <= tolerance * (d.largest > 1 ? d.largest : 1), "%s: error %.3g of slopes up to %.3g", what,
            d.error, d.largest);
}

void rule_check_slopes(const rule_object *rule, int64_t n_rows, int64_t n_pre, uint64_t seed)
{
  bench b, before;
  bench_make(&b, rule, n_rows, n_pre, seed);
  bench_make(&before, rule, n_rows, n_pre, seed); /* the same numbers: what gradients were filled with */
  const pf_rule_gradient gradient = gradient_of(&b);
  run_vjp(rule, &b, &gradient);
  check_padding("gradient of w", b.g_w, n_rows, n_pre, b.ld_gw);
  const double h = rule->slope_h;
  discrepancy theta = {0, 0}, x = {0, 0}, y = {0, 0}, w = {0, 0};
  for (int64_t k = 0; k < b.n_theta; k++) {
    compare(&theta, b.g_theta[k] - before.g_theta[k], slope_theta(rule, &b, k, h));
  }
  for (int64_t j = 0; j < n_pre; j++) {
    compare(&x, (double)b.g_x[j] - (double)before.g_x[j], slope_real(rule, &b, &b.x[j], h));
  }
  for (int64_t i = 0; i < n_rows; i++) {
    compare(&y, (double)b.g_y[i] - (double)before.g_y[i], slope_real(rule, &b, &b.y[i], h));
    for (int64_t j = 0; j < n_pre; j++) {
      compare(&w, (double)b.g_w[i * b.ld_gw + j] - (double)before.g_w[i * b.ld_gw + j],
              slope_real(rule, &b, &b.w[i * b.in.ldw + j], h));
    }
  }
  const uint32_t reads = rule->needs.reads != 0 ? rule->needs.reads : ~0u;
  check_discrepancy("theta", theta, 1, rule->slope_tolerance);
  check_discrepancy("x", x, (reads & PF_READS_PRE) != 0, rule->slope_tolerance);
  check_discrepancy("y", y, (reads & PF_READS_POST) != 0, rule->slope_tolerance);
  check_discrepancy("w", w, (reads & PF_READS_WEIGHT) != 0 && rule->needs.reads != PF_READS_WEIGHT,
                    rule->slope_tolerance);
  bench_free(&b);
  bench_free(&before);
}

/** f(at + s v) along a direction in all arguments at once. */
static double shifted(const rule_object *rule, int64_t n_rows, int64_t n_pre, uint64_t seed, double s,
                      const bench *direction)
{
  bench b;
  bench_make(&b, rule, n_rows, n_pre, seed);
  for (int64_t k = 0; k < b.n_theta; k++) {
    b.theta[k] += s * direction->theta[k];
  }
  for (int64_t j = 0; j < n_pre; j++) {
    b.x[j] += (pf_real)(s * (double)direction->x[j]);
  }
  for (int64_t i = 0; i < n_rows; i++) {
    b.y[i] += (pf_real)(s * (double)direction->y[i]);
    for (int64_t j = 0; j < n_pre; j++) {
      b.w[i * b.in.ldw + j] += (pf_real)(s * (double)direction->w[i * direction->in.ldw + j]);
    }
  }
  const double f = objective(rule, &b);
  bench_free(&b);
  return f;
}

void rule_check_remainder(const rule_object *rule, int64_t n_rows, int64_t n_pre, uint64_t seed)
{
  bench b, before, v;
  bench_make(&b, rule, n_rows, n_pre, seed);
  bench_make(&before, rule, n_rows, n_pre, seed);
  bench_make(&v, rule, n_rows, n_pre, seed + 17);
  const pf_rule_gradient gradient = gradient_of(&b);
  run_vjp(rule, &b, &gradient);
  double slope = 0.0;
  for (int64_t k = 0; k < b.n_theta; k++) {
    slope += (b.g_theta[k] - before.g_theta[k]) * v.theta[k];
  }
  for (int64_t j = 0; j < n_pre; j++) {
    slope += ((double)b.g_x[j] - (double)before.g_x[j]) * (double)v.x[j];
  }
  for (int64_t i = 0; i < n_rows; i++) {
    slope += ((double)b.g_y[i] - (double)before.g_y[i]) * (double)v.y[i];
    for (int64_t j = 0; j < n_pre; j++) {
      slope += ((double)b.g_w[i * b.ld_gw + j] - (double)before.g_w[i * b.ld_gw + j]) * (double)v.w[i * v.in.ldw + j];
    }
  }
  const double h = sizeof(pf_real) == 4 ? 4e-2 : 1e-4;
  const double f = objective(rule, &before);
  const double whole = shifted(rule, n_rows, n_pre, seed, h, &v) - f - h * slope;
  const double half = shifted(rule, n_rows, n_pre, seed, h / 2, &v) - f - h / 2 * slope;
  /* 4 up to terms of third order, which are of relative size h; in single h must be large for roundings. */
  const double slack = sizeof(pf_real) == 4 ? 1.0 : 0.05;
  cr_assert(fabs(whole / half - 4.0) < slack, "the remainder falls by %.4g, not 4 (%.3g, %.3g)", whole / half, whole,
            half);
  bench_free(&b);
  bench_free(&before);
  bench_free(&v);
}

void rule_check_tangents(const rule_object *rule, int64_t n_rows, int64_t n_pre, uint64_t seed)
{
  if (rule->ops->jvp == NULL) {
    return;
  }
  enum { N = 2 };
  bench b, before, v[N];
  bench_make(&b, rule, n_rows, n_pre, seed);
  bench_make(&before, rule, n_rows, n_pre, seed);
  const pf_rule_gradient gradient = gradient_of(&b);
  run_vjp(rule, &b, &gradient);
  const int64_t x_stride = n_pre + 9, y_stride = n_rows + 9, w_stride = n_rows * b.in.ldw + 9;
  const int64_t lddw = n_pre + 6, dw_stride = n_rows * lddw + 9;
  uint64_t state = seed;
  double *v_theta = calloc((size_t)(N * b.n_theta) + 1, sizeof *v_theta);
  cr_assert_not_null(v_theta);
  pf_real *v_x = matrix(N, x_stride, x_stride, mark, &state);
  pf_real *v_y = matrix(N, y_stride, y_stride, mark, &state);
  pf_real *v_w = matrix(N, w_stride, w_stride, mark, &state);
  pf_real *dw = matrix(N, dw_stride, dw_stride, mark, &state);
  for (int64_t t = 0; t < N; t++) {
    bench_make(&v[t], rule, n_rows, n_pre, seed + 31 + (uint64_t)t);
    memcpy(v_theta + t * b.n_theta, v[t].theta, (size_t)b.n_theta * sizeof *v_theta);
  }
  /* Every subset of directions: NULL means zero. */
  for (unsigned given = 0; given < 16; given++) {
    const pf_rule_tangent tangent = {.size = sizeof tangent,
                                     .n_tangents = N,
                                     .theta = given & 1 ? v_theta : NULL,
                                     .pre = given & 2 ? v_x : NULL,
                                     .post = given & 4 ? v_y : NULL,
                                     .w = given & 8 ? v_w : NULL,
                                     .pre_stride = x_stride,
                                     .post_stride = y_stride,
                                     .w_stride = w_stride,
                                     .ldw = b.in.ldw,
                                     .dw = dw,
                                     .dw_stride = dw_stride,
                                     .lddw = lddw};
    for (int64_t k = 0; k < N * dw_stride; k++) {
      dw[k] = mark;
    }
    pf_error error = {.size = sizeof error};
    cr_assert(rule->ops->jvp(rule->self, &b.in, &tangent, &error) == PF_OK, "jvp: %s", error.text);
    for (int64_t t = 0; t < N; t++) {
      double left = 0.0, right = 0.0, size = 1.0;
      check_padding("tangent of dw", dw + t * dw_stride, n_rows, n_pre, lddw);
      for (int64_t i = 0; i < n_rows; i++) {
        for (int64_t j = 0; j < n_pre; j++) {
          const double term = (double)b.cotangent[i * b.ld_cotangent + j] * (double)dw[t * dw_stride + i * lddw + j];
          left += term;
          size += fabs(term);
          right += given & 8 ? ((double)b.g_w[i * b.ld_gw + j] - (double)before.g_w[i * b.ld_gw + j]) *
                                   (double)v_w[t * w_stride + i * b.in.ldw + j]
                             : 0.0;
        }
        right += given & 4 ? ((double)b.g_y[i] - (double)before.g_y[i]) * (double)v_y[t * y_stride + i] : 0.0;
      }
      for (int64_t j = 0; j < n_pre; j++) {
        right += given & 2 ? ((double)b.g_x[j] - (double)before.g_x[j]) * (double)v_x[t * x_stride + j] : 0.0;
      }
      for (int64_t k = 0; k < b.n_theta; k++) {
        right += given & 1 ? (b.g_theta[k] - before.g_theta[k]) * v_theta[t * b.n_theta + k] : 0.0;
      }
      cr_assert(fabs(left - right) <= 20 * RULE_ROUNDING * size, "tangents %x: %.12g by jvp, %.12g by vjp", given, left,
                right);
    }
  }
  for (int64_t t = 0; t < N; t++) {
    bench_free(&v[t]);
  }
  free(v_theta);
  free(v_x);
  free(v_y);
  free(v_w);
  free(dw);
  bench_free(&b);
  bench_free(&before);
}

/** All gradients of two benches agree to the rounding of sums in another order. */
static void check_same_gradients(const char *what, const bench *a, const bench *b)
{
  discrepancy theta = {0, 0}, x = {0, 0}, y = {0, 0}, w = {0, 0};
  for (int64_t k = 0; k < a->n_theta; k++) {
    compare(&theta, a->g_theta[k], b->g_theta[k]);
  }
  for (int64_t j = 0; j < a->in.n_pre; j++) {
    compare(&x, (double)a->g_x[j], (double)b->g_x[j]);
  }
  for (int64_t i = 0; i < a->in.n_rows; i++) {
    compare(&y, (double)a->g_y[i], (double)b->g_y[i]);
    for (int64_t j = 0; j < a->in.n_pre; j++) {
      compare(&w, (double)a->g_w[i * a->ld_gw + j], (double)b->g_w[i * b->ld_gw + j]);
    }
  }
  check_discrepancy(what, theta, 0, RULE_ROUNDING);
  check_discrepancy(what, x, 0, RULE_ROUNDING);
  check_discrepancy(what, y, 0, RULE_ROUNDING);
  check_discrepancy(what, w, 0, RULE_ROUNDING);
}

void rule_check_parts(const rule_object *rule, int64_t n_rows, int64_t n_pre, uint64_t seed)
{
  bench whole, parts;
  bench_make(&whole, rule, n_rows, n_pre, seed);
  bench_make(&parts, rule, n_rows, n_pre, seed);
  uint64_t state = seed;
  const int64_t ld = n_pre + 1;
  pf_real *dw_whole = matrix(n_rows, n_pre, ld, mark, &state);
  pf_real *dw_parts = matrix(n_rows, n_pre, ld, mark, &state);
  run_forward(rule, &whole.in, dw_whole, ld);
  pf_rule_gradient gradient = gradient_of(&whole);
  run_vjp(rule, &whole, &gradient);
  const int64_t cut[3] = {0, n_rows / 3, n_rows};
  for (int part = 0; part < 2; part++) {
    const int64_t row = cut[part];
    bench b = parts;
    b.in.n_rows = cut[part + 1] - row;
    b.in.row0 = 100 + row;
    b.in.post += row;
    b.in.w += row * b.in.ldw;
    b.cotangent += row * b.ld_cotangent;
    gradient = gradient_of(&parts);
    gradient.post += row;
    gradient.w += row * parts.ld_gw;
    run_forward(rule, &b.in, dw_parts + row * ld, ld);
    run_vjp(rule, &b, &gradient);
  }
  for (int64_t i = 0; i < n_rows; i++) {
    cr_assert(memcmp(dw_whole + i * ld, dw_parts + i * ld, (size_t)n_pre * sizeof *dw_whole) == 0,
              "row %lld of dw depends on the block it came in", (long long)i);
  }
  check_same_gradients("block and parts", &whole, &parts);
  free(dw_whole);
  free(dw_parts);
  bench_free(&whole);
  bench_free(&parts);
}

/** Copy the gradients in the set `which` (1 theta, 2 x, 4 y, 8 w). */
static void copy_gradients(bench *to, const bench *from, unsigned which)
{
  if (which & 1) {
    memcpy(to->g_theta, from->g_theta, (size_t)from->n_theta * sizeof *to->g_theta);
  }
  if (which & 2) {
    memcpy(to->g_x, from->g_x, (size_t)from->in.n_pre * sizeof *to->g_x);
  }
  if (which & 4) {
    memcpy(to->g_y, from->g_y, (size_t)from->in.n_rows * sizeof *to->g_y);
  }
  for (int64_t i = 0; (which & 8) && i < from->in.n_rows; i++) {
    memcpy(to->g_w + i * to->ld_gw, from->g_w + i * from->ld_gw, (size_t)from->in.n_pre * sizeof *to->g_w);
  }
}

void rule_check_unwanted(const rule_object *rule, int64_t n_rows, int64_t n_pre, uint64_t seed)
{
  bench all;
  bench_make(&all, rule, n_rows, n_pre, seed);
  pf_rule_gradient gradient = gradient_of(&all);
  run_vjp(rule, &all, &gradient);
  for (unsigned wanted = 0; wanted < 16; wanted++) {
    bench some, expected;
    bench_make(&some, rule, n_rows, n_pre, seed);
    bench_make(&expected, rule, n_rows, n_pre, seed);
    gradient = gradient_of(&some);
    gradient.theta = wanted & 1 ? gradient.theta : NULL;
    gradient.pre = wanted & 2 ? gradient.pre : NULL;
    gradient.post = wanted & 4 ? gradient.post : NULL;
    gradient.w = wanted & 8 ? gradient.w : NULL;
    run_vjp(rule, &some, &gradient);
    /* Not bit by bit: a compiler may take another loop where it sees another stride. */
    copy_gradients(&expected, &all, wanted);
    check_same_gradients("gradients wanted in part", &some, &expected);
    check_padding("gradient of w", some.g_w, n_rows, n_pre, some.ld_gw);
    bench_free(&some);
    bench_free(&expected);
  }
  bench_free(&all);
}

static void check_step(const rule_object *rule, const bench *b, const pf_update *update)
{
  const int64_t n_rows = b->in.n_rows, n_pre = b->in.n_pre, ld = n_pre + 7;
  uint64_t state = 4;
  pf_real *dw = matrix(n_rows, n_pre, ld, mark, &state);
  pf_real *out = matrix(n_rows, n_pre, ld, mark, &state);
  pf_real *same = matrix(n_rows, n_pre, ld, mark, &state);
  pf_error error = {.size = sizeof error};
  run_forward(rule, &b->in, dw, ld);
  cr_assert(rule->ops->step(rule->self, &b->in, update, out, ld, &error) == PF_OK, "step: %s", error.text);
  check_padding("w_out", out, n_rows, n_pre, ld);
  for (int64_t i = 0; i < n_rows; i++) {
    memcpy(same + i * ld, b->w + i * b->in.ldw, (size_t)n_pre * sizeof *same);
  }
  pf_block in_place = b->in;
  in_place.w = same;
  in_place.ldw = ld;
  cr_assert(rule->ops->step(rule->self, &in_place, update, same, ld, &error) == PF_OK, "step: %s", error.text);
  for (int64_t i = 0; i < n_rows; i++) {
    for (int64_t j = 0; j < n_pre; j++) {
      const double w = (double)b->w[i * b->in.ldw + j];
      const double m = update->mask != NULL ? (double)update->mask[i * update->ldm + j] : 1.0;
      const double change = update->eta * m * (double)dw[i * ld + j];
      cr_assert(fabs((double)out[i * ld + j] - (w + change)) <= RULE_ROUNDING * (1 + fabs(w) + fabs(change)),
                "step: %.17g, from forward %.17g", (double)out[i * ld + j], w + change);
      cr_assert(same[i * ld + j] == out[i * ld + j], "step in place differs");
    }
  }
  free(dw);
  free(out);
  free(same);
}

static void check_step_vjp(const rule_object *rule, bench *fused, bench *composed, const pf_update *update)
{
  /* The composite: lambda stays, and eta mask lambda is the cotangent of dw. */
  for (int64_t i = 0; i < composed->in.n_rows; i++) {
    for (int64_t j = 0; j < composed->in.n_pre; j++) {
      const double m = update->mask != NULL ? (double)update->mask[i * update->ldm + j] : 1.0;
      composed->cotangent[i * composed->ld_cotangent + j] =
          (pf_real)(update->eta * m * (double)composed->g_w[i * composed->ld_gw + j]);
    }
  }
  pf_rule_gradient gradient = gradient_of(composed);
  run_vjp(rule, composed, &gradient);
  gradient = gradient_of(fused);
  pf_error error = {.size = sizeof error};
  cr_assert(rule->ops->step_vjp(rule->self, &fused->in, update, &gradient, &error) == PF_OK, "step_vjp: %s",
            error.text);
  check_padding("gradient of w", fused->g_w, fused->in.n_rows, fused->in.n_pre, fused->ld_gw);
  check_same_gradients("step_vjp and vjp", fused, composed);
}

void rule_check_fused(const rule_object *rule, int64_t n_rows, int64_t n_pre, uint64_t seed)
{
  cr_assert((rule->ops->step == NULL) == (rule->ops->step_vjp == NULL), "step and step_vjp come together");
  if (rule->ops->step == NULL) {
    return;
  }
  const int64_t ldm = n_pre + 2;
  uint64_t state = seed;
  pf_real *mask = matrix(n_rows, n_pre, ldm, (pf_real)NAN, &state);
  for (int64_t i = 0; i < n_rows; i++) {
    for (int64_t j = 0; j < n_pre; j++) {
      mask[i * ldm + j] = mask[i * ldm + j] > 0 ? 1 : 0;
    }
  }
  for (int masked = 0; masked < 2; masked++) {
    const pf_update update = {.size = sizeof update, .eta = 0.375, .mask = masked ? mask : NULL, .ldm = ldm};
    bench fused, composed;
    bench_make(&fused, rule, n_rows, n_pre, seed);
    bench_make(&composed, rule, n_rows, n_pre, seed);
    check_step(rule, &fused, &update);
    check_step_vjp(rule, &fused, &composed, &update);
    bench_free(&fused);
    bench_free(&composed);
  }
  free(mask);
}

void rule_check_empty(const rule_object *rule)
{
  static const int64_t sizes[3][2] = {{0, 4}, {4, 0}, {0, 0}};
  for (int k = 0; k < 3; k++) {
    bench b, before;
    bench_make(&b, rule, sizes[k][0], sizes[k][1], 8);
    bench_make(&before, rule, sizes[k][0], sizes[k][1], 8);
    pf_rule_gradient gradient = gradient_of(&b);
    pf_real nothing = mark;
    run_forward(rule, &b.in, &nothing, 1);
    run_vjp(rule, &b, &gradient);
    if (rule->ops->step != NULL) {
      const pf_update update = {.size = sizeof update, .eta = 0.5};
      pf_error error = {.size = sizeof error};
      cr_assert(rule->ops->step(rule->self, &b.in, &update, &nothing, 1, &error) == PF_OK);
      gradient.w = &nothing;
      cr_assert(rule->ops->step_vjp(rule->self, &b.in, &update, &gradient, &error) == PF_OK);
    }
    cr_assert(nothing == mark, "something was written for an empty block");
    cr_assert(memcmp(b.g_theta, before.g_theta, (size_t)b.n_theta * sizeof(double)) == 0);
    cr_assert(memcmp(b.g_x, before.g_x, (size_t)sizes[k][1] * sizeof(pf_real)) == 0);
    cr_assert(memcmp(b.g_y, before.g_y, (size_t)sizes[k][0] * sizeof(pf_real)) == 0);
    bench_free(&b);
    bench_free(&before);
  }
}

void rule_check_nan(const rule_object *rule, int64_t n_rows, int64_t n_pre, uint64_t seed)
{
  const uint32_t reads = rule->needs.reads != 0 ? rule->needs.reads : ~0u;
  const int64_t row = n_rows / 2, column = n_pre / 2;
  for (int argument = 0; argument < 3; argument++) {
    static const uint32_t bit[3] = {PF_READS_PRE, PF_READS_POST, PF_READS_WEIGHT};
    bench b;
    bench_make(&b, rule, n_rows, n_pre, seed);
    const int64_t ld = n_pre;
    uint64_t state = seed;
    pf_real *dw = matrix(n_rows, n_pre, ld, mark, &state);
    pf_real *at = argument == 0 ? &b.x[column] : (argument == 1 ? &b.y[row] : &b.w[row * b.in.ldw + column]);
    *at = (pf_real)NAN;
    run_forward(rule, &b.in, dw, ld);
    for (int64_t i = 0; i < n_rows; i++) {
      for (int64_t j = 0; j < n_pre; j++) {
        const int touched = (argument == 1 || j == column) && (argument == 0 || i == row);
        const int finite = isfinite(dw[i * ld + j]) != 0;
        cr_assert(finite || touched, "NaN of argument %d reached another synapse", argument);
        cr_assert(!finite || !touched || !(reads & bit[argument]) || rule->needs.reads == PF_READS_WEIGHT,
                  "NaN of argument %d became a number", argument);
      }
    }
    free(dw);
    bench_free(&b);
  }
}

void rule_check_promises(const rule_object *rule)
{
  static const int64_t sizes[][2] = {{1, 1}, {10, 2}, {3, 7}, {5, 13}, {4, 37}, {2, 600}};
  for (size_t k = 0; k < sizeof sizes / sizeof sizes[0]; k++) {
    const int64_t n_rows = sizes[k][0], n_pre = sizes[k][1];
    rule_check_parts(rule, n_rows, n_pre, 5 + k);
    rule_check_unwanted(rule, n_rows, n_pre, 6 + k);
    rule_check_fused(rule, n_rows, n_pre, 7 + k);
    rule_check_tangents(rule, n_rows, n_pre, 8 + k);
    rule_check_nan(rule, n_rows, n_pre, 9 + k);
  }
  rule_check_empty(rule);
}
