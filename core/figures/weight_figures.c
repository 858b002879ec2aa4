/* Weights over time, R2 of each synapse, recorded activity: trajectories.h5. */
#include "core/base/memory.h"
#include "core/evaluate/r2.h"
#include "core/figures/run_figure.h"
#include "core/stats/stats.h"

#include <math.h>
#include <string.h>

enum {
  SYNAPSES_DRAWN = 6,
  ANIMALS_DRAWN = 3,
  MAX_STATES = 400,
  MAX_SIDE = 64,
  MAX_ANIMALS_IN_MAP = 24
};

typedef struct drawing {
  pf_figures *figures;
  pf_trajectories_file *reader;
  char **animals;
  size_t n_animals;
} drawing;

/** Steps with which an array of states [change][post][pre] is read: a figure needs no more. */
static void reading_strides(const pf_h5_array *shape, size_t step[3])
{
  const size_t most[3] = {MAX_STATES, MAX_SIDE, MAX_SIDE};
  for (size_t k = 0; k < 3; k++) {
    step[k] = shape->n[k] / (most[k] + 1) + 1;
  }
}

/** Model's weights, the truth's if there are any, and the steps after which they came. */
typedef struct states {
  pf_h5_array model, truth, step;
} states;

static bool has_equal_shape(const pf_h5_array *a, const pf_h5_array *b)
{
  return a->rank == b->rank && a->n[0] == b->n[0] && a->n[1] == b->n[1] && a->n[2] == b->n[2];
}

/** The truth is read only where it has the model's shape: figures go through both at once. */
static bool read_states(pf_trajectories_file *reader, const char *folder, states *out)
{
  char path[700];
  size_t step[3];
  *out = (states){0};
  (void)snprintf(path, sizeof path, "%s/model", folder);
  if (!pf_trajectories_shape(reader, path, &out->model) || out->model.rank != 3) {
    return false;
  }
  const pf_h5_array whole = out->model;
  reading_strides(&whole, step);
  const bool got = pf_trajectories_read(reader, path, step, &out->model);
  (void)snprintf(path, sizeof path, "%s/truth", folder);
  if (pf_trajectories_shape(reader, path, &out->truth) && has_equal_shape(&whole, &out->truth)) {
    (void)pf_trajectories_read(reader, path, step, &out->truth);
  }
  (void)snprintf(path, sizeof path, "%s/step", folder);
  (void)pf_trajectories_read(reader, path, step, &out->step);
  return got;
}

static void free_states(states *s)
{
  pf_memory_free(s->model.values);
  pf_memory_free(s->truth.values);
  pf_memory_free(s->step.values);
}

/* ---- weights over time ---- */

/** The course of one synapse. */
static void synapse_course(const pf_h5_array *weights, size_t cell, double *out)
{
  const size_t cells = weights->n[1] * weights->n[2];
  for (size_t k = 0; k < weights->n[0]; k++) {
    out[k] = weights->values[k * cells + cell];
  }
}

static pf_status draw_courses(pf_figure *figure, const char *title, const states *s,
                              pf_error *error)
{
  const size_t n = s->model.n[0];
  const size_t cells = s->model.n[1] * s->model.n[2];
  double *y = pf_memory_need(n, sizeof *y, error);
  if (y == NULL) {
    return PF_STOP;
  }
  const double *x = s->step.values != NULL && s->step.n[0] == n ? s->step.values : NULL;
  pf_panel *panel = pf_figure_panel(figure, (pf_axes){.title = title,
                                                      .x = {.label = x != NULL ? "step" : "change"},
                                                      .y = {.label = "weight"}});
  const size_t drawn = cells < SYNAPSES_DRAWN ? cells : SYNAPSES_DRAWN;
  for (size_t k = 0; k < drawn; k++) {
    const size_t cell = k * cells / drawn;
    if (s->truth.values != NULL) {
      synapse_course(&s->truth, cell, y);
      pf_panel_line(panel,
                    (pf_mark){.colour = (int)(k % 6),
                              .width = 1.2,
                              .dashed = true,
                              .label = k == 0 ? "truth" : NULL},
                    x, y, n);
    }
    synapse_course(&s->model, cell, y);
    pf_panel_line(panel,
                  (pf_mark){.colour = (int)(k % 6),
                            .label = k == 0 && s->truth.values != NULL ? "model" : NULL},
                  x, y, n);
  }
  pf_memory_free(y);
  return PF_OK;
}

/** What the figures of one projection gather while they go through the animals. */
typedef struct projection_figures {
  const char *name;
  size_t index;
  pf_figure *figure; /* of weights over time; NULL: no animal had any yet */
  size_t n_drawn;    /* animals in it */
  double *r2;        /* [rows columns][n_map]; NULL: no truth is known */
  size_t rows, columns;
  size_t n_map, n_mapped; /* animals that the map of R2 takes, and has */
} projection_figures;

/* ---- R2 of every synapse ---- */

/** R2 of each synapse of one animal, added to those of the animals before: [cells][n_animals]. */
static pf_status add_r2(const states *s, double *all, size_t animal, size_t n_animals,
                        pf_error *error)
{
  const size_t n = s->model.n[0];
  const size_t cells = s->model.n[1] * s->model.n[2];
  double *truth = pf_memory_need(2 * n, sizeof *truth, error);
  if (truth == NULL) {
    return PF_STOP;
  }
  for (size_t cell = 0; cell < cells; cell++) {
    synapse_course(&s->truth, cell, truth);
    synapse_course(&s->model, cell, truth + n);
    /* from the first change on: the weights they start from are the same */
    all[cell * n_animals + animal] = n > 1 ? pf_r2(truth + 1, truth + n + 1, (int64_t)n - 1) : NAN;
  }
  pf_memory_free(truth);
  return PF_OK;
}

static void draw_map(const drawing *d, const projection_figures *p)
{
  const size_t n_animals = p->n_map;
  double *all = p->r2;
  for (size_t cell = 0; cell < p->rows * p->columns; cell++) {
    const size_t n = pf_stats_sort(&all[cell * n_animals], n_animals);
    const double median = pf_stats_quantile(&all[cell * n_animals], n, 0.5);
    /* cell * n_animals >= cell: nothing unread is overwritten */
    all[cell] = isnan(median) ? NAN : fmax(median, 0.0);
  }
  char name[32];
  char caption[300];
  (void)snprintf(name, sizeof name, "r2-%zu", p->index + 1);
  (void)snprintf(caption, sizeof caption,
                 "R2 of each synapse of %.60s against the truth, median over %zu %s; below 0 drawn "
                 "as 0, grey where the truth never varies.",
                 p->name, n_animals, n_animals == 1 ? "animal" : "animals");
  pf_figure *figure = pf_figures_add(d->figures, name,
                                     (pf_figure_look){.caption = caption,
                                                      .columns = 1,
                                                      .panel_width = 460,
                                                      .panel_height = p->rows > 4 ? 300 : 200});
  pf_panel *panel = pf_figure_panel(
      figure, (pf_axes){.x = {.label = "presynaptic"}, .y = {.label = "postsynaptic"}});
  pf_panel_heat(panel, (pf_heat){all, p->rows, p->columns, 0.0, 1.0, false, "R2"});
}

/* ---- one projection, all animals ---- */

static void folder_of(const drawing *d, size_t animal, const char *projection, char *out,
                      size_t capacity)
{
  (void)snprintf(out, capacity, "/%.200s/experiment_0/weights/%.200s", d->animals[animal],
                 projection);
}

static bool is_complete(const projection_figures *p)
{
  return p->n_drawn >= ANIMALS_DRAWN && p->n_mapped >= p->n_map;
}

static pf_status begin_map(projection_figures *p, const states *s, pf_error *error)
{
  p->rows = s->model.n[1];
  p->columns = s->model.n[2];
  const size_t cells = p->rows * p->columns * p->n_map;
  p->r2 = pf_memory_need(cells, sizeof *p->r2, error);
  if (p->r2 == NULL) {
    return PF_STOP;
  }
  for (size_t i = 0; i < cells; i++) {
    p->r2[i] = NAN;
  }
  return PF_OK;
}

static pf_status add_animal(const drawing *d, projection_figures *p, size_t animal, const states *s,
                            pf_error *error)
{
  if (p->figure == NULL) {
    char name[32];
    char caption[200];
    (void)snprintf(name, sizeof name, "weights-%zu", p->index + 1);
    (void)snprintf(caption, sizeof caption,
                   "Weights of %.60s over time in the first experiment of the first animals, some "
                   "synapses each%s.",
                   p->name, s->truth.values != NULL ? "; dashed: the truth" : "");
    p->figure = pf_figures_add(d->figures, name, (pf_figure_look){.caption = caption});
  }
  if (p->n_drawn < ANIMALS_DRAWN) {
    const pf_status status = draw_courses(p->figure, d->animals[animal], s, error);
    if (status != PF_OK) {
      return status;
    }
    p->n_drawn++;
  }
  if (s->truth.values == NULL) {
    p->n_map = p->r2 == NULL ? 0 : p->n_map; /* no truth: no map */
    return PF_OK;
  }
  if (p->r2 == NULL && begin_map(p, s, error) != PF_OK) {
    return PF_STOP;
  }
  if (p->n_mapped < p->n_map && s->model.n[1] == p->rows && s->model.n[2] == p->columns) {
    return add_r2(s, p->r2, p->n_mapped++, p->n_map, error);
  }
  return PF_OK;
}

static pf_status draw_projection(const drawing *d, const char *name, size_t index, pf_error *error)
{
  projection_figures p = {.name = name,
                          .index = index,
                          .n_map = d->n_animals < MAX_ANIMALS_IN_MAP ? d->n_animals
                                                                     : MAX_ANIMALS_IN_MAP};
  pf_status status = PF_OK;
  for (size_t a = 0; a < d->n_animals && !is_complete(&p); a++) {
    char folder[600];
    states s;
    folder_of(d, a, name, folder, sizeof folder);
    if (read_states(d->reader, folder, &s)) {
      status = add_animal(d, &p, a, &s, error);
    }
    free_states(&s);
    if (status != PF_OK) {
      goto done;
    }
  }
  if (p.n_mapped > 0) {
    draw_map(d, &p);
  }
done:
  pf_memory_free(p.r2);
  return status;
}

/* ---- recorded activity ---- */

enum { UNITS_DRAWN = 3, MAX_STEPS_DRAWN = 300 };

/** What the model expects where a loss says it (of spikes the expected count), else the observable
 * of as many units as were recorded, that of the first plastic layer first by name. */
static bool find_activity(pf_trajectories_file *reader, const char *group,
                          const pf_h5_array *target, const size_t *step, pf_h5_array *out,
                          pf_error *error)
{
  char **names = NULL;
  size_t n = 0;
  char path[700];
  bool found = false;
  (void)snprintf(path, sizeof path, "%s/expected/activity", group);
  if (pf_trajectories_shape(reader, path, out) && has_equal_shape(out, target) &&
      pf_trajectories_read(reader, path, step, out)) {
    return true;
  }
  (void)snprintf(path, sizeof path, "%s/observables", group);
  if (pf_trajectories_children(reader, path, &names, &n, error) != PF_OK) {
    return false;
  }
  for (size_t i = 0; i < n && !found; i++) {
    (void)snprintf(path, sizeof path, "%s/observables/%.200s", group, names[i]);
    found = strncmp(names[i], "layer", 5) == 0 && pf_trajectories_shape(reader, path, out) &&
            has_equal_shape(out, target) && pf_trajectories_read(reader, path, step, out);
  }
  pf_h5_children_free(names, n);
  return found;
}

static void draw_unit(pf_figure *figure, size_t unit, const pf_h5_array *target,
                      const pf_h5_array *model, size_t step, double *room)
{
  const size_t n = target->n[0];
  char title[48];
  (void)snprintf(title, sizeof title, "unit %zu", unit + 1);
  pf_panel *panel =
      pf_figure_panel(figure, (pf_axes){.title = title,
                                        .x = {.label = "step"},
                                        .y = {.label = unit == 0 ? "activity" : NULL}});
  double *x = room;
  double *seen = room + n;
  double *said = room + 2 * n;
  for (size_t t = 0; t < n; t++) {
    x[t] = (double)(t * step);
    seen[t] = target->values[t * target->n[1] + unit];
    said[t] = model->values[t * model->n[1] + unit];
  }
  pf_panel_points(panel,
                  (pf_mark){.colour = PF_BLUE, .size = 0.7, .opacity = 0.7, .label = "recorded"}, x,
                  seen, n);
  pf_panel_line(panel, (pf_mark){.colour = PF_VERMILLION, .width = 1.2, .label = "model"}, x, said,
                n);
}

static pf_status draw_activity(const drawing *d, size_t animal, pf_error *error)
{
  char group[420];
  char path[480];
  pf_h5_array target;
  pf_h5_array model = {0};
  (void)snprintf(group, sizeof group, "/%.200s/experiment_0", d->animals[animal]);
  (void)snprintf(path, sizeof path, "%s/targets/activity", group);
  if (!pf_trajectories_shape(d->reader, path, &target) || target.rank > 2 || target.n[1] > 4096) {
    return PF_OK;
  }
  const pf_h5_array whole = target;
  const size_t step[3] = {target.n[0] / (MAX_STEPS_DRAWN + 1) + 1, 1, 1};
  pf_status status = PF_OK;
  if (pf_trajectories_read(d->reader, path, step, &target) &&
      find_activity(d->reader, group, &whole, step, &model, error)) {
    char name[32];
    char caption[200];
    (void)snprintf(name, sizeof name, "activity-%zu", animal + 1);
    (void)snprintf(caption, sizeof caption,
                   "%.80s: recorded activity of the first units, and what the model expects.",
                   d->animals[animal]);
    pf_figure *figure = pf_figures_add(d->figures, name, (pf_figure_look){.caption = caption});
    double *room = pf_memory_need(3 * target.n[0], sizeof *room, error);
    status = room == NULL ? PF_STOP : PF_OK;
    for (size_t unit = 0; room != NULL && unit < UNITS_DRAWN && unit < target.n[1]; unit++) {
      draw_unit(figure, unit, &target, &model, step[0], room);
    }
    pf_memory_free(room);
  }
  pf_memory_free(target.values);
  pf_memory_free(model.values);
  return status;
}

/* ---- all ---- */

/** Names of the projections whose weights are there: those of the first animal that has any. */
static pf_status find_projections(const drawing *d, char ***names, size_t *n, pf_error *error)
{
  char path[300];
  for (size_t a = 0; a < d->n_animals; a++) {
    (void)snprintf(path, sizeof path, "/%.200s/experiment_0/weights", d->animals[a]);
    const pf_status status = pf_trajectories_children(d->reader, path, names, n, error);
    if (status != PF_OK || *n > 0) {
      return status;
    }
  }
  return PF_OK;
}

static pf_status draw_everything(const drawing *d, char **projections, size_t n, pf_error *error)
{
  for (size_t k = 0; k < n; k++) {
    const pf_status status = draw_projection(d, projections[k], k, error);
    if (status != PF_OK) {
      return status;
    }
  }
  for (size_t a = 0; a < d->n_animals && a < ANIMALS_DRAWN; a++) {
    const pf_status status = draw_activity(d, a, error);
    if (status != PF_OK) {
      return status;
    }
  }
  return PF_OK;
}

pf_status pf_plot_weights(pf_figures *figures, const pf_run_data *run, pf_error *error)
{
  drawing d = {.figures = figures, .reader = run->trajectories};
  char **projections = NULL;
  size_t n = 0;
  if (run->trajectories == NULL) {
    return PF_OK;
  }
  pf_status status = pf_trajectories_children(d.reader, "/", &d.animals, &d.n_animals, error);
  if (status != PF_OK) {
    goto done;
  }
  status = find_projections(&d, &projections, &n, error);
  if (status != PF_OK) {
    goto done;
  }
  status = draw_everything(&d, projections, n, error);
done:
  pf_h5_children_free(projections, n);
  pf_h5_children_free(d.animals, d.n_animals);
  return status;
}
