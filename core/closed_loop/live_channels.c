#include "core/closed_loop/live_channels.h"

#include "core/base/memory.h"

#include <math.h>
#include <string.h>

/** The task's channels, E[R], and the derived ones before this; NULL: out of memory. */
static const char **list_known(pf_names channels, const pf_live_channels *before, size_t *n,
                               pf_error *error)
{
  const char **names = pf_memory_need(channels.count + 1 + before->n, sizeof *names, error);
  *n = 0;
  for (size_t i = 0; names != NULL && i < channels.count; i++) {
    names[(*n)++] = channels.items[i];
  }
  if (names != NULL) {
    names[(*n)++] = "expected_reward";
  }
  for (size_t i = 0; names != NULL && i < before->n; i++) {
    names[(*n)++] = before->items[i].derived->name;
  }
  return names;
}

static pf_status add_live(pf_live_channels *out, const pf_derived *derived, pf_names channels,
                          pf_error *error)
{
  size_t n = 0;
  pf_status status = PF_OK;
  const char **names = list_known(channels, out, &n, error);
  if (names == NULL) {
    return PF_STOP;
  }
  const pf_names known = {names, n};
  if (pf_derived_is_live(derived, known)) {
    pf_live_channel *item = &out->items[out->n];
    *item = (pf_live_channel){.derived = derived, .past = pf_array_of(sizeof(double))};
    status = pf_linear_parse(derived->of, known, &item->linear, error);
    out->n += status == PF_OK ? 1 : 0;
  }
  pf_memory_free(names);
  return status;
}

pf_status pf_live_channels_make(const pf_derived *derived, size_t n, pf_names channels,
                                pf_live_channels *out, pf_error *error)
{
  *out = (pf_live_channels){.items = pf_memory_need(n, sizeof *out->items, error)};
  if (out->items == NULL) {
    return PF_STOP;
  }
  for (size_t k = 0; k < n; k++) {
    const pf_status status = add_live(out, &derived[k], channels, error);
    if (status != PF_OK) {
      return status;
    }
  }
  return PF_OK;
}

void pf_live_channels_free(pf_live_channels *channels)
{
  for (size_t k = 0; k < channels->n; k++) {
    pf_linear_free(&channels->items[k].linear);
    pf_array_free(&channels->items[k].past);
  }
  pf_memory_free(channels->items);
  *channels = (pf_live_channels){0};
}

void pf_live_channels_restart(pf_live_channels *channels)
{
  for (size_t k = 0; k < channels->n; k++) {
    channels->items[k].past.n = 0;
  }
}

const pf_live_channel *pf_live_channel_named(const pf_live_channels *channels, const char *name)
{
  for (size_t k = 0; k < channels->n; k++) {
    if (strcmp(channels->items[k].derived->name, name) == 0) {
      return &channels->items[k];
    }
  }
  return NULL;
}

/** What it is made of, now. values: [linear.n] scratch. */
static double read_now(const pf_live_channels *channels, const pf_live_channel *item,
                       pf_channel_reader read, const void *payload, double *values)
{
  for (size_t c = 0; c < item->linear.n; c++) {
    const char *name = item->linear.names[c];
    const pf_live_channel *other = pf_live_channel_named(channels, name);
    values[c] = other != NULL && other < item ? other->value : read(payload, name);
    if (isnan(values[c])) {
      return NAN;
    }
  }
  return pf_linear_value(&item->linear, values);
}

/** As pf_recording_derive has it: 0 where nothing lies that far back. */
static double value_of(const pf_live_channel *item)
{
  const pf_derived *derived = item->derived;
  const double *past = item->past.items;
  const int64_t last = (int64_t)item->past.n - 1;
  const int64_t from = last - derived->lag - derived->difference;
  if (from < 0) {
    return 0.0;
  }
  const double value = derived->difference > 0 ? past[last] - past[from] : past[from];
  return derived->zero_missing != 0 && isnan(value) ? 0.0 : value;
}

pf_status pf_live_channels_step(pf_live_channels *channels, pf_channel_reader read,
                                const void *payload, pf_error *error)
{
  for (size_t k = 0; k < channels->n; k++) {
    pf_live_channel *item = &channels->items[k];
    double *values = pf_memory_need(item->linear.n, sizeof *values, error);
    if (values == NULL) {
      return PF_STOP;
    }
    const double now = read_now(channels, item, read, payload, values);
    pf_memory_free(values);
    const pf_status status = pf_array_append_all(&item->past, &now, 1, error);
    if (status != PF_OK) {
      return status;
    }
    item->value = value_of(item);
  }
  return PF_OK;
}

bool pf_live_channels_have(const pf_derived *derived, size_t n, pf_names channels, const char *name)
{
  pf_error ignored = {.size = sizeof ignored};
  pf_live_channels made = {0};
  const bool is_made = pf_live_channels_make(derived, n, channels, &made, &ignored) == PF_OK;
  const bool found = is_made && pf_live_channel_named(&made, name) != NULL;
  pf_live_channels_free(&made);
  return found;
}
