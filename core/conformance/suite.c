/* The suite: variants, groups of checks, and what is printed. */
#define _XOPEN_SOURCE 700 /* realpath */

#include "core/conformance/conformance.h"
#include "core/conformance/double_reference.h"
#include "core/conformance/kinds.h"
#include "core/conformance/watch.h"
#include "core/plugin/registry.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- groups of checks ---- */

static const cf_checks *checks_of(uint32_t kind)
{
  static const cf_checks *const of_kind[] = {[PF_KIND_RULE] = cf_rule_checks,
                                             [PF_KIND_NETWORK] = cf_network_checks,
                                             [PF_KIND_LOSS] = cf_loss_checks,
                                             [PF_KIND_SOURCE] = cf_source_checks};
  return of_kind[kind];
}

static bool has_op(const pf_plugin *plugin, size_t offset)
{
  const void *const ops[] = {[PF_KIND_RULE] = plugin->rule,
                             [PF_KIND_NETWORK] = plugin->network,
                             [PF_KIND_LOSS] = plugin->loss,
                             [PF_KIND_SOURCE] = plugin->source};
  size_t size; /* the first member of each */
  void (*op)(void) = NULL;
  memcpy(&size, ops[plugin->kind], sizeof size);
  if (size >= offset + sizeof op) {
    memcpy(&op, (const char *)ops[plugin->kind] + offset, sizeof op);
  }
  return op != NULL;
}

static pf_status call_declare(cf_bench *bench, pf_error *error)
{
  const pf_plugin *plugin = bench->variant->plugin;
  const void *self = bench->object.self;
  switch (plugin->kind) {
  case PF_KIND_RULE:
    bench->declared.rule.size = sizeof bench->declared.rule;
    return plugin->rule->declare(self, &bench->declared.rule, error);
  case PF_KIND_NETWORK:
    bench->declared.network.size = sizeof bench->declared.network;
    return plugin->network->declare(self, &bench->declared.network, error);
  case PF_KIND_LOSS:
    bench->declared.loss.size = sizeof bench->declared.loss;
    return plugin->loss->declare(self, &bench->declared.loss, error);
  default:
    bench->declared.source.size = sizeof bench->declared.source;
    return plugin->source->declare(self, &bench->declared.source, error);
  }
}

typedef struct group {
  const cf_variant *variant;
  const cf_checks *checks;
} group;

/** In the child: a group of checks with a bench made for it. */
static void run_group(cf_report *report, const void *what)
{
  const group *of = what;
  cf_bench bench = {.variant = of->variant, .report = report};
  pf_error error = {.size = sizeof error};
  (void)cf_watch_start(of->variant->plugin);
  cf_object_make(report, of->variant, &bench.hosts[0], &bench.object);
  cf_object_make(report, of->variant, &bench.hosts[1], &bench.reference);
  cf_doing(report, "declare");
  cf_need_ok(report, call_declare(&bench, &error), &error);
  if (of->checks->op != NULL) {
    bench.op = *of->checks->op;
  }
  if (bench.op.jvp != NULL && !has_op(of->variant->plugin, bench.op.jvp_offset)) {
    bench.op.jvp = NULL;
  }
  bench.of = (cf_case){.kind = &bench.op,
                       .object = &bench.object,
                       .declared = &bench.declared,
                       .report = report,
                       .dt = cf_setting(of->variant, "dt", 1.5)};
  of->checks->check(&bench);
  cf_object_end(report, &bench.object);
  cf_object_end(report, &bench.reference);
}

/* ---- printing ---- */

static double largest_error(const cf_report *r)
{
  double error = r->n_slopes > 0 ? r->slope_error : (double)NAN;
  error = r->n_products > 0 ? fmax(error, r->product_error) : error;
  return r->n_references > 0 ? fmax(error, r->reference_error) : error;
}

static int64_t count_derivatives(const cf_report *r)
{
  return r->n_slopes + r->n_products + r->n_references;
}

static void print_head(FILE *stream, bool verbose)
{
  (void)fprintf(stream, "  result      values  derivatives     error  %scheck\n",
                verbose ? "remainder ratios  near a kink  " : "");
}

/** A row of the table: nothing where nothing was compared. */
static void print_row(FILE *stream, const cf_report *r, const char *name, bool verbose)
{
  char derivatives[24] = "", error[16] = "", ratios[32] = "", kinks[24] = "";
  if (count_derivatives(r) > 0) {
    (void)snprintf(derivatives, sizeof derivatives, "%lld", (long long)count_derivatives(r));
    (void)snprintf(error, sizeof error, "%.1e", largest_error(r));
  }
  (void)fprintf(stream, "  ok      %10lld  %11s  %8s  ", (long long)r->n_values, derivatives,
                error);
  if (r->n_ratios > 0) {
    (void)snprintf(ratios, sizeof ratios, "%.3f to %.3f", r->ratio_low, r->ratio_high);
  }
  if (r->n_kinks > 0) {
    (void)snprintf(kinks, sizeof kinks, "%lld", (long long)r->n_kinks);
  }
  if (verbose) {
    (void)fprintf(stream, "%16s  %11s  ", ratios, kinks);
  }
  (void)fprintf(stream, "%s\n", name);
}

/** A check of a plugin, and what it found so far. */
typedef struct check {
  const pf_conformance_request *request;
  FILE *stream;
  cf_report total;
  char last[CF_SENTENCE]; /**< the last finding of this variant */
  int64_t n_findings;
} check;

/** Runs a group of checks, and prints what came of it. */
static pf_status check_group(check *c, const char *name, cf_group run, const group *of,
                             pf_error *error)
{
  cf_report one;
  cf_report_clear(&one);
  cf_reference_group(&one, &c->request->reference, of->variant->name, name);
  const void *what = of->checks == NULL ? (const void *)of->variant : of;
  const pf_status status = cf_run(run, what, &one, error);
  if (status != PF_OK) {
    return status;
  }
  if (one.finding[0] != '\0' && strcmp(one.finding, c->last) == 0) {
    return PF_OK; /* said already: an object that cannot be made is none for any check */
  }
  memcpy(c->last, one.finding, sizeof c->last);
  const bool broken = one.finding[0] != '\0';
  if (broken) {
    (void)fprintf(c->stream, "  FAILED  %s: %s\n", name, one.finding);
    c->n_findings++;
  } else {
    print_row(c->stream, &one, name, c->request->verbose);
  }
  (void)fflush(c->stream); /* each row as soon as it is known */
  if (c->request->note != NULL) {
    const pf_conformance_group result = {.variant = of->variant->name,
                                         .name = name,
                                         .finding = broken ? one.finding : NULL,
                                         .n_values = one.n_values,
                                         .n_derivatives = count_derivatives(&one),
                                         .error = largest_error(&one)};
    c->request->note(c->request->payload, &result);
  }
  cf_report_add(&c->total, &one);
  return PF_OK;
}

static pf_status check_variant(check *c, const cf_variant *variant, pf_error *error)
{
  group of = {.variant = variant};
  c->last[0] = '\0';
  (void)fprintf(c->stream, "\n%s, options: %s\n", variant->what, variant->name);
  print_head(c->stream, c->request->verbose);
  if (check_group(c, "create, destroy, options", cf_check_life, &of, error) != PF_OK) {
    return PF_STOP;
  }
  for (of.checks = checks_of(variant->plugin->kind); of.checks->name != NULL; of.checks++) {
    if ((of.checks->needs == 0 || has_op(variant->plugin, of.checks->needs)) &&
        check_group(c, of.checks->name, run_group, &of, error) != PF_OK) {
      return PF_STOP;
    }
  }
  return PF_OK;
}

/** One sentence on what is normal, with what was found here. */
static void print_verdict(FILE *stream, const pf_plugin *plugin, const cf_report *total,
                          int64_t n_findings)
{
  (void)fputc('\n', stream);
  if (plugin->kind == PF_KIND_SOURCE) {
    (void)fprintf(
        stream, "Normal is: the same data, number for number, however often they are asked for.\n");
  } else if (total->n_references > 0) {
    (void)fputs("Normal are relative differences from the double build below 5e-5 (mostly 1e-6 to "
                "1e-7), of the largest number of each array.\n",
                stream);
  } else if (sizeof(pf_real) == sizeof(double)) {
    (void)fprintf(
        stream,
        "Normal are relative errors below 2e-9 (mostly 1e-10 to 1e-13; near a kink 1e-7), and\n"
        "remainders that fall by 4.0 when the step halves (--verbose). One wrong factor gives 1e-1 "
        "and 2.\n");
  } else {
    (void)fputs("Single precision: normal are relative errors below 5e-3 (2e-2 near a kink) and "
                "remainder ratios between 3.5 and 4.6; one factor that is wrong gives 1e-1 and 2. "
                "Sharper: let the double build write --values FILE, and compare with --reference "
                "FILE.\n",
                stream);
  }
  if (total->n_kinks > 0) {
    (void)fprintf(stream,
                  "%lld differences were left out: a kink (ReLU, abs, min, max) lay within the "
                  "smallest step.\n",
                  (long long)total->n_kinks);
  }
  if (n_findings == 0) {
    (void)fprintf(stream, "%s %s keeps its promises: ", pf_kind_name(plugin->kind), plugin->name);
    if (plugin->kind != PF_KIND_SOURCE) { /* which has none */
      (void)fprintf(stream, "%lld derivatives and ",
                    (long long)(total->n_slopes + total->n_products + total->n_references));
    }
    (void)fprintf(stream, "%lld values compared.\n", (long long)total->n_values);
  } else {
    (void)fprintf(stream, "%s %s does not keep %lld of its promises.\n", pf_kind_name(plugin->kind),
                  plugin->name, (long long)n_findings);
  }
}

/* ---- settings ---- */

static pf_status check_keys(const pf_config *settings, const pf_node *node, pf_error *error)
{
  static const char *const known[] = {"name",
                                      "options",
                                      "dt",
                                      "theta",
                                      "observables",
                                      "targets",
                                      "target_values",
                                      "target_missing",
                                      "target_range",
                                      "observable_range",
                                      "n_input",
                                      "n_output"};
  enum { N_KNOWN = sizeof known / sizeof known[0] };
  for (int64_t k = 0; k < pf_node_count(node); k++) {
    const char *key = pf_node_name(pf_node_at(node, k));
    size_t q = 0;
    while (q < N_KNOWN && (key == NULL || strcmp(known[q], key) != 0)) {
      q++;
    }
    if (q == N_KNOWN) {
      pf_fail(error, PF_STOP, "a variant has no '%s' (doc/conformance.md lists what it has)",
              key == NULL ? "" : key);
      pf_error_locate(error, settings, pf_node_at(node, k));
      return PF_STOP;
    }
  }
  return PF_OK;
}

/** Variant i of the settings, or all defaults where `node` is NULL. */
static cf_variant make_variant(const pf_plugin *plugin, const pf_config *settings,
                               const pf_node *node, int64_t i)
{
  cf_variant out = {
      .plugin = plugin, .config = settings, .node = node, .options = pf_node_get(node, "options")};
  const char *name = "all defaults";
  if (node != NULL && pf_node_get(node, "name") == NULL) {
    (void)snprintf(out.name, sizeof out.name, "variant %lld of the settings", (long long)i);
  } else {
    (void)pf_node_string(pf_node_get(node, "name"), &name);
    (void)snprintf(out.name, sizeof out.name, "%s", name);
  }
  (void)snprintf(out.what, sizeof out.what, "%s %s", pf_kind_name(plugin->kind), plugin->name);
  return out;
}

static pf_status check_variants(check *c, const pf_plugin *plugin, const pf_config *settings,
                                pf_error *error)
{
  const pf_node *variants = pf_node_get(pf_config_root(settings), "variants");
  const int64_t n = settings == NULL ? 1 : pf_node_count(variants);
  if (n == 0) {
    return pf_fail(
        error, PF_STOP,
        "the conformance settings have no variants: write variants = ( { options: { }; } );");
  }
  for (int64_t i = 0; i < n; i++) {
    const pf_node *node = pf_node_at(variants, i);
    const cf_variant variant = make_variant(plugin, settings, node, i);
    if (check_keys(settings, node, error) != PF_OK || check_variant(c, &variant, error) != PF_OK) {
      return PF_STOP;
    }
  }
  return PF_OK;
}

static void print_plugin(FILE *stream, const pf_plugin *plugin, const char *file)
{
  (void)fprintf(stream, "%s %s %s, %s: %s\n", pf_kind_name(plugin->kind), plugin->name,
                plugin->version == NULL ? "(no version)" : plugin->version, file,
                plugin->summary == NULL ? "(no summary)" : plugin->summary);
  char *statics = cf_statics_copy(plugin);
  if (statics == NULL) {
    (void)fputs("Not looked at here: calls of malloc and rand, and static variables (the plugin is "
                "linked into the program).\n",
                stream);
  }
  free(statics);
}

static pf_status check_into(FILE *stream, const pf_conformance_request *request,
                            pf_conformance *out, pf_error *error)
{
  const pf_plugin *plugin = request->plugin;
  check c = {.request = request, .stream = stream};
  cf_report_clear(&c.total);
  *out = (pf_conformance){0};
  print_plugin(c.stream, plugin, request->file);
  if (check_variants(&c, plugin, request->settings, error) != PF_OK) {
    return PF_STOP;
  }
  out->n_findings = c.n_findings;
  out->n_compared = plugin->kind == PF_KIND_SOURCE
                        ? c.total.n_values
                        : c.total.n_slopes + c.total.n_products + c.total.n_references;
  if (out->n_compared == 0 && out->n_findings == 0) {
    (void)fputs(
        "  FAILED  nothing was compared: options that leave it no inputs and no parameters?\n",
        c.stream);
    out->n_findings = 1;
  }
  print_verdict(c.stream, plugin, &c.total, out->n_findings);
  return PF_OK;
}

pf_status pf_conformance_check(const pf_conformance_request *request, pf_conformance *out,
                               pf_error *error)
{
  if (request->stream != NULL) {
    return check_into(request->stream, request, out, error);
  }
  FILE *nowhere = fopen("/dev/null", "w");
  if (nowhere == NULL) {
    return pf_fail(error, PF_STOP, "/dev/null cannot be written");
  }
  const pf_status status = check_into(nowhere, request, out, error);
  (void)fclose(nowhere);
  return status;
}

/** The file's folder, without a final .libs. */
static void folder_of(const char *file, char *folder, size_t capacity)
{
  const char *slash = strrchr(file, '/');
  (void)snprintf(folder, capacity, "%.*s", slash == NULL ? 1 : (int)(slash - file),
                 slash == NULL ? "." : file);
  size_t length = strlen(folder);
  if (length >= 5 && strcmp(folder + length - 5, ".libs") == 0) {
    if (length == 5) {
      (void)snprintf(folder, capacity, ".");
    } else {
      folder[length - 6] = '\0';
    }
  }
}

#if defined(PF_BUILD_PLUGIN_DIR) && defined(PF_SOURCE_PLUGIN_DIR)
static bool is_build_folder(const char *folder)
{
  char *here = realpath(folder, NULL), *build = realpath(PF_BUILD_PLUGIN_DIR, NULL);
  const bool same = here != NULL && build != NULL && strcmp(here, build) == 0;
  free(here);
  free(build);
  return same;
}
#endif

pf_status pf_conformance_settings(const pf_plugin *plugin, const char *file, pf_config **out,
                                  pf_error *error)
{
  char folder[PATH_MAX - 256], path[PATH_MAX];
  folder_of(file, folder, sizeof folder);
  *out = NULL;
#if defined(PF_BUILD_PLUGIN_DIR) && defined(PF_SOURCE_PLUGIN_DIR)
  if (is_build_folder(folder)) {
    (void)snprintf(path, sizeof path, "%s/%s%s/%s/conformance.cfg", PF_SOURCE_PLUGIN_DIR,
                   pf_kind_name(plugin->kind), plugin->kind == PF_KIND_LOSS ? "es" : "s",
                   plugin->name);
    return access(path, R_OK) == 0 ? pf_config_read(path, NULL, 0, out, error) : PF_OK;
  }
#endif
  for (int i = 0; i < 2; i++) {
    if (i == 0) {
      (void)snprintf(path, sizeof path, "%s/conformance/%s/conformance.cfg", folder, plugin->name);
    } else {
      (void)snprintf(path, sizeof path, "%s/conformance.cfg", folder);
    }
    if (access(path, R_OK) == 0) {
      return pf_config_read(path, NULL, 0, out, error);
    }
  }
  return PF_OK;
}
