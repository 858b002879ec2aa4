#include "core/figures/run_data.h"

#include "core/config/config.h"
#include "core/figures/result_folder.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static pf_status read_sheets(pf_run_data *r, pf_error *error)
{
  static const char *const learning[] = {"unit", "epoch", "objective", "data_term"};
  static const char *const ends[] = {"unit", "objective"};
  static const char *const acted[] = {"animal", "block", "trial",  "x1",
                                      "x2",     "x3",    "choice", "reward"};
  const struct {
    const char *name;
    pf_names columns; /* none: all */
    pf_sheet **out;
  } sheets[] = {
      {"theta.csv", {NULL, 0}, &r->theta},
      {"fit.csv", {learning, sizeof learning / sizeof learning[0]}, &r->fit},
      {"spectrum.csv", {NULL, 0}, &r->spectrum},
      {"profiles.csv", {NULL, 0}, &r->profiles},
      {"multistart.csv", {ends, sizeof ends / sizeof ends[0]}, &r->starts},
      {"population.csv", {NULL, 0}, &r->population},
      {"animals.csv", {NULL, 0}, &r->animals},
      {"simulated.csv", {acted, sizeof acted / sizeof acted[0]}, &r->simulated},
  };
  for (size_t k = 0; k < sizeof sheets / sizeof sheets[0]; k++) {
    const pf_names *wanted = sheets[k].columns.count > 0 ? &sheets[k].columns : NULL;
    const pf_status status =
        pf_result_sheet(r->folder, sheets[k].name, wanted, sheets[k].out, error);
    if (status != PF_OK) {
      return status;
    }
  }
  return PF_OK;
}

/** "x^2 r" becomes "x² r" for readers. Both have the same number of bytes. */
static void raise_powers(pf_sheet *sheet)
{
  const size_t column = sheet != NULL ? pf_sheet_column(sheet, "label") : 0;
  if (sheet == NULL || column >= sheet->n_columns) {
    return;
  }
  for (size_t i = 0; i < sheet->n_rows; i++) {
    char *label = sheet->cells[i * sheet->n_columns + column];
    for (char *at = strchr(label, '^'); at != NULL; at = strchr(at + 1, '^')) {
      if ((at[1] == '2' || at[1] == '3') && !isdigit((unsigned char)at[2])) {
        at[1] = (char)(at[1] == '2' ? 0xb2 : 0xb3);
        at[0] = (char)0xc2;
      }
    }
  }
}

static pf_status read_trajectories(pf_run_data *r, pf_error *error)
{
  char path[PF_RESULT_PATH];
  if (!pf_result_has(r->folder, "trajectories.h5")) {
    return PF_OK;
  }
  (void)snprintf(path, sizeof path, "%.3000s/trajectories.h5", r->folder);
  const pf_status status = pf_trajectories_open(path, &r->trajectories, error);
  if (status != PF_OK) {
    return status;
  }
  return pf_behaviours_of_run(r->trajectories, &r->observed, error);
}

/** Of a task, the chances of its two options in each block; of recordings, what the config says
 * beside them. */
static void read_shares(const pf_config *config, pf_stated_shares *out)
{
  const pf_node *source = pf_node_get(pf_config_root(config), "source");
  const pf_node *blocks = pf_node_get(source, "task.blocks");
  const pf_node *ratios = pf_node_get(source, "blocks.reward_ratio");
  const size_t max_blocks = sizeof out->share / sizeof out->share[0];
  for (int64_t k = 0; k < pf_node_count(blocks) && out->n < max_blocks; k++) {
    const pf_node *reward = pf_node_get(pf_node_at(blocks, k), "reward");
    double first = 0.0, second = 0.0;
    const bool two = pf_node_count(reward) == 2 &&
                     pf_node_number(pf_node_at(reward, 0), &first) != 0 &&
                     pf_node_number(pf_node_at(reward, 1), &second) != 0 && first + second > 0.0;
    out->share[out->n++] = two ? second / (first + second) : (double)NAN;
  }
  for (int64_t k = 0; k < pf_node_count(ratios) && out->n < max_blocks; k++) {
    double ratio = 0.0;
    out->share[out->n++] =
        pf_node_number(pf_node_at(ratios, k), &ratio) != 0 ? 1.0 / (1.0 + ratio) : (double)NAN;
  }
}

static pf_status read_stated_shares(pf_run_data *r, pf_error *error)
{
  char path[PF_RESULT_PATH];
  pf_config *config = NULL;
  if (!pf_result_has(r->folder, "config.cfg")) {
    return PF_OK;
  }
  (void)snprintf(path, sizeof path, "%.3000s/config.cfg", r->folder);
  const pf_status status = pf_config_read(path, NULL, 0, &config, error);
  if (status == PF_OK) {
    read_shares(config, &r->stated);
  }
  pf_config_free(config);
  return status;
}

pf_status pf_run_data_read(const char *folder, pf_run_data *out, pf_error *error)
{
  *out = (pf_run_data){.folder = folder};
  out->summary = pf_result_json(folder, "summary.json", error);
  if (out->summary == NULL) {
    return PF_STOP;
  }
  pf_status status = read_sheets(out, error);
  if (status != PF_OK) {
    return status;
  }
  raise_powers(out->theta);
  raise_powers(out->spectrum);
  raise_powers(out->population);
  status = read_trajectories(out, error);
  if (status != PF_OK) {
    return status;
  }
  if (out->simulated != NULL) {
    status = pf_behaviours_of_table(out->simulated, &out->observed, &out->closed_loop, error);
    if (status != PF_OK) {
      return status;
    }
  }
  return read_stated_shares(out, error);
}

void pf_run_data_free(pf_run_data *data)
{
  json_decref(data->summary);
  pf_sheet_free(data->theta);
  pf_sheet_free(data->fit);
  pf_sheet_free(data->spectrum);
  pf_sheet_free(data->starts);
  pf_sheet_free(data->population);
  pf_sheet_free(data->animals);
  pf_sheet_free(data->profiles);
  pf_sheet_free(data->simulated);
  pf_trajectories_shut(data->trajectories);
  pf_behaviours_free(&data->observed);
  pf_behaviours_free(&data->closed_loop);
}
