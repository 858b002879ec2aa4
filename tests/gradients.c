/*
 * tests/gradients: gradients of whole trajectories against central differences, for every rule x
 * network x loss that ships, and their bits on 1, 2 and 3 threads. A line a rule; failures with all
 * that is needed to find them.
 *
 * What is compared with what is in tests/lab/cases.c; a plugin of the registry that is not there is
 * a failure. In single precision differences say nothing (the objective has 7 digits): only the
 * bits and the two paths through time are then compared, and a line at the end says so.
 */
#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/data/derive.h"
#include "core/model/masks.h"
#include "core/model/starting_weights.h"
#include "tests/lab/animals.h"
#include "tests/lab/bench.h"
#include "tests/lab/cases.h"
#include "tests/lab/table.h"
#include "tests/unit/support/numbers.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { DIRECTIONS = 6 };
static const int64_t lengths[BENCH_DRAWS] = {200, 251, 223};

/*
 * Of |gradient . d - slope| over the norm of the terms of gradient . d. Measured over all cases
 * (gcc 12, AVX2): 1.2e-7 where the objective is smooth (the fifth derivative; recurrences have the
 * largest), 7.2e-7 where steps are short because of kinks (rounding); the rest is room for other
 * compilers. Wrong gradients that were tried: one component of Oja's off by 1e-5 of itself, and its
 * cotangent of y by 1e-4, are 1e-5 and 4e-4 apart.
 */
static const double tolerance = 2e-6;
/* With kinks a step may end beside one: 6.7e-6 measured, of `voltage`, whose adjoint and tangents
 * agree to 4e-15 there. */
static const double tolerance_near_kinks = 1e-5;
/* The paths add up in other orders. Measured 8.9e-14; in single precision 7e-8. */
static const double tolerance_of_paths = sizeof(pf_real) == sizeof(double) ? 1e-11 : 2e-6;

/* Tangents forward against the adjoint backward: both exact. */
static const double tolerance_of_tangents = sizeof(pf_real) == sizeof(double) ? 1e-10 : 5e-3;

static const char *const channels[] = {"reward", "expected_reward", "dan0", "dan1", "dan2"};

/* What one rule, or all of them, came to. */
typedef struct tally {
  bench_derivatives derivatives;
  int64_t n_cases, n_failed;
  int64_t n_tables, n_masked; /* of the cases */
  double worst_paths;
  bench_tangents tangents; /* the worst */
  char worst_case[128];
} tally;

static bool is_found(const pf_found *items, size_t n, uint32_t kind, const char *name)
{
  for (size_t i = 0; i < n; i++) {
    if (items[i].plugin != NULL && items[i].plugin->kind == kind &&
        strcmp(items[i].plugin->name, name) == 0) {
      return true;
    }
  }
  return false;
}

/* Is there a case with this plugin? */
static bool is_covered(const pf_plugin *plugin)
{
  bool covered = plugin->kind == PF_KIND_SOURCE; /* sources have no gradient */
  for (size_t i = 0; i < lab_n_rules; i++) {
    covered =
        covered || (plugin->kind == PF_KIND_RULE && strcmp(plugin->name, lab_rules[i].plugin) == 0);
  }
  for (size_t i = 0; i < lab_n_networks; i++) {
    covered = covered || (plugin->kind == PF_KIND_NETWORK &&
                          strcmp(plugin->name, lab_networks[i].plugin) == 0);
  }
  for (size_t i = 0; i < lab_n_losses; i++) {
    covered = covered ||
              (plugin->kind == PF_KIND_LOSS && strcmp(plugin->name, lab_losses[i].plugins[0]) == 0);
  }
  return covered;
}

static int64_t count_uncovered(const pf_found *items, size_t n)
{
  int64_t missing = 0;
  for (size_t i = 0; i < n; i++) {
    if (items[i].plugin != NULL && !is_covered(items[i].plugin)) {
      printf("FAIL %s '%s' (%s) is in no case of tests/lab/cases.c\n",
             pf_kind_name(items[i].plugin->kind), items[i].plugin->name, items[i].file);
      missing++;
    }
  }
  return missing;
}

static pf_status measure(pf_model *model, const pf_dataset *data, const lab_rule_case *rule,
                         bool has_kinks, uint64_t seed, tally *sum, double *error_of_case,
                         pf_error *error)
{
  bench on;
  bench_derivatives found = {0};
  double paths = 0.0;
  pf_status status = bench_create(model, data, rule->theta_sd, seed, &on, error);
  if (status != PF_OK) {
    return status;
  }
  status = bench_check_bits(&on, model, error);
  status = status == PF_OK ? bench_compare_paths(&on, &paths, error) : status;
#ifdef PF_SINGLE
  (void)has_kinks;
#else
  status =
      status == PF_OK ? bench_differentiate(&on, DIRECTIONS, has_kinks, &found, error) : status;
#endif
  bench_tangents forward = {0};
  if (status == PF_OK) {
    status = bench_compare_tangents(&on, sum->n_cases % 2 == 0, &forward, error);
  }
  bench_free(&on);
  sum->tangents.gradient = fmax(sum->tangents.gradient, forward.gradient);
  sum->tangents.matrix = fmax(sum->tangents.matrix, forward.matrix);
  sum->tangents.scores = fmax(sum->tangents.scores, forward.scores);
  const double forward_worst = fmax(fmax(forward.gradient, forward.matrix), forward.scores);
  sum->derivatives.n += found.n;
  sum->derivatives.n_kinks += found.n_kinks;
  sum->worst_paths = isfinite(paths) ? fmax(sum->worst_paths, paths) : INFINITY;
  *error_of_case = found.worst;
  const double most = has_kinks ? tolerance_near_kinks : tolerance;
  if (status == PF_OK && !(found.worst <= most)) {
    status = pf_fail(error, PF_STOP, "gradient and difference are %.2g apart, expected at most %g",
                     found.worst, most);
  }
  if (status == PF_OK && !(paths <= tolerance_of_paths)) {
    status =
        pf_fail(error, PF_STOP, "the two paths through time are %.2g apart, expected at most %g",
                paths, tolerance_of_paths);
  }
  if (status == PF_OK && !(forward_worst <= tolerance_of_tangents)) {
    status = pf_fail(error, PF_STOP,
                     "tangents and adjoint are %.2g (gradient), %.2g (matrix), %.2g (scores) "
                     "apart, expected at most %g",
                     forward.gradient, forward.matrix, forward.scores, tolerance_of_tangents);
  }
  return status;
}

/* Half of the synapses, drawn at random, are not there, or not plastic. */
static pf_status mask(pf_model *model, const char *projection, uint64_t seed, pf_error *error)
{
  int64_t n_post = 0;
  int64_t n_pre = 0;
  const int64_t index = pf_model_projection(model, projection, &n_post, &n_pre);
  const size_t n = (size_t)(n_post * n_pre);
  uint8_t *masks = pf_memory_need(2 * n, 1, error);
  if (masks == NULL) {
    return PF_STOP;
  }
  for (size_t i = 0; i < n; i++) {
    masks[i] = numbers_uniform(&seed) < 0.75;
    masks[n + i] = numbers_uniform(&seed) < 0.7;
  }
  const pf_status status = pf_model_mask(model, index, masks, masks + n, error);
  pf_memory_free(masks);
  return status;
}

/* Every third case as it comes; the others with all parameters learned, and starting weights, each
 * or as mean and sd.
 */
static pf_status learn(pf_model *model, int64_t n_case, pf_error *error)
{
  const pf_start_spec spec = {.lower = -INFINITY, .upper = INFINITY};
  pf_status status = PF_OK;
  if (n_case % 3 == 0) {
    return PF_OK;
  }
  for (size_t i = 0; i < model->n_parameters; i++) {
    model->parameters[i].declared.flags &= ~(uint32_t)PF_PARAMETER_FIXED;
  }
  for (size_t q = 0; q < model->n_projections && status == PF_OK; q++) {
    const bool each =
        ((size_t)n_case + q) % 2 == 0; /* one of each kind, where there are two projections */
    status = pf_model_learn_start(model, (int64_t)q, each ? PF_START_EACH : PF_START_MEAN_SD, &spec,
                                  error);
  }
  return status;
}

/* A channel for each of three units, made from the others. */
static pf_status add_family(pf_dataset *data, pf_error *error)
{
  static char dan0[] = "dan0", dan1[] = "dan1", dan2[] = "dan2", all[] = "reward + 0.2",
              rest[] = "0.4 expected_reward - reward + 0.1", past[] = "expected_reward * reward";
  static const pf_derived family[] = {{.name = dan0, .of = all, .zero_missing = 1},
                                      {.name = dan1, .of = rest, .zero_missing = 1},
                                      {.name = dan2, .of = past, .zero_missing = 1}};
  for (size_t i = 0; i < data->n; i++) {
    const pf_status status = pf_recording_derive(&data->recordings[i], family, 3, error);
    if (status != PF_OK) {
      return status;
    }
  }
  return PF_OK;
}

static void run_case(pf_registry *registry, const lab_rule_case *rule,
                     const lab_network_case *network, const lab_loss_case *loss, bool has_table,
                     tally *sum)
{
  const pf_normalisation *normalise = &pf_normalisations[sum->n_cases % 3];
  const uint64_t seed =
      20250711U + 1000003U * (uint64_t)(rule - lab_rules) + 7919U * (uint64_t)sum->n_cases;
  char name[128];
  double error_of_case = 0.0;
  lab made;
  pf_dataset data = {0};
  pf_dataset table = {0};
  const bool by_table =
      has_table && sum->n_cases % 2 == 1; /* every other case on data that came through a file */
  pf_text text = {0};
  pf_error error = pf_error_none();
  (void)snprintf(name, sizeof name, "%s, %s, %s%s", network->label, loss->label, normalise->name,
                 by_table ? ", table" : "");
  pf_text_add(&text, "network: { plugin = \"%s\"; %s };\n", network->plugin, network->options);
  pf_text_add(&text, "rules: { %s: { plugin = \"%s\"; eta = 0.15; %s }; %s };\n%s\n",
              network->plastic, rule->plugin, rule->options, network->other_rule, loss->config);
  if (network->sees != NULL) {
    pf_text_add(&text, "sees: { %s = \"%s\"; };\n", network->plastic, network->sees);
  }
  if (network->sees_pre != NULL) {
    pf_text_add(&text, "sees_pre: { %s = \"%s\"; };\n", network->plastic, network->sees_pre);
  }
  if (network->modulator != NULL) {
    pf_text_add(&text, "modulators: { %s = \"%s\"; };\n", network->plastic, network->modulator);
  }
  if (network->compartments != NULL) {
    pf_text_add(&text, "compartments: { %s = %s; };\n", network->plastic, network->compartments);
  }
  pf_status status = text.failed ? pf_fail(&error, PF_STOP, "out of memory")
                                 : lab_create(registry, "case", text.text, normalise,
                                              (pf_names){channels, 5}, &made, &error);
  if (status == PF_OK) {
    for (int d = 0; d < BENCH_DRAWS && status == PF_OK; d++) {
      const lab_widths widths = {network->n_input, network->n_activity, network->n_output};
      status = lab_add_animal(&data, lengths[d], &widths, seed + 31U * (uint64_t)d, &error);
    }
    status = status == PF_OK && network->is_masked
                 ? mask(made.model, network->plastic, seed, &error)
                 : status;
    status = status == PF_OK ? learn(made.model, sum->n_cases, &error) : status;
    status =
        status == PF_OK && by_table ? lab_through_table(registry, &data, &table, &error) : status;
    status = status == PF_OK ? add_family(by_table ? &table : &data, &error) : status;
    sum->n_tables += by_table ? 1 : 0;
    sum->n_masked += network->is_masked ? 1 : 0;
    status = status == PF_OK
                 ? measure(made.model, by_table ? &table : &data, rule,
                           rule->has_kinks || network->has_kinks, seed, sum, &error_of_case, &error)
                 : status;
    pf_dataset_free(&data);
    pf_dataset_free(&table);
    lab_free(&made);
  }
  if (status != PF_OK) {
    printf("FAIL %s { %s }: %s: %s\n", rule->plugin, rule->options, name, error.text);
    sum->n_failed++;
  }
  if (!(error_of_case <= sum->derivatives.worst)) {
    sum->derivatives.worst = error_of_case;
    (void)snprintf(sum->worst_case, sizeof sum->worst_case, "%s", name);
  }
  sum->n_cases++;
  pf_text_free(&text);
}

/* One rule on every network with every loss that fits. */
static void run_rule(pf_registry *registry, const pf_found *items, size_t n,
                     const lab_rule_case *rule, tally *all)
{
  tally sum = {0};
  const bool has_table = is_found(items, n, PF_KIND_SOURCE, "table");
  for (size_t i = 0; i < lab_n_networks; i++) {
    for (size_t k = 0; k < lab_n_losses; k++) {
      const size_t turn = i + (size_t)(rule - lab_rules);
      const bool in_turn =
          turn % (size_t)lab_losses[k].every == 0 && turn % (size_t)lab_networks[i].every == 0;
      const bool has_units = lab_losses[k].plugins[1] == NULL || lab_networks[i].n_activity > 2;
      /* near where a fit starts, some parameters move the objective too little for the short steps
       * that kinks need */
      const bool is_weak = rule->theta_sd == 0.0 && lab_networks[i].has_kinks;
      const bool goes_with =
          rule->networks == NULL || strstr(rule->networks, lab_networks[i].label) != NULL;
      const bool fits =
          goes_with && (in_turn || rule->networks != NULL) && has_units && !is_weak &&
          (lab_losses[k].n_output == 0 || lab_losses[k].n_output == lab_networks[i].n_output);
      if (fits && is_found(items, n, PF_KIND_NETWORK, lab_networks[i].plugin) &&
          is_found(items, n, PF_KIND_LOSS, lab_losses[k].plugins[0]) &&
          (lab_losses[k].plugins[1] == NULL ||
           is_found(items, n, PF_KIND_LOSS, lab_losses[k].plugins[1]))) {
        run_case(registry, rule, &lab_networks[i], &lab_losses[k], has_table, &sum);
      }
    }
  }
  printf("%s %s { %s }: %lld cases, %lld derivatives, worst %.1e (%s), paths %.1e, %lld directions "
         "with kinks, tangents %.1e, matrix %.1e\n",
         sum.n_failed == 0 && sum.n_cases > 0 ? "PASS" : "FAIL", rule->plugin, rule->options,
         (long long)sum.n_cases, (long long)sum.derivatives.n, sum.derivatives.worst,
         sum.worst_case, sum.worst_paths, (long long)sum.derivatives.n_kinks, sum.tangents.gradient,
         sum.tangents.matrix);
  (void)fflush(stdout);
  all->n_cases += sum.n_cases;
  all->n_tables += sum.n_tables;
  all->n_masked += sum.n_masked;
  all->n_failed += sum.n_failed + (sum.n_cases == 0 ? 1 : 0);
  all->derivatives.n += sum.derivatives.n;
  all->derivatives.worst = fmax(all->derivatives.worst, sum.derivatives.worst);
  all->worst_paths = fmax(all->worst_paths, sum.worst_paths);
}

/* tests/gradients [RULE]: of one rule alone. */
int main(int argc, char **argv)
{
  pf_registry *registry = NULL;
  const pf_found *items = NULL;
  size_t n = 0;
  tally all = {0};
  int64_t n_skipped = 0;
  pf_error error = pf_error_none();
  if (pf_registry_create(NULL, &registry, &error) != PF_OK ||
      pf_registry_scan(registry, &items, &n, &error) != PF_OK) {
    printf("FAIL %s\n", error.text);
    pf_registry_free(registry);
    return 1;
  }
  all.n_failed = count_uncovered(items, n);
  for (size_t i = 0; i < lab_n_rules; i++) {
    if (argc > 1 && strcmp(argv[1], lab_rules[i].plugin) != 0) {
      continue;
    }
    if (is_found(items, n, PF_KIND_RULE, lab_rules[i].plugin)) {
      run_rule(registry, items, n, &lab_rules[i], &all);
    } else {
      printf("SKIP %s { %s }: there is no such plugin (configured without it?)\n",
             lab_rules[i].plugin, lab_rules[i].options);
      n_skipped++;
    }
  }
  pf_registry_free(registry);
#ifdef PF_SINGLE
  printf("SKIP derivatives: single precision; only bits and the two paths through time were "
         "compared\n");
  const bool compared = all.n_cases > 0;
#else
  const bool compared = all.derivatives.n > 0;
#endif
  printf("%lld derivatives compared, worst %.1e (at most %g); two paths through time at most %.1e "
         "apart\n",
         (long long)all.derivatives.n, all.derivatives.worst, tolerance, all.worst_paths);
  printf("%lld cases with masks, %lld on data read through a table%s\n", (long long)all.n_masked,
         (long long)all.n_tables, all.n_tables == 0 ? " (SKIP: configured without it?)" : "");
  printf("%lld passed, %lld failed, %lld skipped\n", (long long)(all.n_cases - all.n_failed),
         (long long)all.n_failed, (long long)n_skipped);
  return all.n_failed == 0 && compared ? 0 : 1;
}
