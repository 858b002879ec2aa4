/* The memory budget: what a config allows, and how the engine keeps to it. */
#define _POSIX_C_SOURCE 200809L
#include "core/problem/build.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct {
  const char *name;
  double bytes;
} units[] = {{"", 1.0},   {"B", 1.0},      {"kB", 1e3},     {"MB", 1e6},
             {"GB", 1e9}, {"KiB", 0x1p10}, {"MiB", 0x1p20}, {"GiB", 0x1p30}};

/** A quarter of the machine's memory; 1 GiB where it does not say. */
static size_t default_memory(void)
{
  const long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);
  return pages > 0 && size > 0 ? (size_t)pages / 4 * (size_t)size : (size_t)1 << 30;
}

pf_status pf_build_memory(pf_problem *problem, const char *text, pf_error *error)
{
  problem->settings->memory = default_memory();
  if (text == NULL) {
    return PF_OK;
  }
  char *end = NULL;
  const double number = strtod(text, &end);
  const bool starts = end != text;
  end += strspn(end, " ");
  for (size_t i = 0; i < sizeof units / sizeof units[0] && starts; i++) {
    const double bytes = number * units[i].bytes;
    if (strcmp(end, units[i].name) == 0 && bytes >= 1.0 && bytes < 0x1p62) {
      problem->settings->memory = (size_t)bytes;
      return PF_OK;
    }
  }
  return pf_fail(error, PF_STOP,
                 "memory: found '%s', expected a size such as \"512 MiB\" or \"2 GiB\"", text);
}

pf_status pf_problem_explain(const pf_problem *problem, pf_explained *out, pf_error *error)
{
  return pf_explain(problem->model, pf_dataset_longest(&problem->data), out, error);
}

pf_status pf_build_budget(pf_problem *problem, pf_error *error)
{
  pf_explained plan;
  pf_status status = pf_problem_explain(problem, &plan, error);
  if (status != PF_OK ||
      plan.bytes * (size_t)problem->settings->fit.n_threads <= problem->settings->memory) {
    return status;
  }
  problem->model->state_budget = 1; /* checkpoints as far apart as takes least */
  status = pf_problem_explain(problem, &plan, error);
  if (status == PF_OK && plan.bytes > problem->settings->memory) {
    status = pf_fail(error, PF_STOP,
                     "memory: a gradient of %s takes at least %.4g MiB on one thread, but %.4g MiB "
                     "are allowed; raise "
                     "`memory`",
                     pf_dataset_longest(&problem->data)->name, (double)plan.bytes * 0x1p-20,
                     (double)problem->settings->memory * 0x1p-20);
    pf_error_locate(error, problem->config, pf_node_get(pf_config_root(problem->config), "memory"));
  }
  if (status == PF_OK) {
    const size_t threads = problem->settings->memory / plan.bytes;
    problem->settings->fit.n_threads = (size_t)problem->settings->fit.n_threads > threads
                                           ? (int)threads
                                           : problem->settings->fit.n_threads;
  }
  return status;
}
