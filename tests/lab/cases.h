/*
 * What the gradients are checked on: every rule that ships, in the forms it has, on networks that
 * differ in what the adjoint does, with every loss. tests/gradients fails when the registry has a
 * plugin that is not named here.
 */
#ifndef PLASTFIT_TESTS_LAB_CASES_H
#define PLASTFIT_TESTS_LAB_CASES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct lab_rule_case {
  const char *plugin;
  const char *options; /**< in the config's syntax, after `plugin` */
  double theta_sd; /**< theta is normal, of this sd: strong enough to matter, weak enough to stay
                      finite; 0: near where a fit starts */
  bool has_kinks;  /**< its derivative jumps somewhere, or is so steep that steps must be short */
  const char *networks; /**< labels of the networks that it goes with, "a; b"; NULL: all */
} lab_rule_case;

typedef struct lab_network_case {
  const char *label, *plugin, *options;
  const char *plastic;    /**< projection with the rule that is checked */
  const char *other_rule; /**< a rule on another projection: "layer2: { ... };", or "" */
  int64_t n_input;
  int64_t n_activity; /**< units of the first plastic layer */
  int64_t n_output;   /**< units to choose by: 1 yes or no, K among K; 0: none */
  bool has_kinks;
  bool is_masked;   /**< with a `connected` and a `plastic` mask, drawn at random, on the projection
                       that is checked */
  int64_t every;    /**< goes with every rule (1), or with every so many, other losses each time */
  const char *sees; /**< what the rule's y is there; NULL: the activity */
  const char *sees_pre;     /**< likewise its x */
  const char *modulator;    /**< in place of the rule's own: of the family dan0 to dan2; or NULL */
  const char *compartments; /**< "[0, 2, 1]": of its family [post]; or NULL */
} lab_network_case;

typedef struct lab_loss_case {
  const char *label;
  const char *plugins[2]; /**< the losses in it; NULL: no more */
  const char *config;
  int64_t n_output; /**< goes with networks of so many units to choose by; 0: with any */
  int64_t every; /**< goes with every network (1), or with every so many, another for each rule */
} lab_loss_case;

extern const lab_rule_case lab_rules[];
extern const size_t lab_n_rules;
extern const lab_network_case lab_networks[];
extern const size_t lab_n_networks;
extern const lab_loss_case lab_losses[];
extern const size_t lab_n_losses;

#endif
