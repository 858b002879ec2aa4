#include "core/model/modulation.h"

#include "core/base/array.h"
#include "core/base/memory.h"
#include "core/base/text.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- channels ---- */

/** Its place among what the modulators read, where it is added if it is new. */
static pf_status add_channel(pf_modulation *modulation, const char *name, size_t *place,
                             pf_error *error)
{
  for (size_t c = 0; c < modulation->n_channels; c++) {
    if (strcmp(modulation->channels[c], name) == 0) {
      *place = c;
      return PF_OK;
    }
  }
  pf_array names = {modulation->channels, modulation->n_channels, modulation->n_channels,
                    sizeof(char *)};
  char *copy = pf_memory_need(strlen(name) + 1, 1, error);
  if (copy == NULL) {
    return PF_STOP;
  }
  memcpy(copy, name, strlen(name) + 1);
  const pf_status status = pf_array_append_all(&names, &copy, 1, error);
  modulation->channels = names.items;
  if (status != PF_OK) {
    pf_memory_free(copy);
    return status;
  }
  *place = modulation->n_channels++;
  return PF_OK;
}

/* ---- families ---- */

/** A channel of a family, and the number at the end of its name; -1: there is none. */
typedef struct member {
  const char *name;
  long number;
  size_t place; /* among the data's channels */
} member;

static long number_behind(const char *name, size_t length)
{
  const char *at = name + length;
  char *end = NULL;
  if (!isdigit((unsigned char)*at)) {
    return -1;
  }
  const long number = strtol(at, &end, 10);
  return *end == '\0' ? number : -1;
}

static int compare_members(const void *a, const void *b)
{
  const member *one = a, *other = b;
  if (one->number != other->number) {
    return one->number < other->number ? -1 : 1;
  }
  return one->place < other->place ? -1 : 1;
}

/** The channels that a name with [post] or [pre] stands for: a value for each unit. */
typedef struct family {
  const char *name;
  size_t length;   /* of the name without [post] or [pre] */
  member *members; /* [n] */
  size_t n;
  uint32_t per; /* PF_PER_POST or PF_PER_PRE */
  int64_t n_units;
} family;

/** The members: by number where all have one, else as the data list them. */
static pf_status find_members(family *of, pf_names channels, pf_error *error)
{
  bool all_numbers = true;
  of->members = pf_memory_need(channels.count, sizeof *of->members, error);
  if (of->members == NULL) {
    return PF_STOP;
  }
  for (size_t i = 0; i < channels.count; i++) {
    if (pf_linear_is_member(channels.items[i], of->name, of->length)) {
      const long number = number_behind(channels.items[i], of->length);
      of->members[of->n++] = (member){channels.items[i], number, i};
      all_numbers = all_numbers && number >= 0;
    }
  }
  if (all_numbers) {
    qsort(of->members, of->n, sizeof *of->members, compare_members);
  }
  return PF_OK;
}

static pf_status fail_family(const family *of, pf_error *error)
{
  const size_t n = of->n;
  pf_text all = {0};
  for (size_t k = 0; k < n; k++) {
    pf_text_add(&all, "%s%s", k > 0 ? ", " : "", of->members[k].name);
  }
  (void)pf_fail(error, PF_STOP,
                "'%s' is %zu channel%s (%s), but the projection has %lld %s units; give each a "
                "channel%s",
                of->name, n, n == 1 ? "" : "s", all.text == NULL ? "" : all.text,
                (long long)of->n_units, of->per == PF_PER_POST ? "postsynaptic" : "presynaptic",
                of->per == PF_PER_POST
                    ? ", or say which channel each unit has: compartments = [0, 0, 1, ...]"
                    : "");
  pf_text_free(&all);
  return PF_STOP;
}

/** Which member unit u has; SIZE_MAX: `compartments` is of another length, or beyond the members.
 */
static size_t member_of_unit(const family *of, const pf_modulation_spec *spec, int64_t u)
{
  if (of->per != PF_PER_POST || spec->n_compartments == 0) {
    return of->n == (size_t)of->n_units ? (size_t)u : SIZE_MAX;
  }
  if (spec->n_compartments != (size_t)of->n_units) {
    return SIZE_MAX;
  }
  const double found = spec->compartments[u];
  const bool is_there = found >= 0.0 && found < (double)of->n && found == floor(found);
  return is_there ? (size_t)found : SIZE_MAX;
}

static pf_status fail_compartments(const family *of, const pf_modulation_spec *spec,
                                   pf_error *error)
{
  if (spec->n_compartments != (size_t)of->n_units) {
    return pf_fail(error, PF_STOP,
                   "compartments has %zu numbers, expected one for each of the %lld postsynaptic "
                   "units: which channel of '%s' it has, from 0",
                   spec->n_compartments, (long long)of->n_units, of->name);
  }
  return pf_fail(error, PF_STOP,
                 "compartments: expected numbers from 0 to %zu: '%s' is %zu channels", of->n - 1,
                 of->name, of->n);
}

/** Which channel each unit has. */
static pf_status assign_channels(pf_modulation *modulation, const family *of,
                                 const pf_modulation_spec *spec, size_t *of_unit, pf_error *error)
{
  for (int64_t u = 0; u < of->n_units; u++) {
    const size_t k = member_of_unit(of, spec, u);
    if (k == SIZE_MAX) {
      return of->per == PF_PER_POST && spec->n_compartments > 0 ? fail_compartments(of, spec, error)
                                                                : fail_family(of, error);
    }
    const pf_status status = add_channel(modulation, of->members[k].name, &of_unit[u], error);
    if (status != PF_OK) {
      return status;
    }
  }
  return PF_OK;
}

static pf_status make_family(pf_plastic *plastic, const pf_modulation_spec *spec, family *of,
                             pf_names channels, size_t **of_unit, pf_error *error)
{
  of->n_units = of->per == PF_PER_POST ? plastic->n_post : plastic->n_pre;
  *of_unit = pf_memory_need((size_t)of->n_units, sizeof **of_unit, error);
  if (*of_unit == NULL) {
    return PF_STOP;
  }
  pf_status status = find_members(of, channels, error);
  if (status == PF_OK) {
    status = assign_channels(&plastic->modulation, of, spec, *of_unit, error);
  }
  pf_memory_free(of->members);
  return status;
}

/* ---- expressions ---- */

/** A value per unit is of that side's units only. */
static pf_status check_side(const pf_plastic *plastic, size_t k, const char *name, uint32_t per,
                            pf_error *error)
{
  const pf_modulator *declared = &plastic->modulator_info[k];
  if (declared->per == PF_PER_NETWORK || per == PF_PER_NETWORK || per == declared->per) {
    return PF_OK;
  }
  return pf_fail(error, PF_STOP,
                 "%s: modulator '%s' has a value for each %s unit, which '%s' is not; expected "
                 "channels, or a family [%s]",
                 plastic->rule->label, declared->name,
                 declared->per == PF_PER_POST ? "postsynaptic" : "presynaptic", name,
                 declared->per == PF_PER_POST ? "post" : "pre");
}

static pf_status make_sources(pf_plastic *plastic, size_t k, const pf_modulation_spec *spec,
                              pf_names channels, pf_error *error)
{
  pf_modulation *modulation = &plastic->modulation;
  const pf_linear *linear = &plastic->modulators[k];
  pf_modulator_source *sources = pf_memory_need(linear->n, sizeof *sources, error);
  modulation->sources[k] = sources;
  if (sources == NULL) {
    return PF_STOP;
  }
  modulation->n_names = linear->n > modulation->n_names ? linear->n : modulation->n_names;
  for (size_t c = 0; c < linear->n; c++) {
    family of = {.name = linear->names[c]};
    of.per = pf_linear_family(of.name, &of.length);
    sources[c].per = of.per;
    pf_status status = check_side(plastic, k, linear->names[c], sources[c].per, error);
    if (status != PF_OK) {
      return status;
    }
    status = sources[c].per == PF_PER_NETWORK
                 ? add_channel(modulation, linear->names[c], &sources[c].channel, error)
                 : make_family(plastic, spec, &of, channels, &sources[c].of_unit, error);
    if (status != PF_OK) {
      return status;
    }
  }
  return PF_OK;
}

static pf_status parse_modulators(pf_plastic *plastic, const pf_modulation_spec *spec,
                                  pf_names channels, pf_error *error)
{
  const pf_rule_declaration *declared = &plastic->declared;
  const size_t n = declared->modulators.count;
  const bool unused = declared->reads != 0 && (declared->reads & PF_READS_MODULATOR) == 0;
  plastic->modulators = pf_memory_need(n, sizeof *plastic->modulators, error);
  plastic->modulation.sources = pf_memory_need(n, sizeof *plastic->modulation.sources, error);
  if (plastic->modulators == NULL || plastic->modulation.sources == NULL) {
    return PF_STOP;
  }
  for (size_t k = 0; k < n; k++) {
    /* a rule that reads no modulator needs no reward in the data */
    const char *text = unused ? "0" : plastic->modulator_info[k].fallback;
    if (k == 0 && spec->first != NULL) {
      text = spec->first;
    }
    pf_status status = pf_linear_parse(text, channels, &plastic->modulators[k], error);
    if (status != PF_OK) {
      return status;
    }
    status = make_sources(plastic, k, spec, channels, error);
    if (status != PF_OK) {
      return status;
    }
    plastic->modulation.n_post += plastic->modulator_info[k].per == PF_PER_POST ? 1 : 0;
    plastic->modulation.n_pre += plastic->modulator_info[k].per == PF_PER_PRE ? 1 : 0;
  }
  return PF_OK;
}

/* ---- parts ---- */

/** Does a modulator that the rule has per network change from unit u - 1 to u of a side? */
static bool changes_at(const pf_plastic *plastic, uint32_t per, int64_t u)
{
  for (size_t k = 0; k < plastic->declared.modulators.count; k++) {
    if (plastic->modulator_info[k].per != PF_PER_NETWORK) {
      continue;
    }
    for (size_t c = 0; c < plastic->modulators[k].n; c++) {
      const pf_modulator_source *source = &plastic->modulation.sources[k][c];
      if (source->per == per && source->of_unit[u] != source->of_unit[u - 1]) {
        return true;
      }
    }
  }
  return false;
}

/** The units of `whole` from `first` on that have the same values. */
static pf_range run_from(const pf_plastic *plastic, uint32_t per, pf_range whole, int64_t first)
{
  int64_t end = first + 1;
  while (end < whole.first + whole.n && !changes_at(plastic, per, end)) {
    end++;
  }
  return (pf_range){first, end - first};
}

static pf_status make_parts(pf_plastic *plastic, pf_error *error)
{
  const pf_range all = {0, plastic->n_pre};
  pf_array parts = pf_array_of(sizeof(pf_part));
  pf_status status = PF_OK;
  for (size_t r = 0; r < plastic->n_ranges; r++) {
    const pf_range range = plastic->ranges[r];
    for (int64_t i = range.first; i < range.first + range.n;) {
      const pf_range rows = run_from(plastic, PF_PER_POST, range, i);
      for (int64_t j = 0; j == 0 || j < all.n;) {
        const pf_range columns = all.n == 0 ? all : run_from(plastic, PF_PER_PRE, all, j);
        const pf_part part = {rows, columns, j == 0};
        status = pf_array_append_all(&parts, &part, 1, error);
        if (status != PF_OK) {
          pf_array_free(&parts);
          return status;
        }
        j = columns.first + (columns.n > 0 ? columns.n : 1);
      }
      i = rows.first + rows.n;
    }
  }
  plastic->parts = pf_array_take(&parts, &plastic->n_parts);
  return PF_OK;
}

/* ---- traces that parts share ---- */

enum { PROBE = 64 }; /* of each kind of number that a rule of one synapse may see */

/** Traces of one synapse after a step with modulators m; false: the rule refuses the numbers. */
static bool update_probe(const pf_plastic *plastic, pf_real m, pf_real after[4][PROBE])
{
  double theta[PROBE];
  pf_real numbers[PROBE], modulators[PROBE], before[PROBE];
  const pf_rule_ops *ops = plastic->rule->plugin->rule;
  pf_error ignored = {.size = sizeof ignored};
  for (int i = 0; i < PROBE; i++) {
    theta[i] = 0.37;
    numbers[i] = (pf_real)0.61;
    before[i] = (pf_real)0.23;
    modulators[i] = m;
  }
  const pf_traces traces = {.size = sizeof traces,
                            .network = before,
                            .pre = before,
                            .post = before,
                            .synapse = before,
                            .ld_pre = 1,
                            .ld_post = 1,
                            .ldw = 1,
                            .synapse_stride = 1};
  const pf_traces next = {.size = sizeof next,
                          .network = after[PF_PER_NETWORK],
                          .pre = after[PF_PER_PRE],
                          .post = after[PF_PER_POST],
                          .synapse = after[PF_PER_SYNAPSE],
                          .ld_pre = 1,
                          .ld_post = 1,
                          .ldw = 1,
                          .synapse_stride = 1};
  const pf_block block = {.size = sizeof block,
                          .n_rows = 1,
                          .n_pre = 1,
                          .theta = theta,
                          .pre = numbers,
                          .post = numbers,
                          .w = numbers,
                          .modulator = modulators,
                          .modulator_pre = modulators,
                          .modulator_post = modulators,
                          .ld_pre = 1,
                          .ld_post = 1,
                          .ldw = 1,
                          .traces = &traces,
                          .dt = 1.0};
  return ops->update_traces(plastic->rule->self, &block, &next, &ignored) == PF_OK;
}

static bool fits_probe(const pf_rule_declaration *declared)
{
  return declared->parameters.count <= PROBE && declared->pre_signals.count <= PROBE &&
         declared->post_signals.count <= PROBE && declared->modulators.count <= PROBE &&
         declared->traces.count <= PROBE;
}

/** Is the trace, the k-th of its kind, the same whatever the modulators are? */
static bool ignores_modulators(const pf_plastic *plastic, uint32_t per, size_t k)
{
  pf_real one[4][PROBE] = {{0}}, other[4][PROBE] = {{0}};
  return fits_probe(&plastic->declared) && update_probe(plastic, (pf_real)0.5, one) &&
         update_probe(plastic, (pf_real)-1.5, other) && one[per][k] == other[per][k];
}

/** Traces that synapses of several parts share cannot follow modulators that differ between them.
 */
static pf_status check_traces(const pf_plastic *plastic, pf_error *error)
{
  size_t n_of[4] = {0};
  bool by_rows = false, by_columns = false;
  for (size_t p = 1; p < plastic->n_parts; p++) {
    const pf_part *part = &plastic->parts[p];
    by_columns = by_columns || !part->first_columns;
    by_rows = by_rows || (part->first_columns && part->rows.first > 0 &&
                          changes_at(plastic, PF_PER_POST, part->rows.first));
  }
  for (size_t k = 0; k < plastic->declared.traces.count; k++) {
    const pf_trace *trace = &plastic->traces[k];
    const size_t place = n_of[trace->per]++;
    const bool shared = (trace->per == PF_PER_NETWORK && (by_rows || by_columns)) ||
                        (trace->per == PF_PER_PRE && by_rows) ||
                        (trace->per == PF_PER_POST && by_columns);
    if (shared && !ignores_modulators(plastic, trace->per, place)) {
      return pf_fail(error, PF_STOP,
                     "%s: its trace '%s' is one for synapses whose modulators differ; take a "
                     "modulator with one value a step",
                     plastic->rule->label, trace->name);
    }
  }
  return PF_OK;
}

pf_status pf_modulation_make(pf_plastic *plastic, const pf_modulation_spec *spec, pf_names channels,
                             pf_error *error)
{
  pf_status status = parse_modulators(plastic, spec, channels, error);
  if (status != PF_OK) {
    return status;
  }
  status = make_parts(plastic, error);
  return status == PF_OK ? check_traces(plastic, error) : status;
}

void pf_modulation_free(pf_plastic *plastic)
{
  pf_modulation *modulation = &plastic->modulation;
  const size_t n = plastic->declared.modulators.count;
  for (size_t k = 0; k < n && modulation->sources != NULL; k++) {
    for (size_t c = 0; modulation->sources[k] != NULL && c < plastic->modulators[k].n; c++) {
      pf_memory_free(modulation->sources[k][c].of_unit);
    }
    pf_memory_free(modulation->sources[k]);
  }
  for (size_t k = 0; k < n && plastic->modulators != NULL; k++) {
    pf_linear_free(&plastic->modulators[k]);
  }
  for (size_t c = 0; c < modulation->n_channels; c++) {
    pf_memory_free(modulation->channels[c]);
  }
  pf_memory_free(modulation->channels);
  pf_memory_free(modulation->sources);
  pf_memory_free(plastic->modulators);
  pf_memory_free(plastic->parts);
  plastic->modulators = NULL;
  plastic->parts = NULL;
  *modulation = (pf_modulation){0};
}

/** The channel of a source at unit u. */
static const char *channel_at(const pf_plastic *plastic, const pf_modulator_source *source,
                              int64_t u)
{
  const size_t place = source->per == PF_PER_NETWORK ? source->channel : source->of_unit[u];
  return plastic->modulation.channels[place];
}

bool pf_modulation_same(const pf_plastic *a, const pf_plastic *b)
{
  if (a->n_post != b->n_post || a->n_pre != b->n_pre) {
    return false;
  }
  for (size_t k = 0; k < a->declared.modulators.count; k++) {
    for (size_t c = 0; c < a->modulators[k].n; c++) {
      const pf_modulator_source *one = &a->modulation.sources[k][c];
      const pf_modulator_source *other = &b->modulation.sources[k][c];
      int64_t n_units = one->per == PF_PER_POST ? a->n_post : a->n_pre;
      n_units = one->per == PF_PER_NETWORK ? 1 : n_units;
      for (int64_t u = 0; u < n_units; u++) {
        if (strcmp(channel_at(a, one, u), channel_at(b, other, u)) != 0) {
          return false;
        }
      }
    }
  }
  return true;
}

/* ---- values ---- */

size_t pf_modulation_cells(const pf_plastic *plastic)
{
  return plastic->n_parts * plastic->declared.modulators.count +
         plastic->modulation.n_post * (size_t)plastic->n_post +
         plastic->modulation.n_pre * (size_t)plastic->n_pre;
}

/** Modulator k at a synapse of units i and j. */
static pf_real value_at(const pf_plastic *plastic, size_t k, int64_t i, int64_t j,
                        const double *read, double *names)
{
  const pf_linear *linear = &plastic->modulators[k];
  const pf_modulator_source *sources = plastic->modulation.sources[k];
  for (size_t c = 0; c < linear->n; c++) {
    size_t channel = sources[c].channel;
    if (sources[c].per != PF_PER_NETWORK) {
      channel = sources[c].of_unit[sources[c].per == PF_PER_POST ? i : j];
    }
    names[c] = read[channel];
  }
  return (pf_real)pf_linear_value(linear, names);
}

/** The values of one side's units, of the modulators that the rule declares for it. */
static pf_real *set_side(const pf_plastic *plastic, uint32_t per, const double *read, double *names,
                         pf_real *out)
{
  const bool is_post = per == PF_PER_POST;
  const int64_t n_units = is_post ? plastic->n_post : plastic->n_pre;
  for (size_t k = 0; k < plastic->declared.modulators.count; k++) {
    if (plastic->modulator_info[k].per != per) {
      continue;
    }
    for (int64_t u = 0; u < n_units; u++) {
      *out++ = value_at(plastic, k, is_post ? u : 0, is_post ? 0 : u, read, names);
    }
  }
  return out;
}

void pf_modulation_set(const pf_plastic *plastic, const double *read, double *names, pf_real *out)
{
  for (size_t p = 0; p < plastic->n_parts; p++) {
    const pf_part *part = &plastic->parts[p];
    for (size_t k = 0; k < plastic->declared.modulators.count; k++) {
      const bool is_one = plastic->modulator_info[k].per == PF_PER_NETWORK;
      *out++ = is_one ? value_at(plastic, k, part->rows.first, part->columns.first, read, names)
                      : (pf_real)0;
    }
  }
  out = set_side(plastic, PF_PER_POST, read, names, out);
  (void)set_side(plastic, PF_PER_PRE, read, names, out);
}

const pf_real *pf_modulation_part(const pf_plastic *plastic, const pf_real *step, size_t part)
{
  return step + part * plastic->declared.modulators.count;
}

const pf_real *pf_modulation_post(const pf_plastic *plastic, const pf_real *step)
{
  const size_t before = plastic->n_parts * plastic->declared.modulators.count;
  return plastic->modulation.n_post > 0 ? step + before : NULL;
}

const pf_real *pf_modulation_pre(const pf_plastic *plastic, const pf_real *step)
{
  const size_t before = plastic->n_parts * plastic->declared.modulators.count +
                        plastic->modulation.n_post * (size_t)plastic->n_post;
  return plastic->modulation.n_pre > 0 ? step + before : NULL;
}
