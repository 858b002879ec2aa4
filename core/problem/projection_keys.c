/* Keys of network.projections that say which units learn by a rule, and between which bounds
 * weights stay. */
#include "core/base/memory.h"
#include "core/problem/build.h"
#include "core/model/weight_bounds.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *path_of(int64_t i, const char *key, char *path, size_t capacity)
{
  (void)snprintf(path, capacity, "projections[%lld].%s", (long long)i, key);
  return path;
}

static const pf_node *entry_at(const pf_problem *problem, int64_t i)
{
  return pf_node_at(pf_node_get(problem->models->network.node, "projections"), i);
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
static int64_t take_count(const char **text)
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
    const int64_t first = take_count(&text);
    int64_t last = first;
    if (first >= 0 && *text == '-') {
      text++;
      last = take_count(&text);
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

pf_status pf_build_groups(const pf_problem *problem, const pf_options *options, int64_t i,
                          pf_range **ranges, size_t *n, pf_error *error)
{
  char path[64];
  *n = 0;
  if (options->present(options, path_of(i, "units", path, sizeof path)) == 0) {
    return PF_OK;
  }
  const char *text = options->string(options, path);
  *ranges = pf_memory_need(strlen(text) + 1, sizeof **ranges, error);
  if (*ranges == NULL) {
    return PF_STOP;
  }
  const int64_t found = parse_units(text, *ranges);
  if (found < 1) {
    const pf_status status =
        pf_fail(error, PF_STOP,
                "units: found \"%.80s\", expected postsynaptic units counted from 0, such as "
                "\"0-4, 7\"",
                text);
    pf_error_locate(error, problem->config, pf_node_get(entry_at(problem, i), "units"));
    return status;
  }
  *n = (size_t)found;
  return PF_OK;
}

/* ---- bounds and signs ---- */

/** "+", "-" for all, or "80+ 20-" in order, into signs [n_pre]; returns how many units it names,
 * -1: it is not that. */
static int64_t parse_signs(const char *text, int64_t n_pre, int8_t *signs)
{
  int64_t n = 0;
  text = skip_spaces(text);
  if ((text[0] == '+' || text[0] == '-' || text[0] == '0') && text[1] == '\0') {
    memset(signs, text[0] == '+' ? 1 : text[0] == '-' ? -1 : 0, (size_t)n_pre);
    return n_pre;
  }
  while (*text != '\0') {
    /* a 0 is a free unit, unless a sign follows its digits: "10+" are ten units */
    const char *from = text;
    int64_t count = take_count(&text);
    int8_t sign = 0;
    if (*text == '+' || *text == '-') {
      sign = *text == '+' ? 1 : -1;
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

static pf_status take_signs(const char *text, const char *name, int64_t n_pre, int8_t *signs,
                            pf_error *error)
{
  const int64_t n = parse_signs(text, n_pre, signs);
  if (n < 0) {
    return pf_fail(error, PF_STOP,
                   "dale: found \"%.80s\", expected \"+\", \"-\" or signs of the presynaptic units "
                   "in order, such as "
                   "\"80+ 20-\" (0: free)",
                   text);
  }
  if (n != n_pre) {
    return pf_fail(error, PF_STOP,
                   "dale: \"%.80s\" names %lld units, but '%s' has %lld presynaptic ones", text,
                   (long long)n, name, (long long)n_pre);
  }
  return PF_OK;
}

static pf_status bound_entry(const pf_options *options, int64_t i, const char *name,
                             pf_model *model, pf_error *error)
{
  char bounds[64], dale[64];
  int64_t n_post = 0, n_pre = 0;
  const int64_t q = pf_model_projection(model, name, &n_post, &n_pre);
  double lower = -INFINITY, upper = INFINITY;
  (void)path_of(i, "bounds", bounds, sizeof bounds);
  (void)path_of(i, "dale", dale, sizeof dale);
  if (q < 0) {
    return pf_fail(error, PF_STOP, "%s has no projection '%s'", model->network->label, name);
  }
  if (model->bounds[q].lower != NULL) {
    return pf_fail(error, PF_STOP,
                   "projection '%s' is given bounds twice; entries that share it need them once",
                   name);
  }
  if (options->present(options, bounds) != 0) {
    if (options->length(options, bounds) != 2) {
      return pf_fail(error, PF_STOP, "bounds: found %lld numbers, expected [lower, upper]",
                     (long long)options->length(options, bounds));
    }
    lower = options->real_at(options, bounds, 0);
    upper = options->real_at(options, bounds, 1);
  }
  int8_t *signs = pf_memory_need((size_t)n_pre, sizeof *signs, error);
  pf_status status = signs == NULL ? PF_STOP : PF_OK;
  if (status == PF_OK && options->present(options, dale) != 0) {
    status = take_signs(options->string(options, dale), name, n_pre, signs, error);
  }
  status = status == PF_OK ? pf_model_bound(model, q, lower, upper, signs, error) : status;
  pf_memory_free(signs);
  return status;
}

pf_status pf_build_bounds(const pf_problem *problem, const pf_options *options, pf_model *model,
                          pf_error *error)
{
  pf_status status = PF_OK;
  for (int64_t i = 0; i < options->length(options, "projections") && status == PF_OK; i++) {
    char name[64], path[64];
    const bool bounded = options->present(options, path_of(i, "bounds", path, sizeof path)) != 0;
    const bool signed_ = options->present(options, path_of(i, "dale", path, sizeof path)) != 0;
    if (!bounded && !signed_) {
      continue;
    }
    status = pf_build_projection_name(problem, options, i, name, sizeof name, error);
    status = status == PF_OK ? bound_entry(options, i, name, model, error) : status;
    if (status != PF_OK) {
      pf_error_locate(error, problem->config,
                      pf_node_get(entry_at(problem, i), bounded ? "bounds" : "dale"));
    }
  }
  return status;
}
