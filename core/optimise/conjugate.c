#include "core/optimise/conjugate.h"

#include "core/base/memory.h"
#include "core/base/random.h"

#include <math.h>
#include <string.h>

enum { MAX_ITERATIONS = 250 };

/* The residual falls to this share. */
static const double forcing = 1e-3;

struct pf_conjugate {
  size_t n;
  uint64_t seed;
  uint32_t probes;
  double *memory;                                            /* of all below */
  double *diagonal;                                          /* [n] mean over the probes */
  double *p, *residual, *preconditioned, *direction, *image; /* [n] */
};

pf_status pf_conjugate_create(size_t n, uint64_t seed, pf_conjugate **out, pf_error *error)
{
  pf_conjugate *c = pf_memory_need(1, sizeof *c, error);
  if (c == NULL) {
    return PF_STOP;
  }
  double *memory = pf_memory_need(6 * n, sizeof *memory, error);
  *c = (pf_conjugate){.n = n, .seed = seed, .memory = memory};
  if (memory == NULL) {
    pf_conjugate_free(c);
    return PF_STOP;
  }
  c->diagonal = memory;
  c->p = memory + n;
  c->residual = memory + 2 * n;
  c->preconditioned = memory + 3 * n;
  c->direction = memory + 4 * n;
  c->image = memory + 5 * n;
  *out = c;
  return PF_OK;
}

void pf_conjugate_free(pf_conjugate *c)
{
  if (c != NULL) {
    pf_memory_free(c->memory);
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
    const double size = function->scale != NULL ? function->scale[i] : 1.0;
    c->direction[i] = c->direction[i] < 0.5 ? -size : size;
  }
  count->curvatures++;
  const pf_status status = function->product(function->self, v, c->direction, c->image, error);
  c->probes++;
  if (status != PF_OK) {
    return status;
  }
  /* H changes on the way: old probes fade */
  const double weight = 1.0 / fmin(8.0, (double)c->probes);
  for (size_t i = 0; i < c->n; i++) {
    const double size = c->direction[i] * c->direction[i];
    c->diagonal[i] += weight * (c->direction[i] * c->image[i] / size - c->diagonal[i]);
  }
  return PF_OK;
}

/* Of value i, in the units of which its diagonal is about 1. */
static double unit_of(const pf_function *function, size_t i)
{
  return function->scale != NULL ? function->scale[i] * function->scale[i] : 1.0;
}

void pf_conjugate_scale(const pf_conjugate *c, const pf_function *function, double f, double *scale)
{
  double sum = 0.0;
  for (size_t i = 0; i < c->n; i++) {
    sum += fmax(c->diagonal[i] * unit_of(function, i), 0.0);
  }
  const double mean = sum > 0.0 ? sum / (double)c->n : 1.0 / pf_function_nats(function, f);
  for (size_t i = 0; i < c->n; i++) {
    /* an estimate may be far too small, even negative */
    scale[i] = fmax(c->diagonal[i], 1e-2 * mean / unit_of(function, i));
  }
}

/* M^-1 r, M the diagonal of H + lambda D. */
static void precondition_residual(pf_conjugate *c, const pf_damped_step *at)
{
  for (size_t i = 0; i < c->n; i++) {
    c->preconditioned[i] = c->residual[i] / ((1.0 + at->lambda) * at->scale[i]);
  }
}

static bool is_at_bound(const pf_damped_step *at, size_t i)
{
  return pf_projected_component(at->function, at->v, at->gradient, i) == 0.0;
}

pf_status pf_conjugate_solve(pf_conjugate *c, const pf_damped_step *at, double *x,
                             pf_optimum *count, pf_error *error)
{
  const size_t n = c->n;
  for (size_t i = 0; i < n; i++) {
    c->p[i] = 0.0;
    c->residual[i] = is_at_bound(at, i) ? 0.0 : -at->gradient[i];
  }
  precondition_residual(c, at);
  memcpy(c->direction, c->preconditioned, n * sizeof *c->direction);
  double product = pf_dot(c->residual, c->preconditioned, n);
  const double enough = product * forcing * forcing; /* in units of F: those of values cancel */
  const size_t most = n < MAX_ITERATIONS ? n : MAX_ITERATIONS;
  for (size_t k = 0; k < most && product > 0.0; k++) {
    count->curvatures++;
    const pf_status status =
        at->function->product(at->function->self, at->v, c->direction, c->image, error);
    if (status != PF_OK) {
      return status < 0 ? status : PF_OK;
    }
    for (size_t i = 0; i < n; i++) {
      c->image[i] =
          is_at_bound(at, i) ? 0.0 : c->image[i] + at->lambda * at->scale[i] * c->direction[i];
    }
    const double curvature = pf_dot(c->direction, c->image, n);
    if (!(curvature > 0.0)) {
      break; /* rounding: H is positive semidefinite */
    }
    const double length = product / curvature;
    for (size_t i = 0; i < n; i++) {
      c->p[i] += length * c->direction[i];
      c->residual[i] -= length * c->image[i];
    }
    precondition_residual(c, at);
    const double next = pf_dot(c->residual, c->preconditioned, n);
    if (next <= enough) {
      break;
    }
    for (size_t i = 0; i < n; i++) {
      c->direction[i] = c->preconditioned[i] + next / product * c->direction[i];
    }
    product = next;
  }
  for (size_t i = 0; i < n; i++) {
    x[i] = at->v[i] + c->p[i];
  }
  pf_clip_to_bounds(at->function, x);
  return PF_OK;
}
