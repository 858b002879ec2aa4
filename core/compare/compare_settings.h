/* What a config's `compare` group says. */
#ifndef PLASTFIT_CORE_COMPARE_COMPARE_SETTINGS_H
#define PLASTFIT_CORE_COMPARE_COMPARE_SETTINGS_H

#include "core/compare/compare.h"

#include "core/config/config.h"

/** Some texts, "a.b=value". */
typedef struct pf_texts {
  const char *const *items;
  size_t n;
} pf_texts;

/** `compare.select`. */
typedef struct pf_select_settings {
  bool asked;
  char *rule; /**< group of `rules`; NULL: the only one */
  bool methods[PF_N_SELECTIONS];
  uint32_t validation;
  int64_t patience;
  double *l1; /**< [n_l1] */
  size_t n_l1;
} pf_select_settings;

typedef struct pf_compare_settings {
  char *name; /**< of the comparison; its folder is runs/NAME unless `out` says another */
  char *out;
  char **names; /**< [n] of the candidates, all different */
  size_t n, base;
  const pf_node *
      *set; /**< [n] what each replaces: a group, or a list of "a.b=value"; NULL: nothing */
  const pf_node **without;   /**< [n] what each takes out: a list of names; NULL: nothing */
  const pf_texts *more;      /**< NULL, or [n] what each replaces after that */
  const pf_node *set_all;    /**< `compare.set`, for all of them; NULL: nothing */
  const pf_node *set_animal; /**< `compare.leave_one_animal_out.set`, for its fits; NULL: nothing */
  bool asked[PF_MAX_VALIDATIONS];
  double values[PF_MAX_VALIDATIONS]; /**< of their own keys; 0 where they have none */
  pf_select_settings select;
  bool ablations, refit; /**< refit: without penalties, for AIC and BIC */
  int n_threads;         /**< 0: as many as OpenMP gives */
} pf_compare_settings;

/** Room for the keys of `compare`: its own, and those of validations. */
typedef struct pf_compare_keys {
  pf_option options[24];
  char validations[256]; /**< help: the names there are */
} pf_compare_keys;

/** The keys of `compare`, written to *room, and those of one of its candidates. */
pf_option_table pf_compare_options(pf_compare_keys *room);
pf_option_table pf_compare_candidate_options(void);

/**
 * Read and check. The nodes are the config's. Errors, with file and line: no `compare`, no
 * candidates, two of a name, a base that is none of them, a key or a validation that is misspelt.
 */
pf_status pf_compare_settings_read(const pf_config *config, pf_compare_settings *out,
                                   pf_error *error);
void pf_compare_settings_clear(pf_compare_settings *settings);

#endif
