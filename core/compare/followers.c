#include "core/compare/followers.h"

#include "core/base/memory.h"
#include "core/mixture/mixture.h"
#include "core/stats/model_selection.h"

#include <math.h>
#include <string.h>

/* A search for followers while it runs: what the mixture is made of. */
typedef struct search {
  const pf_work *work;
  pf_comparison *comparison;
  pf_problem *problems;      /* [n] copies, with options of their own */
  const pf_problem **fitted; /* [n] pointers to them */
  const char **names;        /* [n] */
  size_t *candidates;        /* [n] */
  size_t n;
} search;

static bool is_asked(const pf_work *work, size_t candidate)
{
  const uint32_t per = work->candidates.items[candidate].own.problem->settings->fit.per;
  const uint32_t of = work->settings->frequencies;
  return of == PF_FREQUENCIES_ALL || (of == PF_FREQUENCIES_POPULATIONS && per == PF_FIT_POPULATION);
}

static void add_candidate(search *s, size_t candidate)
{
  const pf_work *work = s->work;
  pf_problem *own = &s->problems[s->n];
  *own = *work->candidates.items[candidate].own.problem;
  own->options.per = PF_FIT_POPULATION;
  own->options.l1 = own->options.l2 = 0.0;
  own->options.chooses_l1 = false;
  own->options.n_threads = pf_work_threads(work);
  s->fitted[s->n] = own;
  s->names[s->n] = s->comparison->candidates[candidate].name;
  s->candidates[s->n++] = candidate;
}

static void clear_search(search *s)
{
  pf_memory_free(s->problems);
  pf_memory_free((void *)s->fitted);
  pf_memory_free((void *)s->names);
  pf_memory_free(s->candidates);
}

static pf_status create_search(search *s, pf_error *error)
{
  const size_t n = s->comparison->n_candidates;
  s->problems = pf_memory_need(n, sizeof *s->problems, error);
  s->fitted = pf_memory_need(n, sizeof *s->fitted, error);
  s->names = pf_memory_need(n, sizeof *s->names, error);
  s->candidates = pf_memory_need(n, sizeof *s->candidates, error);
  if (s->problems == NULL || s->fitted == NULL || s->names == NULL || s->candidates == NULL) {
    return PF_STOP;
  }
  for (size_t c = 0; c < n; c++) {
    if (is_asked(s->work, c)) {
      add_candidate(s, c);
    }
  }
  return PF_OK;
}

/* Why the question has no answer, whatever the fits; NULL: it may have one. */
static const char *refuse_question(const search *s)
{
  for (size_t k = 0; k < s->n; k++) {
    if (!s->comparison->candidates[s->candidates[k]].is_likelihood) {
      return "Some candidates have squared errors in the place of a likelihood";
    }
  }
  return s->comparison->n_animals < 2 ? "The data have one animal" : NULL;
}

static pf_status give_reason(search *s, const char *why, pf_error *error)
{
  s->comparison->followers.why = pf_memory_string(why, error);
  return s->comparison->followers.why == NULL ? PF_STOP : PF_OK;
}

/* What the mixture found, and what it says of frequencies. */
static pf_status keep_mixture(search *s, const pf_mixture *mixture, pf_error *error)
{
  pf_followers *to = &s->comparison->followers;
  const size_t n = mixture->n, size = mixture->n_animals * n;
  to->evidence = pf_memory_need(2 * size + 3 * n, sizeof *to->evidence, error);
  if (to->evidence == NULL) {
    return PF_STOP;
  }
  to->shares = to->evidence + size;
  to->frequency = to->shares + size;
  to->exceedance = to->frequency + n;
  to->protected_exceedance = to->exceedance + n;
  to->candidates = s->candidates;
  s->candidates = NULL;
  to->n = n;
  memcpy(to->evidence, mixture->evidence, size * sizeof *to->evidence);
  memcpy(to->shares, mixture->shares, size * sizeof *to->shares);
  pf_model_frequencies found = {.expected = to->frequency,
                                .exceedance = to->exceedance,
                                .protected_exceedance = to->protected_exceedance};
  const pf_stream stream = {s->comparison->seed, PF_RANDOM_FREQUENCY, 0, 0};
  const pf_status status =
      pf_stats_model_frequencies(mixture->evidence, mixture->n_animals, n, stream, &found, error);
  to->omnibus_risk = found.omnibus_risk;
  return status;
}

static pf_status fit_mixture(search *s, pf_error *error)
{
  const pf_compare_request *request = s->work->request;
  const pf_observer observer = {.stop = request->stop, .payload = request->payload};
  const pf_mixture_in in = {
      .problems = s->fitted, .names = s->names, .n = s->n, .observer = &observer};
  pf_mixture mixture;
  pf_error line = pf_error_none();
  pf_status status = pf_mixture_fit(&in, &mixture, &line);
  if (status == PF_STOP) {
    return pf_fail(error, status, "%s", line.text);
  }
  if (status == PF_POINT_FAILED) {
    return give_reason(s, line.text, error);
  }
  if (mixture.interrupted) {
    status = pf_fail(error, PF_POINT_FAILED,
                     "interrupted while the populations of all candidates were fitted together; "
                     "all else is kept in '%s': the same command with --resume goes on",
                     s->work->folder->part);
  } else if (!mixture.converged) {
    status = give_reason(s, "The populations of the candidates did not converge", error);
  } else {
    status = keep_mixture(s, &mixture, error);
  }
  pf_mixture_clear(&mixture);
  return status;
}

pf_status pf_followers_find(const pf_work *work, pf_comparison *comparison, pf_error *error)
{
  search s = {.work = work, .comparison = comparison};
  pf_status status = create_search(&s, error);
  if (status == PF_OK && s.n > 1) {
    const char *why = refuse_question(&s);
    status = why != NULL ? give_reason(&s, why, error) : fit_mixture(&s, error);
  }
  clear_search(&s);
  return status;
}
