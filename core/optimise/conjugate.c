#include "core/optimise/conjugate.h"

#include "core/base/memory.h"
#include "core/base/random.h"

#include <math.h>

enum { MAX_ITERATIONS = 250 };

static const double forcing =
    1e-3; /* the residual falls to this share, less near the optimum (with the gradient) */

struct pf_conjugate {
  size_t n;
  uint64_t seed;
  uint32_t probes;
  double *diagonal;                                          /* [n] mean over the probes */
  double *p, *residual, *preconditioned, *direction, *image; /* [n] */
};

pf_status pf_conjugate_create(size_t n, uint64_t seed, pf_conjugate **out, pf_error *error)
{
  pf_conjugate *c = pf_memory_need(1, sizeof *c, error);
  if (c == NULL) {
    return PF_STOP;
  }
  c->n = n;
  c->seed = seed;
  double **const vectors[] = {&c->diagonal,       &c->p,         &c->residual,
                              &c->preconditioned, &c->direction, &c->image};
  for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
    *vectors[i] = pf_memory_need(n, sizeof(double), error);
    if (*vectors[i] == NULL) {
      pf_conjugate_free(c);
      return PF_STOP;
    }
  }
  *out = c;
  return PF_OK;
}

void pf_conjugate_free(pf_conjugate *c)
{
  if (c != NULL) {
    double *const all[] = {c->diagonal,       c->p,         c->residual,
                           c->preconditioned, c->direction, c->image};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
      pf_memory_free(all[i]);
    }
    pf_memory_free(c);
  }
}

pf_status pf_conjugate_probe(pf_conjugate *c, const pf_function *function, const double *v,
                             pf_optimum *count, pf_error *error)
{
  const pf_stream stream = {
      .seed = c->seed, .purpose = PF_RANDOM_PROBE, .animal = 1, .draw = c->probes};
  pf_random_uniform(stream, 0, (int64_t)c->n, c->direction);
  for (size_t i = 0; i < c->n; i++) {
    c->direction[i] = c->direction[i] < 0.5 ? -1.0 : 1.0;
  }
  count->curvatures++;
  const pf_status status = function->product(function->self, v, c->direction, c->image, error);
  c->probes++;
  const double weight =
      1.0 / fmin(8.0, (double)c->probes); /* H changes on the way: old probes fade */
  for (size_t i = 0; i < c->n && status == PF_OK; i++) {
    c->diagonal[i] += weight * (c->direction[i] * c->image[i] - c->diagonal[i]);
  }
  return status;
}

void pf_conjugate_scale(const pf_conjugate *c, double *scale)
{
  double sum = 0.0;
  for (size_t i = 0; i < c->n; i++) {
    sum += fmax(c->diagonal[i], 0.0);
  }
  const double mean = sum > 0.0 ? sum / (double)c->n : 1.0;
  for (size_t i = 0; i < c->n; i++) {
    scale[i] =
        fmax(c->diagonal[i], 1e-2 * mean); /* an estimate may be far too small, even negative */
  }
}

static double dot(const double *a, const double *b, size_t n)
{
  double sum = 0.0;
  for (size_t i = 0; i < n; i++) {
    sum += a[i] * b[i];
  }
  return sum;
}

/* M^-1 r, M the diagonal of H + lambda D; 0 where held. */
static void precondition(pf_conjugate *c, const double *scale, double lambda)
{
  for (size_t i = 0; i < c->n; i++) {
    c->preconditioned[i] = c->residual[i] / ((1.0 + lambda) * scale[i]);
  }
}

pf_status pf_conjugate_solve(pf_conjugate *c, const pf_function *function, const double *v,
                             const double *gradient, double lambda, const double *scale, double *x,
                             pf_optimum *count, pf_error *error)
{
  const size_t n = c->n;
  double norm = 0.0;
  for (size_t i = 0; i < n; i++) {
    const bool at_bound = pf_projected_component(function, v, gradient, i) == 0.0;
    c->p[i] = 0.0;
    c->residual[i] = at_bound ? 0.0 : -gradient[i];
    norm += c->residual[i] * c->residual[i];
  }
  norm = sqrt(norm);
  precondition(c, scale, lambda);
  for (size_t i = 0; i < n; i++) {
    c->direction[i] = c->preconditioned[i];
  }
  double product = dot(c->residual, c->preconditioned, n);
  const double enough = norm * fmin(forcing, sqrt(norm));
  const size_t most = n < MAX_ITERATIONS ? n : MAX_ITERATIONS;
  for (size_t k = 0; k < most && product > 0.0; k++) {
    count->curvatures++;
    const pf_status status = function->product(function->self, v, c->direction, c->image, error);
    if (status != PF_OK) {
      return status < 0 ? status : PF_OK;
    }
    for (size_t i = 0; i < n; i++) {
      const bool at_bound = pf_projected_component(function, v, gradient, i) == 0.0;
      c->image[i] = at_bound ? 0.0 : c->image[i] + lambda * scale[i] * c->direction[i];
    }
    const double curvature = dot(c->direction, c->image, n);
    if (!(curvature > 0.0)) {
      break; /* rounding: H is positive semidefinite */
    }
    const double length = product / curvature;
    for (size_t i = 0; i < n; i++) {
      c->p[i] += length * c->direction[i];
      c->residual[i] -= length * c->image[i];
    }
    if (sqrt(dot(c->residual, c->residual, n)) <= enough) {
      break;
    }
    precondition(c, scale, lambda);
    const double next = dot(c->residual, c->preconditioned, n);
    for (size_t i = 0; i < n; i++) {
      c->direction[i] = c->preconditioned[i] + next / product * c->direction[i];
    }
    product = next;
  }
  for (size_t i = 0; i < n; i++) {
    x[i] = v[i] + c->p[i];
  }
  pf_clip_to_bounds(function, x);
  return PF_OK;
}
