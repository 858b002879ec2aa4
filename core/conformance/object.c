#define _POSIX_C_SOURCE 200809L

#include "core/conformance/object.h"

#include "core/conformance/watch.h"
#include "core/plugin/component.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- the host ---- */

enum { HEAD = 64, TAIL = 64, TAIL_BYTE = 0xA5 };

typedef struct cf_block {
  struct cf_block *next;
  size_t bytes;
} cf_block;

_Static_assert(sizeof(cf_block) <= HEAD, "the head of a block holds its record");

static bool tail_is_whole(const cf_block *block)
{
  const unsigned char *tail = (const unsigned char *)block + HEAD + block->bytes;
  for (int i = 0; i < TAIL; i++) {
    if (tail[i] != TAIL_BYTE) {
      return false;
    }
  }
  return true;
}

static void *host_allocate(const pf_host *face, size_t bytes)
{
  cf_host *host = face->impl;
  const int64_t number = host->n_made++;
  if (host->fail_at >= 0 &&
      (number == host->fail_at || (host->fail_onwards && number > host->fail_at))) {
    return NULL;
  }
  void *memory = NULL;
  if (bytes > SIZE_MAX / 2 || posix_memalign(&memory, 64, HEAD + bytes + TAIL) != 0) {
    return NULL;
  }
  memset(memory, 0, HEAD + bytes);
  memset((char *)memory + HEAD + bytes, TAIL_BYTE, TAIL);
  cf_block *block = memory;
  block->bytes = bytes;
  block->next = host->blocks;
  host->blocks = block;
  host->n_live++;
  return (char *)memory + HEAD;
}

static void host_release(const pf_host *face, void *pointer)
{
  cf_host *host = face->impl;
  if (pointer == NULL) {
    return;
  }
  for (cf_block **at = &host->blocks; *at != NULL; at = &(*at)->next) {
    cf_block *block = *at;
    if ((char *)block + HEAD == pointer) {
      *at = block->next;
      host->overrun = host->overrun || !tail_is_whole(block);
      host->n_live--;
      /* so that what is used after its release is not what it was */
      memset(pointer, 0xDD, block->bytes);
      free(block);
      return;
    }
  }
  abort(); /* not ours, or released twice: reported as a crash of the call that is being made */
}

static void host_warn(const pf_host *face, const char *line)
{
  (void)face;
  (void)line;
}

static void start_host(cf_host *host, int64_t fail_at, bool fail_onwards)
{
  *host = (cf_host){.fail_at = fail_at, .fail_onwards = fail_onwards};
  host->face = (pf_host){.size = sizeof(pf_host),
                         .impl = host,
                         .allocate = host_allocate,
                         .release = host_release,
                         .warn = host_warn};
}

uint64_t cf_host_sum(const cf_host *host)
{
  /* FNV-1a, by words: called around every hot call, so bytes would take most of the time of a
   * check. Each step is one to one in `sum` and in the word, so that one that changed always shows.
   */
  uint64_t sum = 1469598103934665603u;
  for (const cf_block *block = host->blocks; block != NULL; block = block->next) {
    const unsigned char *bytes = (const unsigned char *)block + HEAD;
    for (size_t i = 0; i < block->bytes; i += sizeof(uint64_t)) {
      const size_t n = block->bytes - i < sizeof(uint64_t) ? block->bytes - i : sizeof(uint64_t);
      uint64_t word = 0;
      memcpy(&word, bytes + i, n);
      sum = (sum ^ word) * 1099511628211u;
      sum ^= sum >> 32;
    }
  }
  return sum;
}

bool cf_host_overrun(const cf_host *host)
{
  bool overrun = host->overrun;
  for (const cf_block *block = host->blocks; block != NULL; block = block->next) {
    overrun = overrun || !tail_is_whole(block);
  }
  return overrun;
}

/* ---- settings ---- */

static const pf_node *setting_node(const cf_variant *variant, const char *path)
{
  return pf_node_get(variant->node, path);
}

double cf_setting(const cf_variant *variant, const char *path, double fallback)
{
  double value = fallback;
  return pf_node_number(setting_node(variant, path), &value) ? value : fallback;
}

double cf_setting_at(const cf_variant *variant, const char *path, int64_t i, double fallback)
{
  double value = fallback;
  return pf_node_number(pf_node_at(setting_node(variant, path), i), &value) ? value : fallback;
}

int64_t cf_setting_count(const cf_variant *variant, const char *path)
{
  return pf_node_count(setting_node(variant, path));
}

/* ---- objects ---- */

/** `create` alone, with its status; the line in *error. Checks that nothing undeclared was asked
 * for. */
static pf_status try_create(cf_report *report, const cf_variant *variant, cf_host *host,
                            void **self, pf_error *error)
{
  pf_view *view = NULL;
  pf_error fault = {.size = sizeof fault};
  const pf_group group = {.config = variant->config,
                          .node = variant->options,
                          .what = variant->what,
                          .plugin = variant->plugin->name,
                          .table = variant->plugin->options};
  if (pf_view_create(&group, &view, &fault) != PF_OK) {
    cf_find(report,
            "its options are refused: %s (options for the check stand in conformance.cfg beside "
            "the plugin)",
            fault.text);
  }
  const pf_status status =
      pf_plugin_create(variant->plugin, &host->face, pf_view_options(view), self, error);
  if (pf_view_verify(view, &fault) != PF_OK) {
    cf_find(report, "create asks for an option that it did not declare: %s", fault.text);
  }
  pf_view_free(view); /* now: who keeps a pointer into the options will read what is no more */
  return status;
}

void cf_object_make(cf_report *report, const cf_variant *variant, cf_host *host, cf_object *out)
{
  pf_error error = {.size = sizeof error};
  *out = (cf_object){.variant = variant, .plugin = variant->plugin, .host = host};
  start_host(host, -1, false);
  cf_doing(report, "create");
  if (try_create(report, variant, host, &out->self, &error) != PF_OK) {
    cf_find(report, "create refuses: %s%s",
            error.text[0] == '\0' ? "and does not say why" : error.text,
            variant->plugin->options.count == 0
                ? ""
                : " (options for the check stand in conformance.cfg beside the plugin)");
  }
}

static void destroy_object(cf_report *report, const pf_plugin *plugin, void *self)
{
  cf_doing(report, self == NULL ? "destroy(NULL)" : "destroy");
  pf_plugin_destroy(plugin, self);
}

void cf_object_end(cf_report *report, cf_object *object)
{
  destroy_object(report, object->plugin, object->self);
  if (cf_host_overrun(object->host)) {
    cf_find(report, "writes behind the end of memory that it was given by host->allocate");
  }
  if (object->host->n_live != 0) {
    cf_find(report, "leaks: %lld of %lld allocations live on after destroy",
            (long long)object->host->n_live, (long long)object->host->n_made);
  }
}

/* ---- life ---- */

/** A create that failed as it should: with a line, and nothing left behind. */
static void check_failure(cf_report *report, int64_t n, const cf_host *host, bool untouched,
                          const pf_error *error)
{
  if (error->text[0] == '\0') {
    cf_find(report,
            "create fails without a line when allocation %lld fails: write one with pf_fail",
            (long long)n);
  }
  if (!untouched) {
    cf_find(report, "create touches *self though it fails (allocation %lld)", (long long)n);
  }
  if (host->n_live != 0) {
    cf_find(report, "create leaks %lld allocations when allocation %lld fails",
            (long long)host->n_live, (long long)n);
  }
  if (n > 100000) {
    cf_find(report, "create never succeeds, however many allocations do");
  }
}

static void check_out_of_memory(cf_report *report, const cf_variant *variant, bool onwards)
{
  static int untouched;
  bool was_asked = true;
  for (int64_t n = 0; was_asked; n++) {
    cf_host host;
    pf_error error = {.size = sizeof error};
    void *self = &untouched;
    start_host(&host, n, onwards);
    cf_doing(report, "create, with allocation %lld%s failing,", (long long)n,
             onwards ? " and all that follow" : "");
    if (try_create(report, variant, &host, &self, &error) != PF_OK) {
      check_failure(report, n, &host, self == &untouched, &error);
      continue;
    }
    was_asked = host.n_made > n; /* it can do without that one, or needs no more */
    destroy_object(report, variant->plugin, self);
    if (host.n_live != 0) {
      cf_find(report, "leaks %lld allocations after a create that went on without one",
              (long long)host.n_live);
    }
    report->n_values += was_asked ? 0 : n;
  }
}

static void check_interleaved(cf_report *report, const cf_variant *variant)
{
  cf_host hosts[3];
  cf_object objects[3];
  const bool watched = cf_watch_start(variant->plugin);
  const cf_watch before = cf_watch_now();
  destroy_object(report, variant->plugin, NULL);
  cf_object_make(report, variant, &hosts[0], &objects[0]);
  cf_object_make(report, variant, &hosts[1], &objects[1]);
  cf_object_end(report, &objects[0]);
  cf_object_make(report, variant, &hosts[2], &objects[2]);
  cf_object_end(report, &objects[1]);
  cf_object_end(report, &objects[2]);
  report->n_values += 3;
  const cf_watch after = cf_watch_now();
  if (watched && after.n_live > before.n_live) {
    cf_find(report,
            "leaks: %lld of its own allocations (malloc) live on after create and destroy of three "
            "objects",
            (long long)(after.n_live - before.n_live));
  }
}

static void check_unknown_key(cf_report *report, const cf_variant *variant)
{
  pf_config *config = NULL;
  pf_view *view = NULL;
  pf_error error = {.size = sizeof error};
  if (pf_config_parse("no_such_option_of_any_plugin = 1;", "check", NULL, 0, &config, &error) !=
      PF_OK) {
    _exit(99);
  }
  const pf_group group = {.config = config,
                          .node = pf_config_root(config),
                          .what = variant->what,
                          .plugin = variant->plugin->name,
                          .table = variant->plugin->options};
  if (pf_view_create(&group, &view, &error) == PF_OK) {
    cf_find(report, "a key that it did not declare is not refused");
  }
  report->n_values++;
  pf_config_free(config);
}

static void check_options(cf_report *report, const cf_variant *variant)
{
  const pf_option_table table = variant->plugin->options;
  for (size_t i = 0; i < table.count; i++) {
    const pf_option *option = pf_table_at(table.items, table.stride, table.count, i);
    if (option->name == NULL || option->name[0] == '\0') {
      cf_find(report, "option %zu has no name", i);
    }
    /* + 1: names of the user's own, the last of the list */
    if (option->type < PF_TYPE_BOOL || option->type > PF_TYPE_STRINGS + 1) {
      cf_find(report, "option %s has type %u, which is none of enum pf_type", option->name,
              (unsigned)option->type);
    }
    if (option->help == NULL || option->help[0] == '\0') {
      cf_find(report, "option %s has no line of help", option->name);
    }
    for (size_t k = 0; k < i; k++) {
      const pf_option *other = pf_table_at(table.items, table.stride, table.count, k);
      if (strcmp(other->name, option->name) == 0) {
        cf_find(report, "option %s is declared twice", option->name);
      }
    }
    report->n_values++;
  }
  check_unknown_key(report, variant);
}

void cf_check_size(cf_report *report, const char *what, size_t size, size_t of_host)
{
  if (size > of_host || size % sizeof(void (*)(void)) != 0) {
    cf_find(report, "its %s has size %zu, expected at most %zu and whole ops: set it to sizeof(%s)",
            what, size, of_host, what);
  }
  report->n_values++;
}

void cf_check_names(cf_report *report, const char *what, pf_names names)
{
  if (names.count > 0 && names.items == NULL) {
    cf_find(report, "it declares %zu %s without a table of names", names.count, what);
  }
  for (size_t i = 0; i < names.count; i++) {
    if (names.items[i] == NULL || names.items[i][0] == '\0') {
      cf_find(report, "it declares %s %zu without a name", what, i);
    }
  }
}

void cf_check_parameters(cf_report *report, pf_parameter_table table)
{
  if (table.count > 0 && (table.items == NULL || table.stride < sizeof(size_t))) {
    cf_find(report, "it declares %zu parameters without a table, or without a stride", table.count);
  }
  for (size_t k = 0; k < table.count; k++) {
    const pf_parameter *p = pf_table_at(table.items, table.stride, table.count, k);
    if (p->name == NULL || p->name[0] == '\0') {
      cf_find(report, "parameter %zu has no name", k);
    }
    if (!(p->lower <= p->initial && p->initial <= p->upper)) {
      cf_find(report, "parameter %s starts at %g, which is not within its own bounds %g to %g",
              p->name, p->initial, p->lower, p->upper);
    }
    for (size_t i = 0; i < k; i++) {
      const pf_parameter *other = pf_table_at(table.items, table.stride, table.count, i);
      if (strcmp(other->name, p->name) == 0) {
        cf_find(report, "parameter %s is declared twice", p->name);
      }
    }
    report->n_values++;
  }
}

enum { WIDE = 1000 }; /* bounds so many times as far apart as the value is large */

double cf_theta_value(const pf_parameter *p, double u, int sign)
{
  const double base = p->value != 0.0 && isfinite(p->value) ? p->value : p->initial;
  /* bounds far from the parameter's own scale say nothing of it: half way between them a time
   * constant would be so long that nothing depends on it */
  const bool is_wide = p->upper - p->lower > WIDE * fabs(base) && p->lower >= 0.0 && base > 0.0;
  if (isfinite(p->lower) && isfinite(p->upper) && is_wide) {
    return fmin(fmax(base * (0.3 + 0.6 * u), p->lower), p->upper);
  }
  if (isfinite(p->lower) && isfinite(p->upper)) {
    return p->lower + (0.2 + 0.6 * u) * (p->upper - p->lower);
  }
  if (!isfinite(p->lower) && !isfinite(p->upper)) {
    return sign * (0.1 + 0.75 * u);
  }
  const double size = fabs(base) > 0.0 ? fabs(base) : 1.0;
  return isfinite(p->lower) ? fmax(p->lower, 0.0) + size * (0.3 + 0.6 * u)
                            : fmin(p->upper, 0.0) - size * (0.3 + 0.6 * u);
}

void cf_check_life(cf_report *report, const void *what)
{
  const cf_variant *variant = what;
  check_options(report, variant);
  check_interleaved(report, variant);
  check_out_of_memory(report, variant, false);
  check_out_of_memory(report, variant, true);
}
