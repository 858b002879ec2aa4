/* The suite: variants, groups of checks, and what is printed. */
#define _XOPEN_SOURCE 700 /* realpath */

#include "core/conformance/conformance.h"
#include "core/conformance/kinds.h"
#include "core/conformance/watch.h"
#include "core/plugin/registry.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- shared by the kinds ---- */

void cf_check_size(cf_report *report, const char *what, size_t size, size_t of_host)
{
  if (size > of_host || size % sizeof(void (*)(void)) != 0) {
    cf_find(report, "its %s has size %zu, expected at most %zu and whole ops: set it to sizeof(%s)",
            what, size, of_host, what);
  }
  report->n_values++;
}

void cf_pair_make(cf_report *report, const cf_variant *variant, cf_pair *pair)
{
  (void)cf_watch_start(variant->plugin);
  cf_object_make(report, variant, &pair->hosts[0], &pair->object);
  cf_object_make(report, variant, &pair->hosts[1], &pair->reference);
}

void cf_pair_end(cf_report *report, cf_pair *pair)
{
  cf_object_end(report, &pair->object);
  cf_object_end(report, &pair->reference);
}

/* ---- printing ---- */

static const cf_checks *checks_of(uint32_t kind)
{
  switch (kind) {
  case PF_KIND_RULE:
    return cf_rule_checks;
  case PF_KIND_NETWORK:
    return cf_network_checks;
  case PF_KIND_LOSS:
    return cf_loss_checks;
  default:
    return cf_source_checks;
  }
}

static void print_numbers(FILE *stream, const cf_report *r)
{
  const char *comma = "";
  if (r->n_references > 0) {
    (void)fprintf(stream, "%lld numbers as in the double build, relative difference %.1e",
                  (long long)r->n_references, r->reference_error);
    comma = "; ";
  }
  if (r->n_slopes > 0) {
    (void)fprintf(stream, "%s%lld derivatives against differences, relative error %.1e", comma,
                  (long long)r->n_slopes, r->slope_error);
    comma = "; ";
  }
  if (r->n_ratios > 0) {
    (void)fprintf(stream, "%s%lld remainder ratios %.3f to %.3f", comma, (long long)r->n_ratios,
                  r->ratio_low, r->ratio_high);
    comma = "; ";
  }
  if (r->n_products > 0) {
    (void)fprintf(stream, "%s%lld tangents, relative error %.1e", comma, (long long)r->n_products,
                  r->product_error);
    comma = "; ";
  }
  if (r->n_kinks > 0) {
    (void)fprintf(stream, "%s%lld left out near a kink", comma, (long long)r->n_kinks);
    comma = "; ";
  }
  if (r->n_values > 0) {
    (void)fprintf(stream, "%s%lld values", comma, (long long)r->n_values);
    comma = "; ";
  }
  (void)fprintf(stream, "%s\n", comma[0] == '\0' ? "nothing to compare" : "");
}

static void accumulate(cf_report *total, const cf_report *one)
{
  total->n_values += one->n_values;
  total->n_slopes += one->n_slopes;
  total->n_ratios += one->n_ratios;
  total->n_linear += one->n_linear;
  total->n_products += one->n_products;
  total->n_kinks += one->n_kinks;
  total->n_references += one->n_references;
  total->reference_error = fmax(total->reference_error, one->reference_error);
  total->slope_error = fmax(total->slope_error, one->slope_error);
}

static pf_status check_variant(const cf_variant *variant, const pf_conformance_reference *reference,
                               FILE *stream, cf_report *total, int64_t *n_findings, pf_error *error)
{
  char last[CF_SENTENCE] = "";
  (void)fprintf(stream, "\n%s, options: %s\n", variant->what, variant->name);
  for (const cf_checks *check = checks_of(variant->plugin->kind); check->name != NULL; check++) {
    if (check->applies != NULL && !check->applies(variant->plugin)) {
      continue;
    }
    cf_report one = {0};
    cf_reference_group(&one, reference, variant->name, check->name);
    const pf_status status = cf_run(check->run, variant, &one, error);
    if (status != PF_OK) {
      return status;
    }
    if (one.finding[0] != '\0' && strcmp(one.finding, last) == 0) {
      continue; /* said already: an object that cannot be made is none for any check */
    }
    (void)snprintf(last, sizeof last, "%s", one.finding);
    if (one.finding[0] != '\0') {
      (void)fprintf(stream, "  FAILED  %s: %s\n", check->name, one.finding);
      (*n_findings)++;
    } else {
      (void)fprintf(stream, "  ok      %s: ", check->name);
      print_numbers(stream, &one);
    }
    accumulate(total, &one);
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
    (void)fprintf(stream, "Normal are relative differences from the double build below 5e-5 "
                          "(mostly 1e-6 to 1e-7), of the largest "
                          "number of each array.\n");
  } else if (sizeof(pf_real) == sizeof(double)) {
    (void)fprintf(
        stream,
        "Normal are relative errors below 2e-9 (mostly 1e-10 to 1e-13; near a kink 1e-7) and "
        "remainders "
        "that fall by 4.0 when the step halves; one factor that is wrong gives 1e-1 and 2.\n");
  } else {
    (void)fprintf(stream, "Single precision: normal are relative errors below 5e-3 (2e-2 near a "
                          "kink) and remainder ratios "
                          "between 3.5 and 4.6; one factor that is wrong gives 1e-1 and 2. "
                          "Sharper: let the double build write "
                          "--values FILE, and compare with --twin FILE.\n");
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

static pf_status variant_of(const pf_plugin *plugin, const pf_config *settings, const pf_node *node,
                            int64_t i, cf_variant *out, pf_error *error)
{
  const char *name = "all defaults";
  *out = (cf_variant){.plugin = plugin, .config = settings, .node = node};
  if (node != NULL) {
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
    for (int64_t k = 0; k < pf_node_count(node); k++) {
      const char *key = pf_node_name(pf_node_at(node, k));
      size_t q = 0;
      while (q < sizeof known / sizeof known[0] && (key == NULL || strcmp(known[q], key) != 0)) {
        q++;
      }
      if (q == sizeof known / sizeof known[0]) {
        pf_fail(error, PF_STOP, "a variant has no '%s' (doc/conformance.md lists what it has)",
                key == NULL ? "" : key);
        pf_error_locate(error, settings, pf_node_at(node, k));
        return PF_STOP;
      }
    }
    out->options = pf_node_get(node, "options");
    (void)pf_node_string(pf_node_get(node, "name"), &name);
  }
  (void)snprintf(out->name, sizeof out->name, "%s", name);
  if (node != NULL && pf_node_get(node, "name") == NULL) {
    (void)snprintf(out->name, sizeof out->name, "variant %lld of the settings", (long long)i);
  }
  (void)snprintf(out->what, sizeof out->what, "%s %s", pf_kind_name(plugin->kind), plugin->name);
  return PF_OK;
}

pf_status pf_conformance_check(const pf_plugin *plugin, const char *file, const pf_config *settings,
                               FILE *stream, const pf_conformance_reference *reference,
                               pf_conformance *out, pf_error *error)
{
  const pf_node *variants =
      settings == NULL ? NULL : pf_node_get(pf_config_root(settings), "variants");
  const int64_t n = settings == NULL ? 1 : pf_node_count(variants);
  cf_report total = {0};
  *out = (pf_conformance){0};
  if (n == 0) {
    return pf_fail(
        error, PF_STOP,
        "the conformance settings have no variants: write variants = ( { options: { }; } );");
  }
  (void)fprintf(stream, "%s %s %s, %s: %s\n", pf_kind_name(plugin->kind), plugin->name,
                plugin->version == NULL ? "(no version)" : plugin->version, file,
                plugin->summary == NULL ? "(no summary)" : plugin->summary);
  char *statics = cf_statics_copy(plugin);
  if (statics == NULL) {
    (void)fprintf(stream, "Not looked at here: calls of malloc and rand, and static variables (the "
                          "plugin is linked into "
                          "the program).\n");
  }
  free(statics);
  pf_status status = PF_OK;
  for (int64_t i = 0; i < n && status == PF_OK; i++) {
    cf_variant variant;
    status = variant_of(plugin, settings, variants == NULL ? NULL : pf_node_at(variants, i), i,
                        &variant, error);
    status = status == PF_OK
                 ? check_variant(&variant, reference, stream, &total, &out->n_findings, error)
                 : status;
  }
  if (status != PF_OK) {
    return status;
  }
  out->n_compared = total.n_slopes + total.n_products + total.n_references;
  if (plugin->kind == PF_KIND_SOURCE) {
    out->n_compared = total.n_values;
  }
  if (out->n_compared == 0 && out->n_findings == 0) {
    (void)fprintf(
        stream,
        "  FAILED  nothing was compared: options that leave it no inputs and no parameters?\n");
    out->n_findings = 1;
  }
  print_verdict(stream, plugin, &total, out->n_findings);
  return PF_OK;
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
