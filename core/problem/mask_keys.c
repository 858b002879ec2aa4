/* Masks of network.projections: given inline, from a file, or drawn with a density. */
#include "core/base/memory.h"
#include "core/base/random.h"
#include "core/model/masks.h"
#include "core/problem/build.h"
#include <plastfit/author/csv.h>

#include <math.h>
#include <string.h>

/** One mask being made. */
typedef struct mask {
  const pf_problem *problem;
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

/** A row of the file per postsynaptic unit, no header. */
static pf_status fill_from_file(const mask *self, const char *path, pf_error *error)
{
  pf_csv csv;
  int got = 0;
  int64_t i = 0;
  pf_status status = pf_csv_open(&csv, path, error);
  if (status != PF_OK) {
    return status;
  }
  status = pf_csv_next(&csv, &got, error);
  for (; status == PF_OK && got != 0; i++) {
    if ((int64_t)csv.n_fields != self->n_pre || i >= self->n_post) {
      status = pf_fail(error, PF_STOP,
                       "%.500s:%lld: row %lld of %zu cells; expected %lld rows (postsynaptic "
                       "units) of %lld cells "
                       "(presynaptic), 0 or 1, without a header",
                       path, (long long)csv.line, (long long)i + 1, csv.n_fields,
                       (long long)self->n_post, (long long)self->n_pre);
      break;
    }
    for (int64_t j = 0; j < self->n_pre && status == PF_OK; j++) {
      double value = NAN;
      const char *field = pf_csv_field(&csv, (size_t)j);
      if (pf_csv_number(field, &value) == 0 || (value != 0.0 && value != 1.0)) {
        status = pf_fail(error, PF_STOP, "%.500s:%lld: column %lld: found '%.60s', expected 0 or 1",
                         path, (long long)csv.line, (long long)j + 1, field);
      } else {
        self->cells[i * self->n_pre + j] = value != 0.0;
      }
    }
    status = status == PF_OK ? pf_csv_next(&csv, &got, error) : status;
  }
  pf_csv_close(&csv);
  if (status == PF_OK && i != self->n_post) {
    status =
        pf_fail(error, PF_STOP, "%.500s: found %lld rows, expected %lld, one a postsynaptic unit",
                path, (long long)i, (long long)self->n_post);
  }
  return status;
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

static pf_status fill(const mask *self, pf_error *error)
{
  static const pf_option keys[] = {
      {.name = "density",
       .type = PF_TYPE_REAL,
       .lower = 0,
       .upper = 1,
       .help = "probability of each synapse"},
      {.name = "file", .type = PF_TYPE_PATH, .help = "CSV of 0 and 1, a row per postsynaptic unit"},
  };
  static const char *const others[] = {"matrix"};
  pf_view *view = NULL;
  if (!pf_node_is_group(self->node)) {
    return pf_fail(
        error, PF_STOP,
        "%s must be a group with one of `density`, `file` and `matrix`: %s: { density = 0.2; }",
        self->word, self->word);
  }
  const pf_group group = {.config = self->problem->config,
                          .node = self->node,
                          .what = self->word,
                          .table = {keys, sizeof keys / sizeof keys[0], sizeof keys[0]},
                          .others = {others, 1}};
  pf_status status = pf_view_create(&group, &view, error);
  if (status != PF_OK) {
    return status;
  }
  const pf_options *options = pf_view_options(view);
  const pf_node *matrix = pf_node_get(self->node, "matrix");
  const int density = options->present(options, "density"),
            file = options->present(options, "file");
  if ((density != 0) + (file != 0) + (matrix != NULL) != 1) {
    status = pf_fail(error, PF_STOP, "%s: expected one of `density`, `file` and `matrix`, found %s",
                     self->word, density == 0 && file == 0 && matrix == NULL ? "none" : "more");
  } else if (matrix != NULL) {
    status = fill_inline(self, matrix, error);
  } else if (file != 0) {
    status = fill_from_file(self, options->string(options, "file"), error);
  } else {
    status = fill_by_chance(self, options->real(options, "density"), error);
  }
  status = status == PF_OK ? pf_view_verify(view, error) : status;
  pf_view_free(view);
  return status;
}

/** *out: [n_post][n_pre], or NULL where the entry has no such mask. */
static pf_status make(mask self, uint8_t **out, pf_error *error)
{
  *out = NULL;
  if (self.node == NULL) {
    return PF_OK;
  }
  self.cells = pf_memory_need((size_t)(self.n_post * self.n_pre), 1, error);
  if (self.cells == NULL) {
    return PF_STOP;
  }
  pf_status status = fill(&self, error);
  if (status != PF_OK) {
    pf_error_locate(error, self.problem->config, self.node);
    pf_memory_free(self.cells);
    return status;
  }
  *out = self.cells;
  return PF_OK;
}

static pf_status mask_entry(const pf_problem *problem, uint64_t seed, pf_model *model,
                            const pf_node *entry, const char *name, pf_error *error)
{
  mask self = {.problem = problem, .seed = seed, .projection = name};
  self.index = pf_model_projection(model, name, &self.n_post, &self.n_pre);
  if (self.index < 0) {
    pf_status status =
        pf_fail(error, PF_STOP, "%s has no projection '%s'", model->network->label, name);
    pf_error_locate(error, problem->config, entry);
    return status;
  }
  if (model->masks[self.index].connected != NULL || model->masks[self.index].changes != NULL) {
    pf_status status =
        pf_fail(error, PF_STOP,
                "projection '%s' is given masks twice; entries that share it need them once", name);
    pf_error_locate(error, problem->config, entry);
    return status;
  }
  uint8_t *connected = NULL, *plastic = NULL;
  mask one = self;
  one.word = "connected";
  one.node = pf_node_get(entry, "connected");
  pf_status status = make(one, &connected, error);
  one.word = "plastic";
  one.node = pf_node_get(entry, "plastic");
  if (status == PF_OK && one.node != NULL && pf_node_get(entry, "rule") == NULL) {
    status =
        pf_fail(error, PF_STOP,
                "'%s' has no rule, so none of its weights change; remove `plastic` or add rule = "
                "\"NAME\"",
                name);
    pf_error_locate(error, problem->config, one.node);
  }
  status = status == PF_OK ? make(one, &plastic, error) : status;
  status = status == PF_OK ? pf_model_mask(model, self.index, connected, plastic, error) : status;
  pf_memory_free(connected);
  pf_memory_free(plastic);
  return status;
}

pf_status pf_build_masks(const pf_problem *problem, const pf_options *options, pf_model *model,
                         pf_error *error)
{
  const pf_node *entries = pf_node_get(problem->models->network.node, "projections");
  const bool own = options->present(options, "mask_seed") != 0;
  const uint64_t seed =
      own ? (uint64_t)options->integer(options, "mask_seed") : problem->settings->seed;
  pf_status status = PF_OK;
  for (int64_t i = 0; i < options->length(options, "projections") && status == PF_OK; i++) {
    const pf_node *entry = pf_node_at(entries, i);
    char name[64];
    if (pf_node_get(entry, "connected") == NULL && pf_node_get(entry, "plastic") == NULL) {
      continue;
    }
    status = pf_build_projection_name(problem, options, i, name, sizeof name, error);
    status = status == PF_OK ? mask_entry(problem, seed, model, entry, name, error) : status;
  }
  return status;
}
