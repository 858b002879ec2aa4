/*
 * What a child found, in memory that it shares with its parent, and the child itself: it runs one
 * group of checks and ends at the first promise that is broken.
 */
#ifndef PLASTFIT_CORE_CONFORMANCE_FINDINGS_H
#define PLASTFIT_CORE_CONFORMANCE_FINDINGS_H

#include "core/conformance/conformance.h"
#include "core/conformance/guarded_array.h"

enum { CF_SENTENCE = 1024, CF_MAX_WATCHED = 256 };

typedef struct cf_report {
  int64_t n_values;       /**< values compared: bits, parts, layouts */
  int64_t n_slopes;       /**< derivatives compared with central differences */
  int64_t n_kinks;        /**< differences left out, since a kink lay within the smallest step */
  int64_t n_ratios;       /**< Taylor remainders */
  int64_t n_linear;       /**< remainders that are nothing but rounding */
  int64_t n_references;   /**< numbers compared with those of the double build */
  int64_t n_products;     /**< derivatives compared with one another: <c, J v> and <J' c, v> */
  double slope_error;     /**< largest, relative to the largest slope of the argument */
  double reference_error; /**< largest, relative to the largest number of the array */
  double product_error;   /**< largest, relative */
  double ratio_low, ratio_high;              /**< infinite while there is none */
  char finding[CF_SENTENCE];                 /**< "" : every promise kept */
  char doing[256];                           /**< the call that is being made, for a crash */
  const pf_conformance_reference *reference; /**< or NULL */
  const char *reference_at;                  /**< the next line of reference->text */
  /* in the child alone */
  const cf_array *arrays[CF_MAX_WATCHED]; /**< that have guard pages now */
} cf_report;

void cf_report_clear(cf_report *report);

typedef void (*cf_group)(cf_report *report, const void *what);

/**
 * Run `group` in a child; afterwards *total has its numbers added and its finding, or "".
 * A crash, a hang or an exit is a finding. PF_STOP: the child could not be made.
 */
pf_status cf_run(cf_group group, const void *what, cf_report *total, pf_error *error);

/** In the child: a promise is broken. Does not return. */
PF_PRINTF(2, 3) void cf_find(cf_report *report, const char *format, ...) __attribute__((noreturn));
/** In the child: what is being called. */
PF_PRINTF(2, 3) void cf_doing(cf_report *report, const char *format, ...);
/** In the child: the call that cf_doing named was to succeed. */
void cf_need_ok(cf_report *report, pf_status status, const pf_error *error);
/** The numbers of `one` and its finding into `total`. */
void cf_report_add(cf_report *total, const cf_report *one);

/** In the child: an array as cf_array_allocate makes it, whose name a crash at its ends gives. */
void cf_guard_array(cf_report *report, cf_array *array, bool at_end);
/** The same for a vector of n cells, at the end of its page. */
void cf_guard_vector(cf_report *report, cf_array *array, const char *name, enum cf_type type,
                     int64_t n);
void cf_release_array(cf_report *report, cf_array *array);

#endif
