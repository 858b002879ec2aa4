#include "core/settings/population_settings.h"

pf_option_table pf_population_keys(void)
{
#define PF_ROW_STRUCT pf_population_settings
  static const pf_setting rows[] = {
      PF_ROW_TEXTS(shared, "population.shared", "[]",
                   "fit.per = \"population\": coefficients that all animals have in common"),
      PF_ROW_TEXTS(separate, "population.separate", "[]",
                   "coefficients that each animal has of its own, of which the others say nothing; "
                   "all others are drawn from the population"),
      PF_ROW_TEXTS(
          group, "population.group", "[]",
          "columns that the population's means depend on, of population.table or else of the "
          "table of the data (of simulated animals: \"group\"): words make groups, numbers "
          "a slope"),
      PF_ROW_PATH(table, "population.table",
                  "CSV with a row for each animal: a column `animal`, and those of `group`"),
      PF_ROW_BOOL(correlated, "population.correlated", "false",
                  "coefficients of an animal may be correlated; else they are drawn independently"),
      PF_ROW_INTEGER(
          permutations, "population.permutations", "999", "orders", 0, 1e6,
          "of the animals, for p of what the means depend on; beyond 100 animals at most "
          "199; 0: no such p"),
      PF_ROW_CHOICE(scale, "population.scale", "\"bounded\"", "bounded|natural",
                    "bounded: coefficients with bounds are drawn on a log or logit scale, so that "
                    "no animal lies outside; natural: as they are"),
      PF_ROW_CHOICE(centre, "population.centre", "\"means\"", "means|modes",
                    "an animal's likelihood is averaged over its posterior (means), or expanded "
                    "about its mode (Laplace's approximation), which is quicker and, where animals "
                    "have few trials, biased"),
  };
#undef PF_ROW_STRUCT
  return PF_ROWS(rows);
}
