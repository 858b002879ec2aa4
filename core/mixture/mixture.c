#include "core/mixture/mixture.h"

#include "core/base/memory.h"
#include "core/population/laplace.h"
#include "core/stats/model_selection.h"

#include <math.h>
#include <string.h>

/* Rounds of new expansions at most, and of shares and mixed models in each. */
enum { MAX_ROUNDS = 20, MAX_SHARINGS = 100 };
/* What shares may still move. */
static const double settled_share = 1e-3, settled_inside = 1e-4;
/* Every model keeps this part of an animal, spread evenly over all of them: a population of no
 * animal at all could be anything, and would never be tried again. */
static const double kept_animals = 0.5;

typedef struct member {
  pf_fit *fit;
  pf_animal_population *population;
  double *weights; /* [n_animals] */
} member;

typedef struct mixture_run {
  const pf_mixture_in *in;
  pf_mixture *out;
  member *members; /* [n] */
  double *before;  /* [n_animals][n] shares */
} mixture_run;

static pf_status blame_model(const mixture_run *run, size_t k, pf_status status, pf_error *error)
{
  const pf_error line = *error;
  return pf_fail(error, status, "%s: %s", run->in->names[k], line.text);
}

static pf_status check_sharing(const mixture_run *run, size_t k, pf_error *error)
{
  const pf_mixed_data *data = &run->members[k].population->fit->data;
  for (size_t i = 0; i < data->n; i++) {
    if (data->sharing[i] == PF_SHARING_SEPARATE) {
      return pf_fail(error, PF_POINT_FAILED,
                     "some of its values are each animal's own (population.separate, or starting "
                     "weights that are learned), and no likelihood can be integrated over them");
    }
  }
  return PF_OK;
}

static void set_weights(const mixture_run *run, size_t k)
{
  const pf_mixture *out = run->out;
  for (size_t a = 0; a < out->n_animals; a++) {
    run->members[k].weights[a] =
        out->shares[a * out->n + k] + kept_animals / (double)out->n_animals;
  }
}

static pf_status start_members(mixture_run *run, pf_error *error)
{
  for (size_t k = 0; k < run->in->n; k++) {
    member *own = &run->members[k];
    set_weights(run, k);
    pf_status status = pf_fit_weighted_population(
        run->in->problems[k], own->weights, run->in->observer, &own->fit, &own->population, error);
    if (status == PF_OK && own->population == NULL) {
      run->out->interrupted = true;
      return PF_OK;
    }
    if (status == PF_OK) {
      status = check_sharing(run, k, error);
    }
    if (status != PF_OK) {
      return blame_model(run, k, status, error);
    }
  }
  return PF_OK;
}

static void find_evidence(const mixture_run *run)
{
  const pf_mixture *out = run->out;
  for (size_t k = 0; k < out->n; k++) {
    const pf_population_fit *fit = run->members[k].population->fit;
    for (size_t a = 0; a < out->n_animals; a++) {
      out->evidence[a * out->n + k] = fit->constant[a] + fit->model.evidence[a];
    }
  }
}

static double largest_change(const mixture_run *run, const double *before)
{
  double largest = 0.0;
  for (size_t i = 0; i < run->out->n_animals * run->out->n; i++) {
    largest = fmax(largest, fabs(run->out->shares[i] - before[i]));
  }
  return largest;
}

/* New populations of the parabolas as they are, with the weights of the round. */
static pf_status fit_models(const mixture_run *run, pf_error *error)
{
  for (size_t k = 0; k < run->out->n; k++) {
    pf_population_fit *fit = run->members[k].population->fit;
    set_weights(run, k);
    pf_mixed_model_clear(&fit->model);
    const pf_status status = pf_mixed_model_fit(&fit->data, NULL, &fit->model, error);
    if (status != PF_OK) {
      return blame_model(run, k, status, error);
    }
  }
  return PF_OK;
}

/* Shares and populations until shares settle, what is known of the animals' likelihoods held. */
static pf_status share_animals(const mixture_run *run, double *before, pf_error *error)
{
  const pf_mixture *out = run->out;
  const size_t size = out->n_animals * out->n;
  for (int i = 0; i < MAX_SHARINGS; i++) {
    memcpy(before, out->shares, size * sizeof *before);
    find_evidence(run);
    pf_status status =
        pf_stats_model_shares(out->evidence, out->n_animals, out->n, out->shares, error);
    if (status != PF_OK || largest_change(run, before) < settled_inside) {
      return status;
    }
    status = fit_models(run, error);
    if (status != PF_OK) {
      return status;
    }
  }
  return PF_OK;
}

/* New parabolas, where the animals now lie in each population. */
static pf_status expand_members(const mixture_run *run, pf_error *error)
{
  for (size_t k = 0; k < run->out->n; k++) {
    member *own = &run->members[k];
    pf_population_fit *found = NULL;
    const pf_population_design design =
        pf_population_design_of(run->in->problems[k], &own->population->covariates, own->weights);
    const pf_status status = pf_population_run(run->in->problems[k], &design, run->in->observer,
                                               own->fit, &found, error);
    if (status != PF_OK) {
      return blame_model(run, k, status, error);
    }
    pf_population_fit_free(own->population->fit);
    own->population->fit = found;
    run->out->interrupted = run->out->interrupted || found->interrupted;
  }
  return PF_OK;
}

/* Particle filters have new noise in every round: their parabolas stay those of the first. */
static bool has_particles(const mixture_run *run)
{
  for (size_t k = 0; k < run->out->n; k++) {
    if (run->members[k].fit->groups[0].marginal != NULL) {
      return true;
    }
  }
  return false;
}

static pf_status iterate_rounds(mixture_run *run, pf_error *error)
{
  pf_mixture *out = run->out;
  const size_t size = out->n_animals * out->n;
  double *inside = run->before + size;
  for (int round = 0; round < MAX_ROUNDS; round++) {
    memcpy(run->before, out->shares, size * sizeof *run->before);
    pf_status status = share_animals(run, inside, error);
    out->n_rounds++;
    out->converged =
        status == PF_OK && (largest_change(run, run->before) < settled_share || has_particles(run));
    if (status != PF_OK || out->converged) {
      return status;
    }
    status = expand_members(run, error);
    if (status != PF_OK || out->interrupted) {
      return status;
    }
  }
  return PF_OK;
}

static pf_status create_run(mixture_run *run, pf_error *error)
{
  pf_mixture *out = run->out;
  const size_t size = out->n_animals * out->n;
  run->members = pf_memory_need(out->n, sizeof *run->members, error);
  run->before = pf_memory_need(2 * size, sizeof *run->before, error);
  out->evidence = pf_memory_need(size, sizeof *out->evidence, error);
  out->shares = pf_memory_need(size, sizeof *out->shares, error);
  if (run->members == NULL || run->before == NULL || out->evidence == NULL || out->shares == NULL) {
    return PF_STOP;
  }
  for (size_t i = 0; i < size; i++) {
    out->shares[i] = 1.0 / (double)out->n;
  }
  for (size_t k = 0; k < out->n; k++) {
    run->members[k].weights = pf_memory_need(out->n_animals, sizeof(double), error);
    if (run->members[k].weights == NULL) {
      return PF_STOP;
    }
  }
  return PF_OK;
}

static void clear_run(mixture_run *run)
{
  for (size_t k = 0; run->members != NULL && k < run->out->n; k++) {
    pf_fit_population_free(run->members[k].population);
    if (run->members[k].fit != NULL) {
      pf_fit_free(run->in->problems[k], run->members[k].fit);
    }
    pf_memory_free(run->members[k].weights);
  }
  pf_memory_free(run->members);
  pf_memory_free(run->before);
}

pf_status pf_mixture_fit(const pf_mixture_in *in, pf_mixture *out, pf_error *error)
{
  *out = (pf_mixture){.n_animals = in->problems[0]->data.n_animals, .n = in->n};
  mixture_run run = {.in = in, .out = out};
  pf_status status = create_run(&run, error);
  if (status == PF_OK) {
    status = start_members(&run, error);
  }
  if (status == PF_OK && !out->interrupted) {
    status = iterate_rounds(&run, error);
  }
  clear_run(&run);
  if (status != PF_OK) {
    pf_mixture_clear(out);
  }
  return status;
}

void pf_mixture_clear(pf_mixture *mixture)
{
  pf_memory_free(mixture->evidence);
  pf_memory_free(mixture->shares);
  *mixture = (pf_mixture){0};
}
