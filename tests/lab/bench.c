#include "tests/lab/bench.h"
#include "core/base/memory.h"
#include "core/engine/coupled.h"
#include "core/engine/simulation.h"
#include "core/engine/sweep.h"
#include "core/sensitivity/information.h"
#include "core/sensitivity/information_product.h"
#include "tests/unit/support/numbers.h"
#include <math.h>
#include <string.h>

/*
 * Central differences at h and 2 h, combined so that the error is of order h^4.
 *
 * Where the objective has kinks (leaky ReLU in a rule, ReLU in a network), one within the step
 * spoils the differences. With a jump J of the slope at distance d < h, D(h) is off by J/2 (1 -
 * d/h); D(h) - D(2h) shows it unless d is near 0, and the second differences, 2 S(h)/h - S(2h)/2h =
 * J (1 - 1.5 d/h) with S(h) = f(h) - 2 f(0) + f(-h), show it unless d is near 2/3 h; where the
 * objective is smooth both are 0 up to h^2. So kinks are told from the objective alone, never from
 * the gradient, and theta and the direction are drawn anew. A shorter step meets fewer of them.
 */
static const double step_smooth = 1e-4;
static const double step_kinks = 4e-6;
static const double kink_size = 1e-8; /* of the steepest slope seen */
static const double rounding =
    16 * 2.2e-16; /* of the objective: what a second difference may be without any kink */
static const double smallest_share =
    0.03; /* a balanced direction makes no component more than 1 / this larger */
enum { MAX_TRIES = 60 };

static pf_status make_draws(bench *on, const pf_dataset *data, pf_error *error)
{
  const int64_t n_noise = on->model->n_noise;
  int64_t longest = 0;
  double *noise = pf_memory_need((size_t)n_noise, sizeof *noise, error);
  pf_status status = noise == NULL ? PF_STOP : PF_OK;
  for (int d = 0; d < BENCH_DRAWS && status == PF_OK; d++) {
    const pf_recording *recording = &data->recordings[d];
    longest = recording->n_steps > longest ? recording->n_steps : longest;
    for (int64_t i = 0; i < n_noise; i++) {
      noise[i] = numbers_normal(&on->numbers);
    }
    status = pf_draw_create(on->model, recording, recording->cue, noise, &on->draws[d], error);
  }
  for (int t = 0; t < BENCH_THREADS && status == PF_OK; t++) {
    status = pf_workspace_create(on->model, longest, &on->workspaces[t], error);
  }
  pf_memory_free(noise);
  return status;
}

/* Weights of a size that tissue, or a difference of 1e-4, could bear: what a recurrence feeds back
 * must fade. */
static double largest_tame(const pf_model *model, size_t plastic)
{
  const pf_projection *projection = &model->projections[model->plastic[plastic].projection];
  return projection->when == PF_PRE_PREVIOUS ? 0.6 : 3.0;
}

/* Is every weight that changed still tame? */
static bool is_tame(bench *on)
{
  bool tame = true;
  for (int d = 0; d < BENCH_DRAWS && tame; d++) {
    pf_error error = pf_error_none();
    tame =
        pf_forward(&(const pf_simulation){on->model, on->draws[d], on->theta, {on->workspaces, 1}},
                   0, PF_STEP_FIT, NULL, &error) == PF_OK;
    for (size_t p = 0; p < on->model->n_plastic && tame; p++) {
      int64_t ld = 0;
      const double largest = largest_tame(on->model, p);
      const int64_t last = pf_workspace_n_changes(on->workspaces[0]);
      const pf_real *w = pf_workspace_weights(on->workspaces[0], p, last, &ld);
      for (int64_t i = 0; i < on->model->plastic[p].n_post; i++) {
        for (int64_t j = 0; j < on->model->plastic[p].n_pre; j++) {
          tame = tame && fabs((double)w[i * ld + j]) <= largest;
        }
      }
    }
  }
  return tame;
}

/* Of a rule: a time constant stays one, however weak the rule is made. */
static bool is_time_constant(const pf_model *model, size_t i)
{
  const char *unit = model->parameters[i].declared.unit;
  return i < model->network_theta0 && unit != NULL && strcmp(unit, "ms") == 0;
}

/* Weaker rules until the weights stay tame: a rule that explodes has no derivative that differences
 * could find. */
static pf_status tame(bench *on, pf_error *error)
{
  enum { MAX = 30 };
  for (int attempt = 0; attempt < MAX; attempt++) {
    if (is_tame(on)) {
      return PF_OK;
    }
    for (size_t i = 0; i < on->model->n_parameters; i++) {
      const bool weaker = i < on->model->network_theta0 || i >= on->model->start_theta0;
      on->theta[i] *= weaker && !is_time_constant(on->model, i) ? 0.8 : 1.0;
    }
  }
  return pf_fail(error, PF_STOP, "weights explode whatever theta is");
}

/* Of the network and the losses: near where it starts, within its bounds, so that all differences
 * are. */
static double near_initial(const pf_parameter *declared, double normal)
{
  const double start = declared->initial, lower = declared->lower;
  const double value = start != 0.0 ? start * (1.0 + 0.1 * normal) : 0.3 * normal;
  return isfinite(lower) && !(value > lower + 0.05) ? lower + 0.05 + 0.05 * fabs(normal) : value;
}

pf_status bench_create(const pf_model *model, const pf_dataset *data, double theta_sd,
                       uint64_t seed, bench *out, pf_error *error)
{
  const size_t n = model->n_parameters;
  *out = (bench){.model = model,
                 .theta = pf_memory_need(n, sizeof(double), error),
                 .gradient = pf_memory_need(n, sizeof(double), error),
                 .direction = pf_memory_need(n, sizeof(double), error),
                 .moved = pf_memory_need(n, sizeof(double), error),
                 .numbers = seed};
  pf_status status = PF_STOP;
  if (out->theta != NULL && out->gradient != NULL && out->direction != NULL && out->moved != NULL) {
    for (size_t i = 0; i < n; i++) {
      const pf_model_parameter *parameter = &model->parameters[i];
      const double normal = numbers_normal(&out->numbers);
      out->theta[i] = is_time_constant(model, i) ? 4.0 * exp(0.4 * normal) /* several steps */
                      : i < model->network_theta0 && theta_sd > 0.0 ? theta_sd * normal
                      : parameter->is_start                         ? 0.4 * normal
                                            : near_initial(&parameter->declared, normal);
      if (i >= model->network_theta0 && (parameter->declared.flags & PF_PARAMETER_FIXED) != 0) {
        out->theta[i] = parameter->declared.initial;
      }
    }
    status = make_draws(out, data, error);
    status = status == PF_OK ? tame(out, error) : status;
  }
  status = status == PF_OK ? pf_batch_create(model, (const pf_draw *const *)out->draws, BENCH_DRAWS,
                                             &out->batch, error)
                           : status;
  if (status != PF_OK) {
    bench_free(out);
  }
  return status;
}

void bench_free(bench *on)
{
  pf_batch_free(on->batch);
  for (int t = 0; t < BENCH_THREADS; t++) {
    pf_workspace_free(on->workspaces[t]);
  }
  for (int d = 0; d < BENCH_DRAWS; d++) {
    pf_draw_free(on->model, on->draws[d]);
  }
  pf_memory_free(on->theta);
  pf_memory_free(on->gradient);
  pf_memory_free(on->direction);
  pf_memory_free(on->moved);
  memset(on, 0, sizeof *on);
}

/* ---- derivatives ---- */

static pf_status objective_at(bench *on, double h, double *value, pf_error *error)
{
  for (size_t i = 0; i < on->model->n_parameters; i++) {
    on->moved[i] = on->theta[i] + h * on->direction[i];
  }
  return pf_batch_objective(on->batch, on->moved, (pf_workspaces){on->workspaces, 1}, value, NULL,
                            error);
}

/* Slope by differences, and whether what lies between -2h and 2h is smooth. */
typedef struct slopes {
  double value;     /* at theta */
  double first[2];  /* central difference at h, 2 h */
  double second[2]; /* second difference over the step, likewise */
} slopes;

static pf_status differences(bench *on, double h, slopes *out, pf_error *error)
{
  pf_status status = objective_at(on, 0.0, &out->value, error);
  for (int k = 0; k < 2 && status == PF_OK; k++) {
    const double step = (double)(k + 1) * h;
    double above = 0.0;
    double below = 0.0;
    status = objective_at(on, step, &above, error);
    status = status == PF_OK ? objective_at(on, -step, &below, error) : status;
    out->first[k] = (above - below) / (2.0 * step);
    out->second[k] = ((above - out->value) + (below - out->value)) / step;
  }
  return status;
}

static bool is_smooth(const slopes *found, double h, double steepest)
{
  const double most = kink_size * steepest + rounding * fabs(found->value) / h;
  return fabs(found->first[0] - found->first[1]) <= most &&
         fabs(2.0 * found->second[0] - found->second[1]) <= most;
}

static void choose_direction(bench *on, bool balanced)
{
  const size_t n = on->model->n_parameters;
  double largest = 0.0;
  double length = 0.0;
  for (size_t i = 0; i < n; i++) {
    largest = fmax(largest, fabs(on->gradient[i]));
  }
  for (size_t i = 0; i < n; i++) {
    on->direction[i] = numbers_normal(&on->numbers);
    if ((on->model->parameters[i].declared.flags & PF_PARAMETER_FIXED) != 0) {
      on->direction[i] = 0.0; /* what is fixed has no gradient */
    }
    if (balanced && on->gradient[i] != 0.0) {
      on->direction[i] /= fmax(fabs(on->gradient[i]), smallest_share * largest) / largest;
    }
    length = hypot(length, on->direction[i]);
  }
  for (size_t i = 0; i < n; i++) {
    on->direction[i] /= length;
  }
}

/* Along one direction; with kinks, `*found` may stay false. */
static pf_status compare_one(bench *on, bool balanced, bool has_kinks, bench_derivatives *out,
                             bool *found, pf_error *error)
{
  slopes slope = {0};
  double along = 0.0;
  double size = 0.0;
  double value = 0.0;
  pf_status status = pf_batch_objective(on->batch, on->theta, (pf_workspaces){on->workspaces, 1},
                                        &value, on->gradient, error);
  if (status != PF_OK) {
    return status;
  }
  choose_direction(on, balanced);
  for (size_t i = 0; i < on->model->n_parameters; i++) {
    along += on->gradient[i] * on->direction[i];
    size = hypot(size, on->gradient[i] * on->direction[i]);
  }
  const double h = has_kinks ? step_kinks : step_smooth;
  status = differences(on, h, &slope, error);
  if (status != PF_OK) {
    return status;
  }
  on->steepest[balanced] = fmax(on->steepest[balanced], fabs(slope.first[0]));
  if (has_kinks && !is_smooth(&slope, h, on->steepest[balanced])) {
    out->n_kinks++;
    return PF_OK;
  }
  const double apart = fabs(along - (4.0 * slope.first[0] - slope.first[1]) / 3.0);
  const double relative = apart > 0.0 ? apart / size : 0.0; /* no number over 0 is infinite */
  out->worst = isfinite(relative) ? fmax(out->worst, relative) : INFINITY;
  out->n++;
  *found = true;
  return PF_OK;
}

pf_status bench_differentiate(bench *on, int n, bool has_kinks, bench_derivatives *out,
                              pf_error *error)
{
  pf_status status = PF_OK;
  for (int k = 0; k < n && status == PF_OK; k++) {
    bool found = false;
    for (int attempt = 0; attempt < MAX_TRIES && !found && status == PF_OK; attempt++) {
      for (size_t i = 0; attempt > 0 && i < on->model->n_parameters; i++) {
        const double factor = 1.0 + 0.01 * numbers_normal(&on->numbers);
        on->theta[i] *=
            (on->model->parameters[i].declared.flags & PF_PARAMETER_FIXED) != 0 ? 1.0 : factor;
      }
      status = compare_one(on, k % 2 == 1, has_kinks, out, &found, error);
    }
    if (status == PF_OK && !found) {
      status = pf_fail(error, PF_STOP, "%d times a kink within the step", MAX_TRIES);
    }
  }
  return status;
}

/* ---- bits ---- */

static bool same(const double *a, const double *b, size_t n)
{
  return n == 0 || memcmp(a, b, n * sizeof *a) == 0;
}

static pf_status check_objective(bench *on, size_t n_workspaces, double value, const char *what,
                                 pf_error *error)
{
  double again = 0.0;
  const pf_status status =
      pf_batch_objective(on->batch, on->theta, (pf_workspaces){on->workspaces, n_workspaces},
                         &again, on->moved, error);
  if (status == PF_OK && !same(&again, &value, 1)) {
    return pf_fail(error, PF_STOP, "%s: the objective has other bits: %.17g instead of %.17g", what,
                   again, value);
  }
  if (status == PF_OK && !same(on->moved, on->gradient, on->model->n_parameters)) {
    return pf_fail(error, PF_STOP, "%s: the gradient has other bits", what);
  }
  return status;
}

/* A run and its repetition, with other draws between the two: losses and all weights. */
static pf_status check_forward(bench *on, pf_error *error)
{
  pf_loss_value values[2][LAB_MAX] = {{{0}}};
  int64_t ld[2] = {0, 0};
  pf_workspace *const *workspaces = on->workspaces;
  pf_status status = PF_OK;
  for (int run = 0; run < 2 && status == PF_OK; run++) {
    status = pf_forward(
        &(const pf_simulation){on->model, on->draws[1 + run], on->theta, {&workspaces[run], 1}}, 0,
        PF_STEP_FIT, NULL, error);
    status =
        status == PF_OK
            ? pf_forward(
                  &(const pf_simulation){on->model, on->draws[0], on->theta, {&workspaces[run], 1}},
                  0, PF_STEP_FIT, values[run], error)
            : status;
  }
  if (status == PF_OK && memcmp(values[0], values[1], sizeof values[0]) != 0) {
    return pf_fail(error, PF_STOP, "run again: the losses have other bits");
  }
  for (int64_t k = 0; status == PF_OK && k <= pf_workspace_n_changes(workspaces[0]); k++) {
    const pf_real *first = pf_workspace_weights(workspaces[0], 0, k, &ld[0]);
    const pf_real *second = pf_workspace_weights(workspaces[1], 0, k, &ld[1]);
    for (int64_t i = 0; i < on->model->plastic[0].n_post; i++) {
      const size_t row = (size_t)on->model->plastic[0].n_pre * sizeof(pf_real);
      if (memcmp(first + i * ld[0], second + i * ld[1], row) != 0) {
        return pf_fail(error, PF_STOP, "run again: weights have other bits after %lld changes",
                       (long long)k);
      }
    }
  }
  return status;
}

pf_status bench_check_bits(bench *on, pf_model *model, pf_error *error)
{
  double value = 0.0;
  pf_status status = pf_batch_objective(on->batch, on->theta, (pf_workspaces){on->workspaces, 1},
                                        &value, on->gradient, error);
  status = status == PF_OK ? check_objective(on, 1, value, "run again", error) : status;
  status = status == PF_OK ? check_objective(on, 2, value, "2 threads", error) : status;
  status = status == PF_OK ? check_objective(on, 3, value, "3 threads", error) : status;
  model->state_budget = 1; /* as few states as can be */
  status =
      status == PF_OK ? check_objective(on, 2, value, "2 threads and checkpoints", error) : status;
  model->state_budget = 0;
  return status == PF_OK ? check_forward(on, error) : status;
}

pf_status bench_compare_paths(bench *on, double *difference_of_paths, pf_error *error)
{
  const size_t n = on->model->n_parameters;
  const size_t n_losses = on->model->n_losses;
  pf_loss_value values[LAB_MAX];
  double scale[LAB_MAX];
  double value = 0.0;
  double apart = 0.0;
  double size = 0.0;
  memset(on->moved, 0, n * sizeof *on->moved);
  pf_status status = pf_batch_objective(on->batch, on->theta, (pf_workspaces){on->workspaces, 1},
                                        &value, on->gradient, error);
  for (size_t d = 0; d < BENCH_DRAWS && status == PF_OK; d++) {
    for (size_t k = 0; k < n_losses; k++) {
      scale[k] = -on->batch->scale[d * n_losses + k];
    }
    status = pf_coupled_gradient(
        &(const pf_simulation){on->model, on->draws[d], on->theta, {on->workspaces, 1}}, scale,
        values, on->moved, error);
  }
  for (size_t i = 0; i < n; i++) {
    apart = hypot(apart, on->moved[i] - on->gradient[i]);
    size = hypot(size, on->gradient[i]);
  }
  /* data may have nothing to learn from: both are 0 then, and no number apart */
  *difference_of_paths = apart > 0.0 ? apart / size : 0.0;
  return status;
}

/* ---- tangents ---- */

enum { MAX_DIRECTIONS = 4 };

/* Directions of what is not fixed: single parameters, or normal numbers for all. */
static void choose_directions(bench *on, bool units, double *along)
{
  const size_t n = on->model->n_parameters;
  memset(along, 0, MAX_DIRECTIONS * n * sizeof *along);
  for (size_t k = 0; k < MAX_DIRECTIONS; k++) {
    const size_t from = (size_t)(numbers_uniform(&on->numbers) * (double)n);
    for (size_t step = 0; step < n; step++) {
      const size_t i = (from + step) % n;
      if ((on->model->parameters[i].declared.flags & PF_PARAMETER_FIXED) != 0) {
        continue;
      }
      along[k * n + i] = units ? 1.0 : numbers_normal(&on->numbers);
      if (units) {
        break;
      }
    }
  }
}

static double inner(const double *a, const double *b, size_t n, double *size)
{
  double sum = 0.0;
  for (size_t i = 0; i < n; i++) {
    sum += a[i] * b[i];
    *size = hypot(*size, a[i] * b[i]);
  }
  return sum;
}

/* One draw: `along` forward, and backward. */
static pf_status compare_draw(bench *on, size_t d, const double *along, double *memory,
                              bench_tangents *out, pf_error *error)
{
  const size_t n = on->model->n_parameters, n_losses = on->model->n_losses;
  const size_t n_steps = (size_t)on->draws[d]->n_steps;
  double scale[LAB_MAX], gradient[MAX_DIRECTIONS] = {0},
                         matrix[MAX_DIRECTIONS * MAX_DIRECTIONS] = {0};
  double *product = memory, *steps = memory + n, largest = 0.0;
  memset(memory, 0, (n + n_steps * MAX_DIRECTIONS) * sizeof *memory);
  memset(on->moved, 0, n * sizeof *on->moved);
  for (size_t k = 0; k < n_losses; k++) {
    scale[k] = on->batch->scale[d * n_losses + k];
  }
  const pf_information_in in = {on->model, on->draws[d], on->theta, scale, on->workspaces, 1};
  const pf_directions directions = {.n = MAX_DIRECTIONS, .along = along};
  pf_information_out into = {.gradient = gradient, .information = matrix, .step_scores = steps};
  pf_status status = pf_information(&in, &directions, &into, error);
  if (status != PF_OK) {
    return status;
  }
  status = pf_information_product(&in, along, product, &into.how, error);
  if (status != PF_OK) {
    return status;
  }
  pf_loss_value values[LAB_MAX];
  status =
      pf_gradient(&(const pf_simulation){on->model, on->draws[d], on->theta, {on->workspaces, 1}},
                  scale, values, on->moved, error);
  out->how |= into.how;
  for (size_t i = 0; i < n; i++) {
    largest = fmax(largest, fabs(on->moved[i]));
  }
  double most = largest * largest / (double)n_steps;
  for (size_t k = 0; k < MAX_DIRECTIONS; k++) {
    most = fmax(most, matrix[k * MAX_DIRECTIONS + k]);
  }
  for (size_t k = 0; k < MAX_DIRECTIONS; k++) {
    const double *own = along + k * n;
    double size = 1e-3 * largest, ignored = 0.0, sum = 0.0;
    const double slope = inner(on->moved, own, n, &size);
    for (size_t t = 0; t < n_steps; t++) {
      sum += steps[t * MAX_DIRECTIONS + k];
    }
    /* a direction that changes nothing (the same added to all of a softmax) leaves rounding alone
     */
    const double whole = fmax(sqrt(fabs(matrix[0] * matrix[k * MAX_DIRECTIONS + k])), 1e-3 * most);
    const double squared = inner(product, own, n, &ignored);
    out->gradient = fmax(out->gradient, fabs(gradient[k] - slope) / size);
    out->scores = fmax(out->scores, fabs(gradient[k] - sum) / size);
    out->matrix = fmax(out->matrix, fabs(matrix[k] - squared) / whole);
    if (!isfinite(gradient[k]) || !isfinite(matrix[k]) || !isfinite(squared)) {
      out->gradient = INFINITY;
    }
  }
  return status;
}

pf_status bench_compare_tangents(bench *on, bool units, bench_tangents *out, pf_error *error)
{
  const size_t n = on->model->n_parameters;
  *out = (bench_tangents){0};
  size_t longest = 0;
  for (size_t d = 0; d < BENCH_DRAWS; d++) {
    longest = (size_t)on->draws[d]->n_steps > longest ? (size_t)on->draws[d]->n_steps : longest;
  }
  double *memory =
      pf_memory_need((1 + MAX_DIRECTIONS) * n + longest * MAX_DIRECTIONS, sizeof *memory, error);
  if (memory == NULL) {
    return PF_STOP;
  }
  double *along = memory + n + longest * MAX_DIRECTIONS;
  pf_status status = PF_OK;
  choose_directions(on, units, along);
  for (size_t d = 0; d < BENCH_DRAWS && status == PF_OK; d++) {
    status = compare_draw(on, d, along, memory, out, error);
  }
  pf_memory_free(memory);
  return status;
}
