/*
 * A problem: everything that one config says, built and checked, before any fitting.
 */
#ifndef PLASTFIT_CORE_PROBLEM_PROBLEM_H
#define PLASTFIT_CORE_PROBLEM_PROBLEM_H

#include "core/engine/explain.h"
#include "core/layout/layout.h"
#include "core/problem/initial_weights.h"
#include "core/closed_loop/simulate.h"
#include "core/engine/draw.h"

enum pf_fit_per { PF_FIT_PER_ANIMAL = 0, PF_FIT_SHARED = 1 };
enum pf_fit_batch { PF_BATCH_DRAW = 0, PF_BATCH_FULL = 1 };

typedef struct pf_fit_settings {
  uint32_t per; /**< enum pf_fit_per */
  uint32_t
      batch; /**< enum pf_fit_batch: one step per draw, in order, or one per epoch over all draws */
  char *optimiser;                             /**< "lm", "lbfgs", "owlqn", "adam" */
  double learning_rate, beta1, beta2, epsilon; /**< adam */
  int64_t iterations, evaluations; /**< all but adam: most of them; evaluations 0: no limit */
  double tolerance_gradient, tolerance_progress,
      tolerance_step; /**< all but adam: core/optimise/optimiser.h */
  int64_t starts;     /**< >= 1 (0 counts as 1): core/fit/multistart.h */
  double spread;      /**< of the starts where a value has no bound */
  int64_t epochs;     /**< passes over the data */
  int64_t log_every;  /**< epochs between rows of fit.csv */
  double l1, l2; /**< penalties on the rules' free parameters: l1 sum |theta| + l2 sum theta^2 */
  int n_threads; /**< >= 1 */
} pf_fit_settings;

typedef struct pf_evaluate_settings {
  int64_t draws;   /**< fresh draws of inputs and initial weights, per experiment */
  int64_t animals; /**< fresh animals from a teacher; 0: none */
} pf_evaluate_settings;

/** Whether activities are recorded as spike counts, and by which link rates come from them. */
typedef enum pf_record_counts {
  PF_RECORD_ACTIVITY,
  PF_RECORD_COUNTS_EXP,
  PF_RECORD_COUNTS_SOFTPLUS,
  PF_RECORD_COUNTS_IDENTITY
} pf_record_counts;

/** Ways to an interval; see core/infer/infer.h. */
enum pf_interval_method {
  PF_INTERVAL_FISHER = 0,
  PF_INTERVAL_SANDWICH,
  PF_INTERVAL_PROFILE,
  PF_INTERVAL_BOOTSTRAP,
  PF_N_INTERVAL_METHODS
};
/** "fisher", ...: as the config says it. */
const char *pf_interval_method_name(uint32_t method);
enum pf_cluster { PF_CLUSTER_AUTO = 0, PF_CLUSTER_ANIMAL, PF_CLUSTER_BLOCK };

/** What a bootstrap draws: core/infer/bootstrap.h. */
enum pf_bootstrap_sampling { PF_BOOTSTRAP_AUTO = 0, PF_BOOTSTRAP_ANIMALS, PF_BOOTSTRAP_PARAMETRIC };
/** With so many animals in a fit, auto draws animals. */
enum { PF_BOOTSTRAP_ENOUGH_ANIMALS = 10 };

/** What is inferred of a fit. */
typedef struct pf_interval_settings {
  bool methods[PF_N_INTERVAL_METHODS]; /**< none: nothing is inferred */
  bool automatic;                      /**< fisher, and profile instead where data are few */
  uint32_t main;                       /**< enum pf_interval_method: the first that was asked for */
  double level;                        /**< of intervals: 0.95 */
  uint32_t cluster;      /**< enum pf_cluster; auto: animals where a fit has several, else blocks */
  int64_t block;         /**< trials of a block */
  double rank_tolerance; /**< eigenvalues of the scaled information that are no larger count as 0 */
  uint32_t bootstrap_of; /**< enum pf_bootstrap_sampling */
  bool studentised;      /**< bootstrap intervals of t statistics; else percentiles */
  int64_t resamples;     /**< refits of a bootstrap */
  int64_t max_values;    /**< values of a fit that more of are not inferred about */
} pf_interval_settings;

/** `plastfit recover`. */
typedef struct pf_recover_settings {
  int64_t data_sets;
} pf_recover_settings;

/** How the activities of simulated animals are recorded. */
typedef struct pf_record_settings {
  pf_record_counts counts; /**< activities are recorded as spike counts */
  double gain, baseline;   /**< of the rate, link(gain activity + baseline) */
  double noise;            /**< sd of the noise, as a share of each unit's sd over the run */
  double fraction;         /**< of the units that are recorded */
  bool once;               /**< the same units in all animals; else drawn for each */
} pf_record_settings;

/** How an animal's sessions hang together. */
typedef struct pf_session_settings {
  bool persist;  /**< an animal's sessions are one run; else each experiment is on its own */
  bool forget;   /**< weights are forgotten over gaps, at a rate that is a parameter */
  int64_t count; /**< sessions that a task simulates */
  double gap;    /**< hours between two, where the data do not say */
  double rate, true_rate; /**< 1/h: where its fit starts, and the teacher's */
} pf_session_settings;

/** What a config says of everything that is no component: plain values, and strings that it owns.
 */
typedef struct pf_settings {
  char *name, *out;
  uint64_t seed;
  pf_input_noise input;
  pf_names input_channels; /**< the inputs, in place of the cues; names are the config's; empty: the
                              cues */
  pf_expected_reward expectation;
  pf_derived *derived; /**< [n_derived] source.derive */
  size_t n_derived;
  int64_t draws;         /**< draws of the inputs per experiment in the fit */
  bool weights_per_draw; /**< initial weights redrawn in every draw, else once per experiment */
  bool give_inputs, give_initial_weights; /**< the fit sees the teacher's own */
  pf_record_settings record;
  pf_session_settings sessions;
  char *warm_path; /**< init.theta, or NULL */
  bool report;     /**< write report.html */
  pf_fit_settings fit;
  pf_evaluate_settings evaluate;
  pf_interval_settings intervals;
  pf_recover_settings recover;
  size_t memory; /**< bytes that the workspaces of a fit may take: states are recomputed, threads
                    left idle, to keep it */
} pf_settings;

/** The components that a config names, and the models made of them. */
typedef struct pf_models {
  pf_component network, source;
  pf_component *rules;
  size_t n_rules; /**< one per plastic projection of the model */
  pf_component *losses;
  size_t n_losses;
  pf_component
      teacher_rule; /**< source.rule, on every plastic projection; plugin NULL: there is none */
  pf_component *teacher_rules; /**< [n_rules] source.rules, one each; NULL: there are none */
  pf_model
      *teacher; /**< same network, the teacher's rule, same losses; NULL: the truth is unknown */
  double *teacher_theta; /**< [teacher->n_parameters] */
  char **owners; /**< [n_rules + n_losses] "rules.learn", ..., "losses.[0]", ...: names the models
                    refer to */
} pf_models;

typedef struct pf_problem {
  pf_config *config; /**< the caller's, MUST outlive the problem */
  pf_registry *registry;
  pf_settings *settings;
  pf_models *models;
  pf_model *model;  /**< what is fitted */
  pf_dataset data;  /**< what it is fitted to */
  pf_dataset fresh; /**< fresh animals for the evaluation (n = 0: fresh draws of `data` instead) */
  pf_initial_file *initial; /**< network.initial_weights.file, or NULL */
  double *warm; /**< [groups of the data as read][model->n_parameters] estimates of init.theta, NaN
                   where it has none; NULL: none given */
  char *evaluated_on; /**< "fresh animals" | "fresh draws" | "fitted draws", for reports */
  bool only_task;     /**< no data were made: pf_problem_create_task */
  bool
      other_data; /**< what is scored need not be what was fitted: `plastfit evaluate RUN --data` */
} pf_problem;

/** Build from a config: loads plugins, reads or simulates the data, checks everything. */
pf_status pf_problem_create(pf_config *config, pf_problem **out, pf_error *error);
/** The same without any data, whose source need not say by which rule to learn: for a task to put a
 * fitted rule into.
 */
pf_status pf_problem_create_task(pf_config *config, pf_problem **out, pf_error *error);
void pf_problem_free(pf_problem *problem);

/** What a gradient of the longest recording takes: path, blocks, checkpoints, bytes. */
pf_status pf_problem_explain(const pf_problem *problem, pf_explained *out, pf_error *error);
/** The draw number `draw` of recording i of `data` (fitted ones and fresh ones are different
 * streams). */
pf_status pf_problem_draw(const pf_problem *problem, const pf_dataset *data, size_t i, int64_t draw,
                          bool fresh, pf_draw **out, pf_error *error);
/** The animal that has the theta of unit `unit`, by its place in the data as read; 0 where all
 * share one. */
size_t pf_problem_group_number(const pf_problem *problem, size_t unit);
/**
 * Where the fit of unit `unit` starts: the earlier run's estimate where there is one, else initial
 * + init_sd * normal; within the bounds; values: [layout->n].
 */
pf_status pf_problem_start(const pf_problem *problem, size_t unit, const pf_layout *layout,
                           double *values, pf_error *error);
/**
 * A draw's twin for the teacher's model: same inputs, same initial weights (learned ones: those of
 * theta, the model's). NULL model: PF_STOP.
 */
pf_status pf_problem_teacher_draw(const pf_problem *problem, const pf_draw *draw,
                                  const double *theta, pf_draw **out, pf_error *error);

#endif
