/* What the fitted rule does in the task against what the animals did: reversal curves and matching.
 */
#include "core/base/memory.h"
#include "core/figures/run_figure.h"

#include <math.h>
#include <string.h>

enum { BEFORE = 20, AFTER = 40, AROUND = BEFORE + AFTER, MAX_BLOCKS = 64 };

/** A block: what the options gave, and how often each was taken. */
typedef struct block_seen {
  double number, taken[PF_MAX_OPTIONS], rewards[PF_MAX_OPTIONS];
  size_t first, end; /**< its trials */
} block_seen;

static size_t blocks_of(const pf_behaviour *b, block_seen *out)
{
  size_t n = 0;
  for (size_t k = 0; k < b->n_trials; k++) {
    const pf_trial_seen *trial = &b->trials[k];
    if (n == 0 || trial->block > out[n - 1].number || trial->block < out[n - 1].number) {
      if (n == MAX_BLOCKS) {
        break;
      }
      out[n++] = (block_seen){.number = trial->block, .first = k};
    }
    out[n - 1].end = k + 1;
    out[n - 1].taken[trial->option] += 1.0;
    out[n - 1].rewards[trial->option] += isfinite(trial->reward) ? trial->reward : 0.0;
  }
  return n;
}

/**
 * The option that gave more; -1: neither. Not by choice: where rewards wait to be fetched, an
 * option that is hardly ever taken pays nearly every time, and an animal that matches is paid by
 * both alike.
 */
static int better_option(const block_seen *block)
{
  int best = 0;
  bool alone = true;
  for (int k = 1; k < PF_MAX_OPTIONS; k++) {
    if (block->rewards[k] > block->rewards[best]) {
      best = k;
      alone = true;
    } else if (!(block->rewards[k] < block->rewards[best])) {
      alone = false;
    }
  }
  return alone ? best : -1;
}

/** Sums over reversals, by trial from the reversal. */
typedef struct curve {
  double sum[AROUND], count[AROUND];
} curve;

/** Reversals of an animal in blocks, of which `judged` tell what was better in each. */
static void add_reversals(const pf_behaviour *b, const block_seen *judged, size_t n_judged,
                          curve *out)
{
  block_seen blocks[MAX_BLOCKS];
  const size_t n = blocks_of(b, blocks);
  for (size_t k = 1; k < n && k < n_judged; k++) {
    const int now = better_option(&judged[k]);
    if (now < 0 || now == better_option(&judged[k - 1])) {
      continue;
    }
    for (int at = -BEFORE; at < AFTER; at++) {
      const int64_t trial = (int64_t)blocks[k].first + at;
      if (trial >= (int64_t)blocks[k - 1].first && trial < (int64_t)blocks[k].end) {
        out->sum[at + BEFORE] += b->trials[trial].option == now ? 1.0 : 0.0;
        out->count[at + BEFORE] += 1.0;
      }
    }
  }
}

/** Of all animals. `one_task`: all were in the same blocks, so that all of them together tell what
 * was better. */
static void sum_reversals(const pf_behaviours *of, bool one_task, curve *out)
{
  block_seen all[MAX_BLOCKS] = {{0}};
  size_t n_all = 0;
  for (size_t i = 0; i < of->n; i++) {
    block_seen blocks[MAX_BLOCKS];
    const size_t n = blocks_of(&of->items[i], blocks);
    for (size_t k = 0; k < n; k++) {
      for (size_t option = 0; option < PF_MAX_OPTIONS; option++) {
        all[k].rewards[option] += blocks[k].rewards[option];
      }
    }
    n_all = n > n_all ? n : n_all;
    if (!one_task) {
      add_reversals(&of->items[i], blocks, n, out);
    }
  }
  for (size_t i = 0; i < of->n && one_task; i++) {
    add_reversals(&of->items[i], all, n_all, out);
  }
}

/** Smoothed over five trials, on one side of the reversal only. */
static void divide_curve(const curve *c, double *x, double *y)
{
  for (int at = 0; at < AROUND; at++) {
    const int from = at < BEFORE ? 0 : BEFORE;
    const int to = at < BEFORE ? BEFORE : AROUND;
    double sum = 0.0;
    double count = 0.0;
    for (int k = at - 2; k <= at + 2; k++) {
      if (k >= from && k < to) {
        sum += c->sum[k];
        count += c->count[k];
      }
    }
    x[at] = (double)(at - BEFORE);
    y[at] = count > 0.0 ? sum / count : NAN;
  }
}

static void draw_reversals(pf_panel *panel, pf_mark mark, const pf_behaviours *of, bool one_task)
{
  curve c = {{0.0}, {0.0}};
  double x[AROUND];
  double y[AROUND];
  sum_reversals(of, one_task, &c);
  divide_curve(&c, x, y);
  pf_panel_line(panel, mark, x, y, AROUND);
}

/** Does any animal meet another block, so that there is something to reverse? */
static bool has_reversals(const pf_behaviours *of, bool one_task)
{
  curve c = {{0.0}, {0.0}};
  sum_reversals(of, one_task, &c);
  return c.count[BEFORE] > 0.0;
}

/** Points of a block: of two options that of the second, of more that of each. */
static size_t add_points(const block_seen *block, size_t n_options, double *x, double *y)
{
  double rewards = 0.0, taken = 0.0;
  size_t n = 0;
  for (size_t k = 0; k < n_options; k++) {
    rewards += block->rewards[k];
    taken += block->taken[k];
  }
  for (size_t k = n_options == 2 ? 1 : 0; k < n_options && rewards > 0.0 && taken > 0.0; k++) {
    x[n] = block->rewards[k] / rewards;
    y[n++] = block->taken[k] / taken;
  }
  return n;
}

static pf_status draw_matching(pf_panel *panel, pf_mark mark, const pf_behaviours *of,
                               pf_error *error)
{
  size_t n = 0;
  const size_t most = of->n * MAX_BLOCKS * PF_MAX_OPTIONS;
  double *x = pf_memory_need(most, sizeof *x, error);
  double *y = pf_memory_need(most, sizeof *y, error);
  for (size_t i = 0; x != NULL && y != NULL && i < of->n; i++) {
    block_seen blocks[MAX_BLOCKS];
    const size_t n_blocks = blocks_of(&of->items[i], blocks);
    for (size_t k = 0; k < n_blocks && of->n_options <= PF_MAX_OPTIONS; k++) {
      n += add_points(&blocks[k], of->n_options, &x[n], &y[n]);
    }
  }
  pf_panel_points(panel, mark, x, y, x != NULL && y != NULL ? n : 0);
  const pf_status status = x == NULL || y == NULL ? PF_STOP : PF_OK;
  pf_memory_free(x);
  pf_memory_free(y);
  return status;
}

static bool has_trials(const pf_behaviours *of)
{
  for (size_t i = 0; i < of->n; i++) {
    if (of->items[i].n_trials > 0) {
      return true;
    }
  }
  return false;
}

static pf_figure *add_figure(pf_figures *figures, bool both, bool reversals)
{
  char caption[500];
  (void)snprintf(
      caption, sizeof caption, "%s%s%s",
      both ? "The fitted rule, acting by itself in the task, against the animals. "
           : "The animals' own behaviour. ",
      reversals ? "Left: the share of trials that took the option which gives more after the "
                  "reversal at 0, mean over all reversals (each by its own blocks). Right: "
                : "",
      reversals
          ? "matching, one point for each block: share of the choices against share of the rewards."
          : "Matching, one point for each experiment: share of the choices against share of the "
            "rewards.");
  return pf_figures_add(figures, "behaviour",
                        (pf_figure_look){.caption = caption,
                                         .columns = reversals ? 2 : 1,
                                         .panel_width = 450,
                                         .panel_height = 320});
}

static pf_panel *add_reversal_panel(pf_figure *figure)
{
  pf_panel *panel = pf_figure_panel(
      figure,
      (pf_axes){
          .x = {.label = "trials from the reversal"},
          .y = {.label = "share of the newly better", .low = 0, .high = 1, .is_share = true}});
  pf_panel_vertical(panel, (pf_mark){.colour = PF_GREY, .dashed = true}, 0.0);
  return panel;
}

static pf_panel *add_matching_panel(pf_figure *figure, bool two_options)
{
  static const double unit[] = {0.0, 1.0};
  pf_panel *panel = pf_figure_panel(
      figure, (pf_axes){.x = {.label = two_options ? "share of the rewards, option 2"
                                                   : "share of the rewards, each option",
                              .low = -0.02,
                              .high = 1.02},
                        .y = {.label = two_options ? "share of the choices, option 2"
                                                   : "share of the choices, each option",
                              .low = -0.02,
                              .high = 1.02}});
  pf_panel_line(panel, (pf_mark){.colour = PF_GREY, .dashed = true}, unit, unit, 2);
  return panel;
}

pf_status pf_plot_behaviour(pf_figures *figures, const pf_run_data *run, pf_error *error)
{
  const pf_behaviours *animals = &run->observed;
  const pf_behaviours *simulated = &run->closed_loop;
  const pf_mark mine = {.colour = PF_BLUE, .width = 2.0, .label = "animals"};
  const pf_mark rule = {.colour = PF_VERMILLION, .width = 2.0, .label = "fitted rule"};
  if (!has_trials(animals)) {
    return PF_OK;
  }
  const bool both = simulated->n > 0 && has_trials(simulated);
  const bool reversals = has_reversals(animals, false) || (both && has_reversals(simulated, true));
  pf_figure *figure = add_figure(figures, both, reversals);
  if (reversals) {
    pf_panel *panel = add_reversal_panel(figure);
    draw_reversals(panel, mine, animals, false);
    if (both) {
      draw_reversals(panel, rule, simulated, true);
    }
  }
  pf_panel *panel = add_matching_panel(figure, animals->n_options == 2);
  const pf_status status = draw_matching(panel, mine, animals, error);
  if (status != PF_OK || !both) {
    return status;
  }
  pf_mark ring = rule;
  ring.hollow = true;
  ring.size = 1.3;
  return draw_matching(panel, ring, simulated, error);
}
