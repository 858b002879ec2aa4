/* Weights of animals whose inputs nobody recorded, with what the particles leave open:
 * trajectories.h5. */
#include "core/base/memory.h"
#include "core/figures/run_figure.h"

#include <string.h>

enum { LATENT_ANIMALS = 3, LATENT_SYNAPSES = 2, LATENT_STATES = 400, LATENT_SIDE = 64 };

/* What trajectories.h5 has of one projection of one animal. */
typedef struct latent_states {
  pf_h5_array mean, sd, filtered, step;
} latent_states;

static bool read_array(pf_trajectories_file *reader, const char *folder, const char *name,
                       pf_h5_array *out)
{
  const size_t most[3] = {LATENT_STATES, LATENT_SIDE, LATENT_SIDE};
  char path[700];
  size_t stride[3];
  (void)snprintf(path, sizeof path, "%s/%s", folder, name);
  if (!pf_trajectories_shape(reader, path, out)) {
    return false;
  }
  for (size_t k = 0; k < 3; k++) {
    stride[k] = out->n[k] / (most[k] + 1) + 1;
  }
  return pf_trajectories_read(reader, path, stride, out);
}

static bool read_latent(pf_trajectories_file *reader, const char *folder, latent_states *out)
{
  *out = (latent_states){0};
  if (!read_array(reader, folder, "smoothed_mean", &out->mean) ||
      !read_array(reader, folder, "smoothed_sd", &out->sd) ||
      !read_array(reader, folder, "filtered_mean", &out->filtered) ||
      !read_array(reader, folder, "step", &out->step)) {
    return false;
  }
  const size_t n = out->mean.n[0], cells = n * out->mean.n[1] * out->mean.n[2];
  return out->mean.rank == 3 && out->step.n[0] == n &&
         out->sd.n[0] * out->sd.n[1] * out->sd.n[2] == cells &&
         out->filtered.n[0] * out->filtered.n[1] * out->filtered.n[2] == cells;
}

static void free_latent(latent_states *of)
{
  pf_memory_free(of->mean.values);
  pf_memory_free(of->sd.values);
  pf_memory_free(of->filtered.values);
  pf_memory_free(of->step.values);
}

static pf_status draw_animal(pf_figure *figure, const char *title, const latent_states *of,
                             pf_error *error)
{
  const size_t n = of->mean.n[0], cells = of->mean.n[1] * of->mean.n[2];
  const size_t drawn = cells < LATENT_SYNAPSES ? cells : LATENT_SYNAPSES;
  double *numbers = pf_memory_need(4 * n, sizeof *numbers, error);
  if (numbers == NULL) {
    return PF_STOP;
  }
  double *mean = numbers, *low = mean + n, *high = low + n, *filtered = high + n;
  pf_panel *panel = pf_figure_panel(
      figure, (pf_axes){.title = title, .x = {.label = "step"}, .y = {.label = "weight"}});
  for (size_t s = 0; s < drawn; s++) {
    for (size_t k = 0; k < n; k++) {
      const size_t at = k * cells + s;
      mean[k] = of->mean.values[at];
      low[k] = mean[k] - 2.0 * of->sd.values[at];
      high[k] = mean[k] + 2.0 * of->sd.values[at];
      filtered[k] = of->filtered.values[at];
    }
    pf_panel_band(panel, (pf_mark){.colour = (int)s}, of->step.values, low, high, n);
    pf_panel_line(panel, (pf_mark){.colour = (int)s, .label = s == 0 ? "all choices" : NULL},
                  of->step.values, mean, n);
    pf_panel_line(panel,
                  (pf_mark){.colour = (int)s,
                            .width = 1.2,
                            .dashed = true,
                            .label = s == 0 ? "choices so far" : NULL},
                  of->step.values, filtered, n);
  }
  pf_memory_free(numbers);
  return PF_OK;
}

static pf_figure *add_figure(pf_figures *figures, const char *projection, size_t index)
{
  char name[32];
  char caption[400];
  (void)snprintf(name, sizeof name, "latent-%zu", index + 1);
  (void)snprintf(caption, sizeof caption,
                 "Weights of %.60s given what the animals did, their inputs integrated out: the "
                 "first synapses of the first animals. Line and band: mean and 2 sd given all "
                 "that was observed. Dashed: the mean given what was observed up to then.",
                 projection);
  return pf_figures_add(figures, name, (pf_figure_look){.caption = caption});
}

/* The folder of weights of an animal's first experiment. */
static void name_folder(const char *animal, const char *projection, char *out, size_t capacity)
{
  (void)snprintf(out, capacity, "/%.200s/experiment_0/weights%s%.200s", animal,
                 projection[0] != '\0' ? "/" : "", projection);
}

typedef struct latent_drawing {
  pf_figures *figures;
  pf_trajectories_file *reader;
  char **animals;
  size_t n_animals;
} latent_drawing;

static pf_status draw_projection(const latent_drawing *d, const char *projection, size_t index,
                                 pf_error *error)
{
  pf_figure *figure = NULL;
  pf_status status = PF_OK;
  size_t n_drawn = 0;
  for (size_t a = 0; a < d->n_animals && n_drawn < LATENT_ANIMALS; a++) {
    char folder[600];
    latent_states of;
    name_folder(d->animals[a], projection, folder, sizeof folder);
    if (read_latent(d->reader, folder, &of)) {
      figure = figure != NULL ? figure : add_figure(d->figures, projection, index);
      status = draw_animal(figure, d->animals[a], &of, error);
      n_drawn++;
    }
    free_latent(&of);
    if (status != PF_OK) {
      return status;
    }
  }
  return PF_OK;
}

/* Projections of the first animal that has any. */
static pf_status find_projections(const latent_drawing *d, char ***names, size_t *n,
                                  pf_error *error)
{
  for (size_t a = 0; a < d->n_animals; a++) {
    char folder[600];
    name_folder(d->animals[a], "", folder, sizeof folder);
    const pf_status status = pf_trajectories_children(d->reader, folder, names, n, error);
    if (status != PF_OK || *n > 0) {
      return status;
    }
  }
  return PF_OK;
}

pf_status pf_plot_latent(pf_figures *figures, const pf_run_data *run, pf_error *error)
{
  latent_drawing d = {.figures = figures, .reader = run->trajectories};
  char **projections = NULL;
  size_t n = 0;
  if (run->trajectories == NULL) {
    return PF_OK;
  }
  pf_status status = pf_trajectories_children(d.reader, "/", &d.animals, &d.n_animals, error);
  if (status == PF_OK) {
    status = find_projections(&d, &projections, &n, error);
  }
  for (size_t k = 0; k < n; k++) {
    if (status == PF_OK) {
      status = draw_projection(&d, projections[k], k, error);
    }
  }
  pf_h5_children_free(projections, n);
  pf_h5_children_free(d.animals, d.n_animals);
  return status;
}
