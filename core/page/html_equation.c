/* Taylor rules as equations, put together from theta.csv: "dw = 0.985 x r - 0.0494 w". */
#include "core/page/html_equation.h"
#include "core/base/memory.h"
#include "core/page/result_folder.h"
#include "core/stats/stats.h"
#include "core/truth/names.h"

#include <stdlib.h>
#include <string.h>

/* As on the terminal: as many terms as a person reads, and none that is lost beside the largest. */
enum { MAX_TERMS = 12 };
static const double small_term = 0.01;

typedef struct term {
  const char *label;
  double value, truth; /**< median over units; NaN: not known */
  bool uncertain;      /**< the interval of the one unit holds 0 */
} term;

typedef struct places {
  size_t owner, name, label, estimate, truth, lower, upper, status, unit;
} places;

static int by_size(const void *a, const void *b)
{
  const double x = fabs(((const term *)a)->value), y = fabs(((const term *)b)->value);
  return (y > x) - (y < x);
}

/** Median over the units whose fit did not fail. */
static double median_of(const pf_sheet *theta, const places *at, size_t row, double *room)
{
  size_t n = 0;
  for (size_t i = row; i < theta->n_rows; i++) {
    if (strcmp(pf_sheet_text(theta, i, at->name), pf_sheet_text(theta, row, at->name)) == 0 &&
        strcmp(pf_sheet_text(theta, i, at->owner), pf_sheet_text(theta, row, at->owner)) == 0 &&
        strcmp(pf_sheet_text(theta, i, at->status), "failed") != 0) {
      room[n++] = pf_sheet_number(theta, i, at->estimate);
    }
  }
  return pf_stats_quantile(room, pf_stats_sort(room, n), 0.5);
}

/** " - ", " + "; of the first term "-" or nothing. */
static const char *sign_of(double value, bool first)
{
  if (first) {
    return value < 0.0 ? "-" : "";
  }
  return value < 0.0 ? " - " : " + ";
}

/** " - 0.05 w"; the first without a space before its sign, and without a plus. */
static void add_term(pf_text *out, double value, const char *label, bool first)
{
  const double size = fabs(value);
  const bool bare = strcmp(label, "1") == 0;
  pf_text_add(out, "%s", sign_of(value, first));
  if (bare || fabs(size - 1.0) > 0.0) {
    pf_text_add(out, "%.3g%s", size, bare ? "" : " ");
  }
  pf_text_add(out, "%s", bare ? "" : label);
}

static void write_one(pf_text *page, const char *owner, term *terms, size_t n, bool several)
{
  pf_text inferred = {0}, truth = {0};
  size_t shown = 0, uncertain = 0, true_terms = 0;
  qsort(terms, n, sizeof *terms, by_size);
  for (size_t k = 0; k < n; k++) {
    if (terms[k].uncertain && !several) {
      uncertain++;
    } else if (fabs(terms[k].value) > 0.0 && shown < MAX_TERMS &&
               fabs(terms[k].value) >= small_term * fabs(terms[0].value)) {
      add_term(&inferred, terms[k].value, terms[k].label, shown++ == 0);
    }
    if (fabs(terms[k].truth) > 0.0) {
      add_term(&truth, terms[k].truth, terms[k].label, true_terms++ == 0);
    }
  }
  pf_text_add(page, "<p><b>");
  pf_page_text(page, owner);
  pf_text_add(page, "</b>: dw = ");
  pf_page_text(page, shown > 0 ? inferred.text : "0");
  if (uncertain > 0) {
    pf_text_add(page, " <small>(without %zu %s whose interval holds 0)</small>", uncertain,
                uncertain == 1 ? "term" : "terms");
  }
  const size_t smaller = n - shown - uncertain;
  if (smaller > 0) {
    pf_text_add(page, " <small>(%zu smaller %s left out%s)</small>", smaller,
                smaller == 1 ? "term" : "terms", several ? "; medians over units" : "");
  } else if (several) {
    pf_text_add(page, " <small>(medians over units)</small>");
  }
  if (true_terms > 0) {
    pf_text_add(page, "<br>the truth: dw = ");
    pf_page_text(page, truth.text);
  }
  pf_text_add(page, "</p>\n");
  pf_text_free(&inferred);
  pf_text_free(&truth);
}

pf_status pf_html_equations(pf_text *page, const pf_sheet *theta, pf_error *error)
{
  const places at = {.owner = pf_sheet_column(theta, "owner"),
                     .name = pf_sheet_column(theta, "name"),
                     .label = pf_sheet_column(theta, "label"),
                     .estimate = pf_sheet_column(theta, "estimate"),
                     .truth = pf_sheet_column(theta, "truth"),
                     .lower = pf_sheet_column(theta, "ci_lower"),
                     .upper = pf_sheet_column(theta, "ci_upper"),
                     .status = pf_sheet_column(theta, "status"),
                     .unit = pf_sheet_column(theta, "unit")};
  double *room = pf_memory_need(theta->n_rows, sizeof *room, error);
  term *terms = pf_memory_need(theta->n_rows, sizeof *terms, error);
  const pf_status status = room == NULL || terms == NULL ? PF_STOP : PF_OK;
  for (size_t first = 0, end = 0; status == PF_OK && first < theta->n_rows; first = end) {
    const char *owner = pf_sheet_text(theta, first, at.owner);
    const char *unit = pf_sheet_text(theta, first, at.unit);
    size_t n = 0;
    bool polynomial = true;
    for (end = first;
         end < theta->n_rows && strcmp(pf_sheet_text(theta, end, at.owner), owner) == 0 &&
         strcmp(pf_sheet_text(theta, end, at.unit), unit) == 0;
         end++) {
      polynomial = polynomial && pf_is_taylor_name(pf_sheet_text(theta, end, at.name));
      terms[n++] = (term){.label = pf_sheet_text(theta, end, at.label),
                          .value = polynomial ? median_of(theta, &at, end, room) : (double)NAN,
                          .uncertain = pf_sheet_number(theta, end, at.lower) <= 0.0 &&
                                       pf_sheet_number(theta, end, at.upper) >= 0.0,
                          .truth = pf_sheet_number(theta, end, at.truth)};
    }
    /* of the first unit: every parameter is there, and the medians are of all */
    if (polynomial && strcmp(unit, pf_sheet_text(theta, 0, at.unit)) == 0) {
      write_one(page, owner, terms, n,
                strcmp(unit, pf_sheet_text(theta, theta->n_rows - 1, at.unit)) != 0);
    }
  }
  pf_memory_free(room);
  pf_memory_free(terms);
  return status;
}
