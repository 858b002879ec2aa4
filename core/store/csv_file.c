#include "core/store/csv_file.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

void pf_csv_text(FILE *file, const char *text)
{
  if (text == NULL) {
    return;
  }
  if (strpbrk(text, ",\"\r\n") == NULL) {
    (void)fputs(text, file);
    return;
  }
  (void)fputc('"', file);
  for (const char *c = text; *c != '\0'; c++) {
    if (*c == '"') {
      (void)fputc('"', file);
    }
    (void)fputc(*c, file);
  }
  (void)fputc('"', file);
}

void pf_csv_number(FILE *file, double value)
{
  if (!isnan(value)) {
    (void)fprintf(file, "%.17g", value);
  }
}

FILE *pf_csv_open_file(const char *path, pf_error *error)
{
  FILE *file = fopen(path, "w");
  if (file == NULL) {
    (void)pf_fail(error, PF_STOP, "cannot write '%s': %s", path, strerror(errno));
  }
  return file;
}

/* Everything written went through buffers, so only now is it known whether it arrived. */
pf_status pf_csv_close_file(FILE *file, const char *path, pf_error *error)
{
  const bool failed = fflush(file) != 0 || ferror(file);
  const int reason = errno;
  if (fclose(file) != 0 || failed) {
    return pf_fail(error, PF_STOP, "cannot write '%s': %s", path,
                   strerror(failed ? reason : errno));
  }
  return PF_OK;
}
