/* What a config's `compare` group says. */
#ifndef PLASTFIT_CORE_CANDIDATES_COMPARE_SETTINGS_H
#define PLASTFIT_CORE_CANDIDATES_COMPARE_SETTINGS_H

#include "core/config/setting.h"
#include "core/ranking/ranking.h"

/** What a candidate has in place of the base config's keys. Nodes are the config's. */
typedef struct pf_candidate_settings {
  char *name;             /**< no two have the same */
  const pf_node *set;     /**< a group, or a list of "a.b=value"; NULL: nothing */
  const pf_node *without; /**< a list of names of keys that it does not have; NULL: nothing */
  char *const *more;      /**< [n_more] "a.b=value", after that */
  size_t n_more;
} pf_candidate_settings;

/** `compare.select`. */
typedef struct pf_select_settings {
  bool asked;
  char *rule; /**< group of `rules`; NULL: the only one */
  bool methods[PF_N_SELECTIONS];
  uint32_t validation;
  int64_t patience;
  pf_numbers l1;
  pf_names method_words; /**< as the config says it, as the next */
  char *validation_word;
} pf_select_settings;

/** `compare.frequencies`, in the order of its words. */
enum pf_frequencies_of { PF_FREQUENCIES_POPULATIONS = 0, PF_FREQUENCIES_ALL, PF_FREQUENCIES_NONE };

typedef struct pf_compare_settings {
  char *name; /**< of the comparison; its folder is runs/NAME unless `out` says another */
  char *out;
  pf_candidate_settings *candidates; /**< [n] */
  size_t n, base;
  const pf_node *set_all;    /**< `compare.set`, for all of them; NULL: nothing */
  const pf_node *set_animal; /**< `compare.leave_one_animal_out.set`, for its fits; NULL: nothing */
  bool asked[PF_MAX_VALIDATIONS];
  double values[PF_MAX_VALIDATIONS]; /**< of their own keys; 0 where they have none */
  pf_select_settings select;
  bool ablations, refit; /**< refit: without penalties, for AIC and BIC */
  uint32_t frequencies;  /**< enum pf_frequencies_of: whose followers are counted */
  int n_threads;         /**< 0: as many as OpenMP gives */
  char *base_word;       /**< as the config says it, as the next */
  pf_names validation_words;
} pf_compare_settings;

/** Room for the keys of `compare`: its own, and those of validations. */
typedef struct pf_compare_keys {
  pf_setting rows[24];
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
