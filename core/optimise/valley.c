#include "core/optimise/valley.h"

#include "core/base/memory.h"

#include <lapacke.h>
#include <math.h>
#include <string.h>

/* Values of a function whose valley is followed; points of a profile; iterations at each. */
enum { MAX_VALUES = 8, MAX_POINTS = 100, MAX_INNER = 40, N_GUESSES = 3 };

static const double first_step = 1e-3;  /* of the value, or of its usual size where it is 0 */
static const double largest_step = 0.5; /* of the value */
static const double least_step = 1e-9;  /* likewise: shorter is none */
static const double far = 1e4;          /* times the value where it began: there is no end */
static const double grown = 100.0, level_nats = 1e-3; /* an end in sight: times, and nats */
/* A rise in nats after which nothing is level. Measured: of two flies that are, the way there rose
 * by more than 1.92 and less than 6. */
static const double no_level = 10.0;
static const double inner_share = 1e-2;  /* of the tolerance in nats, for the other values */
static const double turned_share = 1e-3; /* the same, for the minimum of the profile */

/* A place on the valley's floor. */
typedef struct floor_point {
  double at, f, slope; /* of the profile */
  double *values;      /* [n] */
} floor_point;

typedef struct search {
  const pf_function *function;
  const pf_optimiser_settings *settings;
  const pf_watch *watch;
  pf_optimum *count;
  pf_valley *out;
  size_t n, k;
  double *memory;
  double *lower, *upper;          /* [n] with value k held */
  double *trial, *guess;          /* [n] */
  double *gradient, *h, *reduced; /* [n], [n][n], [n][n] */
  floor_point last, now, next;    /* the last two places, and one that is tried */
} search;

bool pf_valley_is_possible(const pf_function *function)
{
  if (function->curvature == NULL || function->n < 2 || function->n > MAX_VALUES) {
    return false;
  }
  for (size_t i = 0; i < function->n; i++) {
    if (pf_l1_weight(function, i) > 0.0) {
      return false;
    }
  }
  return true;
}

static double nats_at(const search *s, double f)
{
  return pf_function_nats(s->function, f);
}

/* ---- one place ---- */

static double objective_at(search *s, const double *v)
{
  double f = 0.0;
  pf_error ignored = pf_error_none();
  const pf_status status = pf_function_value(s->function, v, &f, s->count, &ignored);
  return status == PF_OK ? f : (double)INFINITY;
}

/* Where the others may be when value k is at `at`, from two places: kept, along a straight line, or
 * along a power law, which is how sizes of weights follow from growth. */
static void guess_values(const search *s, const floor_point *a, const floor_point *b, double at,
                         int way, double *out)
{
  const double share = b->at == a->at ? 0.0 : (at - b->at) / (b->at - a->at);
  for (size_t i = 0; i < s->n; i++) {
    const double from = a->values[i], to = b->values[i];
    out[i] = to;
    if (way == 1) {
      out[i] = to + share * (to - from);
    }
    if (way == 2 && from * to > 0.0) {
      out[i] = to * pow(to / from, share);
    }
  }
  out[s->k] = at;
  pf_clip_to_bounds(s->function, out);
}

/* d F / d value k along the floor: what the others' own gradients add is taken off, since they are
 * at their minimum to a tolerance only. */
static double slope_along_floor(search *s)
{
  const size_t n = s->n, k = s->k;
  size_t m = 0, index[MAX_VALUES];
  double right[MAX_VALUES], size[MAX_VALUES];
  for (size_t i = 0; i < n; i++) {
    const double v = s->next.values[i], diagonal = s->h[i * n + i];
    if (i != k && diagonal > 0.0 && v > s->function->lower[i] && v < s->function->upper[i]) {
      size[m] = sqrt(diagonal);
      index[m++] = i;
    }
  }
  for (size_t r = 0; r < m; r++) {
    right[r] = s->gradient[index[r]] / size[r];
    for (size_t c = 0; c < m; c++) {
      s->reduced[r * m + c] = s->h[index[r] * n + index[c]] / (size[r] * size[c]);
    }
    s->reduced[r * m + r] += 1e-14;
  }
  double slope = s->gradient[k];
  if (m == 0 || LAPACKE_dposv(LAPACK_COL_MAJOR, 'U', (lapack_int)m, 1, s->reduced, (lapack_int)m,
                              right, (lapack_int)m) != 0) {
    return slope;
  }
  for (size_t r = 0; r < m; r++) {
    slope -= s->h[k * n + index[r]] / size[r] * right[r];
  }
  return slope;
}

static void add_count(pf_optimum *to, const pf_optimum *from)
{
  to->evaluations += from->evaluations;
  to->gradients += from->gradients;
  to->curvatures += from->curvatures;
  to->n_failed += from->n_failed;
}

/* The floor where value k is at `at`, from the values in s->guess, into s->next. *found: it is one,
 * with a slope. */
static pf_status minimise_others(search *s, double at, bool *found, pf_error *error)
{
  pf_function held = *s->function;
  pf_optimiser_settings settings = *s->settings;
  pf_optimum optimum = pf_optimum_none();
  pf_error line = pf_error_none(); /* of a place that is not kept */
  const pf_watch watch = {.payload = s->watch == NULL ? NULL : s->watch->payload,
                          .stop = s->watch == NULL ? NULL : s->watch->stop};
  memcpy(s->lower, s->function->lower, s->n * sizeof *s->lower);
  memcpy(s->upper, s->function->upper, s->n * sizeof *s->upper);
  s->lower[s->k] = s->upper[s->k] = at;
  held.lower = s->lower;
  held.upper = s->upper;
  settings.iterations = MAX_INNER;
  settings.tolerance_nats *= inner_share;
  settings.secant = NULL;
  settings.is_inner = true;
  memcpy(s->next.values, s->guess, s->n * sizeof *s->guess);
  *found = false;
  s->out->points++;
  pf_status status =
      pf_optimiser_lm.minimise(&held, &settings, &watch, s->next.values, &optimum, &line);
  add_count(s->count, &optimum);
  if (status == PF_OK && optimum.converged) {
    pf_derivatives there = {.gradient = s->gradient, .h = s->h};
    status = pf_function_evaluate(s->function, s->next.values, &there, s->count, &line);
    s->next.at = at;
    s->next.f = there.f;
    s->next.slope = status == PF_OK ? slope_along_floor(s) : (double)NAN;
    *found = status == PF_OK && isfinite(s->next.slope);
  }
  return status < 0 ? pf_fail_key(error, status, line.key, "%s", line.text) : PF_OK;
}

/* The same from the best guess that two known places give. */
static pf_status go_to(search *s, const floor_point *a, const floor_point *b, double at,
                       bool *found, pf_error *error)
{
  double best = INFINITY;
  for (int way = 0; way < N_GUESSES; way++) {
    guess_values(s, a, b, at, way, s->trial);
    const double f = objective_at(s, s->trial);
    if (way == 0 || f < best) {
      best = f;
      memcpy(s->guess, s->trial, s->n * sizeof *s->guess);
    }
  }
  *found = false;
  return isfinite(best) ? minimise_others(s, at, found, error) : PF_OK;
}

static void copy_point(const search *s, const floor_point *from, floor_point *to)
{
  to->at = from->at;
  to->f = from->f;
  to->slope = from->slope;
  memcpy(to->values, from->values, s->n * sizeof *to->values);
}

/* ---- which value ---- */

/* The value to be moved: with it held, F is lowest over the others. s->now: the floor there. */
static pf_status choose_value(search *s, const double *v, bool *any, pf_error *error)
{
  size_t best = s->n;
  *any = false;
  for (size_t k = 0; k < s->n; k++) {
    bool found = false;
    if (!(s->function->lower[k] < s->function->upper[k])) {
      continue;
    }
    s->k = k;
    memcpy(s->guess, v, s->n * sizeof *v);
    const pf_status status = minimise_others(s, v[k], &found, error);
    if (status != PF_OK) {
      return status;
    }
    if (found && (!*any || s->next.f < s->now.f)) {
      *any = true;
      best = k;
      copy_point(s, &s->next, &s->now);
    }
  }
  s->k = best;
  return PF_OK;
}

/* What counts as a size of value k. */
static double size_of_value(const search *s, double at)
{
  const double *scale = s->function->scale;
  const double usual = scale == NULL ? 1.0 : scale[s->k] * sqrt(fmax(s->function->cells, 1.0));
  return at != 0.0 ? fabs(at) : usual;
}

/* ---- along the floor ---- */

/* Between s->last, from where the profile falls, and s->now, where it rises: its minimum. */
static pf_status find_turn(search *s, pf_error *error)
{
  const double enough = turned_share * s->settings->tolerance_nats;
  double low_slope = s->last.slope, high_slope = s->now.slope;
  int moved = 0; /* the last time: the end from where it falls, -1, or the other */
  while (s->out->points < MAX_POINTS) {
    const double width = s->now.at - s->last.at;
    double at = s->last.at - low_slope * width / (high_slope - low_slope);
    bool found = false;
    if (!(fabs(at - s->last.at) < fabs(width)) || at == s->last.at || at == s->now.at) {
      at = s->last.at + 0.5 * width;
    }
    if (fabs(width) <= 1e-14 * fabs(at) || at == s->last.at || at == s->now.at) {
      s->out->turned = true;
      return PF_OK;
    }
    const pf_status status = go_to(s, &s->last, &s->now, at, &found, error);
    if (status != PF_OK || !found) {
      return status;
    }
    const double gain = 0.5 * fabs(s->next.slope) * fabs(width);
    const bool falls_on = s->next.slope * s->last.slope > 0.0;
    /* Illinois: an end that stays twice counts half */
    if (falls_on) {
      low_slope = s->next.slope;
      high_slope *= moved < 0 ? 0.5 : 1.0;
      copy_point(s, &s->next, &s->last);
    } else {
      high_slope = s->next.slope;
      low_slope *= moved > 0 ? 0.5 : 1.0;
      copy_point(s, &s->next, &s->now);
    }
    moved = falls_on ? -1 : 1;
    if (nats_at(s, s->next.f) * gain <= enough) {
      s->out->turned = true;
      return PF_OK;
    }
  }
  return PF_OK;
}

/* Is the value many times what it was, and does growing by as much again change next to nothing? */
static bool is_levelled_off(const search *s, double began)
{
  return fabs(s->now.at) >= grown * began &&
         nats_at(s, s->now.f) * fabs(s->now.slope * s->now.at) <= level_nats;
}

/* On and on while the profile falls. */
static pf_status follow_floor(search *s, pf_error *error)
{
  const double began = size_of_value(s, s->now.at);
  double step = first_step * began;
  copy_point(s, &s->now, &s->last);
  while (s->out->points < MAX_POINTS && s->now.slope != 0.0) {
    if (pf_watch_stops(s->watch)) {
      return PF_OK;
    }
    const double side = s->now.slope < 0.0 ? 1.0 : -1.0;
    const double at =
        fmin(fmax(s->now.at + side * step, s->function->lower[s->k]), s->function->upper[s->k]);
    bool found = false;
    if (at == s->now.at) {
      s->out->turned = true; /* at a bound */
      return PF_OK;
    }
    pf_status status = go_to(s, &s->last, &s->now, at, &found, error);
    if (status != PF_OK) {
      return status;
    }
    const double slack = s->function->noise * fabs(s->now.f);
    const bool falls_on = found && s->next.slope * s->now.slope > 0.0;
    if (!found || (falls_on && s->next.f > s->now.f + slack)) { /* lost the floor */
      step *= 0.25;
      if (step <= least_step * began) {
        s->out->runs_off = fabs(s->now.at) >= sqrt(far) * began;
        return PF_OK;
      }
      continue;
    }
    copy_point(s, &s->now, &s->last);
    copy_point(s, &s->next, &s->now);
    if (!falls_on) {
      return find_turn(s, error);
    }
    if (fabs(s->now.at) >= far * began || is_levelled_off(s, began)) {
      s->out->runs_off = true;
      return PF_OK;
    }
    step = fmin(2.0 * step, fmax(largest_step * fabs(s->now.at), step));
  }
  return PF_OK;
}

static pf_status allocate_search(search *s, pf_error *error)
{
  const size_t n = s->n;
  s->memory = pf_memory_need((8 + 2 * n) * n, sizeof *s->memory, error);
  if (s->memory == NULL) {
    return PF_STOP;
  }
  double **const vectors[] = {&s->lower,       &s->upper,      &s->trial,       &s->guess,
                              &s->last.values, &s->now.values, &s->next.values, &s->gradient};
  for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
    *vectors[i] = s->memory + i * n;
  }
  s->h = s->memory + 8 * n;
  s->reduced = s->h + n * n;
  return PF_OK;
}

/* The lower of the two ends becomes v. */
static void keep_best(search *s, double *v, double objective)
{
  const floor_point *best = s->last.f < s->now.f ? &s->last : &s->now;
  if (best->f < objective) {
    s->out->moved = true;
    memcpy(v, best->values, s->n * sizeof *v);
  }
}

static search search_of(const pf_valley_in *in, pf_valley *out)
{
  *out = (pf_valley){0};
  return (search){.function = in->function,
                  .settings = in->settings,
                  .watch = in->watch,
                  .count = in->count,
                  .out = out,
                  .n = in->function->n};
}

pf_status pf_valley_search(const pf_valley_in *in, double *v, double objective, pf_valley *out,
                           pf_error *error)
{
  search s = search_of(in, out);
  bool any = false;
  pf_status status = allocate_search(&s, error);
  if (status == PF_OK) {
    status = choose_value(&s, v, &any, error);
  }
  if (status == PF_OK && any) {
    out->value = s.k;
    status = follow_floor(&s, error);
  }
  if (status == PF_OK && any) {
    keep_best(&s, v, objective);
  }
  pf_memory_free(s.memory);
  return status;
}

pf_status pf_valley_is_level(const pf_valley_in *in, const double *v, const pf_valley_look *look,
                             bool *level, pf_error *error)
{
  enum { N_STEPS = 8 };
  const size_t k = look->k;
  pf_valley out;
  search s = search_of(in, &out);
  *level = false;
  pf_status status = allocate_search(&s, error);
  if (status != PF_OK) {
    goto done;
  }
  const double objective = objective_at(&s, v);
  s.k = k;
  s.now.at = s.last.at = v[k];
  memcpy(s.now.values, v, s.n * sizeof *v);
  memcpy(s.last.values, v, s.n * sizeof *v);
  for (int step = 1; step <= N_STEPS; step++) {
    bool found = false;
    status =
        go_to(&s, &s.last, &s.now, v[k] * pow(look->factor, step / (double)N_STEPS), &found, error);
    if (status != PF_OK || !found) {
      goto done;
    }
    copy_point(&s, &s.now, &s.last);
    copy_point(&s, &s.next, &s.now);
    if (nats_at(&s, objective) * (s.now.f - objective) > no_level) {
      goto done; /* what rises by so much is not level, wherever it goes from there */
    }
  }
  *level = nats_at(&s, objective) * (s.now.f - objective) <= look->nats;
done:
  pf_memory_free(s.memory);
  return status;
}
