#define _POSIX_C_SOURCE 200809L

#include "core/store/simulated.h"
#include "core/base/array.h"
#include "core/base/memory.h"
#include "core/data/data_names.h"
#include "core/problem/problem.h"
#include "core/store/csv_file.h"
#include "core/store/folder.h"
#include "core/truth/truth.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- table.csv ---- */

static bool is_number_made_here(const pf_problem *problem, const char *channel)
{
  bool derived = pf_is_expected_reward(channel);
  for (size_t k = 0; k < problem->settings->n_derived; k++) {
    derived = derived || strcmp(problem->settings->derived[k].name, channel) == 0;
  }
  return derived;
}

/** Column of cell j of a target: "choice", "y3", or for another target its name and the number. */
static void target_column(const pf_record *record, int64_t j, char *text, size_t capacity)
{
  if (pf_is_choice(record->name)) {
    (void)snprintf(text, capacity, "choice");
  } else if (pf_is_activity(record->name)) {
    (void)snprintf(text, capacity, "y%lld", (long long)j + 1);
  } else {
    (void)snprintf(text, capacity, "%.80s_%lld", record->name, (long long)j + 1);
  }
}

static void table_header(const pf_problem *problem, const pf_recording *first, FILE *file)
{
  char name[128];
  (void)fputs(problem->settings->sessions.persist ? "animal,session,block,trial,step"
                                                  : "animal,block,trial,step",
              file);
  if (first->dt != NULL) {
    (void)fputs(",dt", file);
  }
  for (int64_t j = 0; j < first->n_input; j++) {
    (void)fprintf(file, ",x%lld", (long long)j + 1);
  }
  for (size_t k = 0; k < first->n_targets; k++) {
    for (int64_t j = 0; j < first->targets[k].n; j++) {
      target_column(&first->targets[k], j, name, sizeof name);
      (void)fputc(',', file);
      pf_csv_text(file, name);
    }
  }
  for (size_t k = 0; k < first->n_channels; k++) {
    if (!is_number_made_here(problem, first->channels[k].name)) {
      (void)fputc(',', file);
      pf_csv_text(file, first->channels[k].name);
    }
  }
  (void)fputs(pf_teacher_has_groups(problem->models) ? ",plastic,group\n" : ",plastic\n", file);
}

static void table_row(const pf_problem *problem, const pf_recording *r, int64_t t, int64_t session,
                      FILE *file)
{
  const double *x =
      problem->settings->give_inputs && r->true_input != NULL ? r->true_input : r->cue;
  pf_csv_text(file, r->animal);
  if (problem->settings->sessions.persist) {
    (void)fprintf(file, ",%lld", (long long)session);
  }
  (void)fprintf(file, ",%lld,%lld,%lld", (long long)r->block[t], (long long)r->trial[t],
                (long long)t);
  if (r->dt != NULL) {
    (void)fputc(',', file);
    pf_csv_number(file, r->dt[t]);
  }
  for (int64_t j = 0; j < r->n_input; j++) {
    (void)fputc(',', file);
    pf_csv_number(file, x[t * r->n_input + j]);
  }
  for (size_t k = 0; k < r->n_targets; k++) {
    for (int64_t j = 0; j < r->targets[k].n; j++) {
      (void)fputc(',', file);
      pf_csv_number(file, r->targets[k].values[t * r->targets[k].n + j]);
    }
  }
  for (size_t k = 0; k < r->n_channels; k++) {
    if (!is_number_made_here(problem, r->channels[k].name)) {
      (void)fputc(',', file);
      if (!pf_is_reward(r->channels[k].name) || r->no_reward == NULL || r->no_reward[t] == 0) {
        pf_csv_number(file, r->channels[k].values[t]);
      }
    }
  }
  (void)fprintf(file, ",%d", (r->flags[t] & PF_STEP_PLASTIC) != 0 ? 1 : 0);
  if (pf_teacher_has_groups(problem->models)) {
    (void)fprintf(file, ",%s", pf_teacher_group(r->animal_number));
  }
  (void)fputc('\n', file);
}

static void write_table(const pf_problem *problem, const pf_dataset *data, FILE *file)
{
  table_header(problem, &data->recordings[0], file);
  for (size_t i = 0; i < data->n; i++) {
    int64_t session = 0;
    for (int64_t t = 0; t < data->recordings[i].n_steps; t++) {
      session += (data->recordings[i].flags[t] & PF_STEP_NEW_SESSION) != 0 ? 1 : 0;
      table_row(problem, &data->recordings[i], t, session, file);
    }
  }
}

/* ---- initial_weights.csv ---- */

/** A teacher's; those of a fitted rule are nobody's to know. */
static bool knows_weights(const pf_problem *problem)
{
  return problem->settings->give_initial_weights && problem->models->teacher != NULL;
}

static const pf_projection *projection_at(const pf_model *model, size_t q)
{
  return &model->projections[q];
}

static void write_weights_of(const pf_model *model, const char *animal, pf_real *const *w,
                             FILE *file)
{
  for (size_t q = 0; q < model->n_projections; q++) {
    const pf_projection *info = projection_at(model, q);
    const pf_population *pre = &model->populations[info->pre];
    const size_t n_pre = (size_t)pre->n;
    for (size_t i = 0; i < pf_initial_cells(model, q); i++) {
      pf_csv_text(file, animal);
      (void)fputc(',', file);
      pf_csv_text(file, info->name);
      (void)fprintf(file, ",%zu,%zu,%.17g\n", i / n_pre, i % n_pre, (double)w[q][i]);
    }
  }
}

static pf_status write_weights(const pf_problem *problem, FILE *file, pf_error *error)
{
  (void)fputs("animal,projection,post,pre,value\n", file);
  for (size_t i = 0; i < problem->data.n; i++) {
    const pf_recording *recording = &problem->data.recordings[i];
    pf_real **w = NULL;
    const pf_status status =
        pf_initial_weights(problem->models->teacher, pf_teacher_theta(problem->models, recording),
                           recording->true_noise, &w, error);
    if (status != PF_OK) {
      return status;
    }
    write_weights_of(problem->models->teacher, recording->animal, w, file);
    pf_initial_weights_free(problem->models->teacher, w);
  }
  return PF_OK;
}

/* ---- fit.cfg ---- */

/** NAME = VALUE of a group as given, if it has it. */
static pf_status copy_setting(const pf_node *group, const char *name, FILE *file, pf_error *error)
{
  const pf_node *node = pf_node_get(group, name);
  if (node == NULL) {
    return PF_OK;
  }
  char *text = pf_node_text(node, error);
  if (text == NULL) {
    return PF_STOP;
  }
  (void)fprintf(file, " %s = %s;", name, text);
  free(text);
  return PF_OK;
}

/** Targets that have columns of their own names must be said; choice and activity are found by
 * theirs. */
static void write_targets(const pf_recording *first, FILE *file)
{
  bool any = false;
  for (size_t k = 0; k < first->n_targets; k++) {
    const pf_record *record = &first->targets[k];
    if (pf_is_choice(record->name) || pf_is_activity(record->name)) {
      continue;
    }
    (void)fprintf(file, "%s { name = \"%s\"; columns = [", any ? "," : " targets = (",
                  record->name);
    for (int64_t j = 0; j < record->n; j++) {
      char name[128];
      target_column(record, j, name, sizeof name);
      (void)fprintf(file, "%s\"%s\"", j > 0 ? ", " : "", name);
    }
    (void)fputs("]; }", file);
    any = true;
  }
  (void)fputs(any ? " );" : "", file);
}

static pf_status write_source(const pf_problem *problem, FILE *file, pf_error *error)
{
  const pf_node *source = problem->models->source.node;
  const bool given = problem->settings->give_inputs;
  (void)fputs("source={ plugin = \"table\"; path = \"table.csv\"; plastic = \"column\";", file);
  write_targets(&problem->data.recordings[0], file);
  (void)fprintf(file, " input = { mean = %.17e; sd = %.17e; draws = %lld; };",
                given ? 1.0 : problem->settings->input.mean,
                given ? 0.0 : problem->settings->input.sd, (long long)problem->settings->draws);
  static const char *const copied[] = {"expected_reward", "derive"};
  static const char *const true_rules[] = {"rule", "rules"};
  for (size_t i = 0; i < 2; i++) {
    if (copy_setting(source, copied[i], file, error) != PF_OK) {
      return PF_STOP;
    }
  }
  if (problem->settings->sessions.persist) { /* but for their count, which the table shows */
    const pf_session_settings *sessions = &problem->settings->sessions;
    (void)fprintf(file,
                  " sessions = { persist = true; forget = %s; gap = %.17e; rate = %.17e; true_rate "
                  "= %.17e; };",
                  sessions->forget ? "true" : "false", sessions->gap, sessions->rate,
                  sessions->true_rate);
  }
  if (problem->models->teacher != NULL) {
    (void)fprintf(file, " truth = { seed = \"%llu\";", (unsigned long long)problem->seed);
    for (size_t i = 0; i < 2; i++) {
      if (copy_setting(source, true_rules[i], file, error) != PF_OK) {
        return PF_STOP;
      }
    }
    (void)fputs(" };", file);
  }
  (void)fputs(" }", file);
  return PF_OK;
}

/** The group `source` of the config that fits the data, as an override. */
static pf_status override_source(const pf_problem *problem, pf_config *config, pf_error *error)
{
  char *text = NULL;
  size_t length = 0;
  FILE *file = open_memstream(&text, &length);
  if (file == NULL) {
    return pf_fail(error, PF_STOP, "out of memory");
  }
  pf_status status = write_source(problem, file, error);
  if (fclose(file) != 0 && status == PF_OK) {
    status = pf_fail(error, PF_STOP, "out of memory");
  }
  if (status == PF_OK) {
    status = pf_config_override(config, text, error);
  }
  free(text);
  return status;
}

typedef struct config_line {
  char text[256];
} config_line;

/** `value` of a loss's parameter, where the config has a group for it, or nothing. */
static pf_status add_value(const pf_problem *problem, const pf_loss_term *loss, size_t i,
                           double value, pf_array *lines, pf_error *error)
{
  const pf_model_parameter *parameter = &problem->model->parameters[i];
  const pf_node *group = pf_node_get(loss->loss->node, "parameters");
  const pf_node *node = pf_node_get(group, parameter->declared.name);
  if (isnan(value) || (node != NULL && !pf_node_is_group(node))) {
    return PF_OK;
  }
  config_line *line = pf_array_append(lines, error);
  if (line == NULL) {
    return PF_STOP;
  }
  (void)snprintf(line->text, sizeof line->text, "%.80s.parameters.%.80s.value=%.17e",
                 parameter->owner, parameter->declared.name, value);
  return PF_OK;
}

static pf_status add_values(const pf_problem *problem, const pf_loss_term *loss,
                            const double *truth, pf_array *lines, pf_error *error)
{
  for (size_t i = 0; i < loss->declared.parameters.count; i++) {
    const size_t parameter = loss->theta0 + i;
    const pf_status status = add_value(problem, loss, parameter, truth[parameter], lines, error);
    if (status != PF_OK) {
      return status;
    }
  }
  return PF_OK;
}

/** The gain and the baseline of counts, which source.record says of a task and nobody of a table.
 */
static pf_status list_values(const pf_problem *problem, pf_array *lines, pf_error *error)
{
  const pf_model *model = problem->model;
  double *truth = NULL;
  if (problem->settings->record.counts == PF_RECORD_ACTIVITY || problem->models->teacher == NULL) {
    return PF_OK;
  }
  pf_status status = pf_truth_create(problem, &truth, error);
  if (status != PF_OK) {
    return status;
  }
  for (size_t k = 0; k < model->n_losses; k++) {
    status = add_values(problem, &model->losses[k], truth, lines, error);
    if (status != PF_OK) {
      break;
    }
  }
  pf_memory_free(truth);
  return status;
}

/** The source that reads the table, and what is true where the source cannot say it. */
static pf_status override_config(const pf_problem *problem, pf_config *config, pf_error *error)
{
  pf_array lines = pf_array_of(sizeof(config_line));
  pf_status status = list_values(problem, &lines, error); /* before the config changes */
  if (status != PF_OK) {
    goto done;
  }
  status = override_source(problem, config, error);
  if (status != PF_OK) {
    goto done;
  }
  for (size_t i = 0; i < lines.n; i++) {
    status = pf_config_override(config, ((config_line *)lines.items)[i].text, error);
    if (status != PF_OK) {
      goto done;
    }
  }
done:
  pf_array_free(&lines);
  return status;
}

static pf_status change_config(const pf_problem *problem, pf_config *config, const char *out,
                               pf_error *error)
{
  static const char weights_file[] = "network.initial_weights.file=\"initial_weights.csv\"";
  const pf_status status = override_config(problem, config, error);
  if (status != PF_OK) {
    return status;
  }
  if (knows_weights(problem) && pf_config_override(config, weights_file, error) != PF_OK) {
    return PF_STOP;
  }
  char setting[PF_ERROR_LENGTH];
  size_t n = strlen(out);
  while (n > 1 && out[n - 1] == '/') {
    n--;
  }
  if (n + 32 >= sizeof setting || strpbrk(out, "\"\\") != NULL) {
    return PF_OK;
  }
  (void)snprintf(setting, sizeof setting, "out=\"%.*s-fit\"", (int)n, out);
  return pf_config_override(config, setting, error);
}

/* ---- the folder ---- */

pf_status pf_simulated_table(const pf_problem *problem, const pf_dataset *data, const char *path,
                             pf_error *error)
{
  FILE *file = pf_csv_open_file(path, error);
  if (file == NULL) {
    return PF_STOP;
  }
  write_table(problem, data, file);
  return pf_csv_close_file(file, path, error);
}

static pf_status write_table_file(const pf_problem *problem, const pf_folder *folder,
                                  pf_error *error)
{
  char *path = pf_folder_path(folder, "table.csv", error);
  const pf_status status =
      path == NULL ? PF_STOP : pf_simulated_table(problem, &problem->data, path, error);
  pf_memory_free(path);
  return status;
}

static pf_status write_weights_file(const pf_problem *problem, const pf_folder *folder,
                                    pf_error *error)
{
  char *path = pf_folder_path(folder, "initial_weights.csv", error);
  if (path == NULL) {
    return PF_STOP;
  }
  FILE *file = pf_csv_open_file(path, error);
  pf_status status = PF_STOP;
  if (file == NULL) {
    goto done;
  }
  status = write_weights(problem, file, error);
  if (status != PF_OK) {
    (void)fclose(file);
    goto done;
  }
  status = pf_csv_close_file(file, path, error);
done:
  pf_memory_free(path);
  return status;
}

static pf_status write_fit_config(const pf_config *config, const pf_folder *folder, pf_error *error)
{
  char *path = pf_folder_path(folder, "fit.cfg", error);
  if (path == NULL) {
    return PF_STOP;
  }
  const pf_status status = pf_config_write(config, path, error);
  pf_memory_free(path);
  return status;
}

pf_status pf_simulated_write(const pf_problem *problem, pf_config *config, pf_names truth,
                             const char *out, bool force, pf_error *error)
{
  pf_folder folder = {0};
  pf_status status = pf_folder_begin(out, force, &folder, error);
  if (status != PF_OK) {
    return status;
  }
  status = write_table_file(problem, &folder, error);
  if (status != PF_OK) {
    goto done;
  }
  if (knows_weights(problem)) {
    status = write_weights_file(problem, &folder, error);
    if (status != PF_OK) {
      goto done;
    }
  }
  status = change_config(problem, config, folder.out, error);
  if (status != PF_OK) {
    goto done;
  }
  status = pf_config_override_all(config, truth.items, truth.count, error);
  if (status != PF_OK) {
    goto done;
  }
  status = write_fit_config(config, &folder, error);
  if (status != PF_OK) {
    goto done;
  }
  status = pf_folder_commit(&folder, force, error);
done:
  pf_folder_end(&folder);
  return status;
}
