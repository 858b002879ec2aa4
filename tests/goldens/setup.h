/*
 * One golden file, made into what the engine and the fit work on. Nothing but the fields of the
 * file decides what is made: see shared/golden/README.md for what they mean.
 */
#ifndef PLASTFIT_TESTS_GOLDENS_SETUP_H
#define PLASTFIT_TESTS_GOLDENS_SETUP_H

#include "core/problem/problem.h"
#include "tests/goldens/rule.h"
#include "tests/lab/lab.h"

typedef struct golden_case {
  const char *name; /**< of the file, for messages */
  const json_t *root;
  bool is_training;        /**< a file of epochs, else of values at one theta */
  int64_t n_input, n_post; /**< of the plastic layer */
  golden_rule rule;
  int64_t *places; /**< [rule.n] golden_rule_places */
  lab lab;
  pf_problem problem;   /**< borrows the lab's model and network; the data are the file's */
  pf_settings settings; /**< problem.settings and problem.models point here */
  pf_models models;
} golden_case;

/**
 * Check the fields of the file and make rule, network, loss, model and recordings. Of every
 * recording, x is true_input and the weights (W0, then the readout) are true_noise of a network
 * whose initial_weights.sd is 1, so that pf_problem_draw() gives them exactly.
 */
pf_status golden_case_create(pf_registry *registry, const char *name, const json_t *root,
                             golden_case *out, pf_error *error);
void golden_case_free(golden_case *golden);
/** theta [n_parameters] of the model from a tensor of the file; masked entries are left out. */
pf_status golden_case_theta(const golden_case *golden, const json_t *tensor, const char *what,
                            double *theta, pf_error *error);

/** Append the experiment of a list of steps to the problem's data. In tests/goldens/data.c. */
pf_status golden_add_experiment(golden_case *golden, const json_t *steps, const json_t *w0,
                                size_t index, pf_error *error);
/** Names of the channels that steps have, for the model; `names` has room for GOLDEN_CHANNELS. */
enum { GOLDEN_CHANNELS = 16 };
pf_status golden_channels(const json_t *root, const json_t *step, const char **names, size_t *n,
                          pf_error *error);

#endif
