/* The rule of a golden file: what its theta is, in the words of the plugins. */
#ifndef PLASTFIT_TESTS_GOLDENS_RULE_H
#define PLASTFIT_TESTS_GOLDENS_RULE_H

#include "core/base/text.h"
#include "core/model/model.h"
#include "tests/goldens/json.h"

enum { GOLDEN_FACTORS = 4, GOLDEN_LAYERS = 16, GOLDEN_NAME = 96 };

typedef struct golden_rule {
  bool is_mlp;                  /**< else a Taylor polynomial */
  char factors[GOLDEN_FACTORS]; /**< letters of x, y, w, r, in the order of theta's indices (mlp: of
                                   its inputs) */
  size_t n_factors;
  size_t sizes[GOLDEN_LAYERS]; /**< taylor: [n_factors] entries of theta along each index; mlp:
                                  [n_layers] units */
  size_t n_layers;             /**< mlp: with the output */
  size_t n;                    /**< numbers in theta, masked ones too, in the order of the file */
  char (*names)[GOLDEN_NAME];  /**< [n] the plugin's name for each */
  double *mask;                /**< [n] 1, or 0 where the rule does not have the term */
} golden_rule;

/** Read `rule` of a file; `theta` is a tensor of the rule's shape, which says its sizes. */
pf_status golden_rule_read(const json_t *rule, const json_t *theta, golden_rule *out,
                           pf_error *error);
void golden_rule_free(golden_rule *rule);
/** The numbers [n] of a tensor shaped as theta: theta itself, a mask, a gradient. */
pf_status golden_rule_numbers(const golden_rule *rule, const json_t *tensor, const char *what,
                              double *out, pf_error *error);
/** Appends `plugin = "..."; ...` as the config has it. */
void golden_rule_config(const golden_rule *rule, pf_text *text);
/** Where each number of the file is in the model's theta [n], -1 where masked. Every parameter must
 * be met once. */
pf_status golden_rule_places(const golden_rule *rule, const pf_model *model, int64_t *places,
                             pf_error *error);

#endif
