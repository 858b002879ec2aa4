#include "core/recover/population_recovery.h"

#include "core/base/memory.h"
#include "core/stats/stats.h"
#include "core/store/csv_file.h"
#include "core/store/json_values.h"
#include "core/truth/truth.h"

#include <math.h>

/* The level of the test of "animals do not differ". */
static const double test_level = 0.05;

static const pf_recover_common no_common = {NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN,
                                            NAN, NAN, NAN, NAN, 0.0, 0.0, 0.0};

pf_status pf_population_recovery_create(pf_recovery *r, pf_error *error)
{
  pf_population_recovery *made = pf_memory_need(1, sizeof *made, error);
  if (made == NULL) {
    return PF_STOP;
  }
  r->population = made;
  made->n = r->layouts[0]->n;
  made->n_sets = r->n_sets;
  made->cells = pf_memory_need(made->n_sets * made->n, sizeof *made->cells, error);
  made->converged = pf_memory_need(made->n_sets, sizeof *made->converged, error);
  made->lines = pf_memory_need(made->n, sizeof *made->lines, error);
  if (made->cells == NULL || made->converged == NULL || made->lines == NULL) {
    return PF_STOP;
  }
  for (size_t i = 0; i < made->n_sets * made->n; i++) {
    made->cells[i] = no_common;
  }
  return PF_OK;
}

/* ---- one cohort ---- */

/* Value k of animal a beside its truth. Every animal has the same values, in the same order. */
static void add_animal(const pf_recovery *r, const pf_recover_set *set,
                       const pf_population_fit *found, size_t a, size_t k, pf_recover_common *to)
{
  const size_t cell = a * found->model.n + k;
  const double truth = set->truths[cell], off = set->estimates[cell] - truth;
  double lower, upper;
  if (isnan(off)) {
    return;
  }
  pf_population_animal_interval(found, r->layouts[a], a, k, &lower, &upper);
  to->n_animals += 1.0;
  to->squares += off * off;
  to->n_covering += lower <= truth && truth <= upper ? 1.0 : 0.0;
}

/* By how much the mean changes with the first covariate, where there is one. */
static void keep_change(const pf_population_fit *found, size_t k, pf_recover_common *to)
{
  const size_t n = found->model.n;
  if (found->model.n_covariates < 2) {
    return;
  }
  to->change = found->model.beta[n + k];
  pf_population_interval(found, 1, k, &to->change_lower, &to->change_upper);
  to->permutation_p = found->permutation_p[n + k];
  to->effect_p = found->effect_p[n + k];
}

void pf_population_recovery_keep(const pf_recovery *r, size_t set, const pf_fit *fit,
                                 const pf_animal_population *found)
{
  pf_population_recovery *of = r->population;
  const pf_population_fit *population = found->fit;
  of->converged[set] = population->converged;
  for (size_t k = 0; k < of->n; k++) {
    const pf_common_estimate *common =
        &fit->common[r->layouts[0]->instances[r->layouts[0]->index[k]].parameter];
    pf_recover_common *to = &of->cells[set * of->n + k];
    const double slope = common->sd / population->model.sd[k]; /* of the scale of the draws */
    const double factor = population->model.sd[k] > 0.0 ? slope : 1.0;
    to->mean = common->value;
    to->lower = common->lower;
    to->upper = common->upper;
    to->sd = common->sd;
    to->sd_lower = population->sd_lower[k] * factor;
    to->sd_upper = population->sd_upper[k] * factor;
    to->p = population->p[k];
    keep_change(population, k, to);
    for (size_t a = 0; a < fit->n_groups; a++) {
      add_animal(r, &r->sets[set], population, a, k, to);
    }
  }
}

/* ---- over cohorts ---- */

/* Sums of a line; shares and means are made of them at its end. */
static void add_cohort(const pf_recover_common *cell, double *n_animals,
                       pf_recover_common_line *line)
{
  line->n++;
  line->mean += cell->mean;
  line->held += cell->lower <= line->truth && line->truth <= cell->upper ? 1.0 : 0.0;
  line->sd_held += cell->sd_lower <= line->truth_sd && line->truth_sd <= cell->sd_upper ? 1.0 : 0.0;
  line->rejected += cell->p < test_level ? 1.0 : 0.0;
  line->change += cell->change;
  line->change_held +=
      cell->change_lower <= line->truth_change && line->truth_change <= cell->change_upper ? 1.0
                                                                                           : 0.0;
  line->change_rejected[0] += cell->permutation_p < test_level ? 1.0 : 0.0;
  line->change_rejected[1] += cell->effect_p < test_level ? 1.0 : 0.0;
  line->error += cell->squares;
  line->own_held += cell->n_covering;
  *n_animals += cell->n_animals;
}

static void finish_line(const pf_population_recovery *of, size_t k, double n_animals, double *sds,
                        pf_recover_common_line *line)
{
  const double n = (double)line->n;
  double squares = 0.0, of_change = 0.0;
  size_t n_sds = 0;
  line->mean /= n;
  line->change /= n;
  line->change_held = isnan(line->truth_change) ? (double)NAN : line->change_held / n;
  line->change_rejected[0] /= n;
  line->change_rejected[1] /= n;
  line->held = isnan(line->truth) ? (double)NAN : line->held / n;
  line->sd_held = isnan(line->truth_sd) ? (double)NAN : line->sd_held / n;
  line->rejected /= n;
  line->error = sqrt(line->error / n_animals);
  line->own_held /= n_animals;
  for (size_t d = 0; d < of->n_sets; d++) {
    const pf_recover_common *cell = &of->cells[d * of->n + k];
    if (of->converged[d]) {
      squares += (cell->mean - line->mean) * (cell->mean - line->mean);
      of_change += (cell->change - line->change) * (cell->change - line->change);
      sds[n_sds++] = cell->sd;
    }
  }
  line->bias_se = line->n > 1 ? sqrt(squares / (n - 1.0) / n) : (double)NAN;
  line->change_se = line->n > 1 ? sqrt(of_change / (n - 1.0) / n) : (double)NAN;
  n_sds = pf_stats_sort(sds, n_sds);
  line->sd = pf_stats_quantile(sds, n_sds, 0.5);
}

pf_status pf_population_recovery_tabulate(pf_recovery *r, pf_error *error)
{
  pf_population_recovery *of = r->population;
  pf_truth_animals truth = {0};
  double *sds = pf_memory_need(of->n_sets, sizeof *sds, error);
  const pf_status status = sds == NULL ? PF_STOP : pf_truth_between(r->problem, &truth, error);
  if (status != PF_OK) {
    pf_memory_free(sds);
    return status;
  }
  for (size_t k = 0; k < of->n; k++) {
    const size_t parameter = r->layouts[0]->instances[r->layouts[0]->index[k]].parameter;
    pf_recover_common_line *line = &of->lines[k];
    double n_animals = 0.0;
    *line = (pf_recover_common_line){.parameter = parameter,
                                     .truth = r->truth[parameter],
                                     .truth_sd = truth.sd[parameter],
                                     .truth_change = truth.change[parameter]};
    for (size_t d = 0; d < of->n_sets; d++) {
      if (of->converged[d]) {
        add_cohort(&of->cells[d * of->n + k], &n_animals, line);
      }
    }
    finish_line(of, k, n_animals, sds, line);
  }
  pf_memory_free(sds);
  pf_truth_animals_clear(&truth);
  return PF_OK;
}

/* ---- what is said of it ---- */

static void print_number(FILE *out, int width, int digits, double value)
{
  if (isnan(value)) {
    (void)fprintf(out, " %*s", width, "-");
  } else {
    (void)fprintf(out, " %*.*g", width, digits, value);
  }
}

static void print_share(FILE *out, int width, double value)
{
  if (isnan(value)) {
    (void)fprintf(out, " %*s", width, "-");
  } else {
    (void)fprintf(out, " %*.1f", width, 100.0 * value);
  }
}

/* How the means change with the first covariate; nothing where there is none. */
static void print_changes(const pf_recovery *r, FILE *out)
{
  const pf_population_recovery *of = r->population;
  if (isnan(of->lines[0].change)) {
    return;
  }
  (void)fprintf(out, "\n  %-11s %10s %10s %9s %8s %6s %9s %9s\n", "change", "truth", "mean", "bias",
                "-+", "%", "perm. %", "ratio %");
  for (size_t k = 0; k < of->n; k++) {
    const pf_recover_common_line *line = &of->lines[k];
    (void)fprintf(out, "  %-11s", r->keys[line->parameter]);
    print_number(out, 10, 4, line->truth_change);
    print_number(out, 10, 4, line->change);
    print_number(out, 9, 2, line->change - line->truth_change);
    print_number(out, 8, 1, line->change_se);
    print_share(out, 6, line->change_held);
    print_share(out, 9, line->change_rejected[0]);
    print_share(out, 9, line->change_rejected[1]);
    (void)fputc('\n', out);
  }
  (void)fputs(
      "\n  change: with the first covariate. perm., ratio: cohorts in which its test at 5 % "
      "rejects, by permutation and by likelihood ratio.\n",
      out);
}

void pf_population_recovery_print(const pf_recovery *r, FILE *out)
{
  const pf_population_recovery *of = r->population;
  (void)fprintf(
      out,
      "\n  What animals share, over the %zu of %zu cohorts of %zu animals that converged\n"
      "  %-11s %10s %10s %9s %8s %6s %9s %9s %6s %9s %9s %6s\n",
      of->lines[0].n, of->n_sets, r->n_groups, "", "truth", "mean", "bias", "-+", "%", "true sd",
      "median", "%", "differ %", "error", "%");
  for (size_t k = 0; k < of->n; k++) {
    const pf_recover_common_line *line = &of->lines[k];
    (void)fprintf(out, "  %-11s", r->keys[line->parameter]);
    print_number(out, 10, 4, line->truth);
    print_number(out, 10, 4, line->mean);
    print_number(out, 9, 2, line->mean - line->truth);
    print_number(out, 8, 1, line->bias_se);
    print_share(out, 6, line->held);
    print_number(out, 9, 3, line->truth_sd);
    print_number(out, 9, 3, line->sd);
    print_share(out, 6, line->sd_held);
    print_share(out, 9, line->rejected);
    print_number(out, 9, 3, line->error);
    print_share(out, 6, line->own_held);
    (void)fputc('\n', out);
  }
  (void)fprintf(out,
                "\n  %%: intervals of %.4g %% that hold the truth: of the mean, of the sd between "
                "animals, of each animal's own value.\n  differ: cohorts in which the test at %.0f "
                "%% says that animals differ. error: root mean square of the animals' own.\n",
                100.0 * r->problem->settings->intervals.level, 100.0 * test_level);
  print_changes(r, out);
}

json_t *pf_population_recovery_json(const pf_recovery *r)
{
  const pf_population_recovery *of = r->population;
  json_t *lines = json_array();
  for (size_t k = 0; k < of->n; k++) {
    const pf_recover_common_line *line = &of->lines[k];
    const struct {
      const char *key;
      double value;
    } numbers[] = {{"truth", line->truth},
                   {"mean", line->mean},
                   {"bias_se", line->bias_se},
                   {"coverage", line->held},
                   {"truth_sd", line->truth_sd},
                   {"median_sd", line->sd},
                   {"sd_coverage", line->sd_held},
                   {"rejected", line->rejected},
                   {"own_error", line->error},
                   {"own_coverage", line->own_held},
                   {"truth_change", line->truth_change},
                   {"change", line->change},
                   {"change_se", line->change_se},
                   {"change_coverage", line->change_held},
                   {"permutation_rejected", line->change_rejected[0]},
                   {"ratio_rejected", line->change_rejected[1]}};
    json_t *object =
        json_pack("{s:s, s:I}", "name", r->keys[line->parameter], "cohorts", (json_int_t)line->n);
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
      object = pf_json_set(object, numbers[i].key, pf_json_number(numbers[i].value));
    }
    lines = pf_json_append(lines, object);
  }
  return lines;
}

pf_status pf_population_recovery_write(const pf_recovery *r, const char *path, pf_error *error)
{
  const pf_population_recovery *of = r->population;
  FILE *file = pf_csv_open_file(path, error);
  if (file == NULL) {
    return PF_STOP;
  }
  (void)fputs(
      "data_set,seed,name,converged,mean,lower,upper,sd,sd_lower,sd_upper,difference_p,change,"
      "change_lower,change_upper,permutation_p,effect_p\n",
      file);
  for (size_t i = 0; i < of->n_sets * of->n; i++) {
    const pf_recover_common *cell = &of->cells[i];
    const size_t d = i / of->n;
    const double numbers[] = {
        cell->mean,          cell->lower,   cell->upper,  cell->sd,           cell->sd_lower,
        cell->sd_upper,      cell->p,       cell->change, cell->change_lower, cell->change_upper,
        cell->permutation_p, cell->effect_p};
    (void)fprintf(file, "%zu,%llu,", d, (unsigned long long)r->sets[d].seed);
    pf_csv_text(file, r->keys[of->lines[i % of->n].parameter]);
    (void)fprintf(file, ",%d", of->converged[d]);
    for (size_t j = 0; j < sizeof numbers / sizeof numbers[0]; j++) {
      (void)fputc(',', file);
      pf_csv_number(file, numbers[j]);
    }
    (void)fputc('\n', file);
  }
  return pf_csv_close_file(file, path, error);
}
