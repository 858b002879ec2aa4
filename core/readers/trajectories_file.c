#include "core/readers/trajectories_file.h"

#include "core/base/memory.h"
#include "core/base/text.h"

#include <stdlib.h>
#include <string.h>

/* Columns that are kept whole, and how many cells at most: of many short experiments reading each
 * part from the file would take most of the time. */
enum { MAX_COLUMNS = 32, MAX_PATH = 700 };
static const size_t max_cells_of_column = (size_t)1 << 22;
static const size_t max_cells_of_all = (size_t)1 << 24;

typedef struct column {
  char path[MAX_PATH]; /* in the file; "": free */
  bool found;
  pf_h5_array whole; /* values NULL: too many to keep */
} column;

typedef struct named_animal {
  const char *name;
  size_t animal;
} named_animal;

/** What a packed file says of its experiments. */
typedef struct packed_index {
  char **animals; /**< [n_animals] */
  size_t n_animals;
  named_animal *by_name; /**< [n_animals] sorted */
  size_t *first;         /**< [n_animals + 1] its first experiment */
  pf_h5_span *steps;     /**< [n_experiments] */
  pf_h5_span *states;    /**< [n_experiments] of the weights */
  size_t n_experiments;
} packed_index;

struct pf_trajectories_file {
  pf_h5_reader *reader;
  bool packed;
  packed_index index;
  column columns[MAX_COLUMNS];
  size_t next;    /* column that makes room for another */
  size_t n_cells; /* kept */
};

/* ---- what a packed file says ---- */

static int compare_animals(const void *a, const void *b)
{
  return strcmp(((const named_animal *)a)->name, ((const named_animal *)b)->name);
}

/** A vector of whole numbers, 0 or more; NULL where there is none of n. */
static double *read_indices(pf_h5_reader *reader, const char *path, size_t n)
{
  pf_h5_array array;
  if (!pf_h5_read(reader, path, NULL, &array)) {
    return NULL;
  }
  bool good = array.rank == 1 && array.n[0] == n;
  for (size_t i = 0; good && i < n; i++) {
    good = array.values[i] >= 0.0 && array.values[i] < 9e15;
  }
  if (!good) {
    pf_memory_free(array.values);
    return NULL;
  }
  return array.values;
}

/** Where rows of each experiment are; zeros where the file does not say. */
static pf_h5_span *read_spans(pf_h5_reader *reader, const char *first, const char *count, size_t n)
{
  double *from = read_indices(reader, first, n), *counts = read_indices(reader, count, n);
  pf_h5_span *spans = pf_memory_new(n, sizeof *spans);
  for (size_t i = 0; spans != NULL && from != NULL && counts != NULL && i < n; i++) {
    spans[i] = (pf_h5_span){(size_t)from[i], (size_t)counts[i]};
  }
  pf_memory_free(from);
  pf_memory_free(counts);
  return spans;
}

/** Experiments stand in the order of the animals. false: they do not. */
static bool find_first_experiments(packed_index *index, const double *animal)
{
  size_t a = 0;
  for (size_t i = 0; i < index->n_experiments; i++) {
    if (!(animal[i] >= (double)a && animal[i] < (double)index->n_animals)) {
      return false;
    }
    while ((double)a < animal[i]) {
      index->first[++a] = i;
    }
  }
  while (a < index->n_animals) {
    index->first[++a] = index->n_experiments;
  }
  return true;
}

static void free_index(packed_index *index)
{
  pf_h5_children_free(index->animals, index->n_animals);
  pf_memory_free(index->by_name);
  pf_memory_free(index->first);
  pf_memory_free(index->steps);
  pf_memory_free(index->states);
  *index = (packed_index){0};
}

/** false: it does not hold together, or memory is out. */
static bool read_experiments(pf_h5_reader *reader, packed_index *index)
{
  pf_h5_array animal;
  if (!pf_h5_read(reader, "/experiments/animal", NULL, &animal)) {
    return false;
  }
  index->n_experiments = animal.rank == 1 ? animal.n[0] : 0;
  const bool ordered = find_first_experiments(index, animal.values);
  pf_memory_free(animal.values);
  if (!ordered) {
    return false;
  }
  index->steps =
      read_spans(reader, "/experiments/first_step", "/experiments/n_steps", index->n_experiments);
  index->states =
      read_spans(reader, "/experiments/first_state", "/experiments/n_states", index->n_experiments);
  return index->steps != NULL && index->states != NULL;
}

static void read_index(pf_trajectories_file *file)
{
  packed_index *index = &file->index;
  file->packed =
      pf_h5_read_texts(file->reader, "/animals/group", &index->animals, &index->n_animals);
  if (!file->packed) {
    return;
  }
  index->by_name = pf_memory_new(index->n_animals, sizeof *index->by_name);
  index->first = pf_memory_new(index->n_animals + 1, sizeof *index->first);
  if (index->by_name == NULL || index->first == NULL || !read_experiments(file->reader, index)) {
    free_index(index); /* as if it had no animal */
    return;
  }
  for (size_t a = 0; a < index->n_animals; a++) {
    index->by_name[a] = (named_animal){index->animals[a], a};
  }
  qsort(index->by_name, index->n_animals, sizeof *index->by_name, compare_animals);
}

pf_status pf_trajectories_open(const char *path, pf_trajectories_file **out, pf_error *error)
{
  pf_trajectories_file *file = pf_memory_need(1, sizeof *file, error);
  if (file == NULL) {
    return PF_STOP;
  }
  const pf_status status = pf_h5_open(path, &file->reader, error);
  if (status != PF_OK) {
    pf_memory_free(file);
    return status;
  }
  read_index(file);
  *out = file;
  return PF_OK;
}

void pf_trajectories_shut(pf_trajectories_file *file)
{
  if (file == NULL) {
    return;
  }
  for (size_t c = 0; c < MAX_COLUMNS; c++) {
    pf_memory_free(file->columns[c].whole.values);
  }
  free_index(&file->index);
  pf_h5_shut(file->reader);
  pf_memory_free(file);
}

/* ---- columns ---- */

static void keep_values(pf_trajectories_file *file, column *c)
{
  size_t cells = 1;
  for (size_t k = 0; k < 3; k++) {
    if (c->whole.n[k] > max_cells_of_column || cells * c->whole.n[k] > max_cells_of_column) {
      return;
    }
    cells *= c->whole.n[k];
  }
  if (cells > max_cells_of_all - file->n_cells) {
    return;
  }
  pf_h5_array whole;
  if (pf_h5_read(file->reader, c->path, NULL, &whole)) {
    c->whole = whole;
    file->n_cells += cells;
  }
}

static void drop_column(pf_trajectories_file *file, column *c)
{
  if (c->whole.values != NULL) {
    file->n_cells -= c->whole.n[0] * c->whole.n[1] * c->whole.n[2];
    pf_memory_free(c->whole.values);
  }
  *c = (column){0};
}

static const column *open_column(pf_trajectories_file *file, const char *path)
{
  for (size_t c = 0; c < MAX_COLUMNS; c++) {
    if (strcmp(file->columns[c].path, path) == 0) {
      return &file->columns[c];
    }
  }
  column *c = &file->columns[file->next++ % MAX_COLUMNS];
  drop_column(file, c);
  (void)snprintf(c->path, sizeof c->path, "%s", path);
  c->found = pf_h5_shape(file->reader, path, &c->whole);
  if (c->found) {
    keep_values(file, c);
  }
  return c;
}

/* ---- paths ---- */

/** What a path of the layout of groups stands for in a packed file. */
typedef struct packed_path {
  enum { IS_NOTHING, IS_ROOT, IS_ANIMAL, IS_EXPERIMENT, IS_ARRAY } what;
  size_t animal;
  pf_h5_span rows;     /**< of an array */
  char path[MAX_PATH]; /**< in the file, of what lies in an experiment */
} packed_path;

/** The next part of a path, which ends at '/' or at the end; false: there is none, or it is too
 * long. */
static bool take_part(const char **path, char *part, size_t capacity)
{
  *path += **path == '/' ? 1 : 0;
  const size_t n = strcspn(*path, "/");
  if (n == 0 || n >= capacity) {
    return false;
  }
  (void)snprintf(part, capacity, "%.*s", (int)n, *path);
  *path += n;
  return true;
}

static bool find_animal(const packed_index *index, const char *name, size_t *animal)
{
  const named_animal wanted = {.name = name};
  const named_animal *found = index->n_animals == 0
                                  ? NULL
                                  : bsearch(&wanted, index->by_name, index->n_animals,
                                            sizeof *index->by_name, compare_animals);
  if (found != NULL) {
    *animal = found->animal;
  }
  return found != NULL;
}

static bool find_experiment(const packed_index *index, size_t animal, const char *name,
                            size_t *experiment)
{
  static const char before[] = "experiment_";
  const size_t n = index->first[animal + 1] - index->first[animal];
  char *end = NULL;
  if (strncmp(name, before, sizeof before - 1) != 0) {
    return false;
  }
  const unsigned long k = strtoul(name + sizeof before - 1, &end, 10);
  *experiment = index->first[animal] + k;
  return *end == '\0' && k < n;
}

/** What lies at `rest` in an experiment: rows of the table of steps, or of that of states. */
static void find_array(const packed_index *index, size_t experiment, const char *rest,
                       packed_path *out)
{
  const char *last = strrchr(rest, '/');
  const bool is_state = strncmp(rest, "/weights", 8) == 0;
  const bool is_shared = is_state && last != NULL && last > rest &&
                         (strcmp(last, "/step") == 0 || strcmp(last, "/change") == 0);
  out->what = IS_ARRAY;
  out->rows = is_state ? index->states[experiment] : index->steps[experiment];
  (void)snprintf(out->path, sizeof out->path, "/%s%.600s", is_state ? "states" : "steps",
                 is_shared ? last : rest);
}

static packed_path resolve_path(const packed_index *index, const char *path)
{
  packed_path out = {.what = IS_NOTHING};
  char part[256];
  size_t experiment = 0;
  if (strcmp(path, "/") == 0) {
    out.what = IS_ROOT;
    return out;
  }
  if (!take_part(&path, part, sizeof part) || !find_animal(index, part, &out.animal)) {
    return out;
  }
  if (*path == '\0') {
    out.what = IS_ANIMAL;
    return out;
  }
  if (!take_part(&path, part, sizeof part) ||
      !find_experiment(index, out.animal, part, &experiment)) {
    return out;
  }
  if (*path == '\0') {
    out.what = IS_EXPERIMENT;
    return out;
  }
  find_array(index, experiment, path, &out);
  return out;
}

/* ---- what is asked for ---- */

static int natural_order(const void *a, const void *b)
{
  return pf_text_natural_compare(*(char *const *)a, *(char *const *)b);
}

static pf_status list_animals(const packed_index *index, char ***names, size_t *n, pf_error *error)
{
  char **all = pf_memory_need(index->n_animals, sizeof *all, error);
  if (all == NULL) {
    return PF_STOP;
  }
  for (size_t a = 0; a < index->n_animals; a++) {
    all[a] = pf_memory_string(index->animals[a], error);
    if (all[a] == NULL) {
      pf_h5_children_free(all, a);
      return PF_STOP;
    }
  }
  qsort(all, index->n_animals, sizeof *all, natural_order);
  *names = all;
  *n = index->n_animals;
  return PF_OK;
}

static pf_status list_experiments(const packed_index *index, size_t animal, char ***names,
                                  size_t *n, pf_error *error)
{
  const size_t count = index->first[animal + 1] - index->first[animal];
  char **all = pf_memory_need(count, sizeof *all, error);
  if (all == NULL) {
    return PF_STOP;
  }
  for (size_t e = 0; e < count; e++) {
    char name[48];
    (void)snprintf(name, sizeof name, "experiment_%zu", e);
    all[e] = pf_memory_string(name, error);
    if (all[e] == NULL) {
      pf_h5_children_free(all, e);
      return PF_STOP;
    }
  }
  *names = all;
  *n = count;
  return PF_OK;
}

pf_status pf_trajectories_children(pf_trajectories_file *file, const char *path, char ***names,
                                   size_t *n, pf_error *error)
{
  if (!file->packed) {
    return pf_h5_children(file->reader, path, names, n, error);
  }
  *names = NULL;
  *n = 0;
  const packed_path at = resolve_path(&file->index, path);
  switch (at.what) {
  case IS_ROOT:
    return list_animals(&file->index, names, n, error);
  case IS_ANIMAL:
    return list_experiments(&file->index, at.animal, names, n, error);
  case IS_ARRAY:
    return at.rows.n > 0 ? pf_h5_children(file->reader, at.path, names, n, error) : PF_OK;
  case IS_EXPERIMENT:
  case IS_NOTHING:
  default:
    return PF_OK;
  }
}

bool pf_trajectories_shape(pf_trajectories_file *file, const char *path, pf_h5_array *out)
{
  if (!file->packed) {
    return pf_h5_shape(file->reader, path, out);
  }
  *out = (pf_h5_array){.n = {0, 1, 1}};
  const packed_path at = resolve_path(&file->index, path);
  const column *c = at.what == IS_ARRAY ? open_column(file, at.path) : NULL;
  if (c == NULL || !c->found || at.rows.n == 0 || at.rows.first > c->whole.n[0] ||
      at.rows.n > c->whole.n[0] - at.rows.first) {
    return false;
  }
  *out = c->whole;
  out->values = NULL;
  out->n[0] = at.rows.n;
  return true;
}

/** Every step[k]-th of rows that are kept; *out has their shape. */
static bool copy_rows(const double *from, const size_t *step, pf_h5_array *out)
{
  const size_t wide[3] = {out->n[0], out->n[1], out->n[2]};
  size_t by[3] = {1, 1, 1};
  for (size_t k = 0; k < 3; k++) {
    by[k] = step != NULL && k < (size_t)out->rank ? step[k] : 1;
    out->n[k] = wide[k] == 0 ? 0 : (wide[k] - 1) / by[k] + 1;
  }
  double *to = out->values = pf_memory_new(out->n[0] * out->n[1] * out->n[2], sizeof *to);
  if (to == NULL) {
    return false;
  }
  for (size_t i = 0; i < wide[0]; i += by[0]) {
    for (size_t j = 0; j < wide[1]; j += by[1]) {
      for (size_t k = 0; k < wide[2]; k += by[2]) {
        *to++ = from[(i * wide[1] + j) * wide[2] + k];
      }
    }
  }
  return true;
}

bool pf_trajectories_read(pf_trajectories_file *file, const char *path, const size_t *step,
                          pf_h5_array *out)
{
  if (!file->packed) {
    return pf_h5_read(file->reader, path, step, out);
  }
  if (!pf_trajectories_shape(file, path, out)) {
    return false;
  }
  const packed_path at = resolve_path(&file->index, path);
  const column *c = open_column(file, at.path);
  if (c->whole.values == NULL) {
    return pf_h5_read_span(file->reader, at.path, at.rows, step, out);
  }
  return copy_rows(c->whole.values + at.rows.first * out->n[1] * out->n[2], step, out);
}
