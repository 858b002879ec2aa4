/* Draws: an experiment's numbers laid out as the engine wants them. */
#include "core/state/draw.h"

#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/data/data_names.h"
#include "core/model/modulation.h"
#include "core/state/seen.h"

#include <math.h>
#include <string.h>

/** What a modulator reads of a recording: a channel, or the choice. */
typedef struct series {
  const double *values;
  bool is_choice; /**< missing ones count 0: weights do not change there */
} series;

static pf_status find_series(const pf_plastic *plastic, const pf_recording *recording,
                             const char *name, series *out, pf_error *error)
{
  const pf_record *choices = pf_recording_target(recording, "choice");
  *out = (series){.values = pf_recording_channel(recording, name)};
  if (out->values == NULL && pf_is_choice(name) && choices != NULL && choices->n == 1) {
    *out = (series){choices->values, true};
  }
  if (out->values != NULL) {
    return PF_OK;
  }
  return pf_fail(error, PF_STOP, "%s has no channel '%s', which the modulator of %s reads",
                 recording->name, name, plastic->rule->label);
}

/** The channels that a rule's modulators read, and room for what they are at a step. */
typedef struct channel_series {
  series *read;  /**< [n_channels] */
  double *at;    /**< [n_channels] */
  double *names; /**< [n_names] scratch of pf_modulation_set */
} channel_series;

/** Values of a rule's modulators at all steps into `out`. */
static pf_status modulate_steps(const pf_plastic *plastic, const pf_draw *draw,
                                const channel_series *of, pf_real *out, pf_error *error)
{
  const pf_modulation *modulation = &plastic->modulation;
  const bool traced = plastic->declared.traces.count > 0; /* traces are updated at every step */
  for (int64_t t = 0; t < draw->n_steps; t++) {
    for (size_t c = 0; c < modulation->n_channels; c++) {
      of->at[c] = of->read[c].values[t];
      if (isnan(of->at[c]) && of->read[c].is_choice) {
        of->at[c] = 0.0;
      }
      if (isnan(of->at[c]) && (traced || (draw->flags[t] & PF_STEP_PLASTIC) != 0)) {
        return pf_fail(error, PF_STOP, "%s: step %lld: %s is missing where %s, expected a number",
                       draw->recording->name, (long long)t, modulation->channels[c],
                       traced ? "traces advance" : "the weights change");
      }
    }
    pf_modulation_set(plastic, of->at, of->names, out + (size_t)t * pf_modulation_cells(plastic));
  }
  return PF_OK;
}

static pf_status fill_modulators(const pf_plastic *plastic, const pf_draw *draw, pf_real *out,
                                 pf_error *error)
{
  const pf_modulation *modulation = &plastic->modulation;
  const channel_series of = {.read = pf_memory_need(modulation->n_channels, sizeof *of.read, error),
                             .at = pf_memory_need(modulation->n_channels, sizeof *of.at, error),
                             .names = pf_memory_need(modulation->n_names, sizeof *of.names, error)};
  pf_status status = PF_STOP;
  if (of.read == NULL || of.at == NULL || of.names == NULL) {
    goto done;
  }
  for (size_t c = 0; c < modulation->n_channels; c++) {
    status = find_series(plastic, draw->recording, modulation->channels[c], &of.read[c], error);
    if (status != PF_OK) {
      goto done;
    }
  }
  status = modulate_steps(plastic, draw, &of, out, error);
done:
  pf_memory_free(of.read);
  pf_memory_free(of.at);
  pf_memory_free(of.names);
  return status;
}

static pf_status make_modulators(const pf_model *model, pf_draw *draw, pf_error *error)
{
  draw->modulators = pf_memory_need(model->n_plastic, sizeof *draw->modulators, error);
  if (draw->modulators == NULL) {
    return PF_STOP;
  }
  for (size_t p = 0; p < model->n_plastic; p++) {
    const size_t n = pf_modulation_cells(&model->plastic[p]);
    draw->modulators[p] = pf_memory_need((size_t)draw->n_steps * n, sizeof(pf_real), error);
    if (draw->modulators[p] == NULL) {
      return PF_STOP;
    }
    const pf_status status = fill_modulators(&model->plastic[p], draw, draw->modulators[p], error);
    if (status != PF_OK) {
      return status;
    }
  }
  return PF_OK;
}

/** Does a rule learn from choices, seen or as a modulator? */
static bool needs_choice(const pf_plastic *plastic, const pf_recording *recording)
{
  for (size_t c = 0; c < plastic->modulation.n_channels; c++) {
    if (pf_is_choice(plastic->modulation.channels[c])) {
      return pf_recording_channel(recording, "choice") == NULL &&
             pf_recording_target(recording, "choice") != NULL;
    }
  }
  return pf_seen_needs_choice(&plastic->post);
}

/** Weights do not change after the steps where a rule that learns from choices saw none. */
static void skip_missed(pf_draw *draw)
{
  const pf_record *choices = pf_recording_target(draw->recording, "choice");
  for (int64_t t = 0; choices != NULL && choices->n == 1 && t < draw->n_steps; t++) {
    if (isnan(choices->values[t])) {
      draw->flags[t] &= ~(uint32_t)PF_STEP_PLASTIC;
    }
  }
}

/** Data of what a rule sees of one side; *out stays NULL where that is activity alone. */
static pf_status make_side(const pf_model *model, const pf_plastic *plastic, const pf_seen *seen,
                           const pf_draw *draw, pf_real **out, pf_error *error)
{
  if (seen->n == 0) {
    return PF_OK;
  }
  *out = pf_memory_need((size_t)draw->n_steps * pf_seen_cells(seen), sizeof(pf_real), error);
  if (*out == NULL) {
    return PF_STOP;
  }
  return pf_seen_fill(model, plastic, seen, draw->recording, *out, error);
}

/** Before the modulators: they need not be there where a choice was missed. */
static pf_status make_seen(const pf_model *model, pf_draw *draw, pf_error *error)
{
  draw->seen = pf_memory_need(model->n_plastic, sizeof *draw->seen, error);
  if (draw->seen == NULL) {
    return PF_STOP;
  }
  for (size_t p = 0; p < model->n_plastic; p++) {
    const pf_plastic *plastic = &model->plastic[p];
    if (needs_choice(plastic, draw->recording)) {
      skip_missed(draw);
    }
    if (make_side(model, plastic, &plastic->post, draw, &draw->seen[p].post, error) != PF_OK ||
        make_side(model, plastic, &plastic->pre, draw, &draw->seen[p].pre, error) != PF_OK) {
      return PF_STOP;
    }
  }
  return PF_OK;
}

/** Can the config say what the loss compares with? */
static bool takes_target(const pf_loss_term *term)
{
  const pf_option_table *options = &term->loss->plugin->options;
  for (size_t i = 0; i < options->count; i++) {
    const pf_option *option = pf_table_at(options->items, options->stride, options->count, i);
    if (strcmp(option->name, "target") == 0) {
      return true;
    }
  }
  return false;
}

static pf_status fail_target(const pf_loss_term *term, const char *name,
                             const pf_recording *recording, pf_error *error)
{
  pf_text all = {0};
  for (size_t i = 0; i < recording->n_targets; i++) {
    pf_text_add(&all, "%s%s", i > 0 ? ", " : "", recording->targets[i].name);
  }
  const bool hints = recording->n_targets > 0 && takes_target(term);
  (void)pf_fail(error, PF_STOP, "%s compares with '%s', which %s does not have; it has: %s%s%s%s",
                term->loss->label, name, recording->name,
                all.text == NULL ? "nothing recorded" : all.text,
                hints ? " (the loss's target = \"" : "", hints ? recording->targets[0].name : "",
                hints ? "\" says so)" : "");
  pf_text_free(&all);
  return PF_STOP;
}

/** Target k of a loss in the engine's number type. */
static pf_status make_target(const pf_loss_term *term, size_t k, const pf_recording *recording,
                             pf_real **out, pf_error *error)
{
  const char *name = term->declared.targets.items[k];
  const pf_record *record = pf_recording_target(recording, name);
  if (record == NULL) {
    return fail_target(term, name, recording, error);
  }
  const size_t cells = (size_t)recording->n_steps * (size_t)record->n;
  *out = pf_memory_need(cells, sizeof(pf_real), error);
  if (*out == NULL) {
    return PF_STOP;
  }
  for (size_t i = 0; i < cells; i++) {
    (*out)[i] = (pf_real)record->values[i];
  }
  return PF_OK;
}

static pf_status make_targets(const pf_model *model, pf_draw *draw, pf_error *error)
{
  draw->targets = pf_memory_need(model->n_losses, sizeof *draw->targets, error);
  if (draw->targets == NULL) {
    return PF_STOP;
  }
  for (size_t k = 0; k < model->n_losses; k++) {
    const size_t n_targets = model->losses[k].declared.targets.count;
    draw->targets[k] = pf_memory_need(n_targets, sizeof **draw->targets, error);
    if (draw->targets[k] == NULL) {
      return PF_STOP;
    }
    for (size_t i = 0; i < n_targets; i++) {
      const pf_status status =
          make_target(&model->losses[k], i, draw->recording, &draw->targets[k][i], error);
      if (status != PF_OK) {
        return status;
      }
    }
  }
  return PF_OK;
}

static pf_status make_steps(const pf_model *model, const double *input, const double *noise,
                            pf_draw *draw, pf_error *error)
{
  const pf_recording *recording = draw->recording;
  const size_t n_noise = (size_t)model->n_noise;
  draw->n_steps = recording->n_steps;
  draw->ld_input = pf_leading_dimension(recording->n_input);
  draw->flags = pf_memory_need((size_t)draw->n_steps, sizeof *draw->flags, error);
  draw->input =
      pf_memory_need((size_t)(draw->n_steps * draw->ld_input), sizeof *draw->input, error);
  draw->noise = pf_memory_need(n_noise, sizeof *draw->noise, error);
  draw->given_w = pf_memory_need(model->n_projections, sizeof *draw->given_w, error);
  if (draw->flags == NULL || draw->input == NULL || draw->noise == NULL || draw->given_w == NULL) {
    return PF_STOP;
  }
  memcpy(draw->flags, recording->flags, (size_t)draw->n_steps * sizeof *draw->flags);
  for (int64_t t = 0; t < draw->n_steps; t++) {
    for (int64_t j = 0; j < recording->n_input; j++) {
      draw->input[t * draw->ld_input + j] = (pf_real)input[t * recording->n_input + j];
    }
  }
  if (noise != NULL && n_noise > 0) {
    memcpy(draw->noise, noise, n_noise * sizeof *noise);
  }
  return PF_OK;
}

static pf_status make_draw(const pf_model *model, const double *input, const double *noise,
                           pf_draw *draw, pf_error *error)
{
  pf_status status = make_steps(model, input, noise, draw, error);
  if (status != PF_OK) {
    return status;
  }
  status = make_seen(model, draw, error);
  if (status != PF_OK) {
    return status;
  }
  status = make_modulators(model, draw, error);
  if (status != PF_OK) {
    return status;
  }
  return make_targets(model, draw, error);
}

pf_status pf_draw_create(const pf_model *model, const pf_recording *recording, const double *input,
                         const double *noise, pf_draw **out, pf_error *error)
{
  if (recording->n_input != pf_model_n_input(model)) {
    return pf_fail(error, PF_STOP, "%s has %lld inputs a step, but %s has %lld; make them equal",
                   recording->name, (long long)recording->n_input, model->network->label,
                   (long long)pf_model_n_input(model));
  }
  pf_draw *draw = pf_memory_need(1, sizeof *draw, error);
  if (draw == NULL) {
    return PF_STOP;
  }
  draw->recording = recording;
  const pf_status status = make_draw(model, input, noise, draw, error);
  if (status != PF_OK) {
    pf_draw_free(model, draw);
    return status;
  }
  *out = draw;
  return PF_OK;
}

pf_status pf_draw_give_weights(const pf_model *model, pf_draw *draw, int64_t projection,
                               const double *w, pf_error *error)
{
  if (projection < 0 || projection >= (int64_t)model->n_projections) {
    return pf_fail(error, PF_STOP, "there is no projection %lld", (long long)projection);
  }
  const pf_projection_size size = pf_model_projection_size(model, projection);
  const size_t cells = (size_t)(size.n_pre * size.n_post);
  pf_real *copy = pf_memory_need(cells, sizeof *copy, error);
  if (copy == NULL) {
    return PF_STOP;
  }
  for (size_t i = 0; i < cells; i++) {
    copy[i] = (pf_real)w[i];
  }
  pf_memory_free(draw->given_w[projection]);
  draw->given_w[projection] = copy;
  return PF_OK;
}

static void free_targets(const pf_model *model, pf_real ***targets)
{
  for (size_t k = 0; k < model->n_losses; k++) {
    if (targets[k] == NULL) {
      continue;
    }
    for (size_t i = 0; i < model->losses[k].declared.targets.count; i++) {
      pf_memory_free(targets[k][i]);
    }
    pf_memory_free(targets[k]);
  }
  pf_memory_free(targets);
}

void pf_draw_free(const pf_model *model, pf_draw *draw)
{
  if (draw == NULL) {
    return;
  }
  if (draw->modulators != NULL) {
    for (size_t p = 0; p < model->n_plastic; p++) {
      pf_memory_free(draw->modulators[p]);
    }
  }
  if (draw->seen != NULL) {
    for (size_t p = 0; p < model->n_plastic; p++) {
      pf_memory_free(draw->seen[p].post);
      pf_memory_free(draw->seen[p].pre);
    }
  }
  if (draw->given_w != NULL) {
    for (size_t q = 0; q < model->n_projections; q++) {
      pf_memory_free(draw->given_w[q]);
    }
  }
  if (draw->targets != NULL) {
    free_targets(model, draw->targets);
  }
  pf_memory_free(draw->modulators);
  pf_memory_free(draw->seen);
  pf_memory_free(draw->given_w);
  pf_memory_free(draw->noise);
  pf_memory_free(draw->input);
  pf_memory_free(draw->flags);
  pf_memory_free(draw);
}

double pf_draws_mean_square(const pf_model *model, const pf_draw *const *draws, size_t n, size_t k)
{
  double sum = 0.0, count = 0.0;
  for (size_t d = 0; d < n; d++) {
    const pf_draw *draw = draws[d];
    const int64_t width =
        pf_recording_target(draw->recording, model->losses[k].declared.targets.items[0])->n;
    for (int64_t i = 0; i < draw->n_steps * width; i++) {
      const double target = (double)draw->targets[k][0][i];
      if ((draw->flags[i / width] & PF_STEP_FIT) != 0 && !isnan(target)) {
        sum += target * target;
        count += 1.0;
      }
    }
  }
  return count > 0.0 ? sum / count : 0.0;
}
