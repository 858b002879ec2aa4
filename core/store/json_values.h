/*
 * Values of the summaries' JSON.
 *
 * jansson's functions own what they are given, also when they fail, and fail when they are given
 * NULL. So do these: a tree is built without asking after each step, and only its root is asked.
 */
#ifndef PLASTFIT_CORE_STORE_JSON_VALUES_H
#define PLASTFIT_CORE_STORE_JSON_VALUES_H

#include "core/config/setting.h"

#include <jansson.h>

/** null where a number means nothing: JSON has no NaN. */
json_t *pf_json_number(double value);
/** null of NULL. Names from files may be no UTF-8, which jansson refuses: other bytes become '?'.
 */
json_t *pf_json_text(const char *value);
/** A text beyond what an integer of JSON holds, rather than another number. */
json_t *pf_json_seed(uint64_t seed);
/** The array, or NULL where the value could not be appended. */
json_t *pf_json_append(json_t *array, json_t *value);
/** The object, or NULL where the value could not be set. */
json_t *pf_json_set(json_t *object, const char *key, json_t *value);
/** What the rows of a table of settings say of the struct `of`, into groups by the parts of their
 * keys; rows of lists are left out. */
json_t *pf_json_settings(json_t *object, pf_option_table table, const void *of);
/** Writes the tree and frees it; a root that is NULL says that there was no memory. */
pf_status pf_json_write(json_t *root, const char *path, pf_error *error);

#endif
