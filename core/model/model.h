/*
 * What is simulated: a network, the rules on its plastic projections, the losses, and the
 * parameters of them all. Const once built.
 */
#ifndef PLASTFIT_CORE_MODEL_MODEL_H
#define PLASTFIT_CORE_MODEL_MODEL_H

#include "core/data/dataset.h"
#include "core/data/linear.h"
#include "core/model/normalisation.h"
#include "core/plugin/component.h"

/** Units [first, first + n). */
typedef struct pf_range {
  int64_t first, n;
} pf_range;

/** What a rule may see of units: a signal that the network declares; the choice, 1 for the option
 * taken; the choice minus its probability; the recorded activity. */
enum pf_seen_kind {
  PF_SEEN_NETWORK = 0,
  PF_SEEN_CHOICE = 1,
  PF_SEEN_ERROR = 2,
  PF_SEEN_RECORDED = 3
};

typedef struct pf_seen_signal {
  uint32_t kind;  /**< enum pf_seen_kind */
  int64_t signal; /**< of the network: what it is, or what it is made of */
} pf_seen_signal;

/** What a rule sees of the units of one side of its projection, in the rule's order. */
typedef struct pf_seen {
  pf_seen_signal *signals; /**< [n] */
  size_t n;                /**< 0: their activity alone */
  int64_t n_units;
  bool signed_choice; /**< the choice of one output is 1 or -1 */
} pf_seen;

/** A name of a modulator's expression: a channel, or a family, one channel for each unit. */
typedef struct pf_modulator_source {
  uint32_t per;    /**< enum pf_per, without PF_PER_SYNAPSE */
  size_t channel;  /**< of PF_PER_NETWORK */
  size_t *of_unit; /**< [units of that side] otherwise */
} pf_modulator_source;

/** What the modulators of a rule read, and how (core/model/modulation.h). */
typedef struct pf_modulation {
  char **channels; /**< [n_channels] families taken apart */
  size_t n_channels;
  pf_modulator_source **sources; /**< [n modulators][linear.n] */
  size_t n_names;                /**< the most that an expression has */
  size_t n_post, n_pre;          /**< modulators that the rule declares per unit */
} pf_modulation;

/** Synapses of a rule that have the same modulators: the rule is called on each part by itself. */
typedef struct pf_part {
  pf_range rows, columns;
  bool first_columns; /**< the first part of its rows */
} pf_part;

/** A plastic projection, or the rows of one that learn by this rule: several may share a
 * projection. */
typedef struct pf_plastic {
  const pf_component *rule;
  pf_rule_declaration declared;
  int64_t projection; /**< index in the network's table */
  int64_t n_pre, n_post;
  double eta;                   /**< synaptic learning rate */
  pf_trace *traces;             /**< [declared.traces.count] */
  pf_modulator *modulator_info; /**< [declared.modulators.count] */
  pf_linear *modulators;        /**< [declared.modulators.count] what each is, of channels */
  pf_modulation modulation;     /**< where each synapse's come from */
  size_t theta0;                /**< first of its parameters in theta */
  pf_range *ranges; /**< [n_ranges] rows it acts on, ascending and apart from one another's */
  size_t n_ranges;
  int64_t n_traces[4]; /**< of the rule, by enum pf_per */
  pf_part *parts;      /**< [n_parts] of its synapses, by rows, then by columns */
  size_t n_parts;
  pf_seen post, pre; /**< what it sees of the units of both sides */
} pf_plastic;

/** Hard bounds of a projection's weights, by presynaptic unit: see pf_model_bound. */
typedef struct pf_bound {
  pf_real *lower, *upper; /**< [n_pre]; NULL: no bounds */
} pf_bound;

/** Which synapses of a projection there are, and which of them change. */
typedef struct pf_mask {
  pf_real *connected; /**< [n_post][pf_leading_dimension(n_pre)] 0 or 1; where 0: w = 0; NULL: all
                         are there */
  pf_real *changes;   /**< likewise, connected and plastic; where 0: w stays; NULL: all change */
} pf_mask;

/** A loss. */
typedef struct pf_loss_term {
  const pf_component *loss;
  pf_loss_declaration declared;
  double weight;
  int64_t *observables; /**< [declared.observables.count] indices in the network's table */
  size_t theta0;
} pf_loss_term;

/** A parameter of the whole model, with its owner. */
typedef struct pf_model_parameter {
  pf_parameter declared; /**< as the plugin declared it, config's changes applied */
  const char *owner;     /**< "rules.learn", "network", "losses.[0]" */
  bool tied;             /**< theta = factor * theta[tied_to], another that is not tied; not free */
  size_t tied_to;
  double factor;
  bool is_start; /**< a starting weight, or their mean or sd (pf_model_learn_start): many, of which
                    none means much */
  bool own_penalty; /**< l1 and l2 are its own; else those of `penalty` if it is a rule's, and none
                       if it is not */
  double l1, l2;
  double spread; /**< of a teacher: sd of the value between simulated animals; 0: none */
  double change; /**< of a teacher: what every second simulated animal has more */
} pf_model_parameter;

/** What a parameter is called in print: its label, else its name. */
static inline const char *pf_parameter_label(const pf_model_parameter *parameter)
{
  const pf_parameter *declared = &parameter->declared;
  return declared->label != NULL ? declared->label : declared->name;
}

/** Where a projection's weights start from. */
enum pf_start_mode { PF_START_NETWORK = 0, PF_START_EACH = 1, PF_START_MEAN_SD = 2 };

/** Starting weights of a projection: see core/model/starting_weights.h. */
typedef struct pf_start {
  uint32_t mode;  /**< enum pf_start_mode */
  size_t theta0;  /**< each: [n_post][n_pre] of theta; mean and sd: two of it */
  int64_t noise0; /**< where its noise starts, of the draw's */
  char *names;    /**< of the parameters */
} pf_start;

/**
 * When a population is evaluated. Only what plasticity needs goes segment by segment (the steps
 * between two weight changes); what lies before it, or after it, is evaluated for all steps in one
 * call.
 */
enum pf_phase { PF_PHASE_INPUT = 0, PF_PHASE_BEFORE = 1, PF_PHASE_PLASTIC = 2, PF_PHASE_AFTER = 3 };

/** Observables of a loss, and targets: at most this many of each. */
enum { PF_LOSS_MAX_ARRAYS = 8 };

typedef struct pf_model {
  const pf_component *network;
  pf_network_declaration declared; /**< its tables are copied: */
  pf_population *populations;
  size_t n_populations;
  pf_projection *projections;
  size_t n_projections;
  pf_observable *observables;
  size_t n_observables;
  pf_plastic *plastic;
  size_t n_plastic;
  pf_mask *masks;   /**< [n projections] */
  pf_bound *bounds; /**< [n projections] */
  pf_loss_term *losses;
  size_t n_losses;
  pf_start *starts; /**< [n projections] */
  int64_t n_noise;  /**< normal numbers behind the starting weights: the network's, then those of
                       learned sds */
  /** theta: rules' parameters in the order of `plastic`, then the network's, the losses', the
   * host's, then starting weights. */
  pf_model_parameter *parameters;
  size_t n_parameters;
  size_t network_theta0;
  size_t start_theta0; /**< of the first starting weight; n_parameters: none is learned */
  bool forgets;        /**< weights are forgotten over gaps between sessions: w exp(-rate gap) */
  size_t forgetting_theta; /**< the rate's place in theta */
  bool learns_input_sd;    /**< the sd of the inputs' noise is a parameter */
  size_t input_sd_theta;   /**< its place in theta */
  const pf_normalisation *normalisation;
  uint8_t *phase;   /**< [n populations] enum pf_phase */
  bool stepwise[4]; /**< by phase: something in it remembers the step before, so that steps go one
                       by one */
  size_t
      state_budget; /**< bytes a thread may use for states of the weights; 0: what fits in cache */
} pf_model;

/** Weights of a projection: [n_post][n_pre]. */
typedef struct pf_projection_size {
  int64_t n_post, n_pre;
} pf_projection_size;
pf_projection_size pf_model_projection_size(const pf_model *model, int64_t projection);
/** Index of a projection by name, or -1; sizes as the network says. */
int64_t pf_model_projection(const pf_model *model, const char *name, int64_t *n_post,
                            int64_t *n_pre);
/** Index of an observable by name ("activity": the first plastic projection's post population), or
 * -1. */
int64_t pf_model_observable(const pf_model *model, const char *name);
int64_t pf_model_n_input(const pf_model *model);

/** Does a rule keep traces? They are updated at every step, whether weights change or not. */
bool pf_model_has_traces(const pf_model *model);

#endif
