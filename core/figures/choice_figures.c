/* Predicted against observed choices over trials (the method's fly raster), and calibration of the
 * predictions. */
#include "core/base/memory.h"
#include "core/figures/run_figure.h"
#include "core/stats/stats.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Trials a smoothed curve averages over, and encounters of one option. */
enum { TRIAL_WINDOW = 10, STEP_WINDOW = 20 };

/* ---- blocks ---- */

/** Steps [first, end) of each block in turn. */
static size_t block_end(const pf_steps_seen *s, size_t first)
{
  size_t end = first + 1;
  while (end < s->n_steps && !(s->block[end] > s->block[first]) &&
         !(s->block[end] < s->block[first])) {
    end++;
  }
  return end;
}

/** The rewards that each option gave in steps [first, end). */
static void rewards_in(const pf_behaviour *b, size_t first, size_t end,
                       double rewards[PF_MAX_OPTIONS])
{
  memset(rewards, 0, PF_MAX_OPTIONS * sizeof *rewards);
  for (size_t k = 0; k < b->n_trials; k++) {
    const pf_trial_seen *trial = &b->trials[k];
    if (trial->last >= first && trial->last < end && isfinite(trial->reward)) {
      rewards[trial->option] += trial->reward;
    }
  }
}

/** The share that the config states for the block, as a dashed line; true if there was one. */
static bool draw_stated(pf_panel *panel, const pf_stated_shares *stated, double block, double from,
                        double to, bool labelled)
{
  const size_t k = block >= 0.0 && block < (double)stated->n ? (size_t)block : stated->n;
  const double share = k < stated->n ? stated->share[k] : (double)NAN;
  if (!isfinite(share)) {
    return labelled;
  }
  pf_panel_segments(panel,
                    (pf_mark){.colour = PF_BLACK,
                              .width = 1.2,
                              .dashed = true,
                              .label = labelled ? NULL : "share the task states"},
                    (pf_segments){&from, &share, &to, &share, 1});
  return true;
}

/**
 * Every other block shaded; its rewards written at the top, and their ratio as a line, where
 * options are known; with the ratio that the config states.
 */
static void draw_blocks(pf_panel *panel, const pf_behaviour *b, const pf_stated_shares *stated)
{
  const pf_steps_seen *s = &b->steps;
  bool shaded = false;
  bool labelled = false;
  bool stated_labelled = false;
  for (size_t first = 0; first < s->n_steps;) {
    const size_t end = block_end(s, first);
    const double from = s->trial[first] - 0.5;
    const double to = s->trial[end - 1] + 0.5;
    if (shaded) {
      pf_panel_shade(panel, (pf_mark){.colour = PF_GREY, .opacity = 0.12}, from, to);
    }
    shaded = !shaded;
    double rewards[PF_MAX_OPTIONS];
    rewards_in(b, first, end, rewards);
    if (stated != NULL) {
      stated_labelled = draw_stated(panel, stated, s->block[first], from, to, stated_labelled);
    }
    if (stated != NULL && rewards[0] + rewards[1] > 0.0) {
      const double ratio = rewards[1] / (rewards[0] + rewards[1]);
      char text[64];
      (void)snprintf(text, sizeof text, "%g : %g", rewards[0], rewards[1]);
      pf_panel_text(panel, (pf_mark){.colour = PF_BLACK, .size = 0.85}, 0.5 * (from + to), 0.95,
                    text);
      pf_panel_segments(panel,
                        (pf_mark){.colour = PF_ORANGE,
                                  .width = 2.0,
                                  .label = labelled ? NULL : "share of rewards"},
                        (pf_segments){&from, &ratio, &to, &ratio, 1});
      labelled = true;
    }
    first = end;
  }
}

/** From the first trial to the last, so that panels below one another are in line. */
static pf_axis trials_axis(const pf_steps_seen *s, const char *label)
{
  pf_axis axis = {.label = label};
  if (s->n_steps > 0) {
    axis.low = s->trial[0] - 0.5;
    axis.high = s->trial[s->n_steps - 1] + 0.5;
  }
  return axis;
}

/* ---- the ratio of two options ---- */

/**
 * Over windows of trials: the share of option 1 among those taken, and among those that the model
 * expected to be taken: between arms the mean of its probabilities, else their sum at steps with
 * option 1 over that at all steps of these trials.
 */
static void windowed_ratios(const pf_behaviour *b, double *x, double *observed, double *predicted)
{
  for (size_t k = 0; k < b->n_trials; k++) {
    const size_t low = k >= TRIAL_WINDOW / 2 ? k - TRIAL_WINDOW / 2 : 0;
    const size_t high = k + TRIAL_WINDOW / 2 < b->n_trials ? k + TRIAL_WINDOW / 2 : b->n_trials;
    double taken = 0.0;
    double one = 0.0;
    double both = 0.0;
    for (size_t j = low; j < high; j++) {
      taken += (double)b->trials[j].option;
      if (b->steps.chances != NULL) {
        one += b->steps.chances[2 * b->trials[j].first + 1];
        both += 1.0;
        continue;
      }
      for (size_t t = b->trials[j].first; t <= b->trials[j].last; t++) {
        both += b->steps.probability[t];
        one += b->steps.option[t] == 1 ? b->steps.probability[t] : 0.0;
      }
    }
    x[k] = b->steps.trial[b->trials[k].last];
    observed[k] = taken / (double)(high - low);
    predicted[k] = one / both;
  }
}

/** A tick for each trial: option 1 above, option 0 below; rewarded ones dark. */
static void draw_ticks(pf_panel *panel, const pf_behaviour *b, double *room)
{
  double *x = room;
  double *y0 = room + b->n_trials;
  double *y1 = room + 2 * b->n_trials;
  for (int rewarded = 0; rewarded < 2; rewarded++) {
    size_t n = 0;
    for (size_t k = 0; k < b->n_trials; k++) {
      const pf_trial_seen *trial = &b->trials[k];
      if ((trial->reward > 0.0) == (rewarded == 1)) {
        x[n] = b->steps.trial[trial->last];
        y0[n] = trial->option == 1 ? 1.03 : -0.11;
        y1[n] = y0[n] + 0.08;
        n++;
      }
    }
    pf_panel_segments(panel,
                      (pf_mark){.colour = rewarded ? PF_BLACK : PF_PALE,
                                .width = rewarded ? 1.3 : 1.0,
                                .label = rewarded ? "choice, rewarded" : "not rewarded"},
                      (pf_segments){x, y0, x, y1, n});
  }
}

/** Where the data have no blocks: option 2's share of the rewards in windows of 2 TRIAL_WINDOW
 * trials. */
static void draw_income(pf_panel *panel, const pf_behaviour *b, double *x, double *y)
{
  for (size_t k = 0; k < b->n_trials; k++) {
    double rewards[2] = {0.0, 0.0};
    const size_t low = k >= TRIAL_WINDOW ? k - TRIAL_WINDOW : 0;
    for (size_t j = low; j < k + TRIAL_WINDOW && j < b->n_trials; j++) {
      rewards[b->trials[j].option] += isfinite(b->trials[j].reward) ? b->trials[j].reward : 0.0;
    }
    x[k] = b->steps.trial[b->trials[k].last];
    y[k] = rewards[0] + rewards[1] > 0.0 ? rewards[1] / (rewards[0] + rewards[1]) : NAN;
  }
  pf_panel_line(panel, (pf_mark){.colour = PF_ORANGE, .width = 2.0, .label = "share of rewards"}, x,
                y, b->n_trials);
}

/** `label`: of the trials. */
static pf_status draw_ratio(pf_figure *figure, const pf_behaviour *b, const char *label,
                            const pf_stated_shares *stated, pf_error *error)
{
  double *room = pf_memory_need(4 * b->n_trials, sizeof *room, error);
  if (room == NULL) {
    return PF_STOP;
  }
  pf_panel *panel = pf_figure_panel(
      figure,
      (pf_axes){.title = b->animal,
                .x = trials_axis(&b->steps, label),
                .y = {.label = "share of option 2", .low = -0.14, .high = 1.32, .is_share = true}});
  const bool blocks = block_end(&b->steps, 0) < b->steps.n_steps;
  draw_blocks(panel, b, blocks ? stated : NULL);
  if (!blocks) {
    draw_income(panel, b, room, room + b->n_trials);
  }
  draw_ticks(panel, b, room);
  double *x = room;
  double *observed = room + b->n_trials;
  double *predicted = room + 2 * b->n_trials;
  windowed_ratios(b, x, observed, predicted);
  pf_panel_line(panel, (pf_mark){.colour = PF_BLUE, .width = 2.0, .label = "observed"}, x, observed,
                b->n_trials);
  pf_panel_line(panel, (pf_mark){.colour = PF_VERMILLION, .width = 2.0, .label = "predicted"}, x,
                predicted, b->n_trials);
  pf_memory_free(room);
  return PF_OK;
}

/* ---- probability of saying yes ---- */

/** Means over the last and next STEP_WINDOW / 2 of the steps with this option (-1: any), at those
 * steps. */
static size_t smooth_choices(const pf_steps_seen *s, int option, double *x, double *observed,
                             double *predicted, size_t *at)
{
  size_t n = 0;
  for (size_t t = 0; t < s->n_steps; t++) {
    if ((option < 0 || s->option[t] == option) && isfinite(s->choice[t])) {
      at[n++] = t;
    }
  }
  for (size_t k = 0; k < n; k++) {
    const size_t low = k >= STEP_WINDOW / 2 ? k - STEP_WINDOW / 2 : 0;
    const size_t high = k + STEP_WINDOW / 2 < n ? k + STEP_WINDOW / 2 : n;
    double sums[2] = {0.0, 0.0};
    for (size_t j = low; j < high; j++) {
      sums[0] += s->choice[at[j]];
      sums[1] += s->probability[at[j]];
    }
    x[k] = s->trial[at[k]];
    observed[k] = sums[0] / (double)(high - low);
    predicted[k] = sums[1] / (double)(high - low);
  }
  return n;
}

static pf_status draw_probability(pf_figure *figure, const pf_behaviour *b, pf_error *error)
{
  const size_t n_steps = b->steps.n_steps;
  double *room = pf_memory_need(3 * n_steps, sizeof *room, error);
  size_t *at = pf_memory_need(n_steps, sizeof *at, error);
  if (room == NULL || at == NULL) {
    pf_memory_free(room);
    pf_memory_free(at);
    return PF_STOP;
  }
  const bool options = b->n_trials > 0;
  pf_panel *panel = pf_figure_panel(
      figure, (pf_axes){.title = options ? NULL : b->animal,
                        .x = trials_axis(&b->steps, "trial"),
                        .y = {.label = "P(choice)", .low = -0.02, .high = 1.02, .is_share = true}});
  draw_blocks(panel, b, NULL);
  for (int option = options ? 0 : -1; option < (options ? 2 : 0); option++) {
    char labels[2][32];
    (void)snprintf(labels[0], sizeof labels[0], options ? "option %d, observed" : "observed",
                   option + 1);
    (void)snprintf(labels[1], sizeof labels[1], options ? "option %d, predicted" : "predicted",
                   option + 1);
    const int colour = option == 1 ? PF_GREEN : PF_PURPLE;
    const size_t n =
        smooth_choices(&b->steps, option, room, room + n_steps, room + 2 * n_steps, at);
    pf_panel_line(panel, (pf_mark){.colour = options ? colour : PF_BLUE, .label = labels[0]}, room,
                  room + n_steps, n);
    pf_panel_line(panel,
                  (pf_mark){.colour = options ? colour : PF_VERMILLION,
                            .dashed = options,
                            .label = labels[1]},
                  room, room + 2 * n_steps, n);
  }
  pf_memory_free(room);
  pf_memory_free(at);
  return PF_OK;
}

/* ---- several arms ---- */

/** Over windows of trials: the share of an arm among the choices, and its mean probability. */
static void windowed_arm(const pf_behaviour *b, size_t n_options, size_t arm, double *x,
                         double *observed, double *predicted)
{
  for (size_t k = 0; k < b->n_trials; k++) {
    const size_t low = k >= TRIAL_WINDOW / 2 ? k - TRIAL_WINDOW / 2 : 0;
    const size_t high = k + TRIAL_WINDOW / 2 < b->n_trials ? k + TRIAL_WINDOW / 2 : b->n_trials;
    double sums[2] = {0.0, 0.0};
    for (size_t j = low; j < high; j++) {
      sums[0] += b->trials[j].option == (int)arm ? 1.0 : 0.0;
      sums[1] += b->steps.chances != NULL ? b->steps.chances[b->trials[j].first * n_options + arm]
                                          : (double)NAN;
    }
    x[k] = b->steps.trial[b->trials[k].last];
    observed[k] = sums[0] / (double)(high - low);
    predicted[k] = sums[1] / (double)(high - low);
  }
}

static pf_status draw_arms(pf_figure *figure, const pf_behaviour *b, size_t n_options,
                           pf_error *error)
{
  double *room = pf_memory_need(3 * b->n_trials, sizeof *room, error);
  if (room == NULL) {
    return PF_STOP;
  }
  double *observed = room + b->n_trials, *predicted = room + 2 * b->n_trials;
  pf_panel *panel = pf_figure_panel(
      figure,
      (pf_axes){
          .title = b->animal,
          .x = trials_axis(&b->steps, "trial"),
          .y = {.label = "share of each option", .low = -0.02, .high = 1.02, .is_share = true}});
  draw_blocks(panel, b, NULL);
  for (size_t arm = 0; arm < n_options; arm++) {
    char labels[2][40];
    (void)snprintf(labels[0], sizeof labels[0], "option %zu, observed", arm + 1);
    (void)snprintf(labels[1], sizeof labels[1], "option %zu, predicted", arm + 1);
    windowed_arm(b, n_options, arm, room, observed, predicted);
    const pf_mark mark = {.colour = (int)arm % PF_N_SERIES_COLOURS, .label = labels[0]};
    pf_panel_line(panel, mark, room, observed, b->n_trials);
    pf_panel_line(panel, (pf_mark){.colour = mark.colour, .dashed = true, .label = labels[1]}, room,
                  predicted, b->n_trials);
  }
  pf_memory_free(room);
  return PF_OK;
}

static pf_status draw_choices(pf_figure *figure, const pf_behaviours *all, const pf_behaviour *b,
                              const pf_stated_shares *stated, pf_error *error)
{
  if (all->arms && all->n_options > 2) {
    return b->n_trials > 0 ? draw_arms(figure, b, all->n_options, error) : PF_OK;
  }
  if (all->arms && b->n_trials > 0) {
    return draw_ratio(figure, b, "trial", stated, error);
  }
  if (b->n_trials > 0) {
    const pf_status status = draw_ratio(figure, b, NULL, stated, error);
    if (status != PF_OK) {
      return status;
    }
  }
  return draw_probability(figure, b, error);
}

pf_status pf_plot_choices(pf_figures *figures, const pf_run_data *run, pf_error *error)
{
  static const char ratio_caption[] =
      "Above: which of the two options each trial ended with (ticks: option 2 at the top, option 1 "
      "at the bottom), the share of option 2 in windows of 10 trials, observed and as the model "
      "predicted it one step ahead; in each block the rewards that option 1 : option 2 gave, and "
      "option 2's share of them (dashed: as the task states it, where it does). Below: how often "
      "an option was accepted when it was met, in windows of 20 encounters.";
  static const char two_arms_caption[] =
      "Which of the two options each trial chose (ticks: option 2 at the top, option 1 at the "
      "bottom), and the share of option 2 in windows of 10 trials: observed, and as the model "
      "predicted it one step ahead; option 2's share of the rewards (dashed: as the task states "
      "it, "
      "where it does).";
  static const char arms_caption[] = "The share of each option among the choices, in windows of 10 "
                                     "trials: observed, and as the model predicted it one step "
                                     "ahead. Blocks are shaded in turn.";
  static const char plain_caption[] = "Choices observed and predicted one step ahead, in windows "
                                      "of 20 steps; blocks are shaded in turn.";
  for (size_t i = 0; i < run->observed.n && i < PF_MAX_ANIMALS_DRAWN; i++) {
    const pf_behaviour *b = &run->observed.items[i];
    const char *accepted = b->n_trials > 0 ? ratio_caption : plain_caption;
    const char *chosen = run->observed.n_options == 2 ? two_arms_caption : arms_caption;
    const char *caption = run->observed.arms ? chosen : accepted;
    char name[32];
    (void)snprintf(name, sizeof name, "choices-%zu", i + 1);
    pf_figure *figure =
        pf_figures_add(figures, name,
                       (pf_figure_look){.caption = i > 0 ? NULL : caption, /* said once */
                                        .columns = 1,
                                        .panel_width = 900,
                                        .panel_height = 235});
    const pf_status status = draw_choices(figure, &run->observed, b, &run->stated, error);
    if (status != PF_OK) {
      return status;
    }
  }
  return PF_OK;
}

/* ---- calibration ---- */

typedef struct prediction {
  double p, choice;
} prediction;

static int by_p(const void *a, const void *b)
{
  const double x = ((const prediction *)a)->p;
  const double y = ((const prediction *)b)->p;
  return (x > y) - (x < y);
}

enum { BINS = 10 };

/** Wilson's interval of a share k / n (Wilson 1927, JASA 22:209). */
static void wilson_interval(double k, double n, double *low, double *high)
{
  const double z = 1.959963984540054;
  const double centre = (k + 0.5 * z * z) / (n + z * z);
  const double half = z / (n + z * z) * sqrt(k * (n - k) / n + 0.25 * z * z);
  *low = centre - half;
  *high = centre + half;
}

static void draw_bins(pf_figures *figures, const prediction *items, const double *all, size_t n)
{
  double x[BINS];
  double y[BINS];
  double low[BINS];
  double high[BINS];
  static const double p[] = {0.0, 1.0};
  for (size_t k = 0; k < BINS; k++) {
    const size_t first = k * n / BINS;
    const size_t end = (k + 1) * n / BINS;
    double sums[2] = {0.0, 0.0};
    for (size_t i = first; i < end; i++) {
      sums[0] += items[i].p;
      sums[1] += items[i].choice;
    }
    const double count = (double)(end - first);
    x[k] = sums[0] / count;
    y[k] = sums[1] / count;
    wilson_interval(sums[1], count, &low[k], &high[k]);
  }
  pf_figure *figure = pf_figures_add(
      figures, "calibration",
      (pf_figure_look){
          .caption =
              "Calibration, all animals: predicted probabilities in ten bins of equal numbers "
              "against how often the choice was made (95 % Wilson intervals). On the diagonal, 0.7 "
              "means 70 %. Right: how often each probability was predicted.",
          .columns = 2,
          .panel_width = 380,
          .panel_height = 340});
  pf_panel *panel =
      pf_figure_panel(figure, (pf_axes){.x = {.label = "predicted", .low = 0.0, .high = 1.0},
                                        .y = {.label = "observed", .low = 0.0, .high = 1.0}});
  pf_panel_line(panel, (pf_mark){.colour = PF_GREY, .dashed = true}, p, p, 2);
  pf_panel_intervals(panel, (pf_mark){.colour = PF_BLUE}, (pf_intervals){x, y, low, high, BINS});
  panel = pf_figure_panel(figure, (pf_axes){.x = {.label = "predicted", .low = 0.0, .high = 1.0},
                                            .y = {.label = "steps"}});
  pf_panel_histogram(panel, (pf_mark){.colour = PF_BLUE}, all, n, 30);
}

/** A step's predictions: that of choice 1, or of each arm. */
static size_t predict_step(const pf_behaviours *seen, const pf_steps_seen *s, size_t t,
                           prediction *out)
{
  size_t n = 0;
  if (!isfinite(s->choice[t])) {
    return 0;
  }
  if (s->chances == NULL) {
    out[0] = (prediction){s->probability[t], s->choice[t]};
    return isfinite(s->probability[t]) ? 1 : 0;
  }
  /* of two arms one says all */
  for (size_t arm = seen->n_options == 2 ? 1 : 0; arm < seen->n_options; arm++) {
    const double p = s->chances[t * seen->n_options + arm];
    if (isfinite(p)) {
      out[n++] = (prediction){p, s->choice[t] == (double)arm ? 1.0 : 0.0};
    }
  }
  return n;
}

pf_status pf_plot_calibration(pf_figures *figures, const pf_run_data *run, pf_error *error)
{
  const pf_behaviours *seen = &run->observed;
  const size_t each = seen->arms && seen->n_options > 1 ? seen->n_options : 1;
  size_t most = 0;
  for (size_t i = 0; i < seen->n; i++) {
    most += seen->items[i].steps.n_steps * each;
  }
  prediction *items = pf_memory_need(most, sizeof *items, error);
  double *all = pf_memory_need(most, sizeof *all, error);
  size_t n = 0;
  for (size_t i = 0; items != NULL && all != NULL && i < seen->n; i++) {
    const pf_steps_seen *s = &seen->items[i].steps;
    for (size_t t = 0; t < s->n_steps; t++) {
      n += predict_step(seen, s, t, &items[n]);
    }
  }
  for (size_t i = 0; i < n; i++) {
    all[i] = items[i].p;
  }
  if (n >= 5 * BINS) {
    qsort(items, n, sizeof *items, by_p);
    draw_bins(figures, items, all, n);
  }
  const pf_status status = items == NULL || all == NULL ? PF_STOP : PF_OK;
  pf_memory_free(items);
  pf_memory_free(all);
  return status;
}
