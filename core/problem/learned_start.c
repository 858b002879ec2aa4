/* network.initial_weights.learn: which starting weights are fitted, with what scope, bounds and
 * penalties. */
#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/problem/build.h"
#include "core/model/starting_weights.h"

#include <math.h>
#include <string.h>

static const pf_projection *projection_at(const pf_model *model, size_t q)
{
  const pf_projection_table *table = &model->declared.projections;
  return pf_table_at(table->items, table->stride, table->count, q);
}

/** Is projection q named in the list, or, without one, does it have a rule? */
static bool is_chosen(const pf_options *options, const pf_model *model, size_t q)
{
  const int64_t n = options->length(options, "initial_weights.projections");
  for (int64_t i = 0; i < n; i++) {
    if (strcmp(options->string_at(options, "initial_weights.projections", i),
               projection_at(model, q)->name) == 0) {
      return true;
    }
  }
  for (size_t p = 0; n == 0 && p < model->n_plastic; p++) {
    if (model->plastic[p].projection == (int64_t)q) {
      return true;
    }
  }
  return false;
}

static pf_status check_names(const pf_options *options, const pf_model *model, pf_error *error)
{
  const size_t n = model->declared.projections.count;
  const char **names = pf_memory_need(n, sizeof *names, error);
  pf_status status = names == NULL ? PF_STOP : PF_OK;
  for (size_t q = 0; q < n && status == PF_OK; q++) {
    names[q] = projection_at(model, q)->name;
  }
  for (int64_t i = 0;
       status == PF_OK && i < options->length(options, "initial_weights.projections"); i++) {
    const char *name = options->string_at(options, "initial_weights.projections", i);
    int64_t n_post = 0, n_pre = 0;
    if (pf_model_projection(model, name, &n_post, &n_pre) < 0) {
      const char *near = pf_text_nearest(name, (pf_names){names, n});
      status = pf_fail(error, PF_STOP,
                       "initial_weights.projections: %s has no projection '%s'; did you mean '%s'?",
                       model->network->label, name, near == NULL ? names[0] : near);
    }
  }
  pf_memory_free(names);
  return status;
}

pf_status pf_build_learned_start(const pf_problem *problem, const pf_options *options,
                                 pf_model *model, pf_error *error)
{
  if (options->present(options, "initial_weights.learn") == 0) {
    return PF_OK;
  }
  const bool each = strcmp(options->string(options, "initial_weights.learn"), "each") == 0;
  const pf_start_spec spec = {.scope =
                                  pf_build_scope(options->string(options, "initial_weights.scope")),
                              .lower = options->present(options, "initial_weights.lower") != 0
                                           ? options->real(options, "initial_weights.lower")
                                           : -(double)INFINITY,
                              .upper = options->present(options, "initial_weights.upper") != 0
                                           ? options->real(options, "initial_weights.upper")
                                           : (double)INFINITY,
                              .l1 = options->real(options, "initial_weights.l1"),
                              .l2 = options->real(options, "initial_weights.l2")};
  pf_status status = check_names(options, model, error);
  if (status == PF_OK && options->present(options, "initial_weights.file") != 0) {
    status = pf_fail(error, PF_STOP,
                     "initial_weights has `file`, which states the starting weights, and `learn`, "
                     "which fits them; "
                     "remove one");
  }
  if (status == PF_OK && !(spec.lower <= spec.upper)) {
    status =
        pf_fail(error, PF_STOP,
                "initial_weights: found lower = %g above upper = %g, expected the other way round",
                spec.lower, spec.upper);
  }
  for (size_t q = 0; q < model->declared.projections.count && status == PF_OK; q++) {
    if (is_chosen(options, model, q)) {
      status = pf_model_learn_start(model, (int64_t)q, each ? PF_START_EACH : PF_START_MEAN_SD,
                                    &spec, error);
    }
  }
  if (status != PF_OK) {
    pf_error_locate(error, problem->config,
                    pf_node_get(problem->models->network.node, "initial_weights"));
  }
  return status;
}
