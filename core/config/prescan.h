/* A look at the text of a config before libconfig parses it. */
#ifndef PLASTFIT_CORE_CONFIG_PRESCAN_H
#define PLASTFIT_CORE_CONFIG_PRESCAN_H

#include <plastfit/abi/base.h>

/** A text, and where it stands. */
typedef struct pf_prescan_text {
  const char *text;
  const char *name;   /**< of the file, for messages */
  const char *folder; /**< of its includes, "" or ending in '/'; NULL: the text is a value of the
                         command line, which has neither lines nor includes, nor a `name` */
  int depth;          /**< includes that it lies in */
} pf_prescan_text;

/** Finds what libconfig would get wrong without a word: integers too large, includes that are no
 * files. PF_POINT_FAILED: a number too large, PF_STOP: anything else. */
pf_status pf_config_prescan(const pf_prescan_text *text, pf_error *error);

#endif
