#include "tests/goldens/json.h"
#include <math.h>
#include <string.h>

pf_status golden_check_keys(const json_t *object, const char *what, const char *const *known,
                            pf_error *error)
{
  const char *key = NULL;
  const json_t *value = NULL;
  if (!json_is_object(object)) {
    return pf_fail(error, PF_STOP, "%s is missing or no object", what);
  }
  /* jansson iterates over objects that are not const, though it changes nothing */
  json_t *object_to_iterate = (json_t *)(uintptr_t)object;
  json_object_foreach(object_to_iterate, key, value)
  {
    size_t k = 0;
    while (known[k] != NULL && strcmp(known[k], key) != 0) {
      k++;
    }
    if (known[k] == NULL) {
      return pf_fail(error, PF_STOP,
                     "%s has a field '%s' that this program does not know how to use", what, key);
    }
  }
  return PF_OK;
}

static pf_status read_number(const json_t *value, const char *what, enum golden_null null,
                             double *out, pf_error *error)
{
  if (json_is_null(value) && null == GOLDEN_NULL_IS_MISSING) {
    *out = NAN;
    return PF_OK;
  }
  if (!json_is_number(value)) {
    return pf_fail(error, PF_STOP, "%s: expected a number, found %s", what,
                   value == NULL ? "nothing" : (json_is_null(value) ? "null" : "something else"));
  }
  *out = json_number_value(value);
  return PF_OK;
}

pf_status golden_number(const json_t *object, const char *key, enum golden_null null, double *out,
                        pf_error *error)
{
  return read_number(json_object_get(object, key), key, null, out, error);
}

pf_status golden_integer(const json_t *object, const char *key, int64_t *out, pf_error *error)
{
  const json_t *value = json_object_get(object, key);
  if (!json_is_integer(value)) {
    return pf_fail(error, PF_STOP, "%s: expected an integer, found %s", key,
                   value == NULL ? "nothing" : "something else");
  }
  *out = (int64_t)json_integer_value(value);
  return PF_OK;
}

pf_status golden_string(const json_t *object, const char *key, const char **out, pf_error *error)
{
  const json_t *value = json_object_get(object, key);
  if (!json_is_string(value)) {
    return pf_fail(error, PF_STOP, "%s: expected a string, found %s", key,
                   value == NULL ? "nothing" : "something else");
  }
  *out = json_string_value(value);
  return PF_OK;
}

size_t golden_count(const json_t *value)
{
  size_t n = 0;
  if (!json_is_array(value)) {
    return value == NULL ? 0 : 1;
  }
  for (size_t i = 0; i < json_array_size(value); i++) {
    n += golden_count(json_array_get(value, i));
  }
  return n;
}

static pf_status read_numbers(const json_t *value, const char *what, enum golden_null null,
                              double **next, pf_error *error)
{
  pf_status status = PF_OK;
  if (!json_is_array(value)) {
    status = read_number(value, what, null, *next, error);
    (*next)++;
  }
  for (size_t i = 0; i < json_array_size(value) && status == PF_OK; i++) {
    status = read_numbers(json_array_get(value, i), what, null, next, error);
  }
  return status;
}

pf_status golden_numbers(const json_t *value, const char *what, enum golden_null null, size_t n,
                         double *out, pf_error *error)
{
  const size_t found = golden_count(value);
  if (found != n) {
    return pf_fail(error, PF_STOP, "%s: found %zu numbers, expected %zu", what, found, n);
  }
  return read_numbers(value, what, null, &out, error);
}

pf_status golden_check_matrix(const json_t *value, const char *what, size_t rows, size_t columns,
                              pf_error *error)
{
  bool good = json_is_array(value) && json_array_size(value) == rows;
  for (size_t i = 0; good && i < rows; i++) {
    const json_t *row = json_array_get(value, i);
    good = json_is_array(row) && json_array_size(row) == columns && golden_count(row) == columns;
  }
  return good ? PF_OK
              : pf_fail(error, PF_STOP, "%s is not a matrix of %zu x %zu numbers", what, rows,
                        columns);
}
