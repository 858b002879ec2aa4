/* Each block of the data in turn, or each of some equal parts, is left out of the fit and scored.
 */
#include "core/validations/step_masks.h"
#include "core/validations/validations.h"

static const pf_option parts = {
    .name = "leave_one_block_out.parts",
    .type = PF_TYPE_INTEGER,
    .fallback = "3",
    .unit = "parts",
    .lower = 2,
    .upper = 1000,
    .help = "equal parts of each experiment's trials, where the data say no blocks"};

/** Is a block of recording i another than the first of its animal? They may lie in several of its
 * experiments. */
static bool has_another_block(const pf_dataset *data, size_t i)
{
  const pf_recording *recording = &data->recordings[i];
  const int64_t first = data->recordings[pf_dataset_first(data, recording->animal_index)].block[0];
  for (int64_t t = 0; t < recording->n_steps; t++) {
    if (recording->block[t] != first) {
      return true;
    }
  }
  return false;
}

/** The data's blocks where some animal has two or more, else `value` equal parts. */
static pf_folds divide_blocks(const pf_dataset *data, double value)
{
  int64_t last = 0;
  bool several = false;
  for (size_t i = 0; i < data->n; i++) {
    const pf_recording *recording = &data->recordings[i];
    for (int64_t t = 0; t < recording->n_steps; t++) {
      last = recording->block[t] > last ? recording->block[t] : last;
    }
    several = several || has_another_block(data, i);
  }
  return (pf_folds){.n = several ? last + 1 : (int64_t)value, .from_data = several, .value = value};
}

static pf_status mask_block(const pf_recording *recording, const pf_folds *folds, int64_t fold,
                            uint32_t *flags, pf_error *error)
{
  const int64_t n = pf_count_trials(recording);
  int64_t trial = -1;
  (void)error;
  for (int64_t t = 0; t < recording->n_steps; t++) {
    trial += pf_starts_trial(recording, t) ? 1 : 0;
    const int64_t own = folds->from_data ? recording->block[t] : trial * folds->n / n;
    flags[t] = recording->flags[t] & ~(uint32_t)(own == fold ? PF_STEP_FIT : PF_STEP_SCORE);
  }
  return PF_OK;
}

static void describe_blocks(const pf_folds *folds, pf_text *text)
{
  pf_text_add(text, "%lld %s, each left out and scored in turn", (long long)folds->n,
              folds->from_data ? "blocks of the data"
                               : "equal parts of each experiment (no blocks in the data)");
}

const pf_validation pf_leave_one_block_out = {.name = "leave-one-block-out",
                                              .held_out = true,
                                              .option = &parts,
                                              .divide = divide_blocks,
                                              .mask = mask_block,
                                              .describe = describe_blocks};
