#include "core/candidates/same_data.h"

#include <string.h>

/* Flags by what they are called in messages. */
static const struct {
  uint32_t flags;
  const char *name;
} kinds_of_flags[] = {
    {PF_STEP_PLASTIC, "`plastic`, the steps after which weights change"},
    {PF_STEP_FIT, "the steps that are fitted"},
    {PF_STEP_SCORE, "the steps that are scored"},
    {PF_STEP_RESET_TRACES | PF_STEP_RESET_STATE | PF_STEP_NEW_SESSION,
     "the steps at which sessions, traces or state start anew"},
};

/** Where two recordings differ in one thing. */
typedef struct difference {
  pf_text *words;
  const pf_recording *recording;
  bool any;
} difference;

static void open_difference(difference *d)
{
  pf_text_add(d->words, "%s", d->any ? "; " : "");
  d->any = true;
}

static void add_at_step(difference *d, const char *what, size_t step)
{
  open_difference(d);
  pf_text_add(d->words, "%s (first in '%s', step %zu)", what, d->recording->name, step + 1);
}

/** The first element in which they differ; n: none. NULL is a series without values. */
static size_t find_first_other(const void *a, const void *b, size_t n, size_t size)
{
  if (a == NULL || b == NULL) {
    return a == b ? n : 0;
  }
  for (size_t i = 0; i < n; i++) {
    if (memcmp((const char *)a + i * size, (const char *)b + i * size, size) != 0) {
      return i;
    }
  }
  return n;
}

static void compare_flags(difference *d, const pf_recording *other)
{
  const size_t n = (size_t)d->recording->n_steps;
  for (size_t k = 0; k < sizeof kinds_of_flags / sizeof kinds_of_flags[0]; k++) {
    for (size_t t = 0; t < n; t++) {
      if (((d->recording->flags[t] ^ other->flags[t]) & kinds_of_flags[k].flags) != 0) {
        add_at_step(d, kinds_of_flags[k].name, t);
        break;
      }
    }
  }
}

static void compare_targets(difference *d, const pf_recording *other)
{
  const size_t n = (size_t)d->recording->n_steps;
  if (d->recording->n_targets != other->n_targets) {
    open_difference(d);
    pf_text_add(d->words, "what is recorded of '%s' (%zu kinds against %zu)", d->recording->name,
                other->n_targets, d->recording->n_targets);
    return;
  }
  for (size_t k = 0; k < other->n_targets; k++) {
    const pf_record *own = &d->recording->targets[k], *its = &other->targets[k];
    const size_t width = (size_t)own->n * sizeof(double);
    if (strcmp(own->name, its->name) != 0 || own->n != its->n) {
      open_difference(d);
      pf_text_add(d->words, "what is recorded of '%s' (%s against %s)", d->recording->name,
                  its->name, own->name);
      return;
    }
    const size_t at = find_first_other(own->values, its->values, n, width);
    if (at < n) {
      add_at_step(d, own->name, at);
    }
  }
}

static void compare_series(difference *d, const pf_recording *other)
{
  const size_t n = (size_t)d->recording->n_steps;
  const struct {
    const char *name;
    const void *own, *other;
  } series[] = {
      {"trials", d->recording->trial, other->trial},
      {"blocks", d->recording->block, other->block},
      {"reward", pf_recording_channel(d->recording, "reward"),
       pf_recording_channel(other, "reward")},
  };
  for (size_t k = 0; k < sizeof series / sizeof series[0]; k++) {
    const size_t at = find_first_other(series[k].own, series[k].other, n, 8);
    if (at < n) {
      add_at_step(d, series[k].name, at);
    }
  }
}

bool pf_data_differ(const pf_dataset *a, const pf_dataset *b, pf_text *words)
{
  difference d = {.words = words};
  if (a->n != b->n) {
    open_difference(&d);
    pf_text_add(words, "the number of experiments, %zu against %zu", b->n, a->n);
    return true;
  }
  for (size_t i = 0; i < a->n; i++) {
    const pf_recording *own = &a->recordings[i], *other = &b->recordings[i];
    d.recording = own;
    if (strcmp(own->animal, other->animal) != 0) {
      open_difference(&d);
      pf_text_add(words, "animals, '%s' against '%s'", other->animal, own->animal);
      return true;
    }
    if (own->n_steps != other->n_steps) {
      open_difference(&d);
      pf_text_add(words, "the number of steps of '%s', %lld against %lld", own->name,
                  (long long)other->n_steps, (long long)own->n_steps);
      return true;
    }
    compare_flags(&d, other);
    compare_series(&d, other);
    compare_targets(&d, other);
    if (d.any) {
      return true;
    }
  }
  return false;
}
