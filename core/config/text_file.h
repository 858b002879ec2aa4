/* A whole file of text. */
#ifndef PLASTFIT_CORE_CONFIG_TEXT_FILE_H
#define PLASTFIT_CORE_CONFIG_TEXT_FILE_H

#include <plastfit/abi/base.h>

/** Read a file, to be freed with pf_memory_free. Refuses what is no text, with one line. */
pf_status pf_text_file_read(const char *path, char **text, pf_error *error);

#endif
