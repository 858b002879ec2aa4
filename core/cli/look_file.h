/* From the path that `plastfit new config` is given to what its file looks like. */
#ifndef PLASTFIT_CORE_CLI_LOOK_FILE_H
#define PLASTFIT_CORE_CLI_LOOK_FILE_H

#include "core/data_look/table_look.h"

/** Finds the file, the source that reads it, and what its columns are. look->path is set; look_free
 * in any case. */
pf_status pf_cli_look_at_path(table_look *look, pf_error *error);

#endif
