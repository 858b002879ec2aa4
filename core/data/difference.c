#include "core/data/difference.h"

#include <string.h>

static bool is_same(const void *a, const void *b, size_t n_bytes)
{
  return n_bytes == 0 || (a != NULL && b != NULL && memcmp(a, b, n_bytes) == 0);
}

static bool has_same_targets(const pf_recording *a, const pf_recording *b)
{
  for (size_t k = 0; k < a->n_targets; k++) {
    const pf_record *one = &a->targets[k], *other = pf_recording_target(b, one->name);
    const size_t n = (size_t)(a->n_steps * one->n) * sizeof(double);
    if (other == NULL || other->n != one->n || !is_same(one->values, other->values, n)) {
      return false;
    }
  }
  return a->n_targets == b->n_targets;
}

static bool has_same_rewards(const pf_recording *a, const pf_recording *b)
{
  const double *one = pf_recording_channel(a, "reward"), *other = pf_recording_channel(b, "reward");
  return (one == NULL && other == NULL) || is_same(one, other, (size_t)a->n_steps * sizeof(double));
}

/** What differs between two recordings of the same place, or NULL. */
static const char *difference_of(const pf_recording *a, const pf_recording *b)
{
  const size_t n = (size_t)a->n_steps;
  if (strcmp(a->animal, b->animal) != 0) {
    return "the animals differ";
  }
  if (a->n_steps != b->n_steps) {
    return "the numbers of steps differ";
  }
  if (!has_same_targets(a, b)) {
    return "what was observed (choices, activities) differs";
  }
  if (!has_same_rewards(a, b)) {
    return "the rewards differ";
  }
  for (size_t t = 0; t < n; t++) {
    const uint32_t changed = a->flags[t] ^ b->flags[t];
    if ((changed & PF_STEP_PLASTIC) != 0) {
      return "the steps after which weights change differ (`plastic`, or `kind`)";
    }
    if (changed != 0) {
      return "the steps that are fitted or scored, or at which something starts anew, differ";
    }
  }
  if (!is_same(a->trial, b->trial, n * sizeof *a->trial)) {
    return "the trials differ";
  }
  return is_same(a->block, b->block, n * sizeof *a->block) ? NULL : "the blocks differ";
}

void pf_dataset_difference(const pf_dataset *a, const pf_dataset *b, char *text, size_t capacity)
{
  text[0] = '\0';
  if (a->n != b->n) {
    (void)snprintf(text, capacity, "there are %zu and %zu experiments", b->n, a->n);
    return;
  }
  for (size_t r = 0; r < a->n; r++) {
    const char *what = difference_of(&a->recordings[r], &b->recordings[r]);
    if (what != NULL) {
      (void)snprintf(text, capacity, "%s, first in %.200s", what, a->recordings[r].name);
      return;
    }
  }
}
