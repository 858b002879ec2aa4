/* core/candidates/score_folds: what ablations and nulls are, against simulations put together by
 * hand. */
#include "core/base/memory.h"
#include "core/candidates/job_file.h"
#include "core/candidates/score_folds.h"
#include "core/engine/simulation.h"
#include "core/evaluate/evaluate.h"
#include "core/problem/subset.h"
#include "core/state/losses.h"
#include "core/validations/step_masks.h"
#include "tests/unit/support/scratch.h"
#include "tests/unit/support/tiny_problem.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

static tiny_problem tiny;
static pf_error error;
static pf_fit *fit;
static pf_problem *view;
static pf_job_result result;
static int64_t split;

/* One animal's forecast with a theta that matters: no fit is made, so that the theta is known. */
static void start(void)
{
  static const size_t first[] = {0};
  static const double theta[] = {0.01, -0.2, 0.1, 0.3, 1.5};
  uint32_t flags[400];
  error = pf_error_none();
  tiny_problem_create(&tiny, TINY_CHOICE, 2);
  tiny.problem.settings->fit.epochs = 0;
  cr_assert(pf_problem_subset(&tiny.problem, first, 1, &view, &error) == PF_OK);
  const pf_folds folds = {.n = 1, .value = 0.6};
  cr_assert(pf_validation_mask(&pf_forecast, &view->data.recordings[0], &folds, 0, flags, &error) ==
            PF_OK);
  pf_recording_mask(&view->data.recordings[0], flags);
  while ((flags[split] & PF_STEP_SCORE) == 0) {
    split++;
  }
  cr_assert(split > 5 && split < view->data.recordings[0].n_steps - 5);
  cr_assert(pf_fit_run(view, NULL, NULL, NULL, &fit, &error) == PF_OK, "%s", error.text);
  cr_assert(fit->groups[0].layout->n == 5);
  memcpy(fit->groups[0].values, theta, sizeof theta);
  const pf_refit null = {0};
  const pf_fold_scoring what = {.fitted = view,
                                .scored = view,
                                .fit = fit,
                                .nulls = &null,
                                .validation = pf_validation_number(&pf_forecast),
                                .fresh = true,
                                .ablations = true,
                                .predictions = true};
  cr_assert(pf_score_fold(&what, &result, &error) == PF_OK, "%s", error.text);
}

static void end(void)
{
  pf_job_result_clear(&result);
  pf_fit_free(view, fit);
  pf_problem_subset_free(view);
  tiny_problem_free(&tiny);
}

TestSuite(compare_score, .init = start, .fini = end);

/* The recording from the split on, as if nothing had been before. Shares everything. */
static pf_recording tail_of(const pf_recording *whole, pf_series *channels, pf_record *targets)
{
  pf_recording tail = *whole;
  tail.n_steps -= split;
  tail.cue += split * whole->n_input;
  tail.flags += split;
  tail.trial += split;
  tail.block += split;
  tail.no_reward = tail.no_reward == NULL ? NULL : tail.no_reward + split;
  for (size_t k = 0; k < whole->n_channels; k++) {
    channels[k] = whole->channels[k];
    channels[k].values += split;
  }
  for (size_t k = 0; k < whole->n_targets; k++) {
    targets[k] = whole->targets[k];
    targets[k].values += split * targets[k].n;
  }
  tail.channels = channels;
  tail.targets = targets;
  return tail;
}

/* Mean over the fresh draws of the log likelihood of the held-out part alone: from weights that a
 * draw starts with, or from those that stand at the split (`learned`), learning on or not. */
static double of_tail(bool learned, bool plastic)
{
  const pf_model *model = view->model;
  const pf_recording *whole = &view->data.recordings[0];
  pf_series channels[8];
  pf_record targets[8];
  double sum = 0.0;
  cr_assert(whole->n_channels <= 8 && whole->n_targets <= 8);
  const pf_recording tail = tail_of(whole, channels, targets);
  for (int64_t d = 0; d < view->settings->evaluate.draws; d++) {
    pf_draw *draw = NULL, *part = NULL;
    pf_workspace *workspace = NULL;
    pf_loss_value value = {0};
    double theta[16], x[800];
    pf_layout_theta(fit->groups[0].layout, fit->groups[0].values, 0, theta);
    cr_assert(pf_problem_draw(view, &(pf_draw_id){&view->data, 0, d, true}, &draw, &error) ==
              PF_OK);
    cr_assert(pf_workspace_create(model, whole->n_steps, &workspace, &error) == PF_OK);
    cr_assert(tail.n_steps * tail.n_input <= 800);
    for (int64_t t = 0; t < tail.n_steps; t++) {
      for (int64_t j = 0; j < tail.n_input; j++) {
        x[t * tail.n_input + j] = (double)draw->input[(split + t) * draw->ld_input + j];
      }
    }
    cr_assert(pf_draw_create(model, &tail, x, draw->noise, &part, &error) == PF_OK, "%s",
              error.text);
    if (learned) {
      int64_t k = 0, ld = 0;
      cr_assert(pf_forward(&(const pf_simulation){model, draw, theta, {&workspace, 1}}, 0,
                           PF_STEP_SCORE, &value, &error) == PF_OK);
      for (int64_t t = 0; t < split; t++) {
        k += (draw->flags[t] & PF_STEP_PLASTIC) != 0 ? 1 : 0;
      }
      const pf_real *at = pf_workspace_weights(workspace, 0, k, &ld);
      double w[64];
      for (int64_t i = 0; i < model->plastic[0].n_post; i++) {
        for (int64_t j = 0; j < model->plastic[0].n_pre; j++) {
          w[i * model->plastic[0].n_pre + j] = (double)at[i * ld + j];
        }
      }
      cr_assert(pf_draw_give_weights(model, part, model->plastic[0].projection, w, &error) ==
                PF_OK);
    }
    cr_assert(pf_forward(&(const pf_simulation){model, part, theta, {&workspace, 1}},
                         plastic ? 0 : PF_SIMULATE_NO_PLASTICITY, PF_STEP_SCORE, &value,
                         &error) == PF_OK);
    sum += value.log_likelihood;
    pf_draw_free(model, part);
    pf_draw_free(model, draw);
    pf_workspace_free(workspace);
  }
  return sum / (double)view->settings->evaluate.draws;
}

/* Measured: they agree to 2e-16 of their size; they differ from one another by 1e-3 and more. */
static void same(double a, double b)
{
  cr_assert(fabs(a - b) <= 1e-12 * (fabs(a) + fabs(b)), "%.17g and %.17g", a, b);
}

Test(compare_score, ablations_are_what_they_say)
{
  cr_assert(result.n_scores == PF_N_ABLATIONS);
  for (size_t a = 0; a < PF_N_ABLATIONS; a++) {
    cr_assert(result.scores[a].ablation == a && result.scores[a].status == PF_OK, "%s",
              result.scores[a].error);
    cr_assert(result.scores[a].n == view->data.recordings[0].n_steps - split);
    cr_assert(result.scores[a].n_fit == split);
  }
  if (sizeof(pf_real) ==
      sizeof(double)) { /* weights given back in single precision are rounded once more */
    same(result.scores[PF_ABLATION_FULL].log_likelihood, of_tail(true, true));
    same(result.scores[PF_ABLATION_STOP].log_likelihood, of_tail(true, false));
  }
  same(result.scores[PF_ABLATION_THETA].log_likelihood, of_tail(false, true));
  same(result.scores[PF_ABLATION_NONE].log_likelihood, of_tail(false, false));
  same(result.scores[PF_ABLATION_FULL].no_plasticity, of_tail(false, false));
  for (size_t a = 0; a < PF_N_ABLATIONS; a++) {
    for (size_t b = 0; b < a; b++) {
      cr_assert(fabs(result.scores[a].log_likelihood - result.scores[b].log_likelihood) > 1e-6,
                "%zu is %zu", a, b);
    }
  }
}

/* The null `mean rate` takes its rate from fitted steps alone. */
Test(compare_score, mean_rate_of_fitted_steps)
{
  const pf_record *choice = pf_recording_target(&view->data.recordings[0], "choice");
  double n[2] = {0.0, 0.0}, p = 0.0;
  for (int64_t t = 0; t < view->data.recordings[0].n_steps; t++) {
    p += t < split ? choice->values[t] / (double)split : 0.0;
    n[t < split ? 0 : choice->values[t] > 0.5 ? 1 : 0] += t < split ? 0.0 : 1.0;
  }
  same(result.scores[0].mean_rate, n[1] * log(p) + n[0] * log1p(-p));
}

/* A fold of one animal is an evaluation with other step masks: the same figures, bit for bit. */
Test(compare_score, figures_are_those_of_an_evaluation)
{
  pf_evaluation *evaluation = NULL;
  cr_assert(pf_evaluate(view, fit, &(pf_observer){0}, &evaluation, &error) == PF_OK, "%s",
            error.text);
  const pf_scores *scores = &evaluation->animals[0].scores;
  cr_assert(evaluation->n_animals == 1 && evaluation->animals[0].status == PF_OK);
  cr_assert(scores->log_likelihood == result.scores[PF_ABLATION_FULL].log_likelihood);
  cr_assert(scores->r2_weights < 1.0 &&
            scores->r2_weights == result.scores[PF_ABLATION_FULL].r2_weights);
  cr_assert(isnan(result.scores[PF_ABLATION_NONE].r2_weights));
  cr_assert(scores->n_scored == result.scores[PF_ABLATION_FULL].n);
  pf_evaluation_free(evaluation);
}

/* Predicted probabilities stand where steps are scored, and give the log likelihood where there is
 * one draw. */
Test(compare_score, predictions)
{
  cr_assert(result.n_predictions == 1 &&
            result.predictions[0].n_steps == view->data.recordings[0].n_steps);
  for (int64_t t = 0; t < result.predictions[0].n_steps; t++) {
    const double p = result.predictions[0].probability[t];
    cr_assert(t < split ? isnan(p) : (p > 0.0 && p < 1.0), "step %lld: %g", (long long)t, p);
  }
}

/* What was written is read back with the same bits; another key, or a file cut short, is not. */
Test(compare_score, files)
{
  char folder[SCRATCH_SIZE], path[SCRATCH_SIZE + 16];
  scratch_create(folder);
  (void)snprintf(path, sizeof path, "%s/1.job", folder);
  pf_job job = {
      .candidate = 1, .validation = pf_validation_number(&pf_forecast), .key = {0x1234, 0x5678}};
  pf_job_result back;
  result.n_free = 5;
  result.n_theta = view->model->n_parameters;
  cr_assert(pf_job_write(&job, &result, path, &error) == PF_OK, "%s", error.text);
  cr_assert(pf_job_read(&job, path, &back));
  cr_assert(back.done && back.n_free == 5 && back.n_scores == result.n_scores &&
            back.n_estimates == 1);
  for (size_t i = 0; i < back.n_scores; i++) {
    cr_assert(memcmp(&back.scores[i].log_likelihood, &result.scores[i].log_likelihood,
                     sizeof(double)) == 0);
    cr_assert(memcmp(&back.scores[i].mean_rate, &result.scores[i].mean_rate, sizeof(double)) == 0);
    cr_assert(isnan(back.scores[i].r2_activity) == isnan(result.scores[i].r2_activity));
  }
  cr_assert(memcmp(back.estimates[0].theta, result.estimates[0].theta,
                   result.n_theta * sizeof(double)) == 0);
  cr_assert(memcmp(back.predictions[0].probability + split,
                   result.predictions[0].probability + split,
                   (size_t)(back.predictions[0].n_steps - split) * sizeof(double)) == 0);
  pf_job_result_clear(&back);
  job.key[1]++;
  cr_assert(!pf_job_read(&job, path, &back));
  job.key[1]--;
  FILE *file = fopen(path, "r+");
  cr_assert(file != NULL && fseek(file, 0, SEEK_END) == 0);
  const long length = ftell(file);
  (void)fclose(file);
  char *text = pf_memory_need((size_t)length, 1, &error);
  file = fopen(path, "r");
  cr_assert(file != NULL && fread(text, 1, (size_t)length, file) == (size_t)length);
  (void)fclose(file);
  for (long cut = length - 2; cut > 0; cut -= 97) { /* not whole, wherever it was cut */
    file = fopen(path, "w");
    cr_assert(file != NULL && fwrite(text, 1, (size_t)cut, file) == (size_t)cut);
    (void)fclose(file);
    cr_assert(!pf_job_read(&job, path, &back), "cut at %ld", cut);
  }
  pf_memory_free(text);
  scratch_remove(folder);
}
