#include "core/settings/network_settings.h"

#include "core/base/memory.h"

#include <math.h>

pf_option_table pf_network_keys(void)
{
  static const pf_setting rows[] = {
#define PF_ROW_STRUCT pf_network_settings
      PF_ROW_CHOICE(start.per_draw, "initial_weights.draw", "\"once\"", "once|per_draw",
                    "initial weights drawn once per experiment, or anew in every draw"),
      PF_ROW_CHOICE(start.learn, "initial_weights.learn", NULL, "each|mean_and_sd",
                    "starting weights are fitted: each of them, or their mean and sd; absent: they "
                    "are drawn"),
      PF_ROW_TEXTS(start.projections, "initial_weights.projections", NULL,
                   "of which projections they are learned; default: those that have a rule"),
      PF_ROW_CHOICE(start.scope, "initial_weights.scope", "\"animal\"", "shared|animal|experiment",
                    "learned starting weights are the same for all, each animal's own, or each "
                    "experiment's"),
      PF_ROW_REAL(start.l1, "initial_weights.l1", "0.0", "1", 0, INFINITY,
                  "adds l1 * sum |w - w'| over learned starting weights, w' what the network "
                  "starts with without noise"),
      PF_ROW_REAL(start.l2, "initial_weights.l2", "0.0", "1", 0, INFINITY,
                  "adds l2 * sum (w - w')^2 over the same: 1 / (2 sd^2) is a normal prior of that "
                  "sd"),
      PF_ROW_REAL(start.lower, "initial_weights.lower", NULL, "1", -INFINITY, INFINITY,
                  "bound of learned starting weights"),
      PF_ROW_REAL(start.upper, "initial_weights.upper", NULL, "1", -INFINITY, INFINITY,
                  "bound of learned starting weights"),
      PF_ROW_PATH(start.file, "initial_weights.file",
                  "CSV of initial weights: animal, experiment (both may be absent), projection, "
                  "post, pre, value; or a matrix, with or without names"),
      PF_ROW_WORD(start.rows, "initial_weights.rows", NULL, "post|pre",
                  "what a row of that matrix is: a postsynaptic unit (default) or a presynaptic "
                  "one"),
      PF_ROW_INTEGER(mask_seed, "mask_seed", NULL, "1", 0, INFINITY,
                     "seed of masks drawn with a density; default: `seed`. evaluate sets it, so "
                     "that a run keeps its masks"),
#undef PF_ROW_STRUCT
#define PF_ROW_STRUCT pf_projection_settings
      PF_ROW_INTEGER(layer, "projections[].layer", NULL, "1", 1, INFINITY,
                     "the projection into this layer"),
      PF_ROW_TEXT(name, "projections[].name", NULL, "or the projection of this name"),
      PF_ROW_TEXT(rule, "projections[].rule", NULL,
                  "by which rule: a group of `rules`; absent: not plastic, the entry is for a "
                  "`connected` mask"),
      PF_ROW_TEXT(post, "projections[].post", NULL,
                  "which signal of the postsynaptic units the rule's y is: \"choice\" (1 for the "
                  "option taken, 0 for the others), \"error\" (choice minus its probability), "
                  "\"recorded\" (the recorded activity, the model's where there is none), or a "
                  "signal of the network's; default their activity"),
      PF_ROW_TEXT(pre, "projections[].pre", NULL,
                  "which signal of the presynaptic units the rule's x is: \"recorded\", or a "
                  "signal of the network's; default what they transmit"),
      PF_ROW_REALS(compartments, "projections[].compartments", NULL, "1", 0, INFINITY,
                   "which channel of a modulator's family [post] each postsynaptic unit has, from "
                   "0: [0, 0, 1]; default a channel for each unit"),
      PF_ROW_CHOICE(choice_is_signed, "projections[].choice_code", "\"binary\"", "binary|signed",
                    "the choice of one output as rules see it: 1 or 0, or 1 or -1"),
      PF_ROW_TEXT(units, "projections[].units", NULL,
                  "postsynaptic units that learn by the rule, from 0: \"0-4, 7\"; default all. "
                  "Several entries may share a projection, with a rule each"),
      PF_ROW_REALS(bounds, "projections[].bounds", NULL, "1", -INFINITY, INFINITY,
                   "[lower, upper]: weights are clipped to it at the start and after every change"),
      PF_ROW_TEXT(dale, "projections[].dale", NULL,
                  "sign of the weights: \"+\", \"-\", or by presynaptic unit in order, \"80+ 20-\" "
                  "(0: free)"),
  };
#undef PF_ROW_STRUCT
  return PF_ROWS(rows);
}

pf_option_table pf_rule_keys(void)
{
#define PF_ROW_STRUCT pf_rule_settings
  static const pf_setting rows[] = {
      PF_ROW_TEXT(
          modulator, "modulator", NULL,
          "expression of channels, e.g. \"reward - expected_reward\", \"dan[post]\" (a channel "
          "for each postsynaptic unit); default: the rule's own"),
      PF_ROW_REAL(init_sd, "init_sd", NULL, "1", 0, INFINITY,
                  "sd of the noise on the coefficients a fit starts from; default: the rule's own"),
      PF_ROW_REAL(eta, "eta", NULL, "1", -INFINITY, INFINITY,
                  "synaptic learning rate; default 1 / n_pre"),
  };
#undef PF_ROW_STRUCT
  return PF_ROWS(rows);
}

pf_option_table pf_loss_keys(void)
{
#define PF_ROW_STRUCT pf_loss_settings
  static const pf_setting rows[] = {
      PF_ROW_REAL(weight, "weight", "1.0", "1", 0, INFINITY, "of this loss, after normalising"),
  };
#undef PF_ROW_STRUCT
  return PF_ROWS(rows);
}

pf_status pf_network_settings_read(pf_network_settings *settings, const pf_options *options,
                                   pf_error *error)
{
  const pf_option_table keys = pf_network_keys();
  settings->start.learn = PF_LEARN_NOTHING;
  settings->start.lower = -(double)INFINITY;
  settings->start.upper = (double)INFINITY;
  settings->mask_seed = -1;
  const size_t n = (size_t)options->length(options, "projections");
  settings->projections = pf_memory_need(n, sizeof *settings->projections, error);
  if (settings->projections == NULL) {
    return PF_STOP;
  }
  settings->n_projections = n;
  for (size_t i = 0; i < n; i++) {
    if (pf_settings_read_element(keys, "projections", (int64_t)i, options,
                                 &settings->projections[i], error) != PF_OK) {
      return PF_STOP;
    }
  }
  return pf_settings_read(keys, options, settings, error);
}

void pf_network_settings_clear(pf_network_settings *settings)
{
  pf_settings_clear(pf_network_keys(), NULL, settings);
  for (size_t i = 0; i < settings->n_projections; i++) {
    pf_settings_clear(pf_network_keys(), "projections", &settings->projections[i]);
  }
  pf_memory_free(settings->projections);
  *settings = (pf_network_settings){0};
}
