#define _POSIX_C_SOURCE 200809L

#include "core/page/html.h"
#include "core/base/memory.h"
#include "core/base/nearest_file.h"
#include "core/base/put_in_place.h"
#include "core/figures/figure_folder.h"
#include "core/figures/result_folder.h"
#include "core/page/html_compare.h"
#include "core/page/html_run.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- writing ---- */

/** The page and the figures that stand in it, whole: figures and page take their places last. */
static pf_status write_page(const char *folder, const pf_text *page, pf_error *error)
{
  char path[PF_RESULT_PATH];
  char part[PF_RESULT_PATH + 8];
  (void)snprintf(path, sizeof path, "%.3000s/report.html", folder);
  (void)snprintf(part, sizeof part, "%s.part", path);
  FILE *file = fopen(part, "w");
  if (file == NULL) {
    return pf_fail(error, PF_STOP, "cannot write '%.500s': %s", part, strerror(errno));
  }
  errno = 0;
  bool written = fwrite(page->text, 1, page->length, file) == page->length && fflush(file) == 0;
  int reason = errno;
  written = fclose(file) == 0 && written;
  if (!written) {
    reason = reason != 0 ? reason : errno;
    (void)unlink(part);
    return pf_fail(error, PF_STOP, "cannot write '%.500s': %s", path, strerror(reason));
  }
  if (pf_figure_folder_place(folder, error) != PF_OK) {
    (void)unlink(part);
    return PF_STOP;
  }
  return pf_put_in_place(part, path, error);
}

typedef pf_status (*fill_page)(const char *folder, pf_text *page, pf_error *error);

static pf_status make_page(fill_page fill, const char *folder, pf_error *error)
{
  pf_text page = {0};
  pf_status status = fill(folder, &page, error);
  if (status == PF_OK && page.failed) {
    status = pf_fail(error, PF_STOP,
                     "'%.500s': no report: out of memory, or config.cfg cannot be read", folder);
  }
  if (status == PF_OK) {
    status = write_page(folder, &page, error);
  }
  if (status != PF_OK) {
    pf_figure_folder_drop(folder);
  }
  pf_text_free(&page);
  return status;
}

static const struct {
  const char *sign; /**< a file that only such a folder has */
  fill_page fill;
} kinds[] = {{"compare.csv", pf_html_compare}, {"theta.csv", pf_html_run}};

pf_status pf_html_write(const char *folder, pf_error *error)
{
  struct stat info;
  if (strlen(folder) > 3000) {
    return pf_fail(error, PF_STOP, "the name of the folder is too long: %.40s...", folder);
  }
  if (stat(folder, &info) != 0) {
    return pf_fail_no_folder("folder", folder, error);
  }
  for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
    if (pf_result_has(folder, kinds[k].sign) && pf_result_has(folder, "summary.json")) {
      return make_page(kinds[k].fill, folder, error);
    }
  }
  return pf_fail(error, PF_STOP,
                 "'%s' holds no results to report: expected summary.json with theta.csv (of "
                 "`plastfit fit`) or compare.csv (of `plastfit compare`)",
                 folder);
}
