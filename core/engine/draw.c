/* Draws: an experiment's numbers laid out as the engine wants them. */
#include "core/engine/draw.h"

#include "core/base/memory.h"
#include "core/base/text.h"

#include <math.h>
#include <string.h>

static pf_status fill_modulators(const pf_plastic *plastic, const pf_recording *recording,
                                 pf_real *out, pf_error *error)
{
  size_t n_modulators = plastic->declared.modulators.count;
  for (size_t k = 0; k < n_modulators; k++) {
    const pf_linear *linear = &plastic->modulators[k];
    for (int64_t t = 0; t < recording->n_steps; t++) {
      out[(size_t)t * n_modulators + k] = (pf_real)linear->constant;
    }
    for (size_t c = 0; c < linear->n; c++) {
      const double *channel = pf_recording_channel(recording, linear->names[c]);
      if (channel == NULL) {
        return pf_fail(error, PF_STOP, "%s has no channel '%s', which the modulator of %s reads",
                       recording->name, linear->names[c], plastic->rule->label);
      }
      for (int64_t t = 0; t < recording->n_steps; t++) {
        const bool traced = plastic->declared.traces.count > 0; /* which go on every step */
        if (isnan(channel[t]) && (traced || (recording->flags[t] & PF_STEP_PLASTIC) != 0)) {
          return pf_fail(error, PF_STOP, "%s: step %lld: %s is missing where %s, expected a number",
                         recording->name, (long long)t, linear->names[c],
                         traced ? "traces advance" : "the weights change");
        }
        double value = (double)out[(size_t)t * n_modulators + k] + linear->factors[c] * channel[t];
        out[(size_t)t * n_modulators + k] = (pf_real)value;
      }
    }
  }
  return PF_OK;
}

static pf_status make_modulators(const pf_model *model, const pf_recording *recording,
                                 pf_draw *draw, pf_error *error)
{
  draw->modulators = pf_memory_need(model->n_plastic, sizeof *draw->modulators, error);
  if (draw->modulators == NULL) {
    return PF_STOP;
  }
  for (size_t p = 0; p < model->n_plastic; p++) {
    size_t cells = (size_t)recording->n_steps * model->plastic[p].declared.modulators.count;
    draw->modulators[p] = pf_memory_need(cells, sizeof(pf_real), error);
    if (draw->modulators[p] == NULL) {
      return PF_STOP;
    }
    pf_status status = fill_modulators(&model->plastic[p], recording, draw->modulators[p], error);
    if (status != PF_OK) {
      return status;
    }
  }
  return PF_OK;
}

/** The target of a loss in the engine's number type. */
static pf_status make_target(const pf_loss_term *term, size_t k, const pf_recording *recording,
                             pf_real **out, pf_error *error)
{
  const char *name = term->declared.targets.items[k];
  const pf_record *record = pf_recording_target(recording, name);
  if (record == NULL) {
    pf_text all = {0};
    for (size_t i = 0; i < recording->n_targets; i++) {
      pf_text_add(&all, "%s%s", i > 0 ? ", " : "", recording->targets[i].name);
    }
    pf_status status = pf_fail(
        error, PF_STOP, "%s compares with '%s', which %s does not have; it has: %s",
        term->loss->label, name, recording->name, all.text == NULL ? "nothing recorded" : all.text);
    pf_text_free(&all);
    return status;
  }
  size_t cells = (size_t)recording->n_steps * (size_t)record->n;
  *out = pf_memory_need(cells, sizeof(pf_real), error);
  if (*out == NULL) {
    return PF_STOP;
  }
  for (size_t i = 0; i < cells; i++) {
    (*out)[i] = (pf_real)record->values[i];
  }
  return PF_OK;
}

static pf_status make_targets(const pf_model *model, const pf_recording *recording, pf_draw *draw,
                              pf_error *error)
{
  draw->targets = pf_memory_need(model->n_losses, sizeof *draw->targets, error);
  if (draw->targets == NULL) {
    return PF_STOP;
  }
  for (size_t k = 0; k < model->n_losses; k++) {
    size_t n_targets = model->losses[k].declared.targets.count;
    draw->targets[k] = pf_memory_need(n_targets, sizeof **draw->targets, error);
    for (size_t i = 0; i < n_targets && draw->targets[k] != NULL; i++) {
      pf_status status = make_target(&model->losses[k], i, recording, &draw->targets[k][i], error);
      if (status != PF_OK) {
        return status;
      }
    }
    if (draw->targets[k] == NULL) {
      return PF_STOP;
    }
  }
  return PF_OK;
}

static pf_status make_steps(const pf_model *model, const pf_recording *recording,
                            const double *input, const double *noise, pf_draw *draw,
                            pf_error *error)
{
  size_t n_noise = (size_t)model->n_noise;
  draw->n_steps = recording->n_steps;
  draw->ld_input = pf_leading_dimension(recording->n_input);
  draw->flags = pf_memory_need((size_t)draw->n_steps, sizeof *draw->flags, error);
  draw->input =
      pf_memory_need((size_t)(draw->n_steps * draw->ld_input), sizeof *draw->input, error);
  draw->noise = pf_memory_need(n_noise, sizeof *draw->noise, error);
  draw->given_w = pf_memory_need(model->declared.projections.count, sizeof *draw->given_w, error);
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
  pf_status status = make_steps(model, recording, input, noise, draw, error);
  status = status == PF_OK ? make_modulators(model, recording, draw, error) : status;
  status = status == PF_OK ? make_targets(model, recording, draw, error) : status;
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
  const pf_projection_table *table = &model->declared.projections;
  const pf_projection *info =
      pf_table_at(table->items, table->stride, table->count, (size_t)projection);
  if (info == NULL) {
    return pf_fail(error, PF_STOP, "there is no projection %lld", (long long)projection);
  }
  const pf_population_table *units = &model->declared.populations;
  const pf_population *pre =
      pf_table_at(units->items, units->stride, units->count, (size_t)info->pre);
  const pf_population *post =
      pf_table_at(units->items, units->stride, units->count, (size_t)info->post);
  size_t cells = (size_t)(pre->n * post->n);
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

void pf_draw_free(const pf_model *model, pf_draw *draw)
{
  if (draw == NULL) {
    return;
  }
  for (size_t p = 0; draw->modulators != NULL && p < model->n_plastic; p++) {
    pf_memory_free(draw->modulators[p]);
  }
  for (size_t k = 0; draw->targets != NULL && k < model->n_losses; k++) {
    for (size_t i = 0; draw->targets[k] != NULL && i < model->losses[k].declared.targets.count;
         i++) {
      pf_memory_free(draw->targets[k][i]);
    }
    pf_memory_free(draw->targets[k]);
  }
  for (size_t q = 0; draw->given_w != NULL && q < model->declared.projections.count; q++) {
    pf_memory_free(draw->given_w[q]);
  }
  pf_memory_free(draw->modulators);
  pf_memory_free(draw->targets);
  pf_memory_free(draw->given_w);
  pf_memory_free(draw->noise);
  pf_memory_free(draw->input);
  pf_memory_free(draw->flags);
  pf_memory_free(draw);
}
