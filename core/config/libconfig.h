/* What libconfig makes of a text: a tree of nodes. */
#ifndef PLASTFIT_CORE_CONFIG_LIBCONFIG_H
#define PLASTFIT_CORE_CONFIG_LIBCONFIG_H

#include "core/config/node.h"

/** A parsing error as libconfig reports it. */
typedef struct pf_parse_error {
  char file[512]; /**< "" : the text itself */
  int line;
  char text[256];
} pf_parse_error;

/**
 * Parse the text of the config's file into a group of nodes, each with its file and line.
 * PF_POINT_FAILED: does not parse, *why says where and why, and the error line is not written;
 * PF_STOP: out of memory.
 */
pf_status pf_libconfig_parse(pf_config *config, const char *text, pf_node **out,
                             pf_parse_error *why, pf_error *error);

/**
 * Parse one value, as on the right of `x = `. PF_POINT_FAILED: is not one value in libconfig's
 * syntax; *why says so. The node has no name, and no place.
 */
pf_status pf_value_parse(const char *text, pf_node **out, pf_parse_error *why, pf_error *error);

#endif
