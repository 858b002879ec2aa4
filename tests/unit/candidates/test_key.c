/* core/candidates/key: two problems of which a result could differ have different keys. */
#include "core/base/memory.h"
#include "core/candidates/key.h"
#include "core/model/masks.h"
#include "tests/unit/support/scratch.h"
#include "tests/unit/support/tiny_problem.h"

#include <criterion/criterion.h>
#include <string.h>

static char folder[SCRATCH_SIZE], config_path[SCRATCH_SIZE + 24], weights_path[SCRATCH_SIZE + 24];
static tiny_problem tiny; /* 2-3-1 */
static pf_config *config;

static void write_text(const char *path, const char *text)
{
  FILE *file = fopen(path, "w");
  cr_assert(file != NULL);
  (void)fputs(text, file);
  (void)fclose(file);
}

static void make(void)
{
  pf_error error = pf_error_none();
  scratch_create(folder);
  (void)snprintf(config_path, sizeof config_path, "%s/a.cfg", folder);
  (void)snprintf(weights_path, sizeof weights_path, "%s/weights.csv", folder);
  write_text(config_path, "seed = 1; threads = 2;\n");
  cr_assert(pf_config_read(config_path, NULL, 0, &config, &error) == PF_OK, "%s", error.text);
  tiny_problem_create(&tiny, TINY_CHOICE, 2);
  tiny.problem.config = config;
}

static void clear(void)
{
  tiny_problem_free(&tiny);
  pf_config_free(config);
  scratch_remove(folder);
}

TestSuite(compare_key, .init = make, .fini = clear);

typedef struct key {
  uint64_t k[2];
} key;

static key of_problem(void)
{
  key out;
  pf_error error = pf_error_none();
  cr_assert(pf_key_of_problem(&tiny.problem, out.k, &error) == PF_OK, "%s", error.text);
  return out;
}

static bool same(key a, key b)
{
  return a.k[0] == b.k[0] && a.k[1] == b.k[1];
}

Test(compare_key, follows_the_masks)
{
  const key before = of_problem();
  cr_assert(same(before, of_problem()));
  const uint8_t all_but_one[6] = {1, 1, 1, 1, 0, 1}, all[6] = {1, 1, 1, 1, 1, 1};
  pf_error error = pf_error_none();
  cr_assert(pf_model_mask(tiny.problem.model, 0, all_but_one, NULL, &error) == PF_OK);
  const key connected = of_problem();
  cr_assert(!same(before, connected));
  cr_assert(pf_model_mask(tiny.problem.model, 0, all, all_but_one, &error) == PF_OK);
  cr_assert(!same(before, of_problem()) && !same(connected, of_problem()));
  cr_assert(pf_model_mask(tiny.problem.model, 0, NULL, NULL, &error) == PF_OK);
  cr_assert(same(before, of_problem()));
}

Test(compare_key, follows_what_other_files_say)
{
  pf_initial_file initial = {.path = weights_path};
  tiny.problem.models->initial = &initial;
  write_text(weights_path, "projection,post,pre,value\nlayer1,0,0,1\n");
  const key before = of_problem();
  write_text(weights_path, "projection,post,pre,value\nlayer1,0,0,2\n");
  cr_assert(!same(before, of_problem()));
  write_text(weights_path, "projection,post,pre,value\nlayer1,0,0,1\n");
  cr_assert(same(before, of_problem()));
  tiny.problem.models->initial = NULL;
}

Test(compare_key, follows_data_and_config_but_not_threads)
{
  pf_error error = pf_error_none();
  const key before = of_problem();
  cr_assert(pf_config_override(config, "threads=1", &error) == PF_OK);
  cr_assert(same(before, of_problem()));
  tiny.problem.data.recordings[1].channels[0].values[0] += 1.0;
  const key other_data = of_problem();
  cr_assert(!same(before, other_data));
  cr_assert(pf_config_override(config, "seed=2", &error) == PF_OK);
  cr_assert(!same(other_data, of_problem()));
}
