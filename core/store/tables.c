#include "core/store/tables.h"

#include "core/store/csv_file.h"

pf_status pf_write_groups(const pf_results *results, pf_write_rows write, FILE *file,
                          const char *path, pf_error *error)
{
  for (size_t u = 0; u < results->fit->n_groups; u++) {
    const pf_status status = write(results, &results->fit->groups[u], file, error);
    if (status != PF_OK) {
      (void)fclose(file);
      return status;
    }
  }
  return pf_csv_close_file(file, path, error);
}
