#include "core/uncertainty/spectrum.h"

#include "core/base/memory.h"

#include <lapacke.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* A share of a free direction (scaled, of length 1) that counts as none. Rounding mixes directions
 * by about 1e-15 over the smallest eigenvalue that is kept; with a cut of 1e-11 that is 1e-4. */
static const double no_part = 1e-4;
/* I_kk relative to the largest, as it is and in units of the values themselves: no information at
 * all. Units of a value may be anything, and I goes by squares.
 */
static const double no_information = 1e-28;

/* ---- eigenvalues ---- */

/* `values` MAY be NULL. */
static pf_status scale_of(const double *information, const double *values, size_t n, double *scale,
                          pf_error *error)
{
  double largest = 0.0, largest_in_values = 0.0;
  for (size_t i = 0; i < n * n; i++) {
    if (!isfinite(information[i])) {
      return pf_fail(error, PF_POINT_FAILED, "the Fisher information is not finite");
    }
  }
  for (size_t k = 0; k < n; k++) {
    const double size = values == NULL ? 0.0 : values[k];
    largest = fmax(largest, information[k * n + k]);
    largest_in_values = fmax(largest_in_values, information[k * n + k] * size * size);
  }
  for (size_t k = 0; k < n; k++) {
    const double own = information[k * n + k], size = values == NULL ? 0.0 : values[k];
    const bool any =
        own > no_information * largest || own * size * size > no_information * largest_in_values;
    scale[k] = any && isfinite(1.0 / sqrt(own)) ? 1.0 / sqrt(own) : 0.0;
  }
  return PF_OK;
}

/** Row i of `vectors` becomes eigenvector i: values without information first, each a direction of
 * its own. */
static pf_status find_eigenvectors(pf_spectrum *s, const double *information, pf_error *error)
{
  const size_t n = s->n;
  size_t m = 0;
  size_t *kept = pf_memory_need(n, sizeof *kept, error);
  double *matrix = pf_memory_need(n * n, sizeof *matrix, error);
  double *values = pf_memory_need(n, sizeof *values, error);
  pf_status status = PF_OK;
  if (kept == NULL || matrix == NULL || values == NULL) {
    status = PF_STOP;
    goto done;
  }
  for (size_t k = 0; k < n; k++) {
    if (s->scale[k] > 0.0) {
      kept[m++] = k;
    } else {
      s->vectors[(k - m) * n + k] = 1.0;
    }
  }
  const size_t first = n - m;
  for (size_t a = 0; a < m; a++) {
    for (size_t b = 0; b < m; b++) {
      const size_t i = kept[a], j = kept[b];
      const double both = 0.5 * (information[i * n + j] + information[j * n + i]);
      matrix[a * m + b] = a == b ? 1.0 : both * s->scale[i] * s->scale[j];
    }
  }
  const lapack_int size = (lapack_int)m;
  if (m > 0 && LAPACKE_dsyevd(LAPACK_ROW_MAJOR, 'V', 'U', size, matrix, size, values) != 0) {
    status = pf_fail(error, PF_POINT_FAILED,
                     "the Fisher information has no eigenvalues to working precision");
    goto done;
  }
  for (size_t i = 0; i < m; i++) {
    s->eigenvalues[first + i] = values[i];
    for (size_t a = 0; a < m; a++) { /* LAPACK's eigenvectors are columns */
      s->vectors[(first + i) * n + kept[a]] = matrix[a * m + i];
    }
  }
done:
  pf_memory_free(kept);
  pf_memory_free(matrix);
  pf_memory_free(values);
  return status;
}

/* ---- elimination ---- */

static void swap_rows(double *a, double *b, size_t n)
{
  for (size_t j = 0; j < n; j++) {
    const double at_bound = a[j];
    a[j] = b[j];
    b[j] = at_bound;
  }
}

/**
 * Gauss-Jordan: rows [m][n] become reduced ones, each 1 in its pivot column, where the others are
 * 0. Columns are taken in their order, of each the largest entry that is left; with `complete` the
 * largest entry of all columns that are left. pivots: [m]. What is smaller than no_part becomes 0.
 * Returns the rank.
 */
static size_t reduce_rows(double *rows, size_t m, size_t n, bool complete, size_t *pivots)
{
  size_t rank = 0;
  for (size_t column = 0; column < n && rank < m; column++) {
    size_t best_row = rank;
    size_t best_column = column;
    for (size_t i = rank; i < m; i++) {
      for (size_t j = complete ? 0 : column; j < (complete ? n : column + 1); j++) {
        if (fabs(rows[i * n + j]) > fabs(rows[best_row * n + best_column])) {
          best_row = i;
          best_column = j;
        }
      }
    }
    const double pivot = rows[best_row * n + best_column];
    if (fabs(pivot) <= no_part) {
      continue;
    }
    swap_rows(&rows[rank * n], &rows[best_row * n], n);
    for (size_t j = 0; j < n; j++) {
      rows[rank * n + j] /= pivot;
    }
    for (size_t i = 0; i < m; i++) {
      const double factor = i == rank ? 0.0 : rows[i * n + best_column];
      for (size_t j = 0; j < n && factor != 0.0; j++) {
        rows[i * n + j] -= factor * rows[rank * n + j];
      }
    }
    pivots[rank++] = best_column;
  }
  for (size_t i = 0; i < m * n; i++) {
    rows[i] = fabs(rows[i]) <= no_part ? 0.0 : rows[i];
  }
  return rank;
}

/* ---- groups ---- */

/** The reduced null space (reduce_rows), and which of its rows and values are in a group. */
typedef struct null_space {
  double *rows;      /* [m][n] */
  size_t *pivots;    /* [m] */
  bool *row, *value; /* [m], [n] is it in the group? */
  size_t m, n;
} null_space;

/** Grow from row `first` to all that hang together with it. */
static void grow_group(const null_space *in, size_t first)
{
  const size_t m = in->m, n = in->n;
  const double *null = in->rows;
  memset(in->row, 0, m * sizeof *in->row);
  memset(in->value, 0, n * sizeof *in->value);
  in->row[first] = true;
  for (bool grows = true; grows;) {
    grows = false;
    for (size_t i = 0; i < m; i++) {
      bool touches = in->row[i];
      for (size_t j = 0; j < n && !touches; j++) {
        touches = null[i * n + j] != 0.0 && in->value[j];
      }
      for (size_t j = 0; j < n && touches; j++) {
        grows = grows || (null[i * n + j] != 0.0 && !in->value[j]);
        in->value[j] = in->value[j] || null[i * n + j] != 0.0;
      }
      grows = grows || (touches && !in->row[i]);
      in->row[i] = touches;
    }
  }
}

static bool is_pivot(const null_space *in, size_t value)
{
  for (size_t i = 0; i < in->m; i++) {
    if (in->row[i] && in->pivots[i] == value) {
      return true;
    }
  }
  return false;
}

/** A row is 1 at its pivot and F elsewhere: 1 at column j and -F[j] at the pivots is orthogonal to
 * all of them. */
static void fill_combinations(const null_space *in, pf_unidentified_subspace *subspace)
{
  const size_t width = subspace->n_values;
  for (size_t k = 0, c = 0; k < width; k++) {
    if (is_pivot(in, subspace->values[k])) {
      continue;
    }
    double *combination = &subspace->combinations[c++ * width];
    combination[k] = 1.0;
    for (size_t i = 0; i < in->m; i++) {
      for (size_t l = 0; l < width && in->row[i]; l++) {
        combination[l] -=
            in->pivots[i] == subspace->values[l] ? in->rows[i * in->n + subspace->values[k]] : 0.0;
      }
    }
  }
}

/** The combinations of the group's values that no free direction changes. */
static pf_status find_combinations(const null_space *in, pf_unidentified_subspace *subspace,
                                   pf_error *error)
{
  size_t q = 0;
  for (size_t i = 0; i < in->m; i++) {
    q += in->row[i] ? 1 : 0;
  }
  for (size_t j = 0; j < in->n; j++) {
    subspace->n_values += in->value[j] ? 1 : 0;
  }
  const size_t width = subspace->n_values;
  subspace->n_combinations = width - q;
  subspace->values = pf_memory_need(width, sizeof *subspace->values, error);
  subspace->combinations =
      pf_memory_need(subspace->n_combinations * width, sizeof *subspace->combinations, error);
  subspace->se = pf_memory_need(subspace->n_combinations, sizeof *subspace->se, error);
  size_t *ignored = pf_memory_need(subspace->n_combinations, sizeof *ignored, error);
  if (subspace->values == NULL || subspace->combinations == NULL || subspace->se == NULL ||
      ignored == NULL) {
    pf_memory_free(ignored);
    return PF_STOP;
  }
  for (size_t j = 0, k = 0; j < in->n; j++) {
    if (in->value[j]) {
      subspace->values[k++] = j;
    }
  }
  fill_combinations(in, subspace);
  (void)reduce_rows(subspace->combinations, subspace->n_combinations, width, false, ignored);
  pf_memory_free(ignored);
  return PF_OK;
}

/** From scaled values to the values themselves: standard errors, then coefficients whose first
 * is 1. */
static void unscale_combinations(const pf_spectrum *s, pf_unidentified_subspace *subspace)
{
  const size_t n = s->n, width = subspace->n_values;
  for (size_t c = 0; c < subspace->n_combinations; c++) {
    double *combination = &subspace->combinations[c * width];
    double variance = 0.0;
    for (size_t i = s->n_free; i < n; i++) {
      double along = 0.0;
      for (size_t l = 0; l < width; l++) {
        along += combination[l] * s->vectors[i * n + subspace->values[l]];
      }
      variance += along * along / s->eigenvalues[i];
    }
    double first = 0.0;
    for (size_t l = 0; l < width; l++) {
      combination[l] /= s->scale[subspace->values[l]];
      first = first == 0.0 ? combination[l] : first;
    }
    for (size_t l = 0; l < width; l++) {
      combination[l] /= first;
    }
    subspace->se[c] = sqrt(variance) / fabs(first);
  }
}

static pf_status find_groups(pf_spectrum *s, pf_error *error)
{
  const size_t n = s->n, m = s->n_free;
  bool *seen = pf_memory_need(m, sizeof *seen, error);
  const null_space in = {.rows = pf_memory_need(m * n, sizeof(double), error),
                         .pivots = pf_memory_need(m, sizeof(size_t), error),
                         .row = pf_memory_need(m, sizeof(bool), error),
                         .value = pf_memory_need(n, sizeof(bool), error),
                         .m = m,
                         .n = n};
  s->subspaces = pf_memory_need(m, sizeof *s->subspaces, error);
  pf_status status = PF_OK;
  if (in.rows == NULL || in.pivots == NULL || seen == NULL || in.row == NULL || in.value == NULL ||
      s->subspaces == NULL) {
    status = PF_STOP;
    goto done;
  }
  memcpy(in.rows, s->vectors, m * n * sizeof *in.rows);
  (void)reduce_rows(in.rows, m, n, true, in.pivots);
  for (size_t i = 0; i < m; i++) {
    if (seen[i]) {
      continue;
    }
    pf_unidentified_subspace *subspace = &s->subspaces[s->n_subspaces++];
    grow_group(&in, i);
    status = find_combinations(&in, subspace, error);
    if (status != PF_OK) {
      goto done;
    }
    for (size_t k = 0; k < m; k++) {
      seen[k] = seen[k] || in.row[k];
    }
    for (size_t k = 0; k < subspace->n_values; k++) {
      s->identified[subspace->values[k]] = false;
    }
    unscale_combinations(s, subspace);
  }
done:
  pf_memory_free(seen);
  pf_memory_free(in.rows);
  pf_memory_free(in.pivots);
  pf_memory_free(in.row);
  pf_memory_free(in.value);
  return status;
}

/* ---- the object ---- */

static pf_status fill_spectrum(pf_spectrum *s, const double *information, const double *values,
                               pf_error *error)
{
  const size_t n = s->n;
  pf_status status = scale_of(information, values, n, s->scale, error);
  if (status != PF_OK) {
    return status;
  }
  status = find_eigenvectors(s, information, error);
  if (status != PF_OK) {
    return status;
  }
  for (size_t k = 0; k < n; k++) {
    s->identified[k] = true;
    s->n_free += s->eigenvalues[k] <= s->rank_tolerance ? 1 : 0;
  }
  s->condition = s->n_free < n ? s->eigenvalues[n - 1] / s->eigenvalues[s->n_free] : (double)NAN;
  return s->n_free > 0 ? find_groups(s, error) : PF_OK;
}

pf_status pf_spectrum_create(const double *information, size_t n, double rank_tolerance,
                             pf_spectrum **out, pf_error *error)
{
  return pf_spectrum_create_at(information, NULL, n, rank_tolerance, out, error);
}

pf_status pf_spectrum_create_at(const double *information, const double *values, size_t n,
                                double rank_tolerance, pf_spectrum **out, pf_error *error)
{
  pf_spectrum *s = pf_memory_need(1, sizeof *s, error);
  if (s == NULL) {
    return PF_STOP;
  }
  *s = (pf_spectrum){.n = n, .rank_tolerance = rank_tolerance, .condition = (double)NAN};
  s->eigenvalues = pf_memory_need(n, sizeof *s->eigenvalues, error);
  s->vectors = pf_memory_need(n * n, sizeof *s->vectors, error);
  s->scale = pf_memory_need(n, sizeof *s->scale, error);
  s->identified = pf_memory_need(n, sizeof *s->identified, error);
  pf_status status =
      s->eigenvalues == NULL || s->vectors == NULL || s->scale == NULL || s->identified == NULL
          ? PF_STOP
          : fill_spectrum(s, information, values, error);
  if (status != PF_OK) {
    pf_spectrum_free(s);
    return status;
  }
  *out = s;
  return PF_OK;
}

void pf_spectrum_free(pf_spectrum *s)
{
  if (s == NULL) {
    return;
  }
  for (size_t g = 0; g < s->n_subspaces; g++) {
    pf_memory_free(s->subspaces[g].values);
    pf_memory_free(s->subspaces[g].combinations);
    pf_memory_free(s->subspaces[g].se);
  }
  pf_memory_free(s->subspaces);
  pf_memory_free(s->eigenvalues);
  pf_memory_free(s->vectors);
  pf_memory_free(s->scale);
  pf_memory_free(s->identified);
  pf_memory_free(s);
}

void pf_spectrum_covariance(const pf_spectrum *s, double *covariance)
{
  const size_t n = s->n;
  for (size_t a = 0; a < n; a++) {
    for (size_t b = 0; b <= a; b++) {
      double sum = 0.0;
      for (size_t i = s->n_free; i < n; i++) {
        sum += s->vectors[i * n + a] * s->vectors[i * n + b] / s->eigenvalues[i];
      }
      covariance[a * n + b] = covariance[b * n + a] = sum * s->scale[a] * s->scale[b];
    }
  }
}

const pf_unidentified_subspace *pf_spectrum_subspace(const pf_spectrum *s, size_t k)
{
  for (size_t g = 0; g < s->n_subspaces; g++) {
    for (size_t l = 0; l < s->subspaces[g].n_values; l++) {
      if (s->subspaces[g].values[l] == k) {
        return &s->subspaces[g];
      }
    }
  }
  return NULL;
}

/* ---- words ---- */

/** Text that is full ends in dots. */
typedef struct line {
  char *text;
  size_t used, capacity;
} line;

static void add_text(line *to, const char *text)
{
  const size_t room = to->capacity - to->used;
  const int length = snprintf(to->text + to->used, room, "%s", text);
  if (length < 0 || (size_t)length >= room) {
    to->used = to->capacity > 4 ? to->capacity - 4 : 0;
    (void)snprintf(to->text + to->used, to->capacity - to->used, "...");
    to->used = to->capacity - 1;
    return;
  }
  to->used += (size_t)length;
}

static void add_combination(line *to, const pf_unidentified_subspace *subspace,
                            const double *combination, const char *const *names)
{
  bool first = true;
  for (size_t l = 0; l < subspace->n_values; l++) {
    const double c = combination[l];
    char number[32] = "";
    if (c == 0.0) {
      continue;
    }
    if (fabs(fabs(c) - 1.0) > 5e-4) {
      (void)snprintf(number, sizeof number, "%.3g ", fabs(c));
    }
    add_text(to, first ? (c < 0.0 ? "-" : "") : (c < 0.0 ? " - " : " + "));
    add_text(to, number);
    add_text(to, names[subspace->values[l]]);
    first = false;
  }
}

void pf_subspace_print(const pf_unidentified_subspace *subspace, const char *const *names,
                       int64_t k, char *text, size_t capacity)
{
  line to = {.text = text, .capacity = capacity};
  size_t n = 0;
  for (size_t c = 0; c < subspace->n_combinations; c++) {
    bool has = k == PF_WHOLE_SUBSPACE;
    for (size_t l = 0; l < subspace->n_values; l++) {
      has = has || ((int64_t)subspace->values[l] == k &&
                    subspace->combinations[c * subspace->n_values + l] != 0.0);
    }
    if (has) {
      add_text(&to, n == 0 ? "only " : " and ");
      add_combination(&to, subspace, &subspace->combinations[c * subspace->n_values], names);
      n++;
    }
  }
  if (n > 0) {
    add_text(&to, n == 1 ? " is determined" : " are determined");
    return;
  }
  add_text(&to, "nothing of ");
  for (size_t l = 0; l < subspace->n_values; l++) {
    if (k == PF_WHOLE_SUBSPACE || (int64_t)subspace->values[l] == k) {
      add_text(&to, l == 0 || k != PF_WHOLE_SUBSPACE ? "" : ", ");
      add_text(&to, names[subspace->values[l]]);
    }
  }
  add_text(&to, " is determined");
}
