#include "tests/unit/support/tiny_problem.h"
#include "core/base/memory.h"
#include "core/data/expected_reward.h"
#include "core/engine/simulation.h"
#include "core/model/build_model.h"
#include "core/model/plastic.h"
#include "core/state/workspace.h"
#include "tests/unit/support/numbers.h"
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

const pf_plugin *feedforward_LTX_pf_plugin_entry(void);
const pf_plugin *taylor_LTX_pf_plugin_entry(void);
const pf_plugin *choice_LTX_pf_plugin_entry(void);
const pf_plugin *activity_LTX_pf_plugin_entry(void);

enum { N_INPUT = 2, N_HIDDEN = 3, SHORTEST = 40 };

static const char *const channel_names[] = {"reward", "expected_reward"};

static pf_component make(tiny_problem *tiny, const pf_plugin *plugin, const fake_value *given,
                         size_t n)
{
  pf_error error = pf_error_none();
  fake_options options;
  pf_component component = {.plugin = plugin};
  fake_options_init(&options, &plugin->options, given, n);
  pf_status (*create)(const pf_host *, const pf_options *, void **, pf_error *) =
      plugin->rule != NULL
          ? plugin->rule->create
          : (plugin->network != NULL ? plugin->network->create : plugin->loss->create);
  cr_assert(create(&tiny->host.face, &options.face, &component.self, &error) == PF_OK, "%s",
            error.text);
  cr_assert(options.mistakes == 0);
  component.label = pf_memory_string(plugin->name, &error);
  return component;
}

static pf_model *make_model(tiny_problem *tiny, const pf_component *rule, const char *owner)
{
  pf_error error = pf_error_none();
  pf_model *model = NULL;
  const pf_plastic_spec plastic = {
      .rule = rule, .projection = "layer1", .eta = 0.37, .owner = owner};
  const pf_loss_spec loss = {.loss = &tiny->loss, .weight = 1.0, .owner = "losses.[0]"};
  cr_assert(
      pf_model_create(&(const pf_model_spec){&tiny->problem.models->network, &plastic, 1, &loss, 1,
                                             &pf_normalisations[0], (pf_names){channel_names, 2}},
                      &model, &error) == PF_OK,
      "%s", error.text);
  return model;
}

/* One animal: it meets odours of strength near 1 on either input, and accepts three times in five.
 */
static void add_animal(tiny_problem *tiny, enum tiny_loss loss, int index, uint64_t *numbers)
{
  enum { CAPACITY = 400 };
  double cue[CAPACITY * N_INPUT];
  double choice[CAPACITY];
  double reward[CAPACITY];
  double activity[CAPACITY * N_HIDDEN] = {0};
  uint32_t flags[CAPACITY];
  const int64_t n = SHORTEST + 13 * index;
  char name[32];
  cr_assert(n <= CAPACITY);
  for (int64_t t = 0; t < n; t++) {
    const int odour = numbers_uniform(numbers) < 0.5;
    cue[2 * t] = odour ? 1.0 : 0.0;
    cue[2 * t + 1] = odour ? 0.0 : 1.0;
    choice[t] = numbers_uniform(numbers) < 0.6 ? 1.0 : 0.0;
    reward[t] = choice[t] == 1.0 ? (numbers_uniform(numbers) < 0.5 ? 1.0 : 0.0) : NAN;
    flags[t] = PF_STEP_FIT | PF_STEP_SCORE | (choice[t] == 1.0 ? (uint32_t)PF_STEP_PLASTIC : 0U);
  }
  (void)snprintf(name, sizeof name, "Fly%d", index + 1);
  const pf_channel channel = {.name = "reward", .values = reward};
  const pf_target target = loss == TINY_CHOICE
                               ? (pf_target){.name = "choice", .n = 1, .values = choice}
                               : (pf_target){.name = "activity", .n = N_HIDDEN, .values = activity};
  const pf_experiment experiment = {.size = sizeof experiment,
                                    .animal = name,
                                    .name = name,
                                    .n_steps = n,
                                    .n_input = N_INPUT,
                                    .cue = cue,
                                    .flags = flags,
                                    .channels = {&channel, 1, sizeof channel},
                                    .targets = {&target, 1, sizeof target}};
  pf_error error = pf_error_none();
  cr_assert(pf_dataset_add(&tiny->problem.data, &experiment, &error) == PF_OK, "%s", error.text);
  cr_assert(pf_recording_expect_reward(&tiny->problem.data.recordings[index],
                                       &tiny->problem.settings->expectation, &error) == PF_OK,
            "%s", error.text);
}

/* What the teacher would have done becomes what was recorded, and its inputs and weights are given
 * to the fit. */
static void record_activity(tiny_problem *tiny, size_t index, uint64_t *numbers)
{
  pf_problem *problem = &tiny->problem;
  pf_recording *recording = &problem->data.recordings[index];
  pf_error error = pf_error_none();
  const int64_t cells = recording->n_steps * N_INPUT;
  recording->true_input = pf_memory_need((size_t)cells, sizeof(double), &error);
  recording->n_true_noise = problem->model->declared.n_noise;
  recording->true_noise = pf_memory_need((size_t)recording->n_true_noise, sizeof(double), &error);
  cr_assert(recording->true_input != NULL && recording->true_noise != NULL);
  for (int64_t i = 0; i < cells; i++) {
    recording->true_input[i] = 0.75 * recording->cue[i] + 0.12 * numbers_normal(numbers);
  }
  for (int64_t i = 0; i < recording->n_true_noise; i++) {
    recording->true_noise[i] = numbers_normal(numbers);
  }
  pf_draw *draw = NULL;
  pf_workspace *workspace = NULL;
  int64_t n = 0;
  int64_t ld = 0;
  cr_assert(pf_draw_create(problem->models->teacher, recording, recording->true_input,
                           recording->true_noise, &draw, &error) == PF_OK);
  cr_assert(pf_workspace_create(problem->models->teacher, recording->n_steps, &workspace, &error) ==
            PF_OK);
  cr_assert(pf_forward(&(const pf_simulation){problem->models->teacher,
                                              draw,
                                              problem->models->teacher_theta,
                                              {&workspace, 1}},
                       0, PF_STEP_FIT, NULL, &error) == PF_OK,
            "%s", error.text);
  const pf_real *activity = pf_workspace_observable(
      workspace, pf_model_observable(problem->models->teacher, "activity"), &n, &ld);
  cr_assert(n == N_HIDDEN);
  for (int64_t t = 0; t < recording->n_steps; t++) {
    for (int64_t i = 0; i < n; i++) {
      recording->targets[0].values[t * n + i] = (double)activity[t * ld + i];
    }
  }
  pf_workspace_free(workspace);
  pf_draw_free(problem->models->teacher, draw);
}

void tiny_problem_create(tiny_problem *tiny, enum tiny_loss loss, int n_animals)
{
  static const int64_t layers[] = {N_INPUT, N_HIDDEN, 1};
  const fake_value network[] = {FAKE_INTEGERS("layers", layers, 3), FAKE_REAL("readout.gain", 5.0),
                                FAKE_REAL("initial_weights.sd", 0.1)};
  const fake_value fitted[] = {FAKE_STRING("terms", "1 + w + x + r + x r")};
  const fake_value taught[] = {FAKE_STRING("terms", "x r - 0.05 w")};
  pf_problem *problem = &tiny->problem;
  pf_error error = pf_error_none();
  uint64_t numbers = 20240611;
  memset(tiny, 0, sizeof *tiny);
  problem->settings = &tiny->settings;
  problem->models = &tiny->models;
  (void)fake_host_init(&tiny->host);
  tiny->host.fail_at = -1;
  problem->settings->name = pf_memory_string("tiny", &error);
  problem->seed = problem->settings->seed = 7;
  problem->settings->input = (pf_input_noise){.mean = 0.75, .sd = 0.12};
  problem->settings->expectation = (pf_expected_reward){.kind = PF_EXPECTATION_window, .n = 10};
  problem->settings->draws = loss == TINY_ACTIVITY ? 1 : 2;
  problem->settings->give_inputs = problem->settings->give_initial_weights = loss == TINY_ACTIVITY;
  problem->settings->evaluate.draws = 2;
  problem->settings->fit = (pf_fit_settings){.per = PF_FIT_PER_ANIMAL,
                                             .batch = PF_BATCH_DRAW,
                                             .learning_rate = 0.01,
                                             .beta1 = 0.9,
                                             .beta2 = 0.999,
                                             .epsilon = 1e-8,
                                             .epochs = 7,
                                             .log_every = 3};
  problem->settings->record = (pf_record_settings){.counts = PF_RECORD_ACTIVITY, .fraction = 1.0};
  problem->options.n_threads = 1;
  problem->settings->fit.optimiser = pf_memory_string("adam", &error);
  problem->models->network = make(tiny, feedforward_LTX_pf_plugin_entry(), network, 3);
  tiny->rule = make(tiny, taylor_LTX_pf_plugin_entry(), fitted, 1);
  problem->models->teacher_rule = make(tiny, taylor_LTX_pf_plugin_entry(), taught, 1);
  tiny->loss = make(
      tiny, loss == TINY_CHOICE ? choice_LTX_pf_plugin_entry() : activity_LTX_pf_plugin_entry(),
      NULL, 0);
  problem->model = make_model(tiny, &tiny->rule, "rules.learn");
  problem->models->teacher = make_model(tiny, &problem->models->teacher_rule, "source.rule");
  problem->models->teacher_theta =
      pf_memory_need(problem->models->teacher->n_parameters, sizeof(double), &error);
  cr_assert(problem->models->teacher_theta != NULL);
  for (size_t i = 0; i < problem->models->teacher->n_parameters; i++) {
    problem->models->teacher_theta[i] = problem->models->teacher->parameters[i].declared.value;
  }
  for (int a = 0; a < n_animals; a++) {
    add_animal(tiny, loss, a, &numbers);
    if (loss == TINY_ACTIVITY) {
      record_activity(tiny, (size_t)a, &numbers);
    }
  }
}

static void drop(const pf_component *component)
{
  const pf_plugin *plugin = component->plugin;
  if (plugin->rule != NULL) {
    plugin->rule->destroy(component->self);
  } else if (plugin->network != NULL) {
    plugin->network->destroy(component->self);
  } else {
    plugin->loss->destroy(component->self);
  }
  pf_memory_free(component->label);
}

void tiny_problem_free(tiny_problem *tiny)
{
  pf_problem *problem = &tiny->problem;
  pf_model_free(problem->model);
  pf_model_free(problem->models->teacher);
  pf_dataset_free(&problem->data);
  pf_dataset_free(&problem->fresh);
  pf_memory_free(problem->models->teacher_theta);
  pf_memory_free(problem->settings->name);
  pf_memory_free(problem->settings->out);
  pf_memory_free(problem->settings->fit.optimiser);
  drop(&problem->models->network);
  drop(&tiny->rule);
  drop(&problem->models->teacher_rule);
  drop(&tiny->loss);
}
