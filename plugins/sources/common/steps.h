/* The steps of one experiment, gathered row by row and handed over; then the memory serves the
 * next. */
#ifndef PLASTFIT_PLUGINS_SOURCES_STEPS_H
#define PLASTFIT_PLUGINS_SOURCES_STEPS_H

#include "columns.h"

typedef struct table_steps {
  const recording *recording;
  const table_columns *columns;
  int64_t n, capacity;
  recording_steps values;
  int64_t trials_before; /**< of earlier blocks, where trials are counted anew in each */
  double step;           /**< of the last row */
  int64_t repeated;      /**< line of the first row that repeats the row before it, 0: none */
  int64_t n_repeated;
  int64_t n_missing; /**< inputs of this experiment that are to be drawn */
  int64_t skipped;   /**< line of the first row before which steps are missing, 0: none */
  double skipped_by; /**< how many */
} table_steps;

pf_status table_steps_make(const recording *of, const table_columns *columns, table_steps *out,
                           pf_error *error);
void table_steps_free(table_steps *steps);
/** Take the current row of the file in. */
pf_status table_steps_add(table_steps *steps, const table_rows *rows, pf_error *error);
/** Hand over what was gathered, and start anew. */
pf_status table_steps_hand_over(table_steps *steps, const char *animal, const char *session,
                                const char *name, const pf_sink *sink, pf_error *error);

#endif
