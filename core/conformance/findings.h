/*
 * What a child found, in memory that it shares with its parent, and the child itself: it runs one
 * group of checks and ends at the first promise that is broken.
 */
#ifndef PLASTFIT_CORE_CONFORMANCE_FINDINGS_H
#define PLASTFIT_CORE_CONFORMANCE_FINDINGS_H

#include "core/conformance/array.h"
#include "core/conformance/conformance.h"

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
  double ratio_low, ratio_high;
  char finding[CF_SENTENCE];                 /**< "" : every promise kept */
  char doing[256];                           /**< the call that is being made, for a crash */
  const pf_conformance_reference *reference; /**< or NULL */
  const char *reference_at;                  /**< the next line of twin->text */
  /* in the child alone */
  const cf_array *arrays[CF_MAX_WATCHED]; /**< that have guard pages now */
} cf_report;

typedef void (*cf_group)(cf_report *report, const void *what);

/**
 * Run `group` in a child; afterwards *total has its numbers added and the child's `finding` ("" for
 * none). A crash, a hang or an exit is a finding. PF_STOP: the child could not be made.
 */
pf_status cf_run(cf_group group, const void *what, cf_report *total, pf_error *error);

/** In the child: a promise is broken. Does not return. */
PF_PRINTF(2, 3) void cf_find(cf_report *report, const char *format, ...) __attribute__((noreturn));
/** In the child: what is being called. */
PF_PRINTF(2, 3) void cf_doing(cf_report *report, const char *format, ...);
/** Before a group is run: its part of the twin's file. */
void cf_reference_group(cf_report *report, const pf_conformance_reference *reference,
                        const char *variant, const char *check);
/** In the child: write an array's numbers, or compare them. True if they were compared. */
bool cf_reference_array(cf_report *report, const char *op, const cf_array *array);
void cf_watch_array(cf_report *report, const cf_array *array);
void cf_forget_array(cf_report *report, const cf_array *array);

#endif
