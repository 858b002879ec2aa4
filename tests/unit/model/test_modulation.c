/* Modulators of each unit: which channel a unit has, which parts of a rule share their values. */
#include "core/model/modulation.h"
#include <criterion/criterion.h>
#include <string.h>

static const char *const names[] = {"reward", "dan10", "dan2", "dan1", "cue_a", "cue_b"};
static const pf_names channels = {names, 6};
static const pf_component rule = {.label = "the rule"};

typedef struct rig {
  pf_plastic plastic;
  pf_modulator info[2];
  pf_range rows;
} rig;

/* A rule of 3 x 2 synapses with one modulator, or a second that it declares per postsynaptic unit.
 */
static void make_rig(rig *out, const char *first, const char *second, pf_modulation_spec spec)
{
  pf_error error = {.size = sizeof error};
  memset(out, 0, sizeof *out);
  out->rows = (pf_range){0, 3};
  out->info[0] = (pf_modulator){.name = "r", .fallback = "reward", .per = PF_PER_NETWORK};
  out->info[1] = (pf_modulator){.name = "m", .fallback = second, .per = PF_PER_POST};
  out->plastic = (pf_plastic){.rule = &rule,
                              .n_post = 3,
                              .n_pre = 2,
                              .modulator_info = out->info,
                              .ranges = &out->rows,
                              .n_ranges = 1};
  out->plastic.declared.modulators =
      (pf_modulator_table){out->info, second == NULL ? 1 : 2, sizeof out->info[0]};
  spec.first = first;
  cr_assert(pf_modulation_make(&out->plastic, &spec, channels, &error) == PF_OK, "%s", error.text);
}

static size_t place_of(const rig *on, const char *name)
{
  for (size_t c = 0; c < on->plastic.modulation.n_channels; c++) {
    if (strcmp(on->plastic.modulation.channels[c], name) == 0) {
      return c;
    }
  }
  cr_assert_fail("nothing reads %s", name);
  return 0;
}

/* Values of a step in which dan1, dan2, dan10 are 1, 2, 10, cue_a and cue_b 0.5 and 0.25, the
 * reward 100. */
static void set_step(const rig *on, pf_real *out)
{
  static const double values[] = {100.0, 10.0, 2.0, 1.0, 0.5, 0.25};
  double read[6], scratch[6];
  for (size_t c = 0; c < on->plastic.modulation.n_channels; c++) {
    for (size_t k = 0; k < 6; k++) {
      if (strcmp(names[k], on->plastic.modulation.channels[c]) == 0) {
        read[c] = values[k];
      }
    }
  }
  pf_modulation_set(&on->plastic, read, scratch, out);
}

Test(model_modulation, one_value_is_one_part)
{
  rig on;
  pf_real step[8] = {0};
  make_rig(&on, "reward - 1", NULL, (pf_modulation_spec){0});
  cr_assert(on.plastic.n_parts == 1 && pf_modulation_cells(&on.plastic) == 1);
  set_step(&on, step);
  cr_expect(step[0] == 99);
  pf_modulation_free(&on.plastic);
}

Test(model_modulation, channels_of_a_family_go_by_their_numbers)
{
  rig on;
  pf_real step[8] = {0};
  make_rig(&on, "dan[post] + reward", NULL, (pf_modulation_spec){0});
  cr_assert(on.plastic.n_parts == 3 && pf_modulation_cells(&on.plastic) == 3);
  set_step(&on, step);
  cr_expect(step[0] == 101 && step[1] == 102 && step[2] == 110);
  (void)place_of(&on, "dan10");
  pf_modulation_free(&on.plastic);
}

Test(model_modulation, units_of_a_compartment_share_a_part)
{
  static const double compartments[] = {2, 2, 0};
  rig on;
  pf_real step[8] = {0};
  make_rig(&on, "dan[post]", NULL,
           (pf_modulation_spec){.compartments = compartments, .n_compartments = 3});
  cr_assert(on.plastic.n_parts == 2);
  cr_expect(on.plastic.parts[0].rows.n == 2 && on.plastic.parts[1].rows.first == 2);
  set_step(&on, step);
  cr_expect(step[0] == 10 && step[1] == 1);
  pf_modulation_free(&on.plastic);
}

Test(model_modulation, rows_and_columns)
{
  rig on;
  pf_real step[8] = {0};
  make_rig(&on, "dan[post] cue_[pre]", NULL, (pf_modulation_spec){0});
  cr_assert(on.plastic.n_parts == 6);
  set_step(&on, step);
  cr_expect(step[0] == (pf_real)0.5 && step[1] == (pf_real)0.25 && step[5] == (pf_real)2.5);
  cr_expect(on.plastic.parts[0].first_columns && !on.plastic.parts[1].first_columns);
  pf_modulation_free(&on.plastic);
}

/* A rule that declares it per unit is not divided: it is handed the values of all units. */
Test(model_modulation, declared_per_unit)
{
  rig on;
  pf_real step[8] = {0};
  make_rig(&on, "reward", "0.5 dan[post]", (pf_modulation_spec){0});
  cr_assert(on.plastic.n_parts == 1 && pf_modulation_cells(&on.plastic) == 2 + 3);
  set_step(&on, step);
  const pf_real *post = pf_modulation_post(&on.plastic, step);
  cr_expect(pf_modulation_part(&on.plastic, step, 0)[0] == 100);
  cr_expect(post[0] == (pf_real)0.5 && post[1] == 1 && post[2] == 5);
  cr_expect(pf_modulation_pre(&on.plastic, step) == NULL);
  pf_modulation_free(&on.plastic);
}

Test(model_modulation, another_number_of_channels_is_refused)
{
  rig on;
  pf_error error = {.size = sizeof error};
  make_rig(&on, "reward", NULL, (pf_modulation_spec){0});
  pf_modulation_free(&on.plastic);
  const pf_modulation_spec spec = {.first = "dan[pre]"};
  cr_assert(pf_modulation_make(&on.plastic, &spec, channels, &error) == PF_STOP);
  cr_expect(strstr(error.text, "is 3 channels (dan1, dan2, dan10), but the projection has 2 "
                               "presynaptic units") != NULL,
            "%s", error.text);
  pf_modulation_free(&on.plastic);
}
