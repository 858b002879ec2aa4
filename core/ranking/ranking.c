#include "core/ranking/ranking.h"

#include "core/base/memory.h"

#include <math.h>

const double pf_compare_tie = 1e-4;

bool pf_compare_counts(uint32_t verdict)
{
  return verdict == PF_FIT_CONVERGED || verdict == PF_FIT_PASSES_DONE;
}

const char *pf_compare_status_word(uint32_t verdict)
{
  return verdict == PF_FIT_CONVERGED ? "ok" : pf_fit_verdict_words(verdict);
}

const char *pf_selection_method_name(uint32_t method)
{
  static const char *const names[PF_N_SELECTIONS] = {"forward", "backward", "l1"};
  return method < PF_N_SELECTIONS ? names[method] : "?";
}

void pf_selection_clear(pf_selection *selection)
{
  pf_selection_set *sets = selection->sets.items;
  for (size_t i = 0; i < selection->sets.n; i++) {
    pf_memory_free(sets[i].change);
    pf_memory_free(sets[i].terms);
    pf_memory_free(sets[i].per_animal);
    pf_memory_free(sets[i].weights);
  }
  pf_array_free(&selection->sets);
  pf_memory_free(selection->rule);
  *selection = (pf_selection){0};
}

static void free_candidate(pf_compare_candidate *candidate)
{
  for (size_t i = 0; i < candidate->n_theta; i++) {
    pf_memory_free(candidate->keys[i]);
  }
  for (size_t v = 0; v < PF_MAX_VALIDATIONS; v++) {
    pf_memory_free(candidate->figures[v].per_animal);
    pf_memory_free(candidate->figures[v].differences);
    pf_memory_free(candidate->figures[v].cells);
  }
  pf_memory_free(candidate->keys);
  pf_memory_free(candidate->name);
  pf_memory_free(candidate->rule);
}

static void free_recording(pf_compare_recording *recording)
{
  pf_memory_free(recording->name);
  pf_memory_free(recording->trial);
  pf_memory_free(recording->block);
  pf_memory_free(recording->cue);
  pf_memory_free(recording->choice);
  pf_memory_free(recording->reward);
  pf_memory_free(recording->forecast);
}

void pf_comparison_free(pf_comparison *comparison)
{
  if (comparison == NULL) {
    return;
  }
  for (size_t c = 0; c < comparison->n_candidates; c++) {
    free_candidate(&comparison->candidates[c]);
  }
  for (size_t a = 0; a < comparison->n_animals; a++) {
    pf_memory_free(comparison->animals[a]);
  }
  for (size_t i = 0; i < comparison->n_rows; i++) {
    pf_memory_free(comparison->rows[i].error);
  }
  for (size_t i = 0; i < comparison->n_estimates; i++) {
    pf_memory_free(comparison->estimates[i].theta);
  }
  for (size_t i = 0; i < comparison->n_predictions; i++) {
    pf_memory_free(comparison->predictions[i].probability);
  }
  for (size_t i = 0; i < comparison->n_recordings; i++) {
    free_recording(&comparison->recordings[i]);
  }
  pf_memory_free(comparison->candidates);
  pf_memory_free(comparison->animals);
  pf_memory_free(comparison->rows);
  pf_memory_free(comparison->estimates);
  pf_memory_free(comparison->predictions);
  pf_memory_free(comparison->recordings);
  pf_memory_free(comparison->name);
  pf_memory_free(comparison->out);
  pf_memory_free(comparison->criteria_note);
  pf_memory_free(comparison->criteria_why);
  pf_memory_free(comparison->warning);
  pf_memory_free(comparison->words);
  pf_selection_clear(&comparison->selection);
  pf_memory_free(comparison->followers.why);
  pf_memory_free(comparison->followers.candidates);
  pf_memory_free(comparison->followers.evidence);
  pf_memory_free(comparison);
}

double pf_compare_explained(double null_model, double model)
{
  return null_model < 0.0 ? 100.0 * (null_model - model) / null_model : (double)NAN;
}
