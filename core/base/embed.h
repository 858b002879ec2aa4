/*
 * Files of the source tree that are part of the program: templates, page skeletons. They are real
 * files, and core/base/embed.sh turns them into a C source at build time (core/sources.mk says how
 * to add some), so that a static or relocated program has them too. Where they are used:
 *
 *     extern const pf_embedded pf_rule_template[];  // ends with {NULL, NULL}
 */
#ifndef PLASTFIT_CORE_BASE_EMBED_H
#define PLASTFIT_CORE_BASE_EMBED_H

typedef struct pf_embedded {
  const char *name; /**< the file's name, without folders */
  const char *text; /**< what is in it, and a 0 */
} pf_embedded;

#endif
