#include "core/model_config/projection_keys.h"

#include "core/base/memory.h"
#include "core/model/weight_bounds.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

pf_status pf_projection_name(const pf_models *models, const pf_network_settings *settings, size_t i,
                             char name[PF_PROJECTION_NAME], pf_error *error)
{
  const pf_projection_settings *entry = &settings->projections[i];
  if (entry->name == NULL && entry->layer == 0) {
    return pf_config_fail(models->config, pf_node_at(pf_models_entries(models), (int64_t)i), error,
                          "a projection needs `layer` (1 is the first) or `name`");
  }
  if (entry->name != NULL) {
    (void)snprintf(name, PF_PROJECTION_NAME, "%s", entry->name);
  } else {
    (void)snprintf(name, PF_PROJECTION_NAME, "layer%lld", (long long)entry->layer);
  }
  return PF_OK;
}

static const char *skip_spaces(const char *text)
{
  while (isspace((unsigned char)*text)) {
    text++;
  }
  return text;
}

enum { MAX_UNITS = 1000000000 }; /* more than any projection has; larger numbers are taken for it */

/** A count at *text, which then lies behind it; -1: there is none. */
static int64_t read_count(const char **text)
{
  char *end = NULL;
  const char *from = skip_spaces(*text);
  if (!isdigit((unsigned char)*from)) {
    return -1;
  }
  const long long value = strtoll(from, &end, 10);
  *text = skip_spaces(end);
  return value < MAX_UNITS ? (int64_t)value : MAX_UNITS;
}

/* ---- units ---- */

/** "0-4, 7" into ranges (room for one a character); -1: it is not that. */
static int64_t parse_units(const char *text, pf_range *ranges)
{
  int64_t n = 0;
  for (text = skip_spaces(text); *text != '\0';) {
    const int64_t first = read_count(&text);
    int64_t last = first;
    if (first >= 0 && *text == '-') {
      text++;
      last = read_count(&text);
    }
    if (first < 0 || last < first) {
      return -1;
    }
    ranges[n++] = (pf_range){first, last - first + 1};
    if (*text == ',') {
      text++;
    } else if (*text != '\0') {
      return -1;
    }
  }
  return n;
}

pf_status pf_projection_units(const pf_models *models, const pf_network_settings *settings,
                              size_t i, pf_range **ranges, size_t *n, pf_error *error)
{
  const char *text = settings->projections[i].units;
  *n = 0;
  if (text == NULL) {
    return PF_OK;
  }
  *ranges = pf_memory_need(strlen(text) + 1, sizeof **ranges, error);
  if (*ranges == NULL) {
    return PF_STOP;
  }
  const int64_t found = parse_units(text, *ranges);
  if (found < 1) {
    const pf_node *entry = pf_node_at(pf_models_entries(models), (int64_t)i);
    return pf_config_fail(models->config, pf_node_get(entry, "units"), error,
                          "units: found \"%.80s\", expected postsynaptic units counted from 0, "
                          "such as \"0-4, 7\"",
                          text);
  }
  *n = (size_t)found;
  return PF_OK;
}

/* ---- bounds and signs ---- */

static int8_t sign_of(char c)
{
  return (int8_t)((c == '+') - (c == '-'));
}

/** "+", "-" for all, or "80+ 20-" in order, into signs [n_pre]; returns how many units it names,
 * -1: it is not that. */
static int64_t parse_signs(const char *text, int64_t n_pre, int8_t *signs)
{
  int64_t n = 0;
  text = skip_spaces(text);
  if ((text[0] == '+' || text[0] == '-' || text[0] == '0') && text[1] == '\0') {
    memset(signs, sign_of(text[0]), (size_t)n_pre);
    return n_pre;
  }
  while (*text != '\0') {
    /* a 0 is a free unit, unless a sign follows its digits: "10+" are ten units */
    const char *from = text;
    int64_t count = read_count(&text);
    int8_t sign = 0;
    if (*text == '+' || *text == '-') {
      sign = sign_of(*text);
      count = count < 0 ? 1 : count;
      text++;
    } else if (*from == '0' && count == 0) {
      count = 1;
    } else {
      return -1;
    }
    for (int64_t k = 0; k < count; k++, n++) {
      if (n < n_pre) {
        signs[n] = sign;
      }
    }
    text = skip_spaces(text);
  }
  return n;
}

static pf_status read_signs(const char *text, const char *name, int64_t n_pre, int8_t *signs,
                            pf_error *error)
{
  const int64_t n = parse_signs(text, n_pre, signs);
  if (n < 0) {
    return pf_fail(error, PF_STOP,
                   "dale: found \"%.80s\", expected \"+\", \"-\" or signs of the presynaptic units "
                   "in order, such as \"80+ 20-\" (0: free)",
                   text);
  }
  if (n != n_pre) {
    return pf_fail(error, PF_STOP,
                   "dale: \"%.80s\" names %lld units, but '%s' has %lld presynaptic ones", text,
                   (long long)n, name, (long long)n_pre);
  }
  return PF_OK;
}

static pf_status bound_projection(const pf_projection_settings *entry, const char *name,
                                  pf_model *model, pf_error *error)
{
  int64_t n_post = 0, n_pre = 0;
  const int64_t q = pf_model_projection(model, name, &n_post, &n_pre);
  double lower = -INFINITY, upper = INFINITY;
  if (q < 0) {
    return pf_fail(error, PF_STOP, "%s has no projection '%s'", model->network->label, name);
  }
  if (model->bounds[q].lower != NULL) {
    return pf_fail(error, PF_STOP,
                   "projection '%s' is given bounds twice; entries that share it need them once",
                   name);
  }
  if (entry->bounds.items != NULL) {
    if (entry->bounds.n != 2) {
      return pf_fail(error, PF_STOP, "bounds: found %zu numbers, expected [lower, upper]",
                     entry->bounds.n);
    }
    lower = entry->bounds.items[0];
    upper = entry->bounds.items[1];
  }
  int8_t *signs = pf_memory_need((size_t)n_pre, sizeof *signs, error);
  if (signs == NULL) {
    return PF_STOP;
  }
  pf_status status =
      entry->dale == NULL ? PF_OK : read_signs(entry->dale, name, n_pre, signs, error);
  if (status == PF_OK) {
    status = pf_model_bound(model, q, lower, upper, signs, error);
  }
  pf_memory_free(signs);
  return status;
}

pf_status pf_projection_bounds(const pf_models *models, const pf_network_settings *settings,
                               pf_model *model, pf_error *error)
{
  for (size_t i = 0; i < settings->n_projections; i++) {
    const pf_projection_settings *entry = &settings->projections[i];
    const bool bounded = entry->bounds.items != NULL;
    char name[PF_PROJECTION_NAME];
    if (!bounded && entry->dale == NULL) {
      continue;
    }
    if (pf_projection_name(models, settings, i, name, error) != PF_OK ||
        bound_projection(entry, name, model, error) != PF_OK) {
      const pf_node *node = pf_node_at(pf_models_entries(models), (int64_t)i);
      pf_error_locate(error, models->config, pf_node_get(node, bounded ? "bounds" : "dale"));
      return PF_STOP;
    }
  }
  return PF_OK;
}
