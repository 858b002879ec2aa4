/* core/candidates/compare_settings: what a config's `compare` says, and what it is refused for. */
#include "core/base/memory.h"
#include "core/candidates/compare_settings.h"
#include "tests/unit/support/scratch.h"

#include <criterion/criterion.h>
#include <string.h>

static char folder[SCRATCH_SIZE], path[SCRATCH_SIZE + 16];
static pf_config *config;
static pf_compare_settings settings;
static pf_error error;

static void start(void)
{
  scratch_create(folder);
  (void)snprintf(path, sizeof path, "%s/a.cfg", folder);
}

static void end(void)
{
  pf_compare_settings_clear(&settings);
  pf_config_free(config);
  scratch_remove(folder);
}

TestSuite(compare_settings, .init = start, .fini = end);

static pf_status read_settings(const char *text)
{
  FILE *file = fopen(path, "w");
  cr_assert(file != NULL);
  (void)fputs(text, file);
  (void)fclose(file);
  pf_compare_settings_clear(&settings);
  pf_config_free(config);
  config = NULL;
  error = pf_error_none();
  cr_assert(pf_config_read(path, NULL, 0, &config, &error) == PF_OK, "%s", error.text);
  return pf_compare_settings_read(config, &settings, &error);
}

static bool asked(const char *name)
{
  return settings.asked[pf_validation_named(name)];
}

Test(compare_settings, defaults)
{
  cr_assert(read_settings("name = \"fly\"; threads = 3;\n"
                          "compare: { candidates = ( { name = \"a\"; }, { name = \"b\"; } ); };") ==
                PF_OK,
            "%s", error.text);
  cr_assert(strcmp(settings.name, "compare-fly") == 0);
  cr_assert(strcmp(settings.out, "runs/compare-fly") == 0);
  cr_assert(settings.n == 2 && settings.base == 0 && settings.n_threads == 3);
  cr_assert(strcmp(settings.candidates[1].name, "b") == 0);
  cr_assert(settings.candidates[1].set == NULL && settings.candidates[1].without == NULL);
  cr_assert(asked("forecast") && asked("in-sample") && !asked("leave-one-block-out"));
  cr_assert(settings.values[pf_validation_named("forecast")] == 0.75);
  cr_assert(settings.values[pf_validation_named("leave-one-block-out")] == 3.0);
  cr_assert(settings.ablations && settings.refit && !settings.select.asked);
}

Test(compare_settings, everything)
{
  cr_assert(
      read_settings("out = \"here\";\n"
                    "compare: { name = \"mine\"; base = \"b\"; ablations = false;\n"
                    "  information_criteria = false; forecast: { fit = 0.5; };\n"
                    "  validation = [\"leave-one-block-out\", \"leave-one-animal-out\"];\n"
                    "  leave_one_block_out: { parts = 4; };\n"
                    "  leave_one_animal_out: { set = [\"fit.starts=1\"]; };\n"
                    "  set: { seed = 4; };\n"
                    "  candidates = ( { name = \"a\"; set = [\"seed=2\"]; },\n"
                    "                 { name = \"b\"; without = [\"penalty\"]; } );\n"
                    "  select: { rule = \"learn\"; methods = [\"l1\"]; patience = 0; l1 = [0.5]; };"
                    "};") == PF_OK,
      "%s", error.text);
  cr_assert(strcmp(settings.name, "mine") == 0 && strcmp(settings.out, "here") == 0);
  cr_assert(settings.base == 1 && !settings.ablations && !settings.refit);
  cr_assert(asked("leave-one-animal-out") && !asked("forecast"));
  cr_assert(settings.values[pf_validation_named("forecast")] == 0.5);
  cr_assert(settings.values[pf_validation_named("leave-one-block-out")] == 4.0);
  cr_assert(settings.set_all != NULL && settings.set_animal != NULL);
  cr_assert(pf_node_count(settings.candidates[0].set) == 1);
  cr_assert(pf_node_count(settings.candidates[1].without) == 1);
  cr_assert(settings.select.asked && strcmp(settings.select.rule, "learn") == 0);
  cr_assert(settings.select.validation == pf_validation_named("leave-one-block-out"));
  cr_assert(settings.select.methods[PF_SELECT_L1] && !settings.select.methods[PF_SELECT_FORWARD]);
  cr_assert(settings.select.patience == 0);
}

/* What stands in `compare` beside two candidates, and what the line says of it. */
Test(compare_settings, refusals)
{
  static const char *const refused[][2] = {
      {"base = \"bb\";", "no candidate is named 'bb'; did you mean"},
      {"base = \"something else\";", "no candidate is named 'something else'"},
      {"validation = [\"forcast\"];", "there is no 'forcast'; did you mean 'forecast'?"},
      {"validation = [\"x\"];", "choose from in-sample, in-sample-fresh-inputs, forecast, "
                                "leave-one-block-out, leave-one-animal-out"},
      {"validation = [];", "compare.validation is empty"},
      {"forecast: { fit = 1.5; };", "forecast.fit"},
      {"leave_one_block_out: { parts = 1; };", "parts"},
      {"ablation = true;", "did you mean 'ablations'"},
      {"set = [\"seed\"];", "`set` must be a group"},
      {"set = [];", "`set` must be a group"},
      {"leave_one_animal_out: { sat = 1; };", "has no option 'sat'; there is `set`"},
      {"leave_one_animal_out: { set = 1; };", "`set` must be a group"},
      {"select: { methods = [\"foreward\"]; };", "there is no 'foreward'; choose from forward"},
      {"select: { methods = []; };", "compare.select.methods is empty"},
      {"select: { l1 = []; };", "compare.select.l1 is empty"},
      {"select: { validation = \"in-sample\"; };", "steps that no fit has seen"},
      {"validation = [\"in-sample\"]; select: { };", "expected validation = one of forecast, "
                                                     "leave-one-block-out, leave-one-animal-out"},
  };
  for (size_t k = 0; k < sizeof refused / sizeof refused[0]; k++) {
    char text[500];
    (void)snprintf(text, sizeof text,
                   "compare: { candidates = ( { name = \"aa\"; }, { name = \"ab\"; } );\n%s };",
                   refused[k][0]);
    cr_assert(read_settings(text) == PF_STOP, "%s", refused[k][0]);
    cr_assert(strstr(error.text, refused[k][1]) != NULL, "%s: %s", refused[k][0], error.text);
    cr_assert(strstr(error.text, "a.cfg:") != NULL, "%s", error.text);
    cr_assert(settings.candidates == NULL);
  }
}

Test(compare_settings, candidates_that_are_refused)
{
  static const char *const refused[][2] = {
      {"seed = 1;", "the config has no `compare`"},
      {"compare: { };", "compare has no candidates"},
      {"compare: { candidates = ( ); };", "compare has no candidates"},
      {"compare: { candidates = ( 1 ); };", "expected groups"},
      {"compare: { candidates = ( { } ); };", "name"},
      {"compare: { candidates = ( { name = \"\"; } ); };", "name is empty"},
      {"compare: { candidates = ( { name = \"a\"; }, { name = \"a\"; } ); };",
       "two candidates named 'a'"},
      {"compare: { candidates = ( { name = \"a\"; sets = 1; } ); };", "did you mean 'set'"},
      {"compare: { candidates = ( { name = \"a\"; set = 1; } ); };", "`set` must be a group"},
  };
  for (size_t k = 0; k < sizeof refused / sizeof refused[0]; k++) {
    cr_assert(read_settings(refused[k][0]) == PF_STOP, "%s", refused[k][0]);
    cr_assert(strstr(error.text, refused[k][1]) != NULL, "%s: %s", refused[k][0], error.text);
  }
}

/* Every validation's own key is a key of `compare`, and every name is in the help. */
Test(compare_settings, keys_of_validations)
{
  pf_compare_keys keys;
  const pf_option_table table = pf_compare_options(&keys);
  for (uint32_t v = 0; v < pf_validation_count(); v++) {
    const pf_validation *validation = pf_validation_at(v);
    bool found = validation->option == NULL, named = false;
    for (size_t i = 0; i < table.count; i++) {
      const pf_option *option = pf_table_at(table.items, table.stride, table.count, i);
      found = found || strcmp(option->name, validation->option->name) == 0;
      named = named || (strcmp(option->name, "validation") == 0 &&
                        strstr(option->help, validation->name) != NULL);
    }
    cr_assert(found && named, "%s", validation->name);
  }
}
