#define _POSIX_C_SOURCE 200809L
#include "core/problem/memory_budget.h"

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

pf_status pf_memory_read(const pf_config *config, pf_settings *settings, pf_error *error)
{
  const char *text = settings->memory_text;
  settings->memory = default_memory();
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
      settings->memory = (size_t)bytes;
      return PF_OK;
    }
  }
  return pf_config_fail(config, pf_node_get(pf_config_root(config), "memory"), error,
                        "memory: found '%s', expected a size such as \"512 MiB\" or \"2 GiB\"",
                        text);
}

pf_status pf_memory_keep(pf_problem *problem, pf_error *error)
{
  const size_t allowed = problem->settings->memory;
  pf_explained plan;
  if (pf_problem_explain(problem, &plan, error) != PF_OK) {
    return PF_STOP;
  }
  if (plan.bytes * (size_t)problem->options.n_threads <= allowed) {
    return PF_OK;
  }
  problem->model->state_budget = 1; /* checkpoints as far apart as takes least */
  if (pf_problem_explain(problem, &plan, error) != PF_OK) {
    return PF_STOP;
  }
  const size_t threads = allowed / plan.bytes;
  if (threads == 0) {
    return pf_config_fail(problem->config, pf_node_get(pf_config_root(problem->config), "memory"),
                          error,
                          "memory: a gradient of %s takes at least %.4g MiB on one thread, but "
                          "%.4g MiB are allowed; raise `memory`",
                          pf_dataset_longest(&problem->data)->name, (double)plan.bytes * 0x1p-20,
                          (double)allowed * 0x1p-20);
  }
  if ((size_t)problem->options.n_threads > threads) {
    problem->options.n_threads = (int)threads;
  }
  return PF_OK;
}
