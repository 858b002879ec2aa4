/* Scalars of the config: what the host itself is told. */
#include "core/base/memory.h"
#include "core/optimise/optimiser.h"
#include "core/problem/build.h"
#include "core/problem/keys.h"

#include <string.h>
#ifdef _OPENMP
#include <omp.h>
#endif

static int available_threads(void)
{
#ifdef _OPENMP
  return omp_get_max_threads();
#else
  return 1;
#endif
}

static void read_fit(pf_problem *problem, const pf_options *options)
{
  pf_fit_settings *fit = &problem->settings->fit;
  int64_t threads = options->integer(options, "threads");
  fit->per = strcmp(options->string(options, "fit.per"), "shared") == 0 ? PF_FIT_SHARED
                                                                        : PF_FIT_PER_ANIMAL;
  fit->batch =
      strcmp(options->string(options, "fit.batch"), "full") == 0 ? PF_BATCH_FULL : PF_BATCH_DRAW;
  fit->learning_rate = options->real(options, "fit.learning_rate");
  fit->beta1 = options->real(options, "fit.beta1");
  fit->beta2 = options->real(options, "fit.beta2");
  fit->epsilon = options->real(options, "fit.epsilon");
  fit->iterations = options->integer(options, "fit.iterations");
  fit->evaluations = options->integer(options, "fit.evaluations");
  fit->tolerance_gradient = options->real(options, "fit.tolerance.gradient");
  fit->tolerance_progress = options->real(options, "fit.tolerance.progress");
  fit->tolerance_step = options->real(options, "fit.tolerance.step");
  fit->starts = options->integer(options, "fit.starts");
  fit->spread = options->real(options, "fit.spread");
  fit->epochs = options->integer(options, "fit.epochs");
  fit->log_every = options->integer(options, "fit.log_every");
  fit->l1 = options->real(options, "penalty.l1");
  fit->l2 = options->real(options, "penalty.l2");
  fit->n_threads = threads > 0 ? (int)threads : available_threads();
  problem->settings->evaluate.draws = options->integer(options, "evaluate.draws");
  problem->settings->evaluate.animals = options->integer(options, "evaluate.animals");
  problem->settings->seed = (uint64_t)options->integer(options, "seed");
}

static uint32_t read_normalise(const pf_options *options)
{
  const char *word = options->string(options, "normalise");
  return strcmp(word, "padded") == 0 ? PF_NORMALISE_PADDED
         : strcmp(word, "sum") == 0  ? PF_NORMALISE_SUM
                                     : PF_NORMALISE_STEPS;
}

static pf_status read_strings(pf_problem *problem, const pf_options *options, pf_error *error)
{
  problem->settings->name = pf_memory_string(options->string(options, "name"), error);
  problem->settings->fit.optimiser =
      pf_memory_string(options->string(options, "fit.optimiser"), error);
  if (problem->settings->name == NULL || problem->settings->fit.optimiser == NULL) {
    return PF_STOP;
  }
  if (options->present(options, "init.theta") != 0) {
    problem->settings->warm_path = pf_memory_string(options->string(options, "init.theta"), error);
    if (problem->settings->warm_path == NULL) {
      return PF_STOP;
    }
  }
  if (options->present(options, "out") != 0) {
    problem->settings->out = pf_memory_string(options->string(options, "out"), error);
    return problem->settings->out == NULL ? PF_STOP : PF_OK;
  }
  size_t length = strlen(problem->settings->name) + sizeof "runs/";
  problem->settings->out = pf_memory_need(length, 1, error);
  if (problem->settings->out == NULL) {
    return PF_STOP;
  }
  (void)snprintf(problem->settings->out, length, "runs/%s", problem->settings->name);
  return PF_OK;
}

/* What an optimiser cannot do at all, said before the data are read. */
static pf_status check_optimiser(const pf_problem *problem, const pf_view *view, pf_error *error)
{
  char what[64];
  if (problem->settings->fit.l1 == 0.0) {
    return PF_OK;
  }
  (void)snprintf(what, sizeof what, "penalty.l1 = %g", problem->settings->fit.l1);
  const pf_status status =
      pf_optimiser_check_l1(pf_optimiser_find(problem->settings->fit.optimiser), what, error);
  if (status != PF_OK) {
    pf_error_locate(error, problem->config, pf_view_node(view, "fit.optimiser"));
  }
  return status;
}

/** Is `name` the group that options of the table lie in? Then they say what may stand there. */
static bool is_group_of(pf_option_table table, const char *name)
{
  const size_t length = strlen(name);
  for (size_t i = 0; i < table.count; i++) {
    const char *path =
        ((const pf_option *)pf_table_at(table.items, table.stride, table.count, i))->name;
    if (strncmp(path, name, length) == 0 && (path[length] == '.' || path[length] == '[')) {
      return true;
    }
  }
  return false;
}

/** Is there an option, or a group of options, of that name? */
static bool has_option(pf_option_table table, const char *name)
{
  for (size_t i = 0; i < table.count; i++) {
    const pf_option *option = pf_table_at(table.items, table.stride, table.count, i);
    if (strcmp(option->name, name) == 0) {
      return true;
    }
  }
  return is_group_of(table, name);
}

/** Is it a key of the group `group`: the host's, or its plugin's? */
static bool belongs_to(const pf_config *config, pf_registry *registry, const char *group,
                       uint32_t kind, const char *name)
{
  const pf_plugin *plugin = NULL;
  const char *called = NULL;
  pf_error unused = pf_error_none();
  if (!pf_node_string(pf_node_get(pf_node_get(pf_config_root(config), group), "plugin"), &called) ||
      pf_registry_find(registry, kind, called, &plugin, NULL, &unused) != PF_OK) {
    return false;
  }
  return has_option(plugin->options, name) || has_option(pf_keys_of_kind(kind), name);
}

/** A key that nobody knows at the root, but the plugin of one of its groups does, is told where it
 * belongs. */
static void point_below(const pf_config *config, pf_error *error)
{
  static const struct {
    const char *group;
    uint32_t kind;
  } groups[] = {{"source", PF_KIND_SOURCE}, {"network", PF_KIND_NETWORK}};
  const pf_node *root = pf_config_root(config);
  const pf_names known = pf_keys_root_groups();
  pf_registry *registry = NULL;
  pf_error unused = pf_error_none(), better = pf_error_none();
  if (pf_registry_create(NULL, &registry, &unused) != PF_OK) {
    return;
  }
  for (int64_t i = 0; i < pf_node_count(root) && better.text[0] == '\0'; i++) {
    const pf_node *node = pf_node_at(root, i);
    const char *name = pf_node_name(node);
    bool is_known = has_option(pf_keys_root(), name);
    for (size_t k = 0; k < known.count; k++) {
      is_known = is_known || strcmp(known.items[k], name) == 0;
    }
    for (size_t k = 0; k < sizeof groups / sizeof groups[0] && !is_known; k++) {
      if (belongs_to(config, registry, groups[k].group, groups[k].kind, name)) {
        (void)pf_fail(&better, PF_STOP, "the config has no option '%s'; did you mean '%s.%s'?",
                      name, groups[k].group, name);
        pf_error_locate(&better, config, node);
        is_known = true;
      }
    }
  }
  pf_registry_free(registry);
  if (better.text[0] != '\0') {
    *error = better;
  }
}

pf_status pf_build_settings(pf_problem *problem, uint32_t *normalise, pf_error *error)
{
  pf_view *view = NULL;
  const pf_group root = {.config = problem->config,
                         .node = pf_config_root(problem->config),
                         .what = "the config",
                         .table = pf_keys_root(),
                         .others = pf_keys_root_groups()};
  pf_status status = pf_view_create(&root, &view, error);
  if (status != PF_OK) {
    point_below(problem->config, error);
    return status;
  }
  const pf_options *options = pf_view_options(view);
  const char *plugin_path = options->present(options, "plugin_path") != 0
                                ? options->string(options, "plugin_path")
                                : NULL;
  read_fit(problem, options);
  problem->settings->report = options->boolean(options, "report") != 0;
  *normalise = read_normalise(options);
  status = read_strings(problem, options, error);
  status = status == PF_OK ? check_optimiser(problem, view, error) : status;
  status = status == PF_OK ? pf_build_intervals(problem, view, error) : status;
  if (status == PF_OK) {
    const char *memory =
        options->present(options, "memory") != 0 ? options->string(options, "memory") : NULL;
    status = pf_build_memory(problem, memory, error);
    if (status != PF_OK) {
      pf_error_locate(error, problem->config, pf_view_node(view, "memory"));
    }
  }
  status = status == PF_OK ? pf_registry_create(plugin_path, &problem->registry, error) : status;
  status = status == PF_OK ? pf_view_verify(view, error) : status;
  pf_view_free(view);
  return status;
}

pf_status pf_build_host_view(const pf_problem *problem, const pf_component *component,
                             uint32_t kind, const char *what, pf_view **view, pf_error *error)
{
  /* the rest of the group is the plugin's, which has been checked with the component, and the
   * host's groups */
  const pf_option_table *own = &component->plugin->options;
  pf_names host = pf_keys_names_of_kind(kind);
  const char **others = pf_memory_need(own->count + host.count, sizeof *others, error);
  if (others == NULL) {
    return PF_STOP;
  }
  for (size_t i = 0; i < own->count; i++) {
    others[i] = ((const pf_option *)pf_table_at(own->items, own->stride, own->count, i))->name;
  }
  size_t n = own->count;
  for (size_t i = 0; i < host.count; i++) {
    if (!is_group_of(pf_keys_of_kind(kind), host.items[i])) {
      others[n++] = host.items[i];
    }
  }
  const pf_group group = {.config = problem->config,
                          .node = component->node,
                          .what = what,
                          .table = pf_keys_of_kind(kind),
                          .others = {others, n}};
  pf_status status = pf_view_create(&group, view, error);
  pf_memory_free(others);
  return status;
}

static pf_record_counts counts_of(const pf_options *options)
{
  if (options->present(options, "record.counts") == 0) {
    return PF_RECORD_ACTIVITY;
  }
  const char *link = options->string(options, "record.counts");
  return strcmp(link, "exp") == 0        ? PF_RECORD_COUNTS_EXP
         : strcmp(link, "softplus") == 0 ? PF_RECORD_COUNTS_SOFTPLUS
                                         : PF_RECORD_COUNTS_IDENTITY;
}

/** source.input.channels; the names stay the config's. */
static pf_status read_input_channels(pf_problem *problem, const pf_view *view, pf_error *error)
{
  const pf_options *options = pf_view_options(view);
  const int64_t n = options->length(options, "input.channels");
  if (n > 0 && pf_source_is_task(&problem->models->source)) {
    (void)pf_fail(error, PF_STOP,
                  "source.input.channels: the inputs of a task's animals are its cues; make a "
                  "table with `plastfit "
                  "simulate`, and read its channels");
    pf_error_locate(error, problem->config, pf_view_node(view, "input.channels"));
    return PF_STOP;
  }
  const char **names = pf_memory_need((size_t)n, sizeof *names, error);
  if (names == NULL) {
    return PF_STOP;
  }
  for (int64_t i = 0; i < n; i++) {
    names[i] = options->string_at(options, "input.channels", i);
  }
  problem->settings->input_channels = (pf_names){names, (size_t)n};
  return PF_OK;
}

pf_status pf_build_source_keys(pf_problem *problem, int64_t *animals, pf_error *error)
{
  pf_view *view = NULL;
  pf_status status =
      pf_build_host_view(problem, &problem->models->source, PF_KIND_SOURCE, "source", &view, error);
  if (status != PF_OK) {
    return status;
  }
  const pf_options *options = pf_view_options(view);
  problem->settings->input.mean = options->real(options, "input.mean");
  problem->settings->input.sd = options->real(options, "input.sd");
  problem->settings->draws = options->integer(options, "input.draws");
  problem->settings->expectation.kind =
      strcmp(options->string(options, "expected_reward.kind"), "exponential") == 0
          ? PF_EXPECTATION_EXPONENTIAL
          : PF_EXPECTATION_WINDOW;
  problem->settings->expectation.n = options->integer(options, "expected_reward.n");
  problem->settings->expectation.rate = options->real(options, "expected_reward.rate");
  problem->settings->record.counts = counts_of(options);
  problem->settings->record.gain = options->real(options, "record.gain");
  problem->settings->record.baseline = options->real(options, "record.baseline");
  problem->settings->record.noise = options->real(options, "record.noise");
  problem->settings->record.fraction = options->real(options, "record.fraction");
  problem->settings->record.once = strcmp(options->string(options, "record.units"), "once") == 0;
  problem->settings->give_inputs = options->boolean(options, "give.inputs") != 0;
  problem->settings->give_initial_weights = options->boolean(options, "give.initial_weights") != 0;
  *animals = options->integer(options, "animals");
  const bool task = pf_source_is_task(&problem->models->source);
  if (task && problem->settings->fit.per == PF_FIT_PER_ANIMAL &&
      problem->settings->evaluate.animals > 0) {
    const pf_host *host = pf_host_default();
    host->warn(host, "fit.per = \"animal\": fresh animals have no theta of their own, so fresh "
                     "draws are scored instead of "
                     "evaluate.animals");
    problem->settings->evaluate.animals = 0;
  }
  if (!task && (problem->settings->give_inputs || problem->settings->give_initial_weights)) {
    status =
        pf_fail(error, PF_STOP,
                "source.give: only a task knows its animals' inputs and weights; %s reads data",
                problem->models->source.label);
    pf_error_locate(error, problem->config, pf_view_node(view, "give.inputs"));
  } else if (!task &&
             (problem->settings->record.noise > 0.0 || problem->settings->record.fraction < 1.0 ||
              problem->settings->record.counts != PF_RECORD_ACTIVITY)) {
    status =
        pf_fail(error, PF_STOP,
                "source.record: only what a task's animals do can be recorded worse; %s reads data",
                problem->models->source.label);
    pf_error_locate(error, problem->config, pf_node_get(problem->models->source.node, "record"));
  } else if (problem->settings->record.noise > 0.0 &&
             problem->settings->record.counts != PF_RECORD_ACTIVITY) {
    status = pf_fail(error, PF_STOP,
                     "source.record: found `counts` and `noise`, expected one of them: spike "
                     "counts are noisy as they "
                     "are");
    pf_error_locate(error, problem->config,
                    pf_node_get(problem->models->source.node, "record.noise"));
  } else if (!task && problem->settings->evaluate.animals > 0) {
    status = pf_fail(error, PF_STOP,
                     "evaluate.animals: only a task can simulate fresh animals; %s reads data",
                     problem->models->source.label);
    pf_error_locate(error, problem->config,
                    pf_node_get(pf_config_root(problem->config), "evaluate.animals"));
  }
  status = status == PF_OK ? read_input_channels(problem, view, error) : status;
  status = status == PF_OK ? pf_view_verify(view, error) : status;
  pf_view_free(view);
  return status;
}
