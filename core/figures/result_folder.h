/* A folder of results, as pages and figures read it: files by name, JSON by key. */
#ifndef PLASTFIT_CORE_FIGURES_RESULT_FOLDER_H
#define PLASTFIT_CORE_FIGURES_RESULT_FOLDER_H

#include "core/plot/figure.h"
#include "core/readers/sheet.h"

#include <jansson.h>
#include <math.h>

enum { PF_RESULT_PATH = 4096 };

/** Is there a file of that name in the folder? */
bool pf_result_has(const char *folder, const char *name);
/** A JSON file of the folder, to be given back with json_decref; NULL with the line written. */
json_t *pf_result_json(const char *folder, const char *name, pf_error *error);
/** A CSV file of the folder; *out NULL where there is none. */
pf_status pf_result_sheet(const char *folder, const char *name, const pf_names *wanted,
                          pf_sheet **out, pf_error *error);
/** Of an object: "" and NaN where there is none. */
const char *pf_result_string(const json_t *object, const char *key);
double pf_result_number(const json_t *object, const char *key);

#endif
