/* core/store/json_values: what JSON cannot hold, and settings by the rows of their table. */
#include "core/store/json_values.h"

#include "core/base/memory.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static void expect_json(json_t *json, const char *expected)
{
  char *text = json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(17));
  cr_expect(text != NULL && strcmp(text, expected) == 0, "%s, not %s", text, expected);
  free(text);
  json_decref(json);
}

Test(json_values, what_json_cannot_hold)
{
  expect_json(pf_json_number(0.5), "0.5");
  expect_json(pf_json_number((double)NAN), "null");
  expect_json(pf_json_number((double)INFINITY), "null");
  expect_json(pf_json_text(NULL), "null");
  expect_json(pf_json_text("fly \xc3\xa9"), "\"fly \xc3\xa9\"");
  expect_json(pf_json_text("fly \xe9"), "\"fly ?\""); /* Latin-1 */
  expect_json(pf_json_seed(INT64_MAX), "9223372036854775807");
  expect_json(pf_json_seed(UINT64_MAX), "\"18446744073709551615\"");
}

/* Of no memory comes NULL, all the way to the root. */
Test(json_values, null_is_handed_on)
{
  cr_expect(pf_json_append(json_array(), NULL) == NULL);
  cr_expect(pf_json_append(NULL, json_null()) == NULL);
  cr_expect(pf_json_set(json_object(), "key", NULL) == NULL);
  cr_expect(pf_json_set(NULL, "key", json_null()) == NULL);
  pf_error error = pf_error_none();
  cr_expect(pf_json_write(NULL, "nowhere.json", &error) == PF_STOP);
  cr_expect(strstr(error.text, "no memory left for 'nowhere.json'") != NULL, "%s", error.text);
}

Test(json_values, a_file_that_cannot_be_written)
{
  pf_error error = pf_error_none();
  cr_expect(pf_json_write(json_object(), "/no/such/folder/a.json", &error) == PF_STOP);
  cr_expect(strstr(error.text, "cannot write '/no/such/folder/a.json': No such file") != NULL, "%s",
            error.text);
}

typedef struct small_settings {
  double rate;
  int64_t passes;
  bool report;
  uint32_t per, counts;
  char *text, *path;
  pf_names words;
} small_settings;

Test(json_values, settings_by_their_table)
{
#define PF_ROW_STRUCT small_settings
  static const pf_setting rows[] = {
      PF_ROW_REAL(rate, "fit.rate.first", "1", "1", 0, 1, ""),
      PF_ROW_INTEGER(passes, "fit.passes", "1", "1", 0, 10, ""),
      PF_ROW_BOOL(report, "report", "true", ""),
      PF_ROW_CHOICE(per, "fit.per", "\"animal\"", "animal|shared", ""),
      PF_ROW_CHOICE(counts, "counts", NULL, "exp|identity", ""),
      PF_ROW_TEXT(text, "text", NULL, ""),
      PF_ROW_PATH(path, "path", ""),
      PF_ROW_TEXTS(words, "words", NULL, ""),
      PF_ROW_TEXT(text, "list[].text", NULL, ""), /* of a list: left out */
  };
#undef PF_ROW_STRUCT
  static const char *const words[] = {"a", "b"};
  char text[] = "t";
  const small_settings of = {.rate = 0.25,
                             .passes = 7,
                             .report = true,
                             .per = 1,
                             .counts = 2, /* none of its words: not given */
                             .text = text,
                             .words = {words, 2}};
  expect_json(pf_json_settings(json_object(), PF_ROWS(rows), &of),
              "{\"fit\":{\"rate\":{\"first\":0.25},\"passes\":7,\"per\":\"shared\"},"
              "\"report\":true,\"counts\":null,\"text\":\"t\",\"path\":null,"
              "\"words\":[\"a\",\"b\"]}");
}
