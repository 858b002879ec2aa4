/*
 * What a comparison of families of rules on the same data found: candidates x animals x
 * validations, one table. core/compare makes it.
 *
 * A candidate is the base config with some keys replaced (`compare.candidates`). A validation says
 * which steps are fitted and which are scored (core/validations/).
 *
 *     config -> candidates -> jobs (one fit each, a small file each) -> rows -> table -> files,
 * stdout
 *
 * `rows` are all that was measured; the table is computed from them alone (compare_table.h). Files:
 * compare.csv (the rows), compare.h5 (matrices, estimates, predictions), summary.json (the table);
 * doc/files.md.
 */
#ifndef PLASTFIT_CORE_RANKING_RANKING_H
#define PLASTFIT_CORE_RANKING_RANKING_H

#include "core/base/array.h"
#include "core/baselines/baselines.h"
#include "core/evaluate/ablation.h"
#include "core/fit/fit_groups.h"
#include "core/stats/stats.h"
#include "core/validations/validations.h"

/**
 * One row of compare.csv: one candidate, one animal, one fold. Log likelihoods are sums over the
 * `n` scored cells, mean over draws; those of a loss that is no likelihood are minus the sum of
 * squared errors. NaN where a figure means nothing or the job failed.
 */
typedef struct pf_compare_row {
  size_t candidate, animal;
  uint32_t validation; /**< number in the table of validations, here and below */
  int64_t fold; /**< from 0: of leave-one-block-out the block, of leave-one-animal-out the animal;
                   else 0 */
  uint32_t ablation; /**< enum pf_ablation */
  uint32_t verdict;  /**< enum pf_fit_verdict: what the fit amounts to */
  pf_status status;  /**< PF_OK, or why there is no figure: `error` */
  char *error;       /**< owned, NULL where status is PF_OK */
  int64_t n, n_fit;  /**< cells scored, and fitted (of this animal; of leave-one-animal-out, of the
                        others) */
  double log_likelihood, no_plasticity, mean_rate; /**< of the model and of the two null models */
  double baselines[PF_N_BASELINES]; /**< of choices between options (core/baselines); else NaN */
  double explained_no_plasticity, explained_mean_rate; /**< deviance explained, % */
  double explained_baselines[PF_N_BASELINES];
  double r2_weights, r2_activity; /**< where the truth is known */
} pf_compare_row;

/** Two candidates tie in an animal whose log likelihoods differ by no more, in nats over all its
 * scored cells. Measured: two optimisers of one rule leave up to 1.3e-6; data tell far more. */
extern const double pf_compare_tie;

enum { PF_N_FIT_VERDICTS = PF_FIT_FAILED + 1 };

/**
 * A candidate in one validation: what stands in the table. All means are over animals, folds
 * pooled within; an animal weighs as much as another, but in a validation that is pooled (see
 * pf_comparison). Intervals are 95 % bootstrap intervals over animals. An animal one of whose fits
 * is nothing to rest a claim on (row.verdict) is left out of all of them.
 */
typedef struct pf_compare_figures {
  size_t n_animals;                   /**< with a figure */
  size_t n_failed;                    /**< without one */
  size_t n_left_out;                  /**< with one that counts for nothing, by its fit */
  size_t verdicts[PF_N_FIT_VERDICTS]; /**< animals by the worst verdict of their fits */
  int64_t n;                          /**< cells scored, all animals and folds */
  double *per_animal;  /**< [n_animals of the comparison] log likelihood per cell, NaN where it has
                          none */
  double *differences; /**< [n_animals of the comparison] per cell, this minus base, 0 where they
                          tie; NaN where one has no figure */
  int64_t *cells;      /**< [n_animals of the comparison] cells scored */
  pf_interval score;   /**< mean of per_animal */
  double median;       /**< of per_animal: one animal's absurd score does not move it */
  pf_interval explained_no_plasticity, explained_mean_rate; /**< % */
  pf_interval explained_baselines[PF_N_BASELINES];          /**< % */
  double r2_weights, r2_activity;                           /**< medians over animals and folds */
  /* against the configured base; NaN for the base itself */
  pf_interval against_base; /**< mean paired difference, this minus base; ties count as 0 */
  size_t n_pairs, n_better; /**< animals with both; of these, those where this one is better */
  size_t n_ties;            /**< and those where they tie (pf_compare_tie) */
  double p, p_holm;  /**< paired exact Wilcoxon of those that do not tie, two-sided; Holm over the
                        candidates of this validation */
  bool ranks_higher; /**< by the ranks of that test, not by a mean that one animal may make */
  /* against the one of highest mean: no test, since the best was picked by the same figures */
  pf_interval against_best;
} pf_compare_figures;

/** A model without synapses, beside the base: on the animals that the base has a figure of. */
typedef struct pf_compare_baseline {
  pf_interval score;        /**< log likelihood per cell, mean over animals; NaN: there is none */
  pf_interval difference;   /**< the base minus it */
  size_t n_pairs, n_better; /**< animals; of these, those where the base is better */
  double p, p_holm;         /**< paired exact Wilcoxon, two-sided; Holm over the baselines */
  bool base_ranks_higher;   /**< by the ranks of that test */
} pf_compare_baseline;

/** One candidate. */
typedef struct pf_compare_candidate {
  char *name;
  char *rule;          /**< plugins of its rules, "taylor"; "none" where nothing learns */
  size_t n_parameters; /**< free ones, of one fit */
  uint32_t per;        /**< enum pf_fit_per (leave-one-animal-out: shared in place of animal) */
  bool is_likelihood;  /**< log likelihoods are such; else minus squared errors, and no AIC */
  char **keys;         /**< [n_theta] names of all parameters */
  size_t n_theta;
  pf_compare_figures figures[PF_MAX_VALIDATIONS];
  /* information criteria of unpenalised fits to all steps, summed over animals; NaN where there is
   * none */
  double aic, bic;
  double
      variance; /**< of Monte Carlo in the log likelihood of these fits, nats^2; 0: there is none */
  double ablations[PF_MAX_VALIDATIONS]
                  [PF_N_ABLATIONS]; /**< mean log likelihood per cell over animals */
} pf_compare_candidate;

/** Step by step, one candidate and one animal's experiment: what the F prediction of a validation
 * was. */
typedef struct pf_compare_prediction {
  size_t candidate, recording;
  uint32_t validation;
  int64_t n_steps;
  double *probability; /**< [n_steps] mean over draws; NaN at steps that this validation does not
                          score */
} pf_compare_prediction;

/** An estimate: what an animal's first scored experiment was simulated with in one fold. */
typedef struct pf_compare_estimate {
  size_t candidate, animal;
  uint32_t validation;
  int64_t fold;
  double *theta; /**< [n_theta of the candidate] */
} pf_compare_estimate;

/** What was recorded, for figures: shared by all candidates. */
typedef struct pf_compare_recording {
  char *name;
  size_t animal;
  int64_t n_steps;
  int64_t *trial, *block;  /**< [n_steps] */
  int64_t *cue;            /**< [n_steps] index of the largest cue: which odour, which arm */
  double *choice, *reward; /**< [n_steps], NaN where missing; NULL where the data have none */
  uint32_t *forecast; /**< [n_steps] PF_STEP_FIT | PF_STEP_SCORE as the validation "forecast" masks
                         them */
} pf_compare_recording;

/** Ways through the sets of a rule's terms (core/compare/select.h). */
enum pf_selection_method {
  PF_SELECT_FORWARD = 0,
  PF_SELECT_BACKWARD = 1,
  PF_SELECT_L1 = 2,
  PF_N_SELECTIONS = 3
};
/** "forward", "backward", "l1". */
const char *pf_selection_method_name(uint32_t method);

/** One set of terms that was scored. */
typedef struct pf_selection_set {
  uint32_t method; /**< enum pf_selection_method */
  int64_t round;   /**< from 0 */
  bool on_path;    /**< the best of its round; of an L1 path, every one */
  bool best;       /**< of highest score on its path */
  bool chosen; /**< the smallest on its path that the best one does not beat by more than a standard
                  error */
  char *change;    /**< what was done to the path's last set: "+ x r", "- w"; "l1 = 0.01"; "" at the
                      start */
  char *terms;     /**< those that are in, "w + x r"; under L1 those that more than half of the fits
                      keep */
  double n_terms;  /**< how many; under L1 the mean over fits of those that are not 0 */
  double l1;       /**< the penalty, NaN where it is the config's */
  size_t n_failed; /**< animals without a figure: then it is never taken */
  double *per_animal; /**< [n_animals] log likelihood per observation, NaN where it has none */
  double *weights;    /**< [n_animals] what each weighs in the mean */
  pf_interval score;  /**< its mean, as in the table */
} pf_selection_set;

typedef struct pf_selection {
  char *rule; /**< "rules.learn"; NULL: nothing was asked for */
  uint32_t validation;
  size_t n_terms; /**< of the rule */
  pf_array sets;  /**< of pf_selection_set, in the order in which they were scored */
} pf_selection;
void pf_selection_clear(pf_selection *selection);

/**
 * If each animal follows one of these candidates, how many follow which?
 * (core/mixture/mixture.h, core/stats/model_selection.h). One block of memory from `evidence`
 * on.
 */
typedef struct pf_followers {
  size_t n;           /**< candidates; 0: not asked, or `why` */
  char *why;          /**< why there is no answer; NULL: there is one, or nothing was asked */
  size_t *candidates; /**< [n] */
  double *evidence;   /**< [n_animals][n] log likelihood integrated over the candidate's population,
                         in nats */
  double *shares;     /**< [n_animals][n] probability that the animal follows it */
  double *frequency;  /**< [n] expected share of animals */
  double *exceedance; /**< [n] probability that it is the most frequent */
  double *protected_exceedance; /**< [n] the same, allowing for equal frequencies */
  double omnibus_risk;          /**< probability that all are equally frequent */
} pf_followers;

typedef struct pf_comparison {
  char *name, *out;
  uint64_t seed; /**< of the base config; bootstraps go by it too */
  pf_compare_candidate *candidates;
  size_t n_candidates, base;
  char **animals;
  size_t n_animals;
  bool asked[PF_MAX_VALIDATIONS]; /**< which validations there are */
  /** An animal has few scored cells, whose own figures can be anything: means are those of all
   * cells of all animals together, of deviances the share of their sums. */
  bool pooled[PF_MAX_VALIDATIONS];
  pf_compare_baseline baselines[PF_MAX_VALIDATIONS][PF_N_BASELINES];
  uint32_t headline; /**< the one that the line of plain words is about: the first held-out one */
  pf_folds folds[PF_MAX_VALIDATIONS];
  bool ablations;
  char *criteria_why;   /**< why some AIC or BIC is missing; NULL: none is */
  char *warning;        /**< what the reader must know before the conclusions; NULL: nothing */
  char *criteria_note;  /**< on what AIC and BIC rest, or why there are none */
  pf_compare_row *rows; /**< in order of candidate, validation, fold, animal, ablation */
  size_t n_rows, n_failed;
  size_t n_left_out; /**< rows with a figure whose fit is nothing to rest a claim on */
  pf_compare_estimate *estimates;
  size_t n_estimates;
  pf_compare_prediction *predictions;
  size_t n_predictions;
  pf_compare_recording *recordings;
  size_t n_recordings;
  char *words; /**< what can be said, and what cannot: one line */
  pf_selection selection;
  pf_followers followers;
} pf_comparison;

/** May a claim rest on a fit: converged, or passes done, which claims nothing by itself? */
bool pf_compare_counts(uint32_t verdict);
/** "ok" of a converged fit, else the words of its verdict: for files and tables. */
const char *pf_compare_status_word(uint32_t verdict);
void pf_comparison_free(pf_comparison *comparison);
/** Deviance explained, %, from log likelihoods; NaN unless that of the null model is below 0. */
double pf_compare_explained(double null_model, double model);

#endif
