#include "core/model_config/mask_keys.h"

#include "core/base/memory.h"
#include "core/base/random.h"
#include "core/model/masks.h"
#include "core/model_config/projection_keys.h"
#include "core/readers/matrix_file.h"

#include <math.h>
#include <string.h>

/** One mask being made. */
typedef struct mask {
  const pf_config *config;
  uint64_t seed;       /* of masks drawn by chance */
  const pf_node *node; /* `connected: { ... }` */
  const char *word;    /* "connected" or "plastic" */
  const char *projection;
  int64_t index, n_post, n_pre; /* of the projection */
  uint8_t *cells;               /* [n_post][n_pre] */
} mask;

static pf_status wrong_shape(const mask *self, const char *what, int64_t found, int64_t expected,
                             pf_error *error)
{
  return pf_fail(error, PF_STOP,
                 "%s: found %lld %s, expected %lld: '%s' has %lld postsynaptic (rows) x %lld "
                 "presynaptic units (columns)",
                 self->word, (long long)found, what, (long long)expected, self->projection,
                 (long long)self->n_post, (long long)self->n_pre);
}

static pf_status set_cell(const mask *self, int64_t i, int64_t j, double value, pf_error *error)
{
  if (value != 0.0 && value != 1.0) {
    return pf_fail(error, PF_STOP, "%s: row %lld, column %lld: found %g, expected 0 or 1",
                   self->word, (long long)i + 1, (long long)j + 1, value);
  }
  self->cells[i * self->n_pre + j] = value != 0.0;
  return PF_OK;
}

/** matrix = ( [0, 1], [1, 1] ): a row per postsynaptic unit. */
static pf_status fill_inline(const mask *self, const pf_node *rows, pf_error *error)
{
  if (!pf_node_is_list(rows)) {
    return pf_fail(error, PF_STOP,
                   "%s: `matrix` must be a list of rows: matrix = ( [0, 1], [1, 1] )", self->word);
  }
  if (pf_node_count(rows) != self->n_post) {
    return wrong_shape(self, "rows", pf_node_count(rows), self->n_post, error);
  }
  for (int64_t i = 0; i < self->n_post; i++) {
    const pf_node *row = pf_node_at(rows, i);
    if (!pf_node_is_list(row) || pf_node_count(row) != self->n_pre) {
      return wrong_shape(self, "columns", pf_node_count(row), self->n_pre, error);
    }
    for (int64_t j = 0; j < self->n_pre; j++) {
      double value = NAN;
      (void)pf_node_number(pf_node_at(row, j), &value);
      if (set_cell(self, i, j, value, error) != PF_OK) {
        return PF_STOP;
      }
    }
  }
  return PF_OK;
}

/** A line to the person where the way a file was taken is a guess. */
static void warn_of_file(const mask *self, const char *path, const pf_matrix *m, bool is_said)
{
  const pf_host *host = pf_config_host(self->config);
  int64_t n_weights = 0;
  bool is_symmetric = m->n_rows == m->n_columns;
  const bool is_square = is_symmetric;
  for (int64_t i = 0; i < m->n_rows; i++) {
    for (int64_t j = 0; j < m->n_columns; j++) {
      const double value = m->values[i * m->n_columns + j];
      n_weights += value != 0.0 && value != 1.0 ? 1 : 0;
      is_symmetric = is_symmetric && (value != 0.0) == (m->values[j * m->n_columns + i] != 0.0);
    }
  }
  char line[700];
  if (n_weights > 0) {
    (void)snprintf(
        line, sizeof line,
        "%.400s: %lld cells are neither 0 nor 1: every cell that is not 0 is taken for a "
        "synapse of '%.60s'",
        path, (long long)n_weights, self->projection);
    host->warn(host, line);
  }
  if (is_square && !is_symmetric && !is_said) {
    (void)snprintf(
        line, sizeof line,
        "%.400s: a row is taken for a postsynaptic unit; `rows` of `%s` says so (\"post\") "
        "or that it is a presynaptic one (\"pre\")",
        path, self->word);
    host->warn(host, line);
  }
}

/** A matrix of 0 and 1, or of weights, with or without names. */
static pf_status fill_from_file(const mask *self, const char *path, const char *rows,
                                pf_error *error)
{
  pf_matrix matrix;
  const pf_matrix_shape shape = {
      .n_post = self->n_post, .n_pre = self->n_pre, .rows = rows, .key = "rows"};
  if (pf_matrix_read_synapses(path, shape, &matrix, error) != PF_OK) {
    return PF_STOP;
  }
  for (int64_t k = 0; k < self->n_post * self->n_pre; k++) {
    self->cells[k] = matrix.values[k] != 0.0;
  }
  warn_of_file(self, path, &matrix, rows != NULL);
  pf_matrix_free(&matrix);
  return PF_OK;
}

/** Each synapse for itself, with probability `density`; the same mask for every animal and for the
 * teacher. */
static pf_status fill_by_chance(const mask *self, double density, pf_error *error)
{
  const int64_t n = self->n_post * self->n_pre;
  double *uniform = pf_memory_need((size_t)n, sizeof *uniform, error);
  if (uniform == NULL) {
    return PF_STOP;
  }
  const pf_stream stream = {.seed = self->seed,
                            .purpose = PF_RANDOM_MASK,
                            .animal = (uint32_t)self->index,
                            .draw = strcmp(self->word, "plastic") == 0 ? 1 : 0};
  pf_random_uniform(stream, 0, n, uniform);
  for (int64_t k = 0; k < n; k++) {
    self->cells[k] = uniform[k] < density;
  }
  pf_memory_free(uniform);
  return PF_OK;
}

/** What a mask's group says beside `matrix`. */
typedef struct mask_settings {
  double density; /* NaN: not given */
  char *file;
  char *rows; /* "post", "pre", or NULL: not said */
} mask_settings;

static pf_status fill_as_configured(const mask *self, const mask_settings *how, pf_error *error)
{
  const pf_node *matrix = pf_node_get(self->node, "matrix");
  const int n_ways = !isnan(how->density) + (how->file != NULL) + (matrix != NULL);
  if (n_ways != 1) {
    return pf_fail(error, PF_STOP, "%s: expected one of `density`, `file` and `matrix`, found %s",
                   self->word, n_ways == 0 ? "none" : "more");
  }
  if (matrix != NULL) {
    return fill_inline(self, matrix, error);
  }
  return how->file != NULL ? fill_from_file(self, how->file, how->rows, error)
                           : fill_by_chance(self, how->density, error);
}

static pf_status read_and_fill(const mask *self, pf_error *error)
{
#define PF_ROW_STRUCT mask_settings
  static const pf_setting rows[] = {
      PF_ROW_REAL(density, "density", NULL, NULL, 0, 1, "probability of each synapse"),
      PF_ROW_PATH(file, "file",
                  "CSV of 0 and 1, or of weights (not 0: a synapse), with or without names"),
      PF_ROW_WORD(rows, "rows", NULL, "post|pre",
                  "what a row of the file is: a postsynaptic unit (default) or a presynaptic one"),
  };
#undef PF_ROW_STRUCT
  static const char *const others[] = {"matrix"};
  mask_settings how = {.density = NAN};
  pf_view *view = NULL;
  if (!pf_node_is_group(self->node)) {
    return pf_fail(
        error, PF_STOP,
        "%s must be a group with one of `density`, `file` and `matrix`: %s: { density = 0.2; }",
        self->word, self->word);
  }
  const pf_group group = {.config = self->config,
                          .node = self->node,
                          .what = self->word,
                          .table = PF_ROWS(rows),
                          .others = {others, 1}};
  if (pf_view_create(&group, &view, error) != PF_OK) {
    return PF_STOP;
  }
  pf_status status = pf_settings_read(PF_ROWS(rows), pf_view_options(view), &how, error);
  if (status == PF_OK) {
    status = fill_as_configured(self, &how, error);
  }
  pf_settings_clear(PF_ROWS(rows), NULL, &how);
  pf_view_free(view);
  return status;
}

/** *out: [n_post][n_pre], or NULL where the entry has no such mask. */
static pf_status create_mask(mask self, const char *word, const pf_node *node, uint8_t **out,
                             pf_error *error)
{
  *out = NULL;
  if (node == NULL) {
    return PF_OK;
  }
  self.word = word;
  self.node = node;
  self.cells = pf_memory_need((size_t)(self.n_post * self.n_pre), 1, error);
  if (self.cells == NULL) {
    return PF_STOP;
  }
  if (read_and_fill(&self, error) != PF_OK) {
    pf_error_locate(error, self.config, node);
    pf_memory_free(self.cells);
    return PF_STOP;
  }
  *out = self.cells;
  return PF_OK;
}

static pf_status check_entry(const mask *self, const pf_node *entry, const pf_model *model,
                             pf_error *error)
{
  const pf_node *plastic = pf_node_get(entry, "plastic");
  if (self->index < 0) {
    return pf_config_fail(self->config, entry, error, "%s has no projection '%s'",
                          model->network->label, self->projection);
  }
  if (model->masks[self->index].connected != NULL || model->masks[self->index].changes != NULL) {
    return pf_config_fail(self->config, entry, error,
                          "projection '%s' is given masks twice; entries that share it need them "
                          "once",
                          self->projection);
  }
  if (plastic != NULL && pf_node_get(entry, "rule") == NULL) {
    return pf_config_fail(self->config, plastic, error,
                          "'%s' has no rule, so none of its weights change; remove `plastic` or "
                          "add rule = \"NAME\"",
                          self->projection);
  }
  return PF_OK;
}

static pf_status mask_entry(mask self, const pf_node *entry, pf_model *model, pf_error *error)
{
  uint8_t *connected = NULL, *plastic = NULL;
  self.index = pf_model_projection(model, self.projection, &self.n_post, &self.n_pre);
  if (check_entry(&self, entry, model, error) != PF_OK) {
    return PF_STOP;
  }
  pf_status status =
      create_mask(self, "connected", pf_node_get(entry, "connected"), &connected, error);
  if (status == PF_OK) {
    status = create_mask(self, "plastic", pf_node_get(entry, "plastic"), &plastic, error);
  }
  if (status == PF_OK) {
    status = pf_model_mask(model, self.index, connected, plastic, error);
  }
  pf_memory_free(connected);
  pf_memory_free(plastic);
  return status;
}

pf_status pf_projection_masks(const pf_models *models, const pf_network_settings *settings,
                              uint64_t seed, pf_model *model, pf_error *error)
{
  mask self = {.config = models->config, .seed = seed};
  if (settings->mask_seed >= 0) {
    self.seed = (uint64_t)settings->mask_seed;
  }
  for (size_t i = 0; i < settings->n_projections; i++) {
    const pf_node *entry = pf_node_at(pf_models_entries(models), (int64_t)i);
    char name[PF_PROJECTION_NAME];
    if (pf_node_get(entry, "connected") == NULL && pf_node_get(entry, "plastic") == NULL) {
      continue;
    }
    self.projection = name;
    if (pf_projection_name(models, settings, i, name, error) != PF_OK ||
        mask_entry(self, entry, model, error) != PF_OK) {
      return PF_STOP;
    }
  }
  return PF_OK;
}
