#include "core/check/check.h"

#include "core/base/memory.h"
#include "core/base/ticker.h"
#include "core/check/check_data.h"
#include "core/check/check_warnings.h"
#include "core/engine/batch.h"
#include "core/engine/explain.h"
#include "core/evaluate/evaluation_plan.h"
#include "core/fit/fit.h"
#include "core/fit/fit_groups.h"
#include "core/fit/fit_memory.h"
#include "core/layout/layout.h"
#include "core/model/modulation.h"
#include "core/model/plastic.h"
#include "core/store/folder.h"
#include "core/truth/names.h"

#include <math.h>
#include <string.h>

enum { MAX_PARAMETERS = 20, TIMED_GRADIENTS = 3 };
static const double mebibyte = 1048576.0, gibibyte = 1073741824.0;

/* ---- plugins ---- */

static void print_plugin(FILE *out, const char *what, const pf_component *component)
{
  (void)fprintf(out, "  %-20s%-14s%-9s%s\n", what, component->plugin->name,
                component->plugin->version == NULL ? "?" : component->plugin->version,
                component->file);
}

static void print_plugins(const pf_problem *problem, FILE *out)
{
  (void)fprintf(out, "Plugins\n");
  print_plugin(out, "source", &problem->models->source);
  print_plugin(out, "network", &problem->models->network);
  for (size_t p = 0; p < problem->models->n_rules; p++) {
    print_plugin(out, problem->models->owners[p], &problem->models->rules[p]);
  }
  for (size_t k = 0; k < problem->models->n_losses; k++) {
    print_plugin(out, problem->models->owners[problem->models->n_rules + k],
                 &problem->models->losses[k]);
  }
  if (problem->models->teacher_rule.plugin != NULL) {
    print_plugin(out, "the truth", &problem->models->teacher_rule);
  }
  for (size_t p = 0; problem->models->teacher_rules != NULL && p < problem->models->n_rules; p++) {
    char what[176];
    (void)snprintf(what, sizeof what, "the truth of %s",
                   problem->models->owners[p] + sizeof "rules." - 1);
    print_plugin(out, what, &problem->models->teacher_rules[p]);
  }
}

/* ---- network ---- */

static const pf_population *population_at(const pf_model *model, int64_t p)
{
  return &model->populations[p];
}

static const pf_plastic *plastic_of(const pf_model *model, size_t q)
{
  for (size_t p = 0; p < model->n_plastic; p++) {
    if (model->plastic[p].projection == (int64_t)q) {
      return &model->plastic[p];
    }
  }
  return NULL;
}

/** " (connected: 12 of 20)"; nothing without a mask. */
static void print_mask(FILE *out, const char *word, const pf_real *mask, int64_t n_post,
                       int64_t n_pre)
{
  int64_t n = 0;
  if (mask == NULL) {
    return;
  }
  for (int64_t i = 0; i < n_post; i++) {
    for (int64_t j = 0; j < n_pre; j++) {
      n += mask[i * pf_leading_dimension(n_pre) + j] != 0 ? 1 : 0;
    }
  }
  (void)fprintf(out, ", %s: %lld of %lld synapses", word, (long long)n,
                (long long)(n_post * n_pre));
}

/** "dan0 at 0, 1; dan1 at 2": which unit has which channel of a family. */
static void print_family(const pf_plastic *plastic, const pf_modulator_source *source, FILE *out)
{
  const bool is_post = source->per == PF_PER_POST;
  const int64_t n = is_post ? plastic->n_post : plastic->n_pre, most = 12;
  (void)fprintf(out, " (by %s unit: ", is_post ? "postsynaptic" : "presynaptic");
  for (int64_t u = 0; u < n && u < most; u++) {
    (void)fprintf(out, "%s%s", u > 0 ? ", " : "", plastic->modulation.channels[source->of_unit[u]]);
  }
  (void)fprintf(out, "%s)", n > most ? ", ..." : "");
}

static void print_modulator(const pf_plastic *plastic, size_t m, FILE *out)
{
  const pf_linear *linear = &plastic->modulators[m];
  pf_text text = {0};
  if (linear->n == 0 && linear->constant == 0.0) { /* nothing modulates */
    return;
  }
  pf_linear_add(&text, linear);
  (void)fprintf(out, ", %s =%s", plastic->modulator_info[m].name,
                text.text != NULL ? text.text : "");
  pf_text_free(&text);
  for (size_t c = 0; c < linear->n; c++) {
    if (plastic->modulation.sources[m][c].per != PF_PER_NETWORK) {
      print_family(plastic, &plastic->modulation.sources[m][c], out);
    }
  }
}

static void print_plastic(const pf_problem *problem, const pf_plastic *plastic, FILE *out)
{
  (void)fprintf(out, ", learns by %s (%s), eta %.4g",
                problem->models->owners[plastic - problem->model->plastic],
                plastic->rule->plugin->name, plastic->eta);
  const char *post = pf_plastic_post(problem->model, plastic);
  const char *pre = pf_plastic_pre(problem->model, plastic);
  if (pre != NULL) {
    (void)fprintf(out, ", x = %s", pre);
  }
  if (post != NULL) {
    (void)fprintf(out, ", y = %s%s", post, plastic->post.signed_choice ? " (1 or -1)" : "");
  }
  for (size_t m = 0; m < plastic->declared.modulators.count; m++) {
    print_modulator(plastic, m, out);
  }
}

/* What is made of inputs and starting weights that nobody recorded. */
static void describe_likelihood(const pf_problem *problem, FILE *out)
{
  const pf_marginal_settings *marginal = &problem->settings->marginal;
  bool any = false;
  for (size_t i = 0; i < problem->data.n; i++) {
    pf_unknowns unknowns;
    pf_stream stream;
    pf_problem_unknowns(problem, &problem->data, i, false, &unknowns, &stream);
    any = any || unknowns.sd > 0.0 || unknowns.missing;
  }
  if (marginal->kind == PF_LIKELIHOOD_MARGINAL) {
    (void)fprintf(out,
                  "  likelihood marginal: what is not known of inputs and starting weights is "
                  "integrated out, %lld particles\n",
                  (long long)marginal->particles);
  } else if (any) {
    (void)fputs("  likelihood mean: the mean over draws of inputs that nobody recorded; it biases "
                "coefficients, and likelihood=marginal\n    does not (doc/unknown-inputs.md)\n",
                out);
  }
}

static void print_network(const pf_problem *problem, FILE *out)
{
  const pf_model *model = problem->model;
  (void)fprintf(out, "Network\n ");
  for (size_t p = 0; p < model->declared.populations.count; p++) {
    const pf_population *population = population_at(model, (int64_t)p);
    (void)fprintf(out, "%s %s: %lld", p > 0 ? "," : "", population->name, (long long)population->n);
  }
  (void)fputc('\n', out);
  for (size_t q = 0; q < model->declared.projections.count; q++) {
    const pf_projection *projection = &model->projections[q];
    const int64_t n_post = population_at(model, projection->post)->n,
                  n_pre = population_at(model, projection->pre)->n;
    const pf_plastic *plastic = plastic_of(model, q);
    (void)fprintf(out, "  projection %s: %lld x %lld from %s", projection->name, (long long)n_post,
                  (long long)n_pre, population_at(model, projection->pre)->name);
    if (plastic != NULL) {
      print_plastic(problem, plastic, out);
    } else {
      (void)fprintf(out, ", not plastic");
    }
    print_mask(out, "connected", model->masks[q].connected, n_post, n_pre);
    print_mask(out, "plastic", model->masks[q].changes, n_post, n_pre);
    (void)fputc('\n', out);
  }
  (void)fprintf(out, "  initial weights: %s\n",
                problem->models->initial != NULL                 ? "from the file, others drawn"
                : problem->settings->give_initial_weights        ? "the animals' own"
                : problem->settings->network.start.per_draw != 0 ? "drawn anew in every draw"
                                                                 : "drawn once per experiment");
  for (size_t k = 0; k < model->n_losses; k++) {
    const pf_loss_term *loss = &model->losses[k];
    (void)fprintf(out, "  loss %s, weight %g:", loss->loss->plugin->name, loss->weight);
    for (size_t o = 0; o < loss->declared.observables.count; o++) {
      (void)fprintf(out, " %s", loss->declared.observables.items[o]);
    }
    (void)fprintf(out, " against");
    const bool weighed = (loss->declared.flags & PF_LOSS_UNEQUAL_CELLS) != 0;
    for (size_t t = 0; t < loss->declared.targets.count; t++) {
      (void)fprintf(out, "%s %s", t > 0 && weighed ? ", weighed by" : "",
                    loss->declared.targets.items[t]);
    }
    if (weighed && loss->declared.targets.count == 1) {
      (void)fprintf(out, ", weighed by unit");
    }
    (void)fprintf(out, "; %s\n", model->normalisation->summary);
  }
  describe_likelihood(problem, out);
}

/* ---- parameters ---- */

static void print_parameter(const pf_model *model, size_t i, const char *key, double start,
                            FILE *out)
{
  const pf_model_parameter *parameter = &model->parameters[i];
  const pf_parameter *declared = &parameter->declared;
  char bounds[64] = "";
  if (isfinite(declared->lower) || isfinite(declared->upper)) {
    (void)snprintf(bounds, sizeof bounds, "%g to %g", declared->lower, declared->upper);
  }
  (void)fprintf(out, "  %-28s%-12s%12.4g  %-18s", key,
                declared->label == NULL ? "" : declared->label, start, bounds);
  if (parameter->tied) {
    (void)fprintf(out, "tied: %g %s", parameter->factor,
                  model->parameters[parameter->tied_to].declared.name);
  } else {
    (void)fprintf(out, "%s", (declared->flags & PF_PARAMETER_FIXED) != 0 ? "fixed" : "free");
  }
  (void)fputc('\n', out);
}

static pf_status print_parameters(const pf_problem *problem, const double *start, bool verbose,
                                  FILE *out, pf_error *error)
{
  const pf_model *model = problem->model;
  char **keys = NULL;
  pf_status status = pf_keys_create(model, &keys, error);
  if (status != PF_OK) {
    return status;
  }
  const size_t most = verbose ? SIZE_MAX : MAX_PARAMETERS;
  size_t n_free = 0, n_reported = 0, n_shown = 0;
  for (size_t i = 0; i < model->n_parameters; i++) {
    n_free += pf_is_free(&model->parameters[i]) ? 1 : 0;
    n_reported += pf_is_reported(model, i) ? 1 : 0;
  }
  (void)fprintf(out, "Parameters: %zu, of which %zu free\n", n_reported, n_free);
  (void)fprintf(out, "  %-28s%-12s%12s  %-18s\n", "name", "",
                problem->warm != NULL ? "warm start" : "start", "bounds");
  for (size_t i = 0; i < model->n_parameters && n_shown < most; i++) {
    if (pf_is_reported(model, i)) {
      print_parameter(model, i, keys[i], start[i], out);
      n_shown++;
    }
  }
  if (n_reported > n_shown) {
    (void)fprintf(out, "  and %zu more (--verbose)\n", n_reported - n_shown);
  }
  pf_keys_free(model, keys);
  return PF_OK;
}

/* ---- plan ---- */

/** Seconds of one gradient of the first draw of the longest recording, on one thread, once it is
 * warm. */
static pf_status time_gradient(const pf_problem *problem, const double *theta, double *seconds,
                               pf_error *error)
{
  const size_t r = (size_t)(pf_dataset_longest(&problem->data) - problem->data.recordings);
  pf_draw *draw = NULL;
  pf_batch *batch = NULL;
  pf_workspace *workspace = NULL;
  double value = 0.0;
  double *gradient = pf_memory_need(problem->model->n_parameters, sizeof *gradient, error);
  if (gradient == NULL) {
    return PF_STOP;
  }
  *seconds = INFINITY;
  pf_status status =
      pf_problem_draw(problem, &(pf_draw_id){&problem->data, r, 0, false}, &draw, error);
  if (status != PF_OK) {
    goto done;
  }
  const pf_draw *one = draw;
  status = pf_batch_create(problem->model, &one, 1, &batch, error);
  if (status != PF_OK) {
    goto done;
  }
  const int64_t n_steps = problem->data.recordings[r].n_steps;
  status = pf_workspace_create(problem->model, n_steps, &workspace, error);
  if (status != PF_OK) {
    goto done;
  }
  for (int i = 0; i < TIMED_GRADIENTS; i++) {
    const double started = pf_clock_seconds();
    status =
        pf_batch_objective(batch, theta, (pf_workspaces){&workspace, 1}, &value, gradient, error);
    if (status != PF_OK) {
      goto done;
    }
    *seconds = fmin(*seconds, pf_clock_seconds() - started);
  }
done:
  pf_workspace_free(workspace);
  pf_batch_free(batch);
  if (draw != NULL) {
    pf_draw_free(problem->model, draw);
  }
  pf_memory_free(gradient);
  return status;
}

/** Of inputs, modulators, targets and the numbers behind initial weights, which all draws of the
 * fit keep. */
static double draw_bytes(const pf_problem *problem)
{
  double cells = 0.0;
  for (size_t r = 0; r < problem->data.n; r++) {
    const pf_recording *recording = &problem->data.recordings[r];
    double columns = (double)pf_leading_dimension(recording->n_input);
    for (size_t p = 0; p < problem->model->n_plastic; p++) {
      columns += (double)pf_modulation_cells(&problem->model->plastic[p]);
    }
    for (size_t k = 0; k < recording->n_targets; k++) {
      columns += (double)recording->targets[k].n;
    }
    cells += columns * (double)recording->n_steps;
  }
  const double noise =
      (double)problem->model->n_noise * (double)problem->data.n * (double)sizeof(double);
  return (cells * (double)sizeof(pf_real) + noise) * (double)problem->settings->draws;
}

/** Of the data themselves. */
static double data_bytes(const pf_problem *problem)
{
  double cells = 0.0;
  for (size_t r = 0; r < problem->data.n; r++) {
    const pf_recording *recording = &problem->data.recordings[r];
    double columns = (double)recording->n_input * (recording->true_input != NULL ? 2.0 : 1.0) +
                     (double)recording->n_channels + 3.0; /* and trial, block, flags */
    for (size_t k = 0; k < recording->n_targets; k++) {
      columns += (double)recording->targets[k].n;
    }
    cells += columns * (double)recording->n_steps + (double)recording->n_true_noise;
  }
  return cells * (double)sizeof(double);
}

static void print_bytes(FILE *out, double bytes)
{
  const bool giga = bytes >= gibibyte;
  (void)fprintf(out, "%.3g %s", giga ? bytes / gibibyte : ceil(bytes / mebibyte * 10.0) / 10.0,
                giga ? "GiB" : "MiB");
}

static void print_duration(FILE *out, double seconds)
{
  if (seconds < 90.0) {
    (void)fprintf(out, "%.2g s", seconds);
  } else if (seconds < 5400.0) {
    (void)fprintf(out, "%.0f min", seconds / 60.0);
  } else {
    (void)fprintf(out, "%.1f h", seconds / 3600.0);
  }
}

static void print_path(const pf_explained *how, FILE *out)
{
  if (how->swept) {
    (void)fprintf(out, "  gradients by sweep: %lld %s of %lld rows through all of time; ",
                  (long long)how->n_blocks, how->n_blocks == 1 ? "block" : "blocks",
                  (long long)how->rows);
  } else {
    (void)fprintf(out, "  gradients by the coupled path: all rows together; ");
  }
  if (how->interval == 0) {
    (void)fprintf(out, "every state of the weights kept (%lld changes)\n",
                  (long long)how->n_changes);
  } else {
    (void)fprintf(out, "a checkpoint every %lld of %lld changes\n", (long long)how->interval,
                  (long long)how->n_changes);
  }
}

/** Of the fits together. */
typedef struct fit_size {
  size_t n_groups;
  double n_draws, n_steps; /**< draws; steps of an optimiser that makes passes */
  int threads;
} fit_size;

static fit_size size_of_fit(const pf_problem *problem)
{
  const pf_fit_settings *fit = &problem->settings->fit;
  fit_size size = {.n_groups = fit->per == PF_FIT_SHARED ? 1 : problem->data.n_animals};
  size.threads = pf_fit_n_threads(problem, size.n_groups);
  size.n_draws = (double)problem->data.n * (double)problem->settings->draws;
  size.n_steps =
      (double)fit->epochs * (fit->batch == PF_BATCH_FULL ? (double)size.n_groups : size.n_draws);
  return size;
}

static void print_fits(const pf_problem *problem, const fit_size *size, FILE *out)
{
  static const char *const words_of_per[] = {", a theta for each animal", ", one theta for all",
                                             ", a theta for each animal, drawn from a population"};
  const pf_fit_settings *fit = &problem->settings->fit;
  const char *threads = size->threads == 1 ? "thread" : "threads";
  (void)fprintf(out, "Plan\n  %zu %s%s; %.0f draws (%zu experiments x %lld)\n", size->n_groups,
                size->n_groups == 1 ? "fit" : "fits", words_of_per[fit->per], size->n_draws,
                problem->data.n, (long long)problem->settings->draws);
  if (pf_fit_optimiser(problem)->fixed_passes) {
    (void)fprintf(out, "  %lld epochs of %s, one step per %s: %.0f steps in all, on %d %s\n",
                  (long long)fit->epochs, fit->optimiser,
                  fit->batch == PF_BATCH_FULL ? "epoch" : "draw", size->n_steps, size->threads,
                  threads);
  } else {
    (void)fprintf(out, "  %s, at most %lld iterations a start, ", fit->optimiser,
                  (long long)fit->iterations);
    if (fit->starts > 0) {
      (void)fprintf(out, "at most %lld %s", (long long)fit->starts,
                    fit->starts == 1 ? "start" : "starts");
    } else {
      (void)fputs("starts until the best optimum was found several times (fit.starts)", out);
    }
    (void)fprintf(out, "; on %d %s\n", size->threads, threads);
  }
}

/** Of the second derivatives of the largest fit; 0: there are none, or products with them alone. */
static pf_status find_curvature_bytes(const pf_problem *problem, const fit_size *size,
                                      double *bytes, pf_error *error)
{
  pf_layout *layout = NULL;
  *bytes = 0.0;
  if (!pf_fit_optimiser(problem)->needs_curvature) {
    return PF_OK;
  }
  const pf_status status = pf_group_layout(problem, 0, &layout, error);
  if (status != PF_OK) {
    return status;
  }
  const size_t n_draws = (size_t)(size->n_draws / (double)size->n_groups);
  const size_t threads = (size_t)size->threads;
  if (pf_curvature_is_allowed(problem, layout, n_draws, threads)) {
    *bytes = pf_curvature_bytes(problem, layout, n_draws, threads);
  }
  pf_layout_free(layout);
  return PF_OK;
}

static void print_memory(const pf_problem *problem, const pf_explained *how, int threads,
                         double curvature, FILE *out)
{
  const double models = problem->models->teacher != NULL ? 2.0 : 1.0; /* model and teacher */
  (void)fprintf(out, "  memory: about ");
  print_bytes(out,
              (double)how->bytes * threads + curvature + draw_bytes(problem) + data_bytes(problem));
  (void)fprintf(out, " in the fit (");
  print_bytes(out, (double)how->bytes);
  (void)fprintf(out, " a thread");
  if (curvature > 0.0) {
    (void)fprintf(out, ", ");
    print_bytes(out, curvature);
    (void)fprintf(out, " for second derivatives");
  }
  (void)fprintf(out, "), ");
  print_bytes(out, (double)how->forward_bytes * models);
  (void)fprintf(out, " a thread in the\n    evaluation; simulations may use ");
  print_bytes(out, (double)problem->settings->memory);
  (void)fprintf(out, "\n");
}

/** How long one gradient takes, and the fit where that follows. Returns the number of warnings. */
static size_t print_time(const pf_problem *problem, const double *start, const fit_size *size,
                         FILE *out)
{
  const pf_fit_settings *fit = &problem->settings->fit;
  pf_error failed = pf_error_none();
  double seconds = 0.0;
  if (time_gradient(problem, start, &seconds, &failed) != PF_OK) {
    (void)fprintf(out, "  WARNING at the start the gradient cannot be computed: %s\n", failed.text);
    return 1;
  }
  (void)fprintf(out, "  one gradient took %.3g ms", 1e3 * seconds);
  if (pf_fit_optimiser(problem)->fixed_passes) {
    const pf_data_counts all = pf_data_count(problem, SIZE_MAX);
    const double mean_length =
        (double)all.n_steps / (double)all.n_experiments / (double)all.longest;
    (void)fputs(": the fit will take about ", out);
    print_duration(out, seconds * mean_length * (double)fit->epochs * size->n_draws *
                            (double)(fit->starts > 1 ? fit->starts : 1) / size->threads);
  }
  (void)fputc('\n', out);
  return 0;
}

static pf_status print_plan(const pf_problem *problem, const double *start, bool verbose,
                            size_t *n_warnings, FILE *out, pf_error *error)
{
  const fit_size size = size_of_fit(problem);
  const pf_evaluation_plan evaluation = pf_evaluation_plan_of(problem);
  pf_explained how = {0};
  double curvature = 0.0;
  pf_status status = pf_problem_explain(problem, &how, error);
  if (status != PF_OK) {
    return status;
  }
  status = find_curvature_bytes(problem, &size, &curvature, error);
  if (status != PF_OK) {
    return status;
  }
  print_fits(problem, &size, out);
  if (verbose) {
    print_path(&how, out);
  }
  print_memory(problem, &how, size.threads, curvature, out);
  *n_warnings += print_time(problem, start, &size, out);
  (void)fprintf(out, "  evaluated on %s: %zu animals x %lld draws; results to '%s'\n",
                evaluation.on, evaluation.data->n_animals, (long long)evaluation.n_draws,
                problem->settings->out);
  return PF_OK;
}

pf_status pf_check_print(const pf_problem *problem, bool verbose, FILE *out, pf_error *error)
{
  size_t n_warnings = 0;
  double *start = pf_memory_need(problem->model->n_parameters, sizeof *start, error);
  if (start == NULL) {
    return PF_STOP;
  }
  pf_status status = pf_fit_start(problem, 0, start, error);
  if (status != PF_OK) {
    goto done;
  }
  (void)fprintf(out, "%s, seed %llu\n\n", problem->settings->name,
                (unsigned long long)problem->settings->seed);
  print_plugins(problem, out);
  (void)fputc('\n', out);
  pf_check_print_data(problem, verbose, out);
  (void)fputc('\n', out);
  print_network(problem, out);
  (void)fputc('\n', out);
  status = print_parameters(problem, start, verbose, out, error);
  if (status != PF_OK) {
    goto done;
  }
  (void)fputc('\n', out);
  status = print_plan(problem, start, verbose, &n_warnings, out, error);
  if (status != PF_OK) {
    goto done;
  }
  (void)fputc('\n', out);
  n_warnings += pf_check_warn(problem, "  WARNING ", out);
  pf_error taken = pf_error_none();
  if (pf_folder_check(problem->settings->out, false, &taken) != PF_OK) {
    (void)fprintf(out, "  WARNING %s\n", taken.text);
    n_warnings++;
  }
  (void)fputs(n_warnings == 0 ? "No warnings.\n" : "", out);
done:
  pf_memory_free(start);
  return status;
}

pf_status pf_check_print_plan(const pf_problem *problem, FILE *out, pf_error *error)
{
  size_t n_warnings = 0;
  double *start = pf_memory_need(problem->model->n_parameters, sizeof *start, error);
  if (start == NULL) {
    return PF_STOP;
  }
  pf_status status = pf_fit_start(problem, 0, start, error);
  if (status == PF_OK) {
    status = print_plan(problem, start, true, &n_warnings, out, error);
  }
  pf_memory_free(start);
  return status;
}
