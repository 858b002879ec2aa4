/*
 * fly_mat - behaviour of flies in a two-odour task from .mat files, one file an animal:
 * X (odour of each encounter, one-hot), Y (1 accepted, 0 rejected), R (reward of each accept).
 *
 * A step is an encounter; weights change after accepts. See README.md.
 */
#include "animal_files.h"
#include "mat_file.h"
#include <math.h>
#include <plastfit/abi/plugin.h>
#include <string.h>

enum { VARIABLE_X, VARIABLE_Y, VARIABLE_R, N_VARIABLES };

typedef struct fly_mat {
  const pf_host *host;
  char *path;
  char *variables[N_VARIABLES];
  char **exclude; /**< [n_exclude] */
  size_t n_exclude;
  int64_t *block_end; /**< [n_blocks] trials up to and including each block */
  int64_t n_blocks;
} fly_mat;

static const char *const fly_mat_channels[] = {"reward"};
static const char *const fly_mat_targets[] = {"choice"};

static const pf_option fly_mat_options[] = {
    {.name = "path",
     .type = PF_TYPE_PATH,
     .required = 1,
     .help = "the files, one an animal: a pattern (\"Fly*.mat\") or one file"},
    {.name = "exclude",
     .type = PF_TYPE_STRINGS,
     .help = "animals to leave out, by name: [\"Fly10\"]"},
    {.name = "blocks.trials",
     .type = PF_TYPE_INTEGERS,
     .unit = "trials",
     .lower = 1,
     .upper = 1e9,
     .help = "trials of each block, in order; the files do not say"},
    {.name = "blocks.reward_ratio",
     .type = PF_TYPE_REALS,
     .unit = "1",
     .lower = 0,
     .upper = INFINITY,
     .help = "reward of the first odour over that of the second, one a block; for reports only"},
    {.name = "variables.x",
     .type = PF_TYPE_STRING,
     .fallback = "\"X\"",
     .help = "name of the odours, encounters x odours, one-hot"},
    {.name = "variables.y",
     .type = PF_TYPE_STRING,
     .fallback = "\"Y\"",
     .help = "name of the choices, one an encounter: 1 accepted, 0 rejected"},
    {.name = "variables.r",
     .type = PF_TYPE_STRING,
     .fallback = "\"R\"",
     .help = "name of the rewards, one an accept"},
};

/* ---- life ---- */

static void fly_mat_destroy(void *self)
{
  fly_mat *source = self;
  if (source == NULL) {
    return;
  }
  const pf_host *host = source->host;
  for (size_t i = 0; i < source->n_exclude; i++) {
    host->release(host, source->exclude[i]);
  }
  for (int v = 0; v < N_VARIABLES; v++) {
    host->release(host, source->variables[v]);
  }
  host->release(host, source->exclude);
  host->release(host, source->block_end);
  host->release(host, source->path);
  host->release(host, source);
}

static pf_status fly_mat_keep(const pf_host *host, const char *text, char **out, pf_error *error)
{
  const size_t bytes = strlen(text) + 1;
  *out = host->allocate(host, bytes);
  if (*out == NULL) {
    return pf_fail(error, PF_STOP, "out of memory for a source");
  }
  memcpy(*out, text, bytes);
  return PF_OK;
}

static pf_status fly_mat_keep_texts(fly_mat *source, const pf_options *options, pf_error *error)
{
  static const char *const keys[N_VARIABLES] = {"variables.x", "variables.y", "variables.r"};
  const pf_host *host = source->host;
  if (fly_mat_keep(host, options->string(options, "path"), &source->path, error) != PF_OK) {
    return PF_STOP;
  }
  for (int v = 0; v < N_VARIABLES; v++) {
    const char *name = options->string(options, keys[v]);
    if (fly_mat_keep(host, name, &source->variables[v], error) != PF_OK) {
      return PF_STOP;
    }
  }
  const int64_t n_exclude = options->length(options, "exclude");
  if (n_exclude > 0) {
    source->exclude = host->allocate(host, (size_t)n_exclude * sizeof *source->exclude);
    if (source->exclude == NULL) {
      return pf_fail(error, PF_STOP, "out of memory for a source");
    }
  }
  while (source->n_exclude < (size_t)n_exclude) {
    const int64_t i = (int64_t)source->n_exclude++;
    const char *name = options->string_at(options, "exclude", i);
    if (fly_mat_keep(host, name, &source->exclude[i], error) != PF_OK) {
      return PF_STOP;
    }
  }
  return PF_OK;
}

static pf_status fly_mat_keep_blocks(fly_mat *source, const pf_options *options, pf_error *error)
{
  const int64_t n = options->length(options, "blocks.trials");
  const int64_t n_ratios = options->length(options, "blocks.reward_ratio");
  if (n_ratios > 0 && n_ratios != n) {
    return pf_fail_key(error, PF_STOP, "blocks.reward_ratio",
                       "%lld ratios for %lld blocks of blocks.trials", (long long)n_ratios,
                       (long long)n);
  }
  if (n == 0) {
    return PF_OK;
  }
  source->block_end = source->host->allocate(source->host, (size_t)n * sizeof *source->block_end);
  if (source->block_end == NULL) {
    return pf_fail(error, PF_STOP, "out of memory for a source");
  }
  int64_t end = 0;
  for (int64_t b = 0; b < n; b++) {
    const int64_t trials = options->integer_at(options, "blocks.trials", b);
    if (trials < 1 || trials > 1000000000) {
      return pf_fail_key(error, PF_STOP, "blocks.trials",
                         "block %lld of %lld trials; expected at least 1", (long long)b,
                         (long long)trials);
    }
    end += trials;
    source->block_end[b] = end;
  }
  source->n_blocks = n;
  return PF_OK;
}

static pf_status fly_mat_create(const pf_host *host, const pf_options *options, void **self,
                                pf_error *error)
{
  fly_mat *source = host->allocate(host, sizeof *source);
  if (source == NULL) {
    return pf_fail(error, PF_STOP, "out of memory for a source");
  }
  source->host = host;
  pf_status status = fly_mat_keep_texts(source, options, error);
  if (status == PF_OK) {
    status = fly_mat_keep_blocks(source, options, error);
  }
  if (status != PF_OK) {
    fly_mat_destroy(source);
    return status;
  }
  *self = source;
  return PF_OK;
}

static pf_status fly_mat_declare(const void *self, pf_source_declaration *declared, pf_error *error)
{
  (void)self;
  (void)error;
  declared->n_input = 0; /* as many as X has columns */
  declared->channels = (pf_names)PF_NAMES_OF(fly_mat_channels);
  declared->targets = (pf_names)PF_NAMES_OF(fly_mat_targets);
  return PF_OK;
}

/* ---- checking one file ---- */

static int64_t fly_mat_cells(const fly_mat_matrix *m)
{
  return m->n_rows * m->n_columns;
}

static int fly_mat_is_vector(const fly_mat_matrix *m)
{
  return m->n_columns == 1 || m->n_rows == 1 || fly_mat_cells(m) == 0;
}

static pf_status fly_mat_check_shapes(const fly_mat *source, const char *path,
                                      const fly_mat_matrix *m, pf_error *error)
{
  const fly_mat_matrix *x = &m[VARIABLE_X];
  const fly_mat_matrix *y = &m[VARIABLE_Y];
  const fly_mat_matrix *r = &m[VARIABLE_R];
  char *const *name = source->variables;
  if (!fly_mat_is_vector(y)) {
    return pf_fail(error, PF_STOP, "%s: %s is %lld x %lld; expected one choice an encounter", path,
                   name[VARIABLE_Y], (long long)y->n_rows, (long long)y->n_columns);
  }
  if (!fly_mat_is_vector(r)) {
    return pf_fail(error, PF_STOP, "%s: %s is %lld x %lld; expected one reward an accept", path,
                   name[VARIABLE_R], (long long)r->n_rows, (long long)r->n_columns);
  }
  if (fly_mat_cells(y) == 0) {
    return pf_fail(error, PF_STOP,
                   "%s: %s is empty: the animal has no trial; leave it out with exclude", path,
                   name[VARIABLE_Y]);
  }
  if (x->n_rows != fly_mat_cells(y) || x->n_columns < 1) {
    return pf_fail(
        error, PF_STOP,
        "%s: %s is %lld x %lld; expected %lld rows, one an encounter of %s, and a column an odour",
        path, name[VARIABLE_X], (long long)x->n_rows, (long long)x->n_columns,
        (long long)fly_mat_cells(y), name[VARIABLE_Y]);
  }
  return PF_OK;
}

static pf_status fly_mat_check_values(const fly_mat *source, const char *path,
                                      const fly_mat_matrix *m, pf_error *error)
{
  const fly_mat_matrix *x = &m[VARIABLE_X];
  const double *y = m[VARIABLE_Y].values;
  const fly_mat_matrix *r = &m[VARIABLE_R];
  char *const *name = source->variables;
  int64_t accepts = 0;
  for (int64_t t = 0; t < x->n_rows; t++) {
    int64_t ones = 0;
    int64_t zeros = 0;
    for (int64_t j = 0; j < x->n_columns; j++) {
      ones += x->values[t * x->n_columns + j] == 1.0;
      zeros += x->values[t * x->n_columns + j] == 0.0;
    }
    if (ones != 1 || zeros != x->n_columns - 1) {
      return pf_fail(error, PF_STOP,
                     "%s: row %lld of %s is not one-hot; expected a single 1 and zeros", path,
                     (long long)t + 1, name[VARIABLE_X]);
    }
    if (y[t] != 0.0 && y[t] != 1.0) {
      return pf_fail(error, PF_STOP, "%s: %s(%lld) is %g; expected 1 (accepted) or 0 (rejected)",
                     path, name[VARIABLE_Y], (long long)t + 1, y[t]);
    }
    accepts += y[t] == 1.0;
  }
  if (accepts != fly_mat_cells(r)) {
    return pf_fail(
        error, PF_STOP, "%s: %s has %lld accepts but %s has %lld rewards; expected one an accept",
        path, name[VARIABLE_Y], (long long)accepts, name[VARIABLE_R], (long long)fly_mat_cells(r));
  }
  for (int64_t k = 0; k < accepts; k++) {
    if (!isfinite(r->values[k])) {
      return pf_fail(error, PF_STOP, "%s: %s(%lld) is %g; expected a number", path,
                     name[VARIABLE_R], (long long)k + 1, r->values[k]);
    }
  }
  if (source->n_blocks > 0 && accepts > source->block_end[source->n_blocks - 1]) {
    return pf_fail_key(error, PF_STOP, "blocks.trials",
                       "%s has %lld trials, more than the %lld of all blocks", path,
                       (long long)accepts, (long long)source->block_end[source->n_blocks - 1]);
  }
  return PF_OK;
}

/* ---- handing over ---- */

/** What an experiment points to while it is handed over. */
typedef struct fly_mat_steps {
  uint32_t *flags;
  int64_t *trial, *block;
  double *reward;
} fly_mat_steps;

static void fly_mat_free_steps(const pf_host *host, fly_mat_steps *steps)
{
  host->release(host, steps->flags);
  host->release(host, steps->trial);
  host->release(host, steps->block);
  host->release(host, steps->reward);
}

static pf_status fly_mat_fill_steps(const fly_mat *source, const char *path,
                                    const fly_mat_matrix *m, fly_mat_steps *steps, pf_error *error)
{
  const pf_host *host = source->host;
  const int64_t n_steps = m[VARIABLE_X].n_rows;
  const double *y = m[VARIABLE_Y].values;
  steps->flags = host->allocate(host, (size_t)n_steps * sizeof *steps->flags);
  steps->trial = host->allocate(host, (size_t)n_steps * sizeof *steps->trial);
  steps->block = host->allocate(host, (size_t)n_steps * sizeof *steps->block);
  steps->reward = host->allocate(host, (size_t)n_steps * sizeof *steps->reward);
  if (steps->flags == NULL || steps->trial == NULL || steps->block == NULL ||
      steps->reward == NULL) {
    return pf_fail(error, PF_STOP, "%s: out of memory for %lld encounters", path,
                   (long long)n_steps);
  }
  int64_t trial = 0;
  int64_t block = 0;
  for (int64_t t = 0; t < n_steps; t++) {
    const int accepted = y[t] == 1.0;
    while (block < source->n_blocks - 1 && trial >= source->block_end[block]) {
      block++;
    }
    steps->flags[t] = (uint32_t)PF_STEP_FIT | (uint32_t)PF_STEP_SCORE |
                      (accepted ? (uint32_t)PF_STEP_PLASTIC : 0);
    steps->trial[t] = trial;
    steps->block[t] = block;
    steps->reward[t] =
        accepted ? m[VARIABLE_R].values[trial] : (double)NAN; /* accepts so far = trials so far */
    trial += accepted;
  }
  return PF_OK;
}

static pf_status fly_mat_hand_over(const fly_mat *source, const fly_mat_animal *animal,
                                   const fly_mat_matrix *m, const pf_sink *sink, pf_error *error)
{
  fly_mat_steps steps = {0};
  pf_status status = fly_mat_fill_steps(source, animal->path, m, &steps, error);
  if (status == PF_OK) {
    const pf_channel channels[] = {{fly_mat_channels[0], steps.reward}};
    const pf_target targets[] = {{fly_mat_targets[0], 1, m[VARIABLE_Y].values}};
    const pf_experiment experiment = {
        .size = sizeof experiment,
        .animal = animal->name,
        .name = animal->path,
        .n_steps = m[VARIABLE_X].n_rows,
        .n_input = m[VARIABLE_X].n_columns,
        .cue = m[VARIABLE_X].values,
        .flags = steps.flags,
        .trial = steps.trial,
        .block = steps.block,
        .channels = PF_TABLE_OF(channels),
        .targets = PF_TABLE_OF(targets),
    };
    status = sink->experiment(sink, &experiment, error);
  }
  fly_mat_free_steps(source->host, &steps);
  return status;
}

static pf_status fly_mat_read_animal(const fly_mat *source, const fly_mat_animal *animal,
                                     const pf_sink *sink, pf_error *error)
{
  const char *const names[N_VARIABLES] = {
      source->variables[VARIABLE_X], source->variables[VARIABLE_Y], source->variables[VARIABLE_R]};
  fly_mat_matrix matrices[N_VARIABLES];
  pf_status status =
      fly_mat_read_matrices(source->host, animal->path, names, N_VARIABLES, matrices, error);
  if (status != PF_OK) {
    return status;
  }
  status = fly_mat_check_shapes(source, animal->path, matrices, error);
  if (status == PF_OK) {
    status = fly_mat_check_values(source, animal->path, matrices, error);
  }
  if (status == PF_OK) {
    status = fly_mat_hand_over(source, animal, matrices, sink, error);
  }
  fly_mat_free_matrices(source->host, matrices, N_VARIABLES);
  return status;
}

static pf_status fly_mat_read(const void *self, const pf_sink *sink, pf_error *error)
{
  const fly_mat *source = self;
  const pf_names exclude = {(const char *const *)source->exclude, source->n_exclude};
  fly_mat_animals animals;
  pf_status status = fly_mat_find(source->host, source->path, exclude, &animals, error);
  if (status != PF_OK) {
    return status;
  }
  for (size_t i = 0; i < animals.n; i++) {
    status = fly_mat_read_animal(source, &animals.items[i], sink, error);
    if (status != PF_OK) {
      break;
    }
  }
  fly_mat_free_animals(source->host, &animals);
  return status;
}

/* ---- descriptor ---- */

static const pf_source_ops fly_mat_ops = {
    .size = sizeof(pf_source_ops),
    .create = fly_mat_create,
    .destroy = fly_mat_destroy,
    .declare = fly_mat_declare,
    .read = fly_mat_read,
};

static const char *const fly_mat_aliases[] = {"mat"};

static const pf_plugin fly_mat_plugin = {
    PF_PLUGIN_HEAD(PF_KIND_SOURCE),
    .name = "fly_mat",
    .version = "1.0",
    .summary = "choices of flies between odours, from .mat files with X, Y and R",
    .aliases = PF_NAMES_OF(fly_mat_aliases),
    .options = PF_TABLE_OF(fly_mat_options),
    .source = &fly_mat_ops,
};

PF_PLUGIN_ENTRY(fly_mat)
{
  return &fly_mat_plugin;
}
