#include "core/evaluate/latent_bands.h"

#include "core/base/memory.h"
#include "core/engine/simulation.h"

#include <math.h>

/* The work on one recording. */
typedef struct band_work {
  const pf_latent_bands_in *in;
  pf_latent_bands *bands;
  pf_draw **draws; /* [n_draws] */
  size_t n_draws;
  pf_real *states; /* [n_changes + 1][n_post][ld] of the largest projection */
} band_work;

bool pf_latent_bands_are_there(const pf_problem *problem, const pf_evaluation_plan *plan, size_t i)
{
  pf_unknowns unknowns;
  pf_stream stream;
  pf_problem_unknowns(problem, plan->data, i, plan->fresh, &unknowns, &stream);
  return pf_unknowns_any(problem->model, &unknowns);
}

/* ---- memory ---- */

static size_t cells_of(const pf_plastic *plastic)
{
  return (size_t)(plastic->n_post * plastic->n_pre);
}

static double *band_at(const pf_latent_bands *bands, pf_weights_kind kind, size_t plastic)
{
  const size_t n_kept = (size_t)bands->n_kept;
  size_t before = (size_t)(kind - PF_WEIGHTS_FILTERED_MEAN) * bands->cells;
  for (size_t p = 0; p < plastic; p++) {
    before += cells_of(&bands->model->plastic[p]);
  }
  return bands->numbers + before * n_kept;
}

const double *pf_latent_bands_get(const pf_latent_bands *bands, pf_weights_kind kind,
                                  size_t plastic)
{
  return band_at(bands, kind, plastic);
}

void pf_latent_bands_free(pf_latent_bands *bands)
{
  if (bands != NULL) {
    pf_memory_free(bands->numbers);
    pf_memory_free(bands);
  }
}

static pf_status create_bands(const pf_latent_bands_in *in, pf_latent_bands **out, pf_error *error)
{
  const pf_recording *recording = &in->plan->data->recordings[in->recording];
  pf_latent_bands *bands = pf_memory_need(1, sizeof *bands, error);
  if (bands == NULL) {
    return PF_STOP;
  }
  bands->model = in->problem->model;
  bands->every = in->every;
  for (int64_t t = 0; t < recording->n_steps; t++) {
    bands->n_changes += (recording->flags[t] & PF_STEP_PLASTIC) != 0 ? 1 : 0;
  }
  for (int64_t k = 0; k <= bands->n_changes; k++) {
    bands->n_kept += pf_is_change_kept(k, in->every, bands->n_changes) ? 1 : 0;
  }
  for (size_t p = 0; p < bands->model->n_plastic; p++) {
    bands->cells += cells_of(&bands->model->plastic[p]);
  }
  bands->numbers =
      pf_memory_need(PF_N_BANDS * (size_t)bands->n_kept * bands->cells, sizeof(double), error);
  if (bands->numbers == NULL) {
    pf_latent_bands_free(bands);
    return PF_STOP;
  }
  *out = bands;
  return PF_OK;
}

static void free_draws(band_work *work)
{
  for (size_t d = 0; work->draws != NULL && d < work->n_draws; d++) {
    pf_draw_free(work->in->problem->model, work->draws[d]);
  }
  pf_memory_free(work->draws);
  pf_memory_free(work->states);
}

static pf_status create_draws(band_work *work, pf_error *error)
{
  const pf_latent_bands_in *in = work->in;
  const pf_model *model = in->problem->model;
  size_t most = 0;
  for (size_t p = 0; p < model->n_plastic; p++) {
    const size_t cells = (size_t)(model->plastic[p].n_post * pf_workspace_ld(in->workspace, p));
    most = cells > most ? cells : most;
  }
  work->states =
      pf_memory_need((size_t)(work->bands->n_changes + 1) * most, sizeof *work->states, error);
  work->draws = pf_memory_need(work->n_draws, sizeof *work->draws, error);
  if (work->states == NULL || work->draws == NULL) {
    return PF_STOP;
  }
  for (size_t d = 0; d < work->n_draws; d++) {
    const pf_status status =
        pf_evaluation_draw(in->problem, in->plan, in->recording, 0, &work->draws[d], error);
    if (status != PF_OK) {
      return status;
    }
  }
  return PF_OK;
}

/* ---- filtered ---- */

/* The place of change k among those that are kept. */
static int64_t place_of(const pf_latent_bands *bands, int64_t k)
{
  return (k + bands->every - 1) / bands->every;
}

static void keep_filtered(void *payload, const pf_filter *filter, int64_t change)
{
  pf_latent_bands *bands = payload;
  if (!pf_is_change_kept(change, bands->every, bands->n_changes)) {
    return;
  }
  for (size_t p = 0; p < bands->model->n_plastic; p++) {
    const size_t at = (size_t)place_of(bands, change) * cells_of(&bands->model->plastic[p]);
    pf_filter_weights(filter, p, band_at(bands, PF_WEIGHTS_FILTERED_MEAN, p) + at,
                      band_at(bands, PF_WEIGHTS_FILTERED_SD, p) + at);
  }
}

/* ---- smoothed ---- */

/* One more history of projection p, to the mean and the sum of squares about it (Welford). */
static void add_history(const band_work *work, size_t p, double n)
{
  const pf_latent_bands *bands = work->bands;
  const size_t n_pre = (size_t)bands->model->plastic[p].n_pre;
  const size_t cells = cells_of(&bands->model->plastic[p]);
  const size_t ld = (size_t)pf_workspace_ld(work->in->workspace, p);
  const size_t state_cells = cells / n_pre * ld;
  double *mean = band_at(bands, PF_WEIGHTS_SMOOTHED_MEAN, p);
  double *squares = band_at(bands, PF_WEIGHTS_SMOOTHED_SD, p);
  for (int64_t k = 0; k <= bands->n_changes; k++) {
    if (!pf_is_change_kept(k, bands->every, bands->n_changes)) {
      continue;
    }
    const pf_real *state = work->states + (size_t)k * state_cells;
    const size_t at = (size_t)place_of(bands, k) * cells;
    for (size_t i = 0; i < cells; i++) {
      const double value = (double)state[i / n_pre * ld + i % n_pre];
      const double off = value - mean[at + i];
      mean[at + i] += off / n;
      squares[at + i] += off * (value - mean[at + i]);
    }
  }
}

/* Number `n` of the histories, from 1. */
static pf_status simulate_history(const band_work *work, const pf_draw *draw, size_t n,
                                  pf_error *error)
{
  const pf_latent_bands_in *in = work->in;
  const pf_model *model = in->problem->model;
  pf_workspace *workspace = in->workspace;
  const pf_simulation run = {model, draw, in->theta, {&workspace, 1}};
  pf_status status = pf_forward(&run, PF_SIMULATE_ACTIVITY_ONLY, PF_STEP_SCORE, NULL, error);
  if (status != PF_OK) {
    return status;
  }
  for (size_t p = 0; p < model->n_plastic; p++) {
    status = pf_simulation_rows(&run, p, 0, model->plastic[p].n_post, work->states, error);
    if (status != PF_OK) {
      return status;
    }
    add_history(work, p, (double)n);
  }
  return PF_OK;
}

static pf_status add_draws(const band_work *work, size_t n_before, pf_error *error)
{
  for (size_t d = 0; d < work->n_draws; d++) {
    const pf_status status = simulate_history(work, work->draws[d], n_before + d + 1, error);
    if (status != PF_OK) {
      return status;
    }
  }
  return PF_OK;
}

static void finish_smoothed(const band_work *work, size_t n)
{
  const pf_latent_bands *bands = work->bands;
  const size_t numbers = (size_t)bands->n_kept * bands->cells;
  double *sd = band_at(bands, PF_WEIGHTS_SMOOTHED_SD, 0);
  for (size_t i = 0; i < numbers; i++) {
    sd[i] = n > 1 ? sqrt(sd[i] / (double)(n - 1)) : NAN;
  }
}

/* ---- all ---- */

/* Filters one after the other, each with its own random numbers; the first gives the filtered ones.
 */
static pf_status run_filters(const band_work *work, pf_error *error)
{
  const pf_latent_bands_in *in = work->in;
  const pf_marginal_settings *settings = &in->problem->settings->marginal;
  const pf_filter_watcher watcher = {work->bands, keep_filtered};
  pf_filter_out out = {0};
  pf_draw *draw = NULL; /* what is known, which no history may overwrite */
  pf_status status = pf_evaluation_draw(in->problem, in->plan, in->recording, 0, &draw, error);
  if (status != PF_OK) {
    return status;
  }
  pf_filter_in what = {.model = in->problem->model,
                       .draw = draw,
                       .theta = in->theta,
                       .weigh = PF_STEP_FIT | PF_STEP_SCORE,
                       .threshold = settings->threshold};
  pf_problem_unknowns(in->problem, in->plan->data, in->recording, in->plan->fresh, &what.unknowns,
                      &what.stream);
  pf_unknowns_set(in->problem->model, in->theta, &what.unknowns);
  for (int64_t k = 0; k < settings->replicates; k++) {
    what.watcher = k == 0 ? &watcher : NULL;
    status = pf_filter_run(in->filter, &what, &out, error);
    if (status == PF_OK) {
      status = pf_filter_draw(in->filter, &what, work->draws, work->n_draws, error);
    }
    if (status == PF_OK) {
      status = add_draws(work, (size_t)k * work->n_draws, error);
    }
    if (status != PF_OK) {
      break;
    }
    what.stream.draw++;
  }
  pf_draw_free(in->problem->model, draw);
  return status;
}

pf_status pf_latent_bands_find(const pf_latent_bands_in *in, pf_latent_bands **out, pf_error *error)
{
  const pf_marginal_settings *settings = &in->problem->settings->marginal;
  band_work work = {.in = in, .n_draws = (size_t)settings->draws};
  *out = NULL;
  if (create_bands(in, &work.bands, error) != PF_OK) {
    return PF_STOP;
  }
  pf_status status = create_draws(&work, error);
  if (status == PF_OK) {
    status = run_filters(&work, error);
  }
  free_draws(&work);
  if (status != PF_OK) {
    pf_latent_bands_free(work.bands);
    return status;
  }
  finish_smoothed(&work, work.n_draws * (size_t)settings->replicates);
  *out = work.bands;
  return PF_OK;
}
