/* The host's keys in the groups `network`, `rules` and `losses`, beside those of their plugins. */
#ifndef PLASTFIT_CORE_SETTINGS_NETWORK_SETTINGS_H
#define PLASTFIT_CORE_SETTINGS_NETWORK_SETTINGS_H

#include "core/config/setting.h"

/** An entry of network.projections. */
typedef struct pf_projection_settings {
  int64_t layer; /**< 1 is the first; 0: it has a name instead */
  char *name;    /**< or NULL */
  char *rule;    /**< a group of `rules`; NULL: the projection does not learn */
  char *post;    /**< what the rule sees as y, or NULL: the activity */
  char *pre;     /**< likewise as x */
  pf_numbers
      compartments; /**< which channel of a family each postsynaptic unit has; none: its own */
  uint32_t choice_is_signed;
  char *units; /**< postsynaptic units that learn, or NULL: all */
  pf_numbers bounds;
  char *dale; /**< signs of the weights, or NULL */
} pf_projection_settings;

/** The words of initial_weights.learn, in order, and what is so without the key. */
enum pf_start_learning { PF_LEARN_EACH = 0, PF_LEARN_MEAN_SD, PF_LEARN_NOTHING };

/** `network.initial_weights`. */
typedef struct pf_start_settings {
  uint32_t per_draw;    /**< 1: drawn anew in every draw; 0: once per experiment */
  uint32_t learn;       /**< enum pf_start_learning */
  pf_names projections; /**< where they are learned; empty: where there is a rule */
  uint32_t scope;       /**< enum pf_scope of learned ones */
  double l1, l2, lower, upper;
  char *file; /**< or NULL */
  char *rows; /**< what a row of it is where it is a matrix: "post", "pre", NULL: not said */
} pf_start_settings;

typedef struct pf_network_settings {
  pf_start_settings start;
  int64_t mask_seed; /**< -1: the config's seed */
  pf_projection_settings *projections;
  size_t n_projections;
} pf_network_settings;

/** Of a group of `rules`. */
typedef struct pf_rule_settings {
  char *modulator;     /**< NULL: the rule's own */
  double init_sd, eta; /**< NaN: not given */
} pf_rule_settings;

/** Of an element of `losses`. */
typedef struct pf_loss_settings {
  double weight;
} pf_loss_settings;

pf_option_table pf_network_keys(void);
pf_option_table pf_rule_keys(void);
pf_option_table pf_loss_keys(void);

pf_status pf_network_settings_read(pf_network_settings *settings, const pf_options *options,
                                   pf_error *error);
void pf_network_settings_clear(pf_network_settings *settings);

#endif
