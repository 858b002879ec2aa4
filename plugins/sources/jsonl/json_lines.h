/* A file of JSON lines: an object a line, its keys as arrays. */
#ifndef PLASTFIT_PLUGINS_JSONL_JSON_LINES_H
#define PLASTFIT_PLUGINS_JSONL_JSON_LINES_H

#include "../common/container.h"

extern const container_format jsonl_format;

#endif
