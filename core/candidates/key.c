#define _GNU_SOURCE /* dladdr */

#include "core/candidates/key.h"

#include "core/base/memory.h"

#include <dlfcn.h>
#include <plastfit/plastfit.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/** FNV-1a, twice with different starts: to tell inputs apart, not against malice. */
static void start_key(uint64_t key[2])
{
  key[0] = 14695981039346656037U;
  key[1] = 0x9E3779B97F4A7C15U;
}

void pf_key_add(uint64_t key[2], const void *bytes, size_t n)
{
  const unsigned char *c = bytes;
  for (size_t i = 0; i < n; i++) {
    key[0] = (key[0] ^ c[i]) * 1099511628211U;
    key[1] = (key[1] ^ c[i]) * 1099511628211U;
    key[1] ^= key[1] >> 29; /* so that the two go different ways */
  }
}

static void add_text(uint64_t key[2], const char *text)
{
  pf_key_add(key, text == NULL ? "" : text, (text == NULL ? 0 : strlen(text)) + 1);
}

/** What a fit and its scores are made from. Keys that change no number are left out. */
static pf_status add_config(uint64_t key[2], const pf_config *config, pf_error *error)
{
  static const char *const no_matter[] = {"compare", "name", "out", "threads", "memory"};
  const pf_node *root = pf_config_root(config);
  for (int64_t i = 0; i < pf_node_count(root); i++) {
    const pf_node *node = pf_node_at(root, i);
    bool skip = false;
    for (size_t k = 0; k < sizeof no_matter / sizeof no_matter[0]; k++) {
      skip = skip || strcmp(pf_node_name(node), no_matter[k]) == 0;
    }
    if (skip) {
      continue;
    }
    char *text = pf_node_text(node, error);
    if (text == NULL) {
      return PF_STOP;
    }
    add_text(key, pf_node_name(node));
    add_text(key, text);
    free(text);
  }
  return PF_OK;
}

static void add_data(uint64_t key[2], const pf_dataset *data)
{
  for (size_t i = 0; i < data->n; i++) {
    const pf_recording *r = &data->recordings[i];
    const size_t steps = (size_t)r->n_steps;
    add_text(key, r->animal);
    pf_key_add(key, &r->n_steps, sizeof r->n_steps);
    pf_key_add(key, r->flags, steps * sizeof *r->flags);
    pf_key_add(key, r->trial, steps * sizeof *r->trial);
    pf_key_add(key, r->block, steps * sizeof *r->block);
    for (size_t k = 0; k < r->n_targets; k++) {
      add_text(key, r->targets[k].name);
      pf_key_add(key, r->targets[k].values, steps * (size_t)r->targets[k].n * sizeof(double));
    }
    for (size_t k = 0; k < r->n_channels; k++) {
      add_text(key, r->channels[k].name);
      pf_key_add(key, r->channels[k].values, steps * sizeof(double));
    }
    pf_key_add(key, r->cue, steps * (size_t)r->n_input * sizeof(double));
    if (r->cue_sd != NULL) {
      pf_key_add(key, r->cue_sd, steps * (size_t)r->n_input * sizeof(double));
    }
    if (r->true_input != NULL) {
      pf_key_add(key, r->true_input, steps * (size_t)r->n_input * sizeof(double));
    }
    if (r->true_noise != NULL) {
      pf_key_add(key, r->true_noise, (size_t)r->n_true_noise * sizeof(double));
    }
  }
}

/* ---- what is beside the data ---- */

static void add_mask(uint64_t key[2], const pf_real *mask, size_t n)
{
  const bool given = mask != NULL;
  pf_key_add(key, &given, sizeof given);
  pf_key_add(key, mask, given ? n * sizeof *mask : 0);
}

static void add_masks(uint64_t key[2], const pf_model *model)
{
  for (size_t q = 0; q < model->n_projections; q++) {
    const pf_projection *projection = &model->projections[q];
    int64_t n_post = 0, n_pre = 0;
    (void)pf_model_projection(model, projection->name, &n_post, &n_pre);
    const size_t n = (size_t)(n_post * pf_leading_dimension(n_pre));
    add_mask(key, model->masks[q].connected, n);
    add_mask(key, model->masks[q].changes, n);
  }
}

/** What is in the file; a file that is gone adds nothing (it has been read before). */
static void add_file(uint64_t key[2], const char *path)
{
  FILE *file = path == NULL ? NULL : fopen(path, "rb");
  if (file == NULL) {
    return;
  }
  char bytes[4096];
  for (size_t n = fread(bytes, 1, sizeof bytes, file); n > 0;
       n = fread(bytes, 1, sizeof bytes, file)) {
    pf_key_add(key, bytes, n);
  }
  (void)fclose(file);
}

/** The plugin as it was built: who changes a rule and resumes wants the new one's result. */
static void add_plugin(uint64_t key[2], const pf_component *component)
{
  Dl_info loaded;
  if (component->plugin != NULL && dladdr(component->plugin, &loaded) != 0) {
    add_file(key, loaded.dli_fname);
  }
}

pf_status pf_key_of_problem(const pf_problem *problem, uint64_t key[2], pf_error *error)
{
  const int64_t bytes = (int64_t)sizeof(pf_real);
  start_key(key);
  add_text(key, pf_version());
  pf_key_add(key, &bytes, sizeof bytes);
  add_data(key, &problem->data);
  add_masks(key, problem->model);
  add_file(key, problem->models->initial == NULL ? NULL : problem->models->initial->path);
  add_file(key, problem->settings->fit.warm_path);
  add_plugin(key, &problem->models->network);
  add_plugin(key, &problem->models->source);
  add_plugin(key, &problem->models->teacher_rule);
  for (size_t i = 0; i < problem->models->n_rules; i++) {
    add_plugin(key, &problem->models->rules[i]);
    if (problem->models->teacher_rules != NULL) {
      add_plugin(key, &problem->models->teacher_rules[i]);
    }
  }
  for (size_t i = 0; i < problem->models->n_losses; i++) {
    add_plugin(key, &problem->models->losses[i]);
  }
  return add_config(key, problem->config, error);
}
