/* Which channels the data will have: the source's, expected reward, and those that `source.derive`
 * makes of them. */
#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/problem/build.h"
#include "core/problem/keys.h"

#include <string.h>

const pf_node *pf_build_truth_group(const pf_problem *problem)
{
  return pf_source_is_task(&problem->models->source)
             ? problem->models->source.node
             : pf_node_get(problem->models->source.node, "truth");
}

static bool has(const char *const *names, size_t n, const char *name)
{
  for (size_t i = 0; i < n; i++) {
    if (strcmp(names[i], name) == 0) {
      return true;
    }
  }
  return false;
}

pf_status pf_build_channel_names(const pf_problem *problem, bool live, pf_names *out,
                                 pf_error *error)
{
  pf_source_declaration declared = {.size = sizeof declared};
  pf_status status = problem->models->source.plugin->source->declare(problem->models->source.self,
                                                                     &declared, error);
  if (status != PF_OK) {
    return status;
  }
  const char **names = pf_memory_need(declared.channels.count + 1 + problem->settings->n_derived,
                                      sizeof *names, error);
  if (names == NULL) {
    return PF_STOP;
  }
  size_t n = 0;
  for (size_t i = 0; i < declared.channels.count; i++) {
    names[n++] = declared.channels.items[i];
  }
  if (has(names, n, "reward") && !has(names, n, "expected_reward")) {
    names[n++] = "expected_reward";
  }
  for (size_t k = 0; k < problem->settings->n_derived && !live; k++) {
    names[n++] = problem->settings->derived[k].name;
  }
  *out = (pf_names){names, n};
  return PF_OK;
}

/** Element i of `derive`: { name = "..."; of = "..."; lag = 1; } */
static pf_status read_one(const pf_problem *problem, const pf_options *options, int64_t i,
                          pf_derived *out, pf_error *error)
{
  char name[64], of[64], lag[64], trials[64], difference[64], turned[64];
  (void)snprintf(name, sizeof name, "derive[%lld].name", (long long)i);
  (void)snprintf(of, sizeof of, "derive[%lld].of", (long long)i);
  (void)snprintf(lag, sizeof lag, "derive[%lld].lag", (long long)i);
  (void)snprintf(trials, sizeof trials, "derive[%lld].lag_trials", (long long)i);
  (void)snprintf(difference, sizeof difference, "derive[%lld].difference", (long long)i);
  (void)snprintf(turned, sizeof turned, "derive[%lld].signed_by_cue", (long long)i);
  const bool lags = options->present(options, lag) != 0;
  const bool lags_trials = options->present(options, trials) != 0;
  const bool differs = options->present(options, difference) != 0;
  out->name = pf_memory_string(options->string(options, name), error);
  out->of = pf_memory_string(options->string(options, of), error);
  if (out->name == NULL || out->of == NULL) {
    return PF_STOP;
  }
  out->lag = lags ? options->integer(options, lag) : 0;
  out->lag_trials = lags_trials ? options->integer(options, trials) : 0;
  out->difference = differs ? options->integer(options, difference) : 0;
  out->signed_by_cue = options->boolean(options, turned) != 0;
  if ((int)lags + (int)lags_trials + (int)differs != 1) {
    return pf_fail(
        error, PF_STOP,
        "'%s' is derived with %s, expected one of lag = N, lag_trials = N, difference = N",
        out->name, lags || lags_trials || differs ? "several of them" : "none of them");
  }
  if (differs && out->signed_by_cue) {
    return pf_fail(error, PF_STOP,
                   "'%s' is a difference, which signed_by_cue says nothing about; expected a lag",
                   out->name);
  }
  pf_source_declaration declared = {.size = sizeof declared};
  pf_names known = {0};
  pf_status status = problem->models->source.plugin->source->declare(problem->models->source.self,
                                                                     &declared, error);
  status = status == PF_OK ? pf_build_channel_names(problem, false, &known, error) : status;
  if (status != PF_OK) {
    return status;
  }
  const bool of_target = !differs && has(declared.targets.items, declared.targets.count, out->of);
  if (has(known.items, known.count, out->name)) {
    (void)pf_fail(error, PF_STOP, "there is a channel '%s' already, expected a new name",
                  out->name);
  } else if (!of_target && !has(known.items, known.count, out->of)) {
    const char *nearest = pf_text_nearest(out->of, known);
    pf_text all = {0};
    for (size_t k = 0; k < known.count; k++) {
      pf_text_add(&all, "%s%s", k > 0 ? ", " : "", known.items[k]);
    }
    (void)pf_fail(error, PF_STOP,
                  "there is no channel '%s' to derive '%s' from%s%s%s; the data have: %s", out->of,
                  out->name, nearest == NULL ? "" : "; did you mean '",
                  nearest == NULL ? "" : nearest, nearest == NULL ? "" : "'",
                  all.text == NULL ? "none" : all.text);
    pf_text_free(&all);
  }
  pf_memory_free((void *)known.items);
  return error != NULL && error->text[0] != '\0' ? PF_STOP : PF_OK;
}

pf_status pf_build_derived(pf_problem *problem, pf_error *error)
{
  const pf_node *list = pf_node_get(problem->models->source.node, "derive");
  const int64_t n = pf_node_count(list);
  pf_view *view = NULL;
  if (n == 0) {
    return PF_OK;
  }
  pf_status status =
      pf_build_host_view(problem, &problem->models->source, PF_KIND_SOURCE, "source", &view, error);
  if (status != PF_OK) {
    return status;
  }
  problem->settings->derived = pf_memory_need((size_t)n, sizeof *problem->settings->derived, error);
  status = problem->settings->derived == NULL ? PF_STOP : PF_OK;
  for (int64_t i = 0; i < n && status == PF_OK; i++) {
    pf_derived derived = {0};
    status = read_one(problem, pf_view_options(view), i, &derived, error);
    if (status != PF_OK) {
      pf_memory_free(derived.name);
      pf_memory_free(derived.of);
      pf_error_locate(error, problem->config, pf_node_at(list, i));
    } else {
      problem->settings->derived[problem->settings->n_derived++] = derived;
    }
  }
  pf_view_free(view);
  return status;
}

void pf_build_derived_free(pf_problem *problem)
{
  for (size_t k = 0; k < problem->settings->n_derived; k++) {
    pf_memory_free(problem->settings->derived[k].name);
    pf_memory_free(problem->settings->derived[k].of);
  }
  pf_memory_free(problem->settings->derived);
}
