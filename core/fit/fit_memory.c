#include "core/fit/fit_memory.h"

#include "core/sensitivity/tangent_memory.h"

/* Draws whose matrices are in memory at a time (core/fit/group_objective.c), and matrices of lm. */
enum { MAX_AT_ONCE = 64, N_MATRICES = 6 };

double pf_curvature_bytes(const pf_problem *problem, const pf_layout *layout, size_t n_draws,
                          size_t n_threads)
{
  int64_t longest = 0;
  size_t n_which = 0;
  for (size_t i = 0; i < layout->n_parameters; i++) {
    n_which += layout->instances[layout->first[i]].value != PF_LAYOUT_NONE ? 1 : 0;
  }
  for (size_t r = 0; r < problem->data.n; r++) {
    const int64_t n_steps = problem->data.recordings[r].n_steps;
    longest = n_steps > longest ? n_steps : longest;
  }
  const double n = (double)n_which, n_values = (double)layout->n;
  const double at_once = (double)(n_draws < MAX_AT_ONCE ? n_draws : MAX_AT_ONCE);
  const double threads = n_draws >= n_threads ? (double)n_threads : 1.0;
  return threads * pf_tangent_bytes(problem->model, longest, n_which) +
         (at_once * n * (n + 1.0) + N_MATRICES * n_values * n_values) * (double)sizeof(double);
}

bool pf_curvature_is_allowed(const pf_problem *problem, const pf_layout *layout, size_t n_draws,
                             size_t n_threads)
{
  const pf_settings *settings = problem->settings;
  return settings->memory == 0 || layout->n <= (size_t)settings->intervals.max_values ||
         pf_curvature_bytes(problem, layout, n_draws, n_threads) <= (double)settings->memory;
}
