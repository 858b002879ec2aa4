/* What was inferred of a fit: tables, and the terminal's lines. */
#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/store/tables.h"

#include <math.h>
#include <string.h>

enum { NAME = 160, GROUP = 1000, MAX_LINES = 6 };

/* A share of a direction (scaled, of length 1) that is too small for spectrum.csv. */
static const double small_share = 1e-4;

/* ---- one slot ---- */

pf_uncertainty pf_uncertainty_of(const pf_inference *inference, const pf_fit_group *unit,
                                 size_t instance)
{
  pf_uncertainty out = {.se = NAN, .lower = NAN, .upper = NAN};
  const size_t k = unit->layout->instances[instance].value;
  const double factor = unit->layout->instances[instance].factor;
  for (size_t u = 0; inference != NULL && k != PF_LAYOUT_NONE && u < inference->n_groups; u++) {
    const pf_inference_group *of = &inference->groups[u];
    if (of->group != unit) {
      continue;
    }
    out.note = of->why;
    if (of->why != NULL) {
      return out;
    }
    const pf_intervals *intervals = &of->methods[of->main];
    out.method = of->main;
    out.verdict = of->verdict[k];
    out.note = of->note[k] != NULL ? of->note[k] : intervals->why;
    if (intervals->there) {
      const double low = factor * intervals->lower[k], high = factor * intervals->upper[k];
      out.se = fabs(factor) * intervals->se[k];
      out.lower = fmin(low, high);
      out.upper = fmax(low, high);
    }
  }
  return out;
}

/* A side that the data leave open is written as inf. */
void pf_csv_uncertainty(pf_uncertainty c, const pf_inference *inference, FILE *file)
{
  const bool has = !isnan(c.lower) || !isnan(c.upper);
  pf_csv_number(file, c.se);
  (void)fputc(',', file);
  pf_csv_number(file, c.lower);
  (void)fputc(',', file);
  pf_csv_number(file, c.upper);
  (void)fputc(',', file);
  pf_csv_number(file, has ? inference->level : (double)NAN);
  (void)fprintf(file, ",%s,%s,", has ? pf_interval_method_name(c.method) : "",
                pf_verdict_words(c.verdict));
  pf_csv_text(file, c.note);
}

bool pf_has_inference(const pf_inference *inference)
{
  return inference != NULL && inference->n_groups > 0;
}

/* ---- intervals.csv ---- */

/* unit,owner,name,animal,experiment of value k */
static void value_cells(const pf_inference_group *of, size_t k, FILE *file)
{
  const pf_layout *layout = of->group->layout;
  const size_t instance = layout->index[k];
  const pf_model_parameter *parameter = &layout->parameters[layout->instances[instance].parameter];
  const char *animal = "";
  int64_t experiment = -1;
  pf_layout_copy(layout, instance, &animal, &experiment);
  const char *const texts[] = {of->group->name, parameter->owner, parameter->declared.name, animal};
  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
    pf_csv_text(file, texts[i]);
    (void)fputc(',', file);
  }
  if (experiment >= 0) {
    (void)fprintf(file, "%lld", (long long)experiment);
  }
}

static void interval_rows(const pf_inference *inference, const pf_inference_group *of,
                          uint32_t method, FILE *file)
{
  const pf_intervals *intervals = &of->methods[method];
  const bool asked = intervals->there || intervals->why != NULL;
  for (size_t k = 0; asked && of->why == NULL && k < of->n; k++) {
    value_cells(of, k, file);
    (void)fprintf(file, ",%s,%.17g,", pf_interval_method_name(method), inference->level);
    pf_csv_number(file, of->group->values[k]);
    for (size_t i = 0; i < 3; i++) {
      const double *const columns[] = {intervals->se, intervals->lower, intervals->upper};
      (void)fputc(',', file);
      pf_csv_number(file, intervals->there ? columns[i][k] : (double)NAN);
    }
    (void)fputc(',', file);
    pf_csv_text(file, intervals->why);
    (void)fputc('\n', file);
  }
}

pf_status pf_write_intervals_csv(const pf_results *results, const char *path, pf_error *error)
{
  FILE *file = pf_csv_open_file(path, error);
  if (file == NULL) {
    return PF_STOP;
  }
  (void)fputs("unit,owner,name,animal,experiment,method,level,estimate,se,lower,upper,why\n", file);
  for (size_t u = 0; u < results->inference->n_groups; u++) {
    for (uint32_t method = 0; method < PF_N_INTERVAL_METHODS; method++) {
      interval_rows(results->inference, &results->inference->groups[u], method, file);
    }
  }
  return pf_csv_close_file(file, path, error);
}

/* ---- spectrum.csv ---- */

static void spectrum_rows(const pf_inference_group *of, FILE *file)
{
  const pf_spectrum *s = of->spectrum;
  for (size_t i = 0; s != NULL && of->why == NULL && i < s->n; i++) {
    for (size_t k = 0; k < s->n; k++) {
      const double share = s->vectors[i * s->n + k];
      if (fabs(share) <= small_share) {
        continue;
      }
      const pf_layout *layout = of->group->layout;
      const pf_parameter *declared =
          &layout->parameters[layout->instances[layout->index[k]].parameter].declared;
      value_cells(of, k, file);
      (void)fputc(',', file);
      pf_csv_text(file, declared->label != NULL ? declared->label : declared->name);
      (void)fprintf(file, ",%zu,", i + 1);
      pf_csv_number(file, s->eigenvalues[i]);
      (void)fprintf(file, ",%d,", i < s->n_free ? 1 : 0);
      pf_csv_number(file, share);
      (void)fputc(',', file);
      /* without information a value has no scale: it is the direction itself */
      pf_csv_number(file, s->scale[k] > 0.0 ? share * s->scale[k] : share);
      (void)fputc('\n', file);
    }
  }
}

pf_status pf_write_spectrum_csv(const pf_results *results, const char *path, pf_error *error)
{
  FILE *file = pf_csv_open_file(path, error);
  if (file == NULL) {
    return PF_STOP;
  }
  (void)fputs("unit,owner,name,animal,experiment,label,direction,eigenvalue,free,share,change\n",
              file);
  for (size_t u = 0; u < results->inference->n_groups; u++) {
    spectrum_rows(&results->inference->groups[u], file);
  }
  return pf_csv_close_file(file, path, error);
}

/* ---- sentences ---- */

pf_status pf_free_group_sentence(const pf_problem *problem, const pf_inference_group *of, size_t g,
                                 char *text, size_t capacity, pf_error *error)
{
  char *memory = pf_memory_need(of->n, NAME, error);
  const char **names = pf_memory_need(of->n, sizeof *names, error);
  for (size_t k = 0; memory != NULL && names != NULL && k < of->n; k++) {
    pf_value_name(problem, of->group->layout, k, memory + k * NAME, NAME);
    names[k] = memory + k * NAME;
  }
  const pf_status status = memory == NULL || names == NULL ? PF_STOP : PF_OK;
  if (status == PF_OK) {
    pf_subspace_print(&of->spectrum->subspaces[g], names, PF_WHOLE_SUBSPACE, text, capacity);
  }
  pf_memory_free(memory);
  pf_memory_free((void *)names);
  return status;
}

/* Sentences, each once, with how many units it is about. */
typedef struct sentences {
  char **texts;
  size_t *counts, n, capacity;
} sentences;

static pf_status tally(sentences *list, const char *text, pf_error *error)
{
  for (size_t i = 0; i < list->n; i++) {
    if (strcmp(list->texts[i], text) == 0) {
      list->counts[i]++;
      return PF_OK;
    }
  }
  if (list->n == list->capacity) {
    const size_t capacity = list->capacity == 0 ? 16 : 2 * list->capacity;
    char **texts = pf_memory_need(capacity, sizeof(char *), error);
    size_t *counts = pf_memory_need(capacity, sizeof *counts, error);
    if (texts == NULL || counts == NULL) {
      pf_memory_free(texts);
      pf_memory_free(counts);
      return PF_STOP;
    }
    for (size_t i = 0; i < list->n; i++) {
      texts[i] = list->texts[i];
      counts[i] = list->counts[i];
    }
    pf_memory_free(list->texts);
    pf_memory_free(list->counts);
    list->texts = texts;
    list->counts = counts;
    list->capacity = capacity;
  }
  list->texts[list->n] = pf_memory_string(text, error);
  if (list->texts[list->n] == NULL) {
    return PF_STOP;
  }
  list->counts[list->n++] = 1;
  return PF_OK;
}

static void sentences_clear(sentences *list)
{
  for (size_t i = 0; i < list->n; i++) {
    pf_memory_free(list->texts[i]);
  }
  pf_memory_free(list->texts);
  pf_memory_free(list->counts);
}

static void print_sentences(const sentences *list, size_t n_units, const char *head, FILE *out)
{
  for (size_t i = 0; i < list->n && i < MAX_LINES; i++) {
    char line[GROUP + 64];
    (void)snprintf(line, sizeof line, "%.1000s", list->texts[i]);
    if (n_units > 1) {
      const size_t used = strlen(line);
      (void)snprintf(line + used, sizeof line - used, " (%zu of %zu animals)", list->counts[i],
                     n_units);
    }
    (void)fputs(head, out);
    pf_print_wrapped(out, line, (int)strlen(head), false);
  }
  if (list->n > MAX_LINES) {
    (void)fprintf(out, "%*sand %zu more, in summary.json\n", (int)strlen(head), "",
                  list->n - MAX_LINES);
  }
}

/* What all units say, into lists. */
typedef struct told {
  size_t n_latent;                     /* units whose weights nothing sees */
  double latent_median, latent_lowest; /* mean of the medians, lowest of all */
  size_t n_values, n_intervals, n_profiled, n_verdict[PF_NOT_IDENTIFIED_BY_DESIGN + 1];
  sentences why, free_ones, practically, warnings;
} told;

static pf_status gather(const pf_problem *problem, const pf_inference_group *of, told *t,
                        pf_error *error)
{
  pf_status status = PF_OK;
  if (of->why != NULL) {
    return tally(&t->why, of->why, error);
  }
  for (size_t k = 0; k < of->n && status == PF_OK; k++) {
    t->n_values++;
    t->n_verdict[of->verdict[k]]++;
    if (of->verdict[k] == PF_PRACTICALLY_NOT) {
      char text[GROUP], name[NAME];
      pf_value_name(problem, of->group->layout, k, name, sizeof name);
      (void)snprintf(text, sizeof text, "%s: %.700s", name, of->note[k] != NULL ? of->note[k] : "");
      status = tally(&t->practically, text, error);
    }
  }
  for (size_t g = 0; g < of->spectrum->n_subspaces && status == PF_OK; g++) {
    char text[GROUP];
    status = pf_free_group_sentence(problem, of, g, text, sizeof text, error);
    status = status == PF_OK ? tally(&t->free_ones, text, error) : status;
  }
  if (of->latent.n_fits > 0) {
    t->latent_lowest =
        t->n_latent == 0 ? of->latent.lowest : fmin(t->latent_lowest, of->latent.lowest);
    t->latent_median += of->latent.median;
    t->n_latent++;
  }
  const char *main_why = of->methods[of->main].why;
  t->n_intervals += of->methods[of->main].there ? 1 : 0;
  t->n_profiled += of->methods[PF_INTERVAL_PROFILE].there ? 1 : 0;
  if (status == PF_OK && main_why != NULL) {
    char text[GROUP];
    (void)snprintf(text, sizeof text, "no %s intervals: %s", pf_interval_method_name(of->main),
                   main_why);
    status = tally(&t->warnings, text, error);
  }
  for (size_t i = 0; i < of->n_warnings && status == PF_OK; i++) {
    status = tally(&t->warnings, of->warnings[i], error);
  }
  return status;
}

pf_status pf_print_inference(const pf_problem *problem, const pf_inference *inference, FILE *out,
                             pf_error *error)
{
  told t = {0};
  pf_status status = PF_OK;
  if (!pf_has_inference(inference)) {
    return PF_OK;
  }
  for (size_t u = 0; u < inference->n_groups && status == PF_OK; u++) {
    status = inference->groups[u].group->status == PF_OK
                 ? gather(problem, &inference->groups[u], &t, error)
                 : PF_OK;
  }
  if (status == PF_OK) {
    print_sentences(&t.why, inference->n_groups, "  no standard errors: ", out);
    if (t.n_values > 0) {
      (void)fprintf(out, "  identified: %zu of %zu coefficients", t.n_verdict[PF_IDENTIFIED],
                    t.n_values);
      if (inference->n_groups > 1) {
        (void)fprintf(out, " of %zu animals", inference->n_groups);
      }
      if (t.n_intervals > 0) {
        (void)fprintf(out, "; standard errors, %g %% intervals (%s)", 100.0 * inference->level,
                      pf_interval_method_name(inference->groups[0].main));
      }
      (void)fprintf(out, "%s verdicts are in theta.csv\n", t.n_intervals > 0 ? " and" : ";");
      if (t.n_intervals > 0 && t.n_profiled == 0) {
        (void)fputs("    (verdicts near the optimum; intervals.methods='[\"fisher\", \"profile\"]' "
                    "follows the likelihood "
                    "further)\n",
                    out);
      }
    }
    if (t.n_verdict[PF_NOT_IDENTIFIED_BY_DESIGN] > 0) {
      (void)fprintf(out, "  not identified by this design: %zu\n",
                    t.n_verdict[PF_NOT_IDENTIFIED_BY_DESIGN]);
      print_sentences(&t.free_ones, inference->n_groups, "    ", out);
    }
    if (t.n_verdict[PF_PRACTICALLY_NOT] > 0) {
      (void)fprintf(out, "  practically not identified: %zu\n", t.n_verdict[PF_PRACTICALLY_NOT]);
      print_sentences(&t.practically, inference->n_groups, "    ", out);
    }
    print_sentences(&t.warnings, inference->n_groups, "  note: ", out);
    if (t.n_latent > 0) {
      (void)fprintf(out,
                    "  weights are latent: nothing recorded sees them; between fits as good as "
                    "this one, R2 of weights is "
                    "%.2f\n  (lowest %.2f)\n",
                    t.latent_median / (double)t.n_latent, t.latent_lowest);
    }
    (void)fputc('\n', out);
  }
  sentences_clear(&t.why);
  sentences_clear(&t.free_ones);
  sentences_clear(&t.practically);
  sentences_clear(&t.warnings);
  return status;
}
