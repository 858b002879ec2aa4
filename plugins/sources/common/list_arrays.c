#include "experiments.h"

/* Cells of an array that are looked at, at most: beyond, its shape alone is told. */
enum { LIST_MOST_CELLS = 4000000 };

/** "datasets" of the key "datasets.inputs". */
static void group_of(const char *key, char *group, size_t capacity)
{
  (void)snprintf(group, capacity, "%.*s", (int)strcspn(key, "."), key);
}

static void release_texts(const pf_host *host, char **texts, size_t n)
{
  for (size_t k = 0; texts != NULL && k < n; k++) {
    host->release(host, texts[k]);
  }
  host->release(host, texts);
}

static pf_status list_array(const container *of, size_t i, const char *option,
                            const pf_column_sink *sink, pf_error *error)
{
  const pf_host *host = of->host;
  const container_array *array = &of->arrays[i];
  const double n_cells = (double)array->rows * (double)array->columns;
  const int is_shown = array->why == NULL && n_cells <= LIST_MOST_CELLS;
  const size_t n = is_shown ? (size_t)n_cells : 0;
  double *numbers = NULL;
  char **texts = NULL;
  pf_status status = PF_OK;
  if (is_shown && array->is_text) {
    texts = host->allocate(host, (n + 1) * sizeof *texts);
    status = texts == NULL ? pf_fail(error, PF_STOP, "out of memory")
                           : of->format->texts(of, i, texts, error);
  } else if (is_shown) {
    numbers = host->allocate(host, (n + 1) * sizeof *numbers);
    status = numbers == NULL ? pf_fail(error, PF_STOP, "out of memory")
                             : of->format->numbers(of, i, numbers, error);
  }
  if (status == PF_OK) {
    const pf_column column = {.size = sizeof column,
                              .name = array->name,
                              .why = array->why,
                              .option = option,
                              .word = of->format->word,
                              .rows = array->rows,
                              .columns = array->columns,
                              .n_dims = array->n_dims,
                              .numbers = numbers,
                              .texts = (const char *const *)texts};
    status = sink->column(sink, &column, error);
  }
  release_texts(host, texts, n);
  host->release(host, numbers);
  return status;
}

pf_status table_list(const pf_host *host, const pf_options *options, const table_kind *kind,
                     const pf_column_sink *sink, pf_error *error)
{
  table_files files = {0};
  char option[64];
  group_of(kind->variables->inputs, option, sizeof option);
  pf_status status = table_arrays_open(host, options, kind->format, &files, error);
  if (status != PF_OK) {
    table_files_free(host, &files);
    return status;
  }
  for (size_t i = 0; i < files.shape.n; i++) {
    status = list_array(&files.shape, i, option, sink, error);
    if (status != PF_OK) {
      break;
    }
  }
  table_files_free(host, &files);
  return status;
}
