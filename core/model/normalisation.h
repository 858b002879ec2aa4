/*
 * Normalisations: how the log likelihoods of several draws become one objective. Each is a row of
 * the table in normalisation.c: its word in the config, and its weights from counts of cells.
 */
#ifndef PLASTFIT_CORE_MODEL_NORMALISATION_H
#define PLASTFIT_CORE_MODEL_NORMALISATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** What one loss counts on one draw, and the weight that the normalisation gives it there. */
typedef struct pf_draw_share {
  int64_t observed; /**< cells of the target that are fitted and not missing */
  int64_t table;    /**< cells of trials x longest trial x columns */
  double scale;     /**< filled: objective -= scale * log likelihood */
} pf_draw_share;

/** The loss: its weight, and what one padded cell adds to its log likelihood. */
typedef struct pf_loss_weight {
  double weight, padded;
} pf_loss_weight;

typedef struct pf_normalisation {
  const char *name;    /**< in the config */
  const char *summary; /**< for people: "mean over observed cells" */
  bool is_even;        /**< every observed cell counts as much as another */
  bool sums;           /**< cells of all losses are added, not averaged by loss */
  /** Fills shares[n].scale; adds to *constant what the objective has besides. */
  void (*weigh)(pf_loss_weight loss, pf_draw_share *shares, size_t n, double *constant);
} pf_normalisation;

/** The names, as the choices of a config key; the first is the default. */
#define PF_NORMALISATION_NAMES "steps|padded|sum"
extern const pf_normalisation pf_normalisations[];
extern const size_t pf_n_normalisations;

#endif
