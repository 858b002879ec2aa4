#include "core/truth/polynomial.h"

#include "core/data/data_names.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Nodes per variable, at which a polynomial with powers 0..2 is fixed: -1, 0, 1. */
enum { NODES = 3, N_PRE = NODES * NODES };

static bool only_activity(pf_names signals)
{
  return signals.count == 0 || (signals.count == 1 && pf_is_activity(signals.items[0]));
}

static bool reads_nothing_else(const pf_rule_declaration *declared)
{
  const pf_modulator_table *table = &declared->modulators;
  const pf_modulator *modulator = pf_table_at(table->items, table->stride, table->count, 0);
  return declared->traces.count == 0 && table->count <= 1 &&
         (modulator == NULL || modulator->per == PF_PER_NETWORK) &&
         only_activity(declared->pre_signals) && only_activity(declared->post_signals);
}

/* A block whose rows have the y given and whose columns the x and w given. */
typedef struct question {
  int64_t n_rows, n_pre;
  const pf_real *x, *y, *w;
  pf_real r;
} question;

static bool ask_rule(const pf_plastic *plastic, const double *theta, const question *q, pf_real *dw)
{
  pf_error ignored = {.size = sizeof ignored};
  const pf_block block = {.size = sizeof block,
                          .flags = PF_STEP_PLASTIC,
                          .n_rows = q->n_rows,
                          .n_pre = q->n_pre,
                          .theta = theta,
                          .pre = q->x,
                          .post = q->y,
                          .w = q->w,
                          .modulator = &q->r,
                          .ld_pre = q->n_pre,
                          .ld_post = q->n_rows,
                          .ldw = q->n_pre};
  return plastic->rule->plugin->rule->forward(plastic->rule->self, &block, dw, q->n_pre,
                                              &ignored) == PF_OK;
}

/* Values at -1, 0, 1 along one variable become coefficients of 1, v, v^2. */
static void interpolate_nodes(double *values, int stride)
{
  for (int start = 0; start < PF_POLYNOMIAL_SIZE; start++) {
    if ((start / stride) % NODES == 0) {
      double *v = &values[start];
      const double low = v[0];
      const double middle = v[stride];
      const double high = v[2 * stride];
      v[0] = middle;
      v[stride] = 0.5 * (high - low);
      v[2 * stride] = 0.5 * (high + low) - middle;
    }
  }
}

static bool sample_rule(const pf_plastic *plastic, const double *theta, double *values)
{
  static const pf_real y[NODES] = {-1, 0, 1};
  pf_real x[N_PRE];
  pf_real w[NODES * N_PRE];
  pf_real dw[NODES * N_PRE];
  for (int j = 0; j < N_PRE; j++) {
    const int level = j / NODES - 1;
    x[j] = (pf_real)level;
    for (int i = 0; i < NODES; i++) {
      w[i * N_PRE + j] = (pf_real)(j % NODES - 1);
    }
  }
  for (int d = 0; d < NODES; d++) {
    if (!ask_rule(plastic, theta, &(question){NODES, N_PRE, x, y, w, (pf_real)(d - 1)}, dw)) {
      return false;
    }
    for (int i = 0; i < NODES; i++) {
      for (int j = 0; j < N_PRE; j++) {
        values[pf_polynomial_index(j / NODES, i, j % NODES, d)] = (double)dw[i * N_PRE + j];
      }
    }
  }
  return true;
}

static double power_of(double v, int n)
{
  return n == 0 ? 1.0 : (n == 1 ? v : v * v);
}

/* Does the polynomial say what the rule says where it was not asked before? Points of no simple
 * relation. */
static bool agrees_with(const pf_plastic *plastic, const double *theta, const double *coefficients)
{
  static const double points[][4] = {
      {0.37, -0.61, 1.43, 0.83}, {-1.71, 2.09, -0.29, -1.37}, {2.57, 0.43, -1.93, 0.59}};
  const double tolerance = sizeof(pf_real) == sizeof(double) ? 1e-10 : 1e-4;
  for (size_t k = 0; k < sizeof points / sizeof points[0]; k++) {
    const double *p = points[k];
    const pf_real x = (pf_real)p[0];
    const pf_real y = (pf_real)p[1];
    const pf_real w = (pf_real)p[2];
    pf_real dw = 0;
    double sum = 0.0;
    double size = 0.0;
    if (!ask_rule(plastic, theta, &(question){1, 1, &x, &y, &w, (pf_real)p[3]}, &dw)) {
      return false;
    }
    for (int i = 0; i < PF_POLYNOMIAL_SIZE; i++) {
      const double term = coefficients[i] * power_of(p[0], i / 27) * power_of(p[1], i / 9 % 3) *
                          power_of(p[2], i / 3 % 3) * power_of(p[3], i % 3);
      sum += term;
      size += fabs(term);
    }
    if (!(fabs(sum - (double)dw) <= tolerance * size)) {
      return false;
    }
  }
  return true;
}

/* What rounding left is no term, and a coefficient of -0.05 comes back as that: 14 digits of the
 * largest are known. */
static void clean_rounding(double *coefficients)
{
  const int digits = sizeof(pf_real) == sizeof(double) ? 14 : 6;
  const double noise = pow(10.0, -digits);
  double largest = 0.0;
  for (int i = 0; i < PF_POLYNOMIAL_SIZE; i++) {
    largest = fmax(largest, fabs(coefficients[i]));
  }
  for (int i = 0; i < PF_POLYNOMIAL_SIZE; i++) {
    char text[64];
    (void)snprintf(text, sizeof text, "%.*g", digits, coefficients[i]);
    coefficients[i] = fabs(coefficients[i]) <= noise * largest ? 0.0 : strtod(text, NULL);
  }
}

bool pf_polynomial_of_rule(const pf_plastic *plastic, const double *theta, double *coefficients)
{
  if (!reads_nothing_else(&plastic->declared) || !sample_rule(plastic, theta, coefficients)) {
    return false;
  }
  for (int stride = 1; stride < PF_POLYNOMIAL_SIZE; stride *= NODES) {
    interpolate_nodes(coefficients, stride);
  }
  clean_rounding(coefficients);
  return agrees_with(plastic, theta, coefficients);
}
