/*
 * What a config says of everything that is no component: plain values, and texts that they own.
 * They are read and freed by root_settings.h.
 *
 * Each module's settings are a struct and a table of rows in a file of their own; here they are
 * gathered.
 */
#ifndef PLASTFIT_CORE_SETTINGS_SETTINGS_H
#define PLASTFIT_CORE_SETTINGS_SETTINGS_H

#include "core/closed_loop/simulate.h"
#include "core/data/derive.h"
#include "core/data/expected_reward.h"
#include "core/settings/fit_settings.h"
#include "core/settings/interval_settings.h"
#include "core/settings/marginal_settings.h"
#include "core/settings/network_settings.h"
#include "core/settings/population_settings.h"

/** `evaluate`: what a fit is scored on. */
typedef struct pf_evaluate_settings {
  int64_t draws;   /**< fresh draws of inputs and initial weights, per experiment */
  int64_t animals; /**< fresh animals from a teacher; 0: none */
  int64_t history; /**< trials that the baseline `logistic history` looks back */
} pf_evaluate_settings;

/** `recover`: of `plastfit recover`. */
typedef struct pf_recover_settings {
  int64_t data_sets;
  int64_t arriving; /**< starts of a second fit of each data set, which tells whether the first
                       arrived; 0: none */
} pf_recover_settings;

/** Whether activities are recorded as spike counts, and by which link rates come from them: the
 * words of source.record.counts, in order, and what is so without the key. */
enum pf_record_counts {
  PF_RECORD_COUNTS_EXP = 0,
  PF_RECORD_COUNTS_SOFTPLUS,
  PF_RECORD_COUNTS_IDENTITY,
  PF_RECORD_ACTIVITY
};

/** `source.record`: how the activities of simulated animals are recorded. */
typedef struct pf_record_settings {
  uint32_t counts;       /**< enum pf_record_counts */
  double gain, baseline; /**< of the rate, link(gain activity + baseline) */
  double noise;          /**< sd of the noise, as a share of each unit's sd over the run */
  double fraction;       /**< of the units that are recorded */
  uint32_t once;         /**< 1: the same units in all animals; 0: drawn for each */
} pf_record_settings;

/** `source.sessions`: how an animal's sessions hang together. */
typedef struct pf_session_settings {
  bool persist;  /**< an animal's sessions are one run; else each experiment is on its own */
  bool forget;   /**< weights are forgotten over gaps, at a rate that is a parameter */
  int64_t count; /**< sessions that a task simulates */
  double gap;    /**< hours between two, where the data do not say */
  double rate, true_rate; /**< 1/h: where its fit starts, and the teacher's */
} pf_session_settings;

typedef struct pf_settings {
  char *name, *out; /**< out NULL: it was not given */
  uint64_t seed;
  int64_t threads;    /**< 0: as many as OpenMP gives */
  char *memory_text;  /**< `memory` as given, or NULL */
  bool report;        /**< write report.html */
  char *plugin_path;  /**< or NULL */
  uint32_t normalise; /**< index in pf_normalisations */
  pf_fit_settings fit;
  pf_marginal_settings marginal;
  pf_evaluate_settings evaluate;
  pf_interval_settings intervals;
  pf_population_settings population;
  pf_recover_settings recover;
  /* of the source */
  int64_t animals; /**< that a task simulates */
  pf_input_noise input;
  bool inputs_at_mean;     /**< nothing of them is drawn: set in copies, by no key */
  bool learns_input_sd;    /**< input.sd is a parameter */
  int64_t draws;           /**< draws of the inputs per experiment in the fit */
  pf_names input_channels; /**< the inputs, in place of the cues; empty: the cues */
  pf_expected_reward expectation;
  pf_derived *derived; /**< [n_derived] source.derive */
  size_t n_derived;
  pf_session_settings sessions;
  bool give_inputs, give_initial_weights; /**< the fit sees the teacher's own */
  pf_record_settings record;
  pf_network_settings network;
  /** Bytes that the workspaces of a fit may take: states are recomputed, threads left idle, to
   * keep it. */
  size_t memory;
} pf_settings;

#endif
