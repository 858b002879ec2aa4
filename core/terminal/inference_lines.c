#include "core/terminal/inference_lines.h"

#include "core/base/array.h"
#include "core/base/memory.h"
#include "core/infer/agreement.h"
#include "core/store/results.h"
#include "core/terminal/wrap.h"
#include "core/uncertainty/uncertainty.h"

#include <math.h>
#include <string.h>

enum { NAME = 160, GROUP = 1000, MAX_LINES = 6 };

/* Sentences, each once, with how many units it is about. */
typedef struct sentence {
  char *text;
  size_t count;
} sentence;

typedef struct sentences {
  pf_array items; /* of sentence */
} sentences;

static sentence *sentence_at(const sentences *list, size_t i)
{
  return (sentence *)list->items.items + i;
}

static pf_status count_sentence(sentences *list, const char *text, pf_error *error)
{
  for (size_t i = 0; i < list->items.n; i++) {
    if (strcmp(sentence_at(list, i)->text, text) == 0) {
      sentence_at(list, i)->count++;
      return PF_OK;
    }
  }
  list->items.size = sizeof(sentence);
  sentence *added = pf_array_append(&list->items, error);
  if (added == NULL) {
    return PF_STOP;
  }
  added->count = 1;
  added->text = pf_memory_string(text, error);
  return added->text == NULL ? PF_STOP : PF_OK;
}

static void clear_sentences(sentences *list)
{
  for (size_t i = 0; i < list->items.n; i++) {
    pf_memory_free(sentence_at(list, i)->text);
  }
  pf_array_free(&list->items);
}

static void print_sentences(const sentences *list, size_t n_units, const char *head, FILE *out)
{
  for (size_t i = 0; i < list->items.n && i < MAX_LINES; i++) {
    char line[GROUP + 64];
    (void)snprintf(line, sizeof line, "%.1000s", sentence_at(list, i)->text);
    if (n_units > 1) {
      const size_t used = strlen(line);
      (void)snprintf(line + used, sizeof line - used, " (%zu of %zu animals)",
                     sentence_at(list, i)->count, n_units);
    }
    (void)fputs(head, out);
    pf_print_wrapped(out, line, (int)strlen(head), false);
  }
  if (list->items.n > MAX_LINES) {
    (void)fprintf(out, "%*sand %zu more, in summary.json\n", (int)strlen(head), "",
                  list->items.n - MAX_LINES);
  }
}

/* What is said of all groups. */
typedef struct gathered {
  size_t n_latent;                     /* groups whose weights nothing sees */
  double latent_median, latent_lowest; /* mean of the medians, lowest of all */
  size_t n_values, n_intervals, n_profiled, n_verdict[PF_NOT_IDENTIFIED_BY_DESIGN + 1];
  sentences why, subspaces, practically, warnings, agreement;
} gathered;

static pf_status gather_verdicts(const pf_problem *problem, const pf_inference_group *of,
                                 gathered *all, pf_error *error)
{
  for (size_t k = 0; k < of->n; k++) {
    all->n_values++;
    all->n_verdict[of->verdict[k]]++;
    if (of->spectrum == NULL && of->verdict[k] == PF_NOT_IDENTIFIED_BY_DESIGN &&
        count_sentence(&all->subspaces, of->note[k] != NULL ? of->note[k] : "", error) != PF_OK) {
      return PF_STOP; /* read back from a run, where the spectrum is not */
    }
    if (of->verdict[k] != PF_PRACTICALLY_NOT) {
      continue;
    }
    char text[GROUP], name[NAME];
    pf_value_name(problem, of->group->layout, k, name, sizeof name);
    (void)snprintf(text, sizeof text, "%s: %.700s", name, of->note[k] != NULL ? of->note[k] : "");
    if (count_sentence(&all->practically, text, error) != PF_OK) {
      return PF_STOP;
    }
  }
  for (size_t s = 0; of->spectrum != NULL && s < of->spectrum->n_subspaces; s++) {
    char text[GROUP];
    if (pf_subspace_sentence(problem, of, s, text, sizeof text, error) != PF_OK ||
        count_sentence(&all->subspaces, text, error) != PF_OK) {
      return PF_STOP;
    }
  }
  return PF_OK;
}

static pf_status gather_warnings(const pf_inference_group *of, gathered *all, pf_error *error)
{
  const char *why = of->methods[of->main].why;
  if (why != NULL) {
    char text[GROUP];
    (void)snprintf(text, sizeof text, "no %s intervals: %s", pf_interval_method_name(of->main),
                   why);
    if (count_sentence(&all->warnings, text, error) != PF_OK) {
      return PF_STOP;
    }
  }
  for (size_t i = 0; i < of->n_warnings; i++) {
    if (count_sentence(&all->warnings, of->warnings[i], error) != PF_OK) {
      return PF_STOP;
    }
  }
  return PF_OK;
}

static pf_status gather_group(const pf_problem *problem, const pf_inference_group *of,
                              gathered *all, pf_error *error)
{
  if (of->why != NULL) {
    return count_sentence(&all->why, of->why, error);
  }
  if (of->latent.n_fits > 0) {
    const double lowest = of->latent.lowest;
    all->latent_lowest = all->n_latent == 0 ? lowest : fmin(all->latent_lowest, lowest);
    all->latent_median += of->latent.median;
    all->n_latent++;
  }
  all->n_intervals += of->methods[of->main].there ? 1 : 0;
  all->n_profiled += of->is_global ? 1 : 0;
  if (of->agreement.n_animals > 0) {
    char text[GROUP];
    pf_agreement_print(&of->agreement, text, sizeof text);
    if (count_sentence(&all->agreement, text, error) != PF_OK) {
      return PF_STOP;
    }
  }
  const pf_status status = gather_verdicts(problem, of, all, error);
  return status != PF_OK ? status : gather_warnings(of, all, error);
}

static void print_identified(const pf_inference *inference, const gathered *all, FILE *out)
{
  if (all->n_values == 0) {
    return;
  }
  (void)fprintf(out, "  identified: %zu of %zu coefficients", all->n_verdict[PF_IDENTIFIED],
                all->n_values);
  if (inference->n_groups > 1) {
    (void)fprintf(out, " of %zu animals", inference->n_groups);
  }
  if (all->n_intervals > 0) {
    (void)fprintf(out, "; standard errors, %g %% intervals (%s)", 100.0 * inference->level,
                  pf_interval_method_name(pf_main_method(inference)));
  }
  (void)fprintf(out, "%s verdicts are in theta.csv\n", all->n_intervals > 0 ? " and" : ";");
  const pf_fit_group *first = inference->n_groups > 0 ? inference->groups[0].group : NULL;
  const bool is_marginal = first != NULL && first->marginal != NULL;
  if (all->n_intervals > 0 && all->n_profiled == 0 && !is_marginal) {
    (void)fputs("    (verdicts near the optimum; intervals.methods='[\"fisher\", \"profile\"]' "
                "follows the likelihood further)\n",
                out);
  }
}

static void print_all(const pf_inference *inference, const gathered *all, FILE *out)
{
  const size_t n_groups = inference->n_groups;
  print_sentences(&all->why, n_groups, "  no standard errors: ", out);
  print_identified(inference, all, out);
  if (all->n_verdict[PF_NOT_IDENTIFIED_BY_DESIGN] > 0) {
    (void)fprintf(out, "  not identified by this design: %zu\n",
                  all->n_verdict[PF_NOT_IDENTIFIED_BY_DESIGN]);
    print_sentences(&all->subspaces, n_groups, "    ", out);
  }
  if (all->n_verdict[PF_PRACTICALLY_NOT] > 0) {
    (void)fprintf(out, "  practically not identified: %zu\n", all->n_verdict[PF_PRACTICALLY_NOT]);
    print_sentences(&all->practically, n_groups, "    ", out);
  }
  print_sentences(&all->agreement, n_groups, "  do animals agree? ", out);
  print_sentences(&all->warnings, n_groups, "  note: ", out);
  if (all->n_latent > 0) {
    (void)fprintf(out,
                  "  weights are latent: nothing recorded sees them; between fits as good as this "
                  "one, R2 of weights is %.2f\n  (lowest %.2f)\n",
                  all->latent_median / (double)all->n_latent, all->latent_lowest);
  }
  (void)fputc('\n', out);
}

pf_status pf_print_inference(const pf_problem *problem, const pf_inference *inference, FILE *out,
                             pf_error *error)
{
  gathered all = {0};
  pf_status status = PF_OK;
  if (!pf_has_inference(inference)) {
    return PF_OK;
  }
  for (size_t u = 0; u < inference->n_groups; u++) {
    const pf_inference_group *of = &inference->groups[u];
    if (of->group->status != PF_OK) {
      continue;
    }
    status = gather_group(problem, of, &all, error);
    if (status != PF_OK) {
      goto done;
    }
  }
  print_all(inference, &all, out);
done:
  clear_sentences(&all.why);
  clear_sentences(&all.subspaces);
  clear_sentences(&all.practically);
  clear_sentences(&all.warnings);
  clear_sentences(&all.agreement);
  return status;
}
