#include "core/settings/root_settings.h"

#include "core/base/memory.h"
#include "core/model/normalisation.h"
#include "core/settings/source_settings.h"

#include <math.h>

#define PF_ROW_STRUCT pf_settings

static pf_option_table run_keys(void)
{
  static const pf_setting rows[] = {
      PF_ROW_TEXT(name, "name", "\"run\"", "what the run is called"),
      PF_ROW_INTEGER(seed, "seed", "1", "1", 0, INFINITY,
                     "of every random number; the same seed gives the same bits"),
      PF_ROW_TEXT(out, "out", NULL, "run folder, relative to the current one; default runs/<name>"),
      PF_ROW_INTEGER(threads, "threads", "0", "1", 0, 4096,
                     "0: as many as OpenMP gives (OMP_NUM_THREADS)"),
      PF_ROW_TEXT(memory_text, "memory", NULL,
                  "most memory that simulations may take, e.g. \"512 MiB\"; default a quarter of "
                  "the machine's"),
      PF_ROW_BOOL(report, "report", "true",
                  "write report.html with its figures; `plastfit report` makes them later too"),
      PF_ROW_PATH(plugin_path, "plugin_path", "folder of plugins, looked at first"),
      PF_ROW_CHOICE(normalise, "normalise", "\"steps\"", PF_NORMALISATION_NAMES,
                    "mean over observed cells; the reference's mean over trials x longest trial; "
                    "or the plain sum"),
  };
  return PF_ROWS(rows);
}

pf_option_table pf_evaluate_keys(void)
{
  static const pf_setting rows[] = {
      PF_ROW_INTEGER(evaluate.draws, "evaluate.draws", "5", "1", 0, INFINITY,
                     "fresh draws of inputs and initial weights; 0: the fitted ones"),
      PF_ROW_INTEGER(evaluate.animals, "evaluate.animals", "0", "1", 0, 1e6,
                     "fresh animals from a teacher to score on, instead of fresh draws"),
      PF_ROW_INTEGER(evaluate.history, "evaluate.history", "5", "trials", 1, 100,
                     "how far the baseline `logistic history` of choices between options looks "
                     "back"),
  };
  return PF_ROWS(rows);
}

static pf_option_table recover_keys(void)
{
  static const pf_setting rows[] = {
      PF_ROW_INTEGER(recover.data_sets, "recover.data_sets", "100", "1", 1, 1e7,
                     "plastfit recover: sets of data that the teacher makes"),
      PF_ROW_INTEGER(recover.arriving, "recover.arriving", "0", "1", 0, 1e6,
                     "plastfit recover: fits each data set a second time from so many starts, all "
                     "of them made, and counts the fits that are worse than the best of these (2dL "
                     "above 0.01); 0: does not"),
  };
  return PF_ROWS(rows);
}

pf_status pf_root_keys(pf_option_table *out, pf_error *error)
{
  const pf_option_table tables[] = {run_keys(),         pf_fit_keys(),      pf_marginal_keys(),
                                    pf_evaluate_keys(), pf_interval_keys(), pf_population_keys(),
                                    recover_keys()};
  return pf_settings_join(tables, sizeof tables / sizeof tables[0], out, error);
}

pf_status pf_settings_read_root(pf_settings *settings, const pf_options *options, pf_error *error)
{
  if (pf_settings_read(run_keys(), options, settings, error) != PF_OK ||
      pf_settings_read(pf_fit_keys(), options, &settings->fit, error) != PF_OK ||
      pf_settings_read(pf_marginal_keys(), options, &settings->marginal, error) != PF_OK ||
      pf_settings_read(pf_evaluate_keys(), options, settings, error) != PF_OK ||
      pf_settings_read(pf_interval_keys(), options, &settings->intervals, error) != PF_OK ||
      pf_settings_read(pf_population_keys(), options, &settings->population, error) != PF_OK) {
    return PF_STOP;
  }
  return pf_settings_read(recover_keys(), options, settings, error);
}

void pf_settings_free(pf_settings *settings)
{
  if (settings == NULL) {
    return;
  }
  pf_settings_clear(run_keys(), NULL, settings);
  pf_settings_clear(pf_fit_keys(), NULL, &settings->fit);
  pf_settings_clear(pf_marginal_keys(), NULL, &settings->marginal);
  pf_settings_clear(pf_interval_keys(), NULL, &settings->intervals);
  pf_settings_clear(pf_population_keys(), NULL, &settings->population);
  pf_settings_clear(pf_source_keys(), NULL, settings);
  for (size_t k = 0; k < settings->n_derived; k++) {
    pf_settings_clear(pf_source_keys(), "derive", &settings->derived[k]);
  }
  pf_memory_free(settings->derived);
  pf_network_settings_clear(&settings->network);
  pf_memory_free(settings);
}
