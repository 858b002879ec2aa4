/*
 * Interval method `profile`: profile likelihoods of a group's values, and the verdict "practically
 * not identified".
 */
#include "core/intervals/profile.h"

#include "core/intervals/interval_method.h"
#include "core/intervals/rivals.h"
#include "core/profile/profile_trace.h"

#include "core/base/memory.h"
#include "core/base/threads.h"
#include "core/fit/multistart.h"
#include "core/marginal/importance.h"
#include "core/optimise/value_scales.h"
#include "core/stats/stats.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { RANGE = 400 };
/* Of a standard error: steps of the differences that the Hessian at the estimate comes from. */
static const double difference_share = 0.1;

/* Of one value; zeroed where it is not profiled. */
typedef struct value_profile {
  pf_status status;
  pf_error error;
  pf_profile profile;
  pf_profile pieces[PF_MAX_RIVALS]; /* around rivals outside the interval of the estimate */
  size_t n_pieces;
  bool is_again;  /* its ends did not hold, and others were found */
  double *better; /* [n] */
  double *ends;   /* [2][n] where the interval ends */
  double noise;   /* nats, of the marginal likelihood there; 0: there is none */
  pf_array curve; /* of pf_profile_point */
} value_profile;

typedef struct profiles {
  const pf_infer_job *job;
  const pf_rivals *rivals;
  const double *origin;  /* [n] the optimum of what is profiled */
  bool *wanted;          /* [n] values that are profiled */
  const double **starts; /* [n_starts] further starts of the refits at ends */
  size_t n_starts;
  double *drawn;  /* [N_DRAWN + 1][n] those that are no start of the fit; NULL: none */
  double *ends;   /* [2 n][n] where the intervals ended; further starts of another round */
  double *secant; /* [n][n] what the information leaves out of the Hessian; NULL: unknown */
  double f_best;
  value_profile *values; /* [n] */
} profiles;

/* What is profiled: minus the log likelihood, the mean over draws or the marginal one. */
typedef struct profiled_function {
  pf_group_objective *mean;
  pf_importance *marginal;
} profiled_function;

/* `job` has to outlive it. */
static pf_status create_profiled(const pf_infer_job *job, profiled_function *out, pf_error *error)
{
  *out = (profiled_function){0};
  if (job->group->marginal == NULL) {
    return pf_infer_objective(job, &job->evidence.batches, &out->mean, error);
  }
  const pf_importance_in in = {.problem = job->problem,
                               .group = job->group,
                               .factor = job->evidence.factor,
                               .workspaces = job->workspaces,
                               .n_workspaces = job->n_workspaces,
                               .observer = job->observer};
  return pf_importance_create(&in, &out->marginal, error);
}

static void free_profiled(profiled_function *of)
{
  pf_group_objective_free(of->mean);
  pf_importance_free(of->marginal);
}

static const pf_function *get_profiled(const profiled_function *of)
{
  return of->mean != NULL ? pf_group_objective_get(of->mean) : pf_importance_get(of->marginal);
}

static bool is_open(uint32_t end)
{
  return end == PF_PROFILE_OPEN || end == PF_PROFILE_UNCERTAIN || end == PF_PROFILE_NO_VALUE;
}

static bool piece_holds(const pf_profile *piece, double at)
{
  return (at >= piece->low || is_open(piece->low_end)) &&
         (at <= piece->high || is_open(piece->high_end));
}

/* Is `at` in none of the pieces so far? */
static bool is_elsewhere(const value_profile *of, double at)
{
  bool inside = piece_holds(&of->profile, at);
  for (size_t p = 0; p < of->n_pieces; p++) {
    inside = inside || piece_holds(&of->pieces[p], at);
  }
  return !inside;
}

enum { FEW_VALUES = 8, FEW_CELLS = 200, FEW_STEPS = 2000, MOST_STARTS = 12, N_DRAWN = 40 };
enum { MAX_ROUNDS = 3 }; /* of values whose ends do not hold */

/* points [N_DRAWN][n]: drawn around the estimate as the fit's starts are. */
static pf_status draw_starts(const profiles *all, const pf_function *function, double *scale,
                             double *points, pf_error *error)
{
  const pf_infer_job *job = all->job;
  const size_t n = job->out->n;
  bool is_known = false;
  const pf_status found = pf_value_scales(function, job->group->values, scale, &is_known, error);
  if (found != PF_OK) {
    return found;
  }
  for (size_t k = 0; k < n; k++) {
    scale[k] = is_known ? pf_value_spread(function, scale[k]) : 1.0;
  }
  const pf_multistart how = {.seed = job->problem->seed,
                             .n_starts = N_DRAWN + 1,
                             .layout = job->group->layout,
                             .first = job->group->values,
                             .spread = scale,
                             .wide = true};
  for (size_t s = 0; s < N_DRAWN; s++) {
    const pf_status status = pf_multistart_values(&how, s + 1, function, points + s * n, error);
    if (status != PF_OK) {
      return status;
    }
  }
  return PF_OK;
}

static void list_fit_starts(profiles *all)
{
  const pf_fit_group *group = all->job->group;
  for (size_t s = 0; s < group->n_starts && s < MOST_STARTS; s++) {
    const pf_start_result *start = &group->starts[s];
    if (start->from != NULL) {
      all->starts[all->n_starts++] = start->from;
    }
    if (start->values != NULL && start->status == PF_OK) {
      all->starts[all->n_starts++] = start->values;
    }
  }
}

/*
 * Where data are few, valleys are many, and refits are cheap: refits at an end start wherever the
 * fit started and ended as well, and at points drawn anew. Measured on 40 problems of 20 to 60
 * choices (doc/coverage.md): without these 8 of 119 ends stood where 2dL is below 3.6.
 */
static pf_status list_starts(profiles *all, pf_error *error)
{
  const pf_infer_job *job = all->job;
  const size_t n = job->out->n;
  pf_group_objective *function = NULL;
  double cells = 0.0;
  for (size_t k = 0; k < job->problem->model->n_losses; k++) {
    cells += job->evidence.cells[k];
  }
  int64_t n_steps = 0; /* that a refit simulates: with few it is cheap */
  for (size_t d = 0; d < job->group->n_draws; d++) {
    n_steps += job->group->draws[d]->n_steps;
  }
  if (job->group->starts == NULL || n > FEW_VALUES || cells > FEW_CELLS || n_steps > FEW_STEPS) {
    return PF_OK;
  }
  all->starts = pf_memory_need(2 * MOST_STARTS + N_DRAWN + 2 * n, sizeof *all->starts, error);
  all->drawn = pf_memory_need((N_DRAWN + 1) * n, sizeof *all->drawn, error);
  all->ends = pf_memory_need(2 * n * n, sizeof *all->ends, error);
  if (all->starts == NULL || all->drawn == NULL || all->ends == NULL) {
    return PF_STOP;
  }
  list_fit_starts(all);
  pf_status status = pf_infer_objective(job, &job->evidence.batches, &function, error);
  if (status == PF_OK) {
    status = draw_starts(all, pf_group_objective_get(function), all->drawn + N_DRAWN * n,
                         all->drawn, error);
  }
  pf_group_objective_free(function);
  if (status != PF_OK) {
    return status < 0 ? status : PF_OK; /* without starts that are drawn, there are the others */
  }
  for (size_t s = 0; s < N_DRAWN; s++) {
    all->starts[all->n_starts++] = all->drawn + s * n;
  }
  return PF_OK;
}

/* The piece of the interval around each rival that the data allow as well. */
static pf_status trace_pieces(const profiles *all, const pf_profile_in *first, value_profile *to)
{
  const double allowed = 0.5 * pf_stats_chi2_quantile(first->settings.level, 1.0);
  for (size_t r = 0; r < all->rivals->n; r++) {
    pf_profile_in in = *first;
    in.origin = all->rivals->values[r];
    in.secant = NULL; /* that of the estimate says nothing there */
    if (all->rivals->rise[r] >= allowed || !is_elsewhere(to, in.origin[in.i])) {
      continue;
    }
    const pf_status status = pf_profile_value(&in, &to->pieces[to->n_pieces], &to->error);
    if (status != PF_OK) {
      return status;
    }
    to->n_pieces++;
  }
  return PF_OK;
}

/* How a value is profiled: the first time, or again. */
typedef pf_status (*trace_function)(const profiles *, const pf_function *, size_t, value_profile *);

/* Did all starts of a fit, three at least, come to the best optimum? */
static bool has_one_valley(const pf_fit_group *group)
{
  size_t n_reached = 0;
  if (group->marginal != NULL) { /* starts were of the mean */
    return true;
  }
  for (size_t k = 0; group->starts != NULL && k < group->n_starts; k++) {
    n_reached += group->starts[k].reached ? 1 : 0;
  }
  return n_reached >= 3 && n_reached == group->n_starts && group->n_improved == 0;
}

static pf_profile_in describe_profile(const profiles *all, const pf_function *function, size_t k,
                                      value_profile *to)
{
  pf_profile_in in = {.function = function,
                      .settings = pf_profile_defaults(),
                      .origin = all->origin,
                      .f_best = all->f_best,
                      .secant = all->secant,
                      .i = k,
                      .rivals = all->rivals->values,
                      .n_rivals = all->rivals->n,
                      .starts = all->starts,
                      .n_starts = all->n_starts,
                      .has_no_maximum = all->job->out->is_separated || all->job->out->has_no_better,
                      .has_one_valley = has_one_valley(all->job->group),
                      .better = to->better,
                      .end_points = to->ends,
                      .curve = &to->curve};
  in.settings.level = erf(pf_infer_quantile(all->job) * sqrt(0.5)); /* chi-square: of its square */
  return in;
}

static pf_status trace_value(const profiles *all, const pf_function *function, size_t k,
                             value_profile *to)
{
  const pf_profile_in in = describe_profile(all, function, k, to);
  const pf_status status = pf_profile_value(&in, &to->profile, &to->error);
  return status == PF_OK ? trace_pieces(all, &in, to) : status;
}

/* Again, if its ends do not hold from where the other values' intervals ended. */
static pf_status trace_again(const profiles *all, const pf_function *function, size_t k,
                             value_profile *to)
{
  pf_profile_in in = describe_profile(all, function, k, to);
  const size_t n_ends = 2 * all->job->out->n;
  bool holds = true;
  in.starts += all->n_starts - n_ends;
  in.n_starts = n_ends;
  const pf_status status = pf_profile_recheck(&in, &to->profile, &holds, &to->error);
  to->is_again = status == PF_OK && !holds;
  if (!to->is_again) {
    return status;
  }
  pf_array_free(&to->curve);
  to->curve = pf_array_of(sizeof(pf_profile_point));
  to->n_pieces = 0;
  return trace_value(all, function, k, to);
}

/* out [n][n]: the Hessian of f at v by differences of the gradient, over `share` of a standard
 * error; both triangles. PF_POINT_FAILED: there is none. */
static pf_status difference_hessian(const profiles *all, const pf_function *f, double *out,
                                    double *space, pf_error *error)
{
  const size_t n = f->n;
  const double *values = all->job->group->values;
  double *at = space, *gradient = at + n, *moved = gradient + n, value = 0.0;
  pf_status status = f->value(f->self, values, &value, gradient, error);
  for (size_t k = 0; k < n; k++) {
    if (status != PF_OK) {
      return status;
    }
    double step = difference_share * sqrt(all->job->out->covariance[k * n + k]);
    step = values[k] + step < f->upper[k] ? step : -step;
    if (!(isfinite(step) && step != 0.0 && values[k] + step > f->lower[k])) {
      return PF_POINT_FAILED;
    }
    memcpy(at, values, n * sizeof *at);
    at[k] += step;
    status = f->value(f->self, at, &value, moved, error);
    for (size_t j = 0; j < n; j++) {
      const double cell = 0.5 * (moved[j] - gradient[j]) / step;
      out[k * n + j] += cell;
      out[j * n + k] += cell;
    }
  }
  return status;
}

/* all->secant, once for the profiles of all values: they come to their ends in fewer steps. */
static pf_status find_secant(profiles *all, const pf_infer_job *job, pf_error *error)
{
  const size_t n = job->out->n;
  pf_group_objective *function = NULL;
  double *space = pf_memory_need((3 + 2 * n) * n, sizeof *space, error);
  if (space == NULL) {
    return PF_STOP;
  }
  double *h = space + 3 * n, *hessian = h + n * n, value = 0.0;
  pf_error line = pf_error_none(); /* of a point without a value: then there is none */
  pf_status status = pf_infer_objective(job, &job->evidence.batches, &function, &line);
  if (status != PF_OK) {
    goto done;
  }
  const pf_function *f = pf_group_objective_get(function);
  status = f->curvature(f->self, job->group->values, &value, space, h, &line);
  if (status != PF_OK) {
    goto done;
  }
  status = difference_hessian(all, f, hessian, space, &line);
  if (status != PF_OK) {
    goto done;
  }
  for (size_t k = 0; k < n * n; k++) {
    all->secant[k] = hessian[k] - h[k];
  }
done:
  if (status > 0) {
    all->secant = NULL;
  } else if (status < 0) {
    (void)pf_fail_key(error, status, line.key, "%s", line.text);
  }
  pf_group_objective_free(function);
  pf_memory_free(space);
  return status < 0 ? status : PF_OK;
}

/* Monte Carlo errors of the marginal likelihood where the interval ends. */
static pf_status find_noise(const profiles *all, pf_importance *function, value_profile *to)
{
  const pf_profile *profile = &to->profile;
  const bool has_end[2] = {pf_profile_is_limit(profile->low_end),
                           pf_profile_is_limit(profile->high_end)};
  for (size_t side = 0; side < 2; side++) {
    double noise = 0.0;
    pf_error line = pf_error_none();
    if (!has_end[side]) {
      continue;
    }
    const pf_status status =
        pf_importance_error(function, to->ends + side * all->job->out->n, &noise, &line);
    if (status < 0) {
      return pf_fail(&to->error, status, "%s", line.text);
    }
    to->noise = fmax(to->noise, status == PF_OK ? noise : (double)INFINITY);
  }
  return PF_OK;
}

/* One value by one thread: nothing but memory of its own. */
static void profile_value(const profiles *all, const pf_infer_job *own, size_t k,
                          trace_function trace)
{
  profiled_function function;
  value_profile *to = &all->values[k];
  to->error = pf_error_none();
  to->status = create_profiled(own, &function, &to->error);
  if (to->status == PF_OK) {
    to->status = trace(all, get_profiled(&function), k, to);
  }
  if (to->status == PF_OK && function.marginal != NULL) {
    to->status = find_noise(all, function.marginal, to);
  }
  free_profiled(&function);
}

/* To whoever waits: one more value is done. */
static void report_value(const pf_infer_job *job)
{
  if (job->ticker != NULL) {
    (void)atomic_fetch_add(job->n_ticked, 1);
    pf_ticker_add(job->ticker, 1);
  }
}

static pf_status trace_all(const profiles *all, trace_function trace, pf_error *error)
{
  const pf_infer_job *job = all->job;
  const size_t n = job->out->n;
  const bool over_values = job->n_workspaces > 1 && n >= job->n_workspaces;
#pragma omp parallel for schedule(dynamic) num_threads((int)job->n_workspaces) if (over_values)
  for (size_t k = 0; k < n; k++) {
    pf_infer_job own = *job;
    if (over_values) {
      own.workspaces += pf_this_thread();
      own.n_workspaces = 1;
    }
    if (all->wanted[k]) {
      profile_value(all, &own, k, trace);
      report_value(job);
    }
  }
  for (size_t k = 0; k < n; k++) {
    if (all->values[k].status != PF_OK) {
      return pf_fail(error, all->values[k].status, "%s", all->values[k].error.text);
    }
  }
  return PF_OK;
}

static bool is_any_again(const profiles *all)
{
  for (size_t k = 0; k < all->job->out->n; k++) {
    if (all->values[k].is_again) {
      return true;
    }
  }
  return false;
}

/*
 * Every value, and where there are many starts at ends, again from where the others' intervals
 * ended: a valley that one profile came upon is a place where another may be lower.
 */
static pf_status profile_values(profiles *all, pf_error *error)
{
  const size_t n = all->job->out->n;
  pf_status status = trace_all(all, trace_value, error);
  if (status != PF_OK || all->ends == NULL || n == 1) {
    return status;
  }
  for (size_t e = 0; e < 2 * n; e++) {
    all->starts[all->n_starts++] = all->ends + e * n;
  }
  for (int round = 0; round < MAX_ROUNDS; round++) {
    for (size_t k = 0; k < n; k++) {
      const double *ends = all->wanted[k] ? all->values[k].ends : all->origin;
      memcpy(all->ends + 2 * k * n, ends, n * sizeof *ends);
      memcpy(all->ends + (2 * k + 1) * n, all->wanted[k] ? ends + n : ends, n * sizeof *ends);
    }
    status = trace_all(all, trace_again, error);
    if (status != PF_OK || !is_any_again(all)) {
      return status;
    }
  }
  return PF_OK;
}

/* ---- what the profiles say ---- */

/* "0.3", "4 (its bound)", "7, where the likelihood jumps". */
static void print_end(double at, uint32_t end, char *text, size_t capacity)
{
  const char *what = end == PF_PROFILE_BOUND  ? " (its bound)"
                     : end == PF_PROFILE_JUMP ? ", where the likelihood jumps"
                                              : "";
  (void)snprintf(text, capacity, "%.4g%s", at, what);
}

/* Of a side without an end, how far it was followed: "2dL is 0.00 at 566". */
static void append_open(double at, uint32_t end, double rise, char *text, size_t capacity)
{
  const size_t used = strlen(text);
  char *to = text + used;
  if (end == PF_PROFILE_OPEN) {
    (void)snprintf(to, capacity - used, "; 2dL is %.2f at %.4g", 2.0 * rise, at);
  } else if (end == PF_PROFILE_NO_VALUE) {
    (void)snprintf(to, capacity - used,
                   "; 2dL is %.2f at %.4g, beyond which weights overflow: a limit of the model, "
                   "not of the data",
                   2.0 * rise, at);
  } else if (end == PF_PROFILE_UNCERTAIN) {
    (void)snprintf(to, capacity - used,
                   "; 2dL is %.2f at %.4g, and no refit beyond converged, so nobody knows where "
                   "the data set a limit",
                   2.0 * rise, at);
  }
}

/* "the data allow everything up to 3; 2dL is 0.10 at -40". */
static void print_range(const pf_profile *profile, char *text, size_t capacity)
{
  char low[64], high[64];
  const bool no_low = is_open(profile->low_end), no_high = is_open(profile->high_end);
  print_end(profile->low, profile->low_end, low, sizeof low);
  print_end(profile->high, profile->high_end, high, sizeof high);
  if (no_low && no_high) {
    (void)snprintf(text, capacity, "the data allow any value");
  } else if (no_low) {
    (void)snprintf(text, capacity, "the data allow everything up to %s", high);
  } else if (no_high) {
    (void)snprintf(text, capacity, "the data allow everything from %s on", low);
  } else {
    (void)snprintf(text, capacity, "the data allow from %s to %s", low, high);
  }
  append_open(profile->low, profile->low_end, profile->rise_low, text, capacity);
  append_open(profile->high, profile->high_end, profile->rise_high, text, capacity);
}

/* Does the likelihood not fall any more on an open side? Then it has no maximum there. */
static bool goes_on(uint32_t end, double rise)
{
  static const double nothing = 0.01; /* nats */
  return is_open(end) && rise < nothing;
}

static const char *separation_words(const pf_infer_job *job, const pf_profile *profile)
{
  const bool goes = goes_on(profile->low_end, profile->rise_low) ||
                    goes_on(profile->high_end, profile->rise_high);
  if (job->out->is_separated || (goes && pf_infer_has_only_likelihoods(job))) {
    return "separation, the likelihood goes on rising on the open side: ";
  }
  return "";
}

static void widen_interval(const pf_profile *piece, double *low, double *high)
{
  *low = fmin(*low, is_open(piece->low_end) ? -INFINITY : piece->low);
  *high = fmax(*high, is_open(piece->high_end) ? INFINITY : piece->high);
}

static const char *jumping_ends(bool is_low, bool is_high)
{
  if (is_low && is_high) {
    return "lower and the upper";
  }
  return is_low ? "lower" : "upper";
}

/* Ends at which 2dL does not cross the threshold but jumps over it are said to be such. */
static pf_status note_jumps(const pf_profile *profile, char **note, pf_error *error)
{
  const bool is_low = profile->low_end == PF_PROFILE_JUMP;
  const bool is_high = profile->high_end == PF_PROFILE_JUMP;
  if (*note != NULL || (!is_low && !is_high)) {
    return PF_OK;
  }
  return pf_infer_why(note, error,
                      "2dL jumps at the %s end of the interval: it is below the limit up to there, "
                      "and %.2f from there on",
                      jumping_ends(is_low, is_high),
                      2.0 * (is_low ? profile->rise_low : profile->rise_high));
}

static pf_status set_interval(const profiles *all, size_t k, pf_intervals *to, pf_error *error)
{
  pf_inference_group *out = all->job->out;
  const value_profile *of = &all->values[k];
  const pf_profile *profile = &of->profile;
  const bool low_limit = pf_profile_is_limit(profile->low_end);
  const bool high_limit = pf_profile_is_limit(profile->high_end);
  char text[RANGE];
  if (!out->at_bound[k] && !out->is_separated) { /* Fisher's: a profile has none */
    to->se[k] = sqrt(fmax(out->covariance[k * out->n + k], 0.0));
  }
  to->lower[k] = INFINITY;
  to->upper[k] = -INFINITY;
  widen_interval(profile, &to->lower[k], &to->upper[k]);
  for (size_t p = 0; p < of->n_pieces; p++) {
    widen_interval(&of->pieces[p], &to->lower[k], &to->upper[k]);
  }
  /* of what is at its bound the data say how far from it at most */
  const bool is_closed = out->at_bound[k] ? low_limit || high_limit : low_limit && high_limit;
  if (is_closed && of->n_pieces == 0) {
    return note_jumps(profile, &out->note[k], error);
  }
  print_range(profile, text, sizeof text);
  for (size_t p = 0; p < of->n_pieces; p++) {
    const size_t used = strlen(text);
    (void)snprintf(text + used, sizeof text - used,
                   "; and, around another optimum that fits about as well, from %.4g to %.4g",
                   of->pieces[p].low, of->pieces[p].high);
  }
  out->verdict[k] = PF_PRACTICALLY_NOT;
  return pf_infer_why(&out->note[k], error, "%s%s", separation_words(all->job, profile), text);
}

/* By how many nats a profile came to lie below the estimate; 0: it did not. */
static double decrease_of(const pf_profile *profile)
{
  const double low = profile->low_end == PF_PROFILE_BETTER ? profile->rise_low : 0.0;
  const double high = profile->high_end == PF_PROFILE_BETTER ? profile->rise_high : 0.0;
  return fmax(low, high);
}

/* The best of the better optima, if there are any: then no method's interval means anything. */
static pf_status keep_better(const profiles *all, pf_error *error)
{
  pf_inference_group *out = all->job->out;
  const value_profile *best = NULL;
  double largest = 0.0;
  for (size_t k = 0; k < out->n; k++) {
    const double decrease = decrease_of(&all->values[k].profile);
    if (decrease > largest) {
      best = &all->values[k];
      largest = decrease;
    }
  }
  if (best == NULL) {
    return PF_OK;
  }
  out->better = pf_memory_need(out->n, sizeof *out->better, error);
  if (out->better == NULL) {
    return PF_STOP;
  }
  memcpy(out->better, best->better, out->n * sizeof *out->better);
  return pf_infer_why(
      &out->why, error,
      "a better optimum was found while profiling; fit from more starts (fit.starts=20)");
}

static pf_status keep_curves(const profiles *all, pf_error *error)
{
  pf_inference_group *out = all->job->out;
  pf_array curves = pf_array_of(sizeof(pf_profile_point));
  for (size_t k = 0; k < out->n; k++) {
    const pf_array *curve = &all->values[k].curve;
    const pf_status status = pf_array_append_all(&curves, curve->items, curve->n, error);
    if (status != PF_OK) {
      pf_array_free(&curves);
      return status;
    }
  }
  out->curves = pf_array_take(&curves, &out->n_curve_points);
  return PF_OK;
}

static pf_status warn_unconverged(const profiles *all, pf_error *error)
{
  int64_t n = 0, n_refits = 0;
  for (size_t k = 0; k < all->job->out->n; k++) {
    n += all->values[k].profile.n_unconverged;
    n_refits += all->values[k].profile.n_refits;
  }
  if (n == 0) {
    return PF_OK;
  }
  return pf_infer_warn(all->job->out, error,
                       "profiles: %lld of %lld refits did not converge; none of them is the end of "
                       "an interval (profiles.csv has them all)",
                       (long long)n, (long long)n_refits);
}

/* Of the marginal likelihood: are ends of intervals noise? */
static pf_status warn_noisy(const profiles *all, pf_error *error)
{
  static const double too_much = 0.5; /* nats; an end is where the likelihood has fallen by 1.92 */
  double most = 0.0;
  for (size_t k = 0; k < all->job->out->n; k++) {
    most = fmax(most, all->values[k].noise);
  }
  if (!(most > too_much)) {
    return PF_OK;
  }
  return pf_infer_warn(all->job->out, error,
                       "profiles: at the ends of intervals the marginal likelihood has a Monte "
                       "Carlo error of up to %.2g nats, so they are about where they are said to "
                       "be; more draws (marginal.draws, now %lld, or marginal.replicates, now "
                       "%lld) make it smaller",
                       most, (long long)all->job->problem->settings->marginal.draws,
                       (long long)all->job->problem->settings->marginal.replicates);
}

static pf_status set_profiles(profiles *all, pf_intervals *to, pf_error *error)
{
  pf_inference_group *out = all->job->out;
  pf_status status = profile_values(all, error);
  if (status != PF_OK) {
    return status;
  }
  status = keep_better(all, error);
  if (status != PF_OK || out->better != NULL) {
    return status;
  }
  status = keep_curves(all, error);
  if (status != PF_OK) {
    return status;
  }
  if (!to->there) {
    status = pf_intervals_create(out->n, to, error);
  }
  for (size_t k = 0; k < out->n; k++) {
    if (status == PF_OK && all->wanted[k]) {
      status = set_interval(all, k, to, error);
    }
  }
  if (status == PF_OK) {
    status = warn_unconverged(all, error);
  }
  return status == PF_OK ? warn_noisy(all, error) : status;
}

/*
 * The optimum of the marginal likelihood as these draws have it, which is the estimate but for
 * Monte Carlo error, into `values` [n].
 */
static pf_status find_marginal_optimum(profiles *all, double *values, pf_error *error)
{
  const pf_infer_job *job = all->job;
  pf_optimiser_settings settings = pf_optimiser_defaults();
  pf_optimum optimum = pf_optimum_none();
  profiled_function function;
  memcpy(values, job->group->values, job->out->n * sizeof *values);
  pf_status status = create_profiled(job, &function, error);
  if (status == PF_OK) {
    settings.seed = job->problem->seed;
    status =
        pf_optimiser_lm.minimise(get_profiled(&function), &settings, NULL, values, &optimum, error);
  }
  free_profiled(&function);
  all->origin = values;
  all->f_best = optimum.objective;
  return status;
}

/* Where profiles start: the estimate, and other optima. */
static pf_status find_origin(profiles *all, pf_rivals *rivals, double *memory, pf_error *error)
{
  const pf_infer_job *job = all->job;
  if (job->group->marginal != NULL) {
    return find_marginal_optimum(all, memory, error);
  }
  const pf_status status = pf_rivals_find(job, rivals, error);
  if (status != PF_OK) {
    return status;
  }
  const pf_status listed = list_starts(all, error);
  if (listed != PF_OK) {
    return listed;
  }
  all->origin = job->group->values;
  all->f_best = rivals->f_best;
  all->secant = memory;
  return find_secant(all, job, error);
}

/* Those values that are identified, others can go any distance; of them perhaps only those at a
 * bound. */
static pf_status compute_values(pf_infer_job *job, bool only_bounds, pf_intervals *to,
                                pf_error *error)
{
  const size_t n = job->out->n;
  size_t n_wanted = 0;
  pf_rivals rivals = {0};
  profiles all = {.job = job,
                  .rivals = &rivals,
                  .wanted = pf_memory_need(n, sizeof *all.wanted, error),
                  .values = pf_memory_need(n, sizeof *all.values, error)};
  double *better = pf_memory_need(4 * n * n, sizeof *better, error);
  pf_status status = all.wanted == NULL || all.values == NULL || better == NULL ? PF_STOP : PF_OK;
  if (status != PF_OK) {
    goto done;
  }
  for (size_t k = 0; k < n; k++) {
    all.values[k].better = better + k * n;
    all.values[k].ends = better + 2 * n * (n + k);
    all.values[k].curve = pf_array_of(sizeof(pf_profile_point));
    all.wanted[k] = job->out->spectrum->identified[k] && (!only_bounds || job->out->at_bound[k]);
    n_wanted += all.wanted[k] ? 1 : 0;
  }
  if (only_bounds && n_wanted == 0) {
    goto done;
  }
  status = find_origin(&all, &rivals, better + n * n, error);
  if (status != PF_OK) {
    goto done;
  }
  status = set_profiles(&all, to, error);
done:
  for (size_t k = 0; all.values != NULL && k < n; k++) {
    pf_array_free(&all.values[k].curve);
  }
  pf_memory_free(better);
  pf_memory_free(all.values);
  pf_memory_free(all.wanted);
  pf_memory_free((void *)all.starts);
  pf_memory_free(all.drawn);
  pf_memory_free(all.ends);
  return status;
}

static pf_status compute_profile(pf_infer_job *job, pf_intervals *to, pf_error *error)
{
  return compute_values(job, false, to, error);
}

pf_status pf_profile_bounds(pf_infer_job *job, pf_intervals *to, pf_error *error)
{
  return compute_values(job, true, to, error);
}

const pf_interval_method pf_interval_profile = {
    .name = "profile",
    .is_global = true,
    .joins_automatic = true,
    .needs_likelihood = "the fit weighs its losses otherwise than the likelihood does, so the fit "
                        "does not end at the maximum of the likelihood, where a profile must start",
    .compute = compute_profile,
};
