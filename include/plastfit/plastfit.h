/*
 * plastfit/plastfit.h - what a program that embeds the core includes.
 *
 * For now the library says which version it is; fitting is done by the program
 * `plastfit`. A plugin includes <plastfit/abi/plugin.h> instead.
 */
#ifndef PLASTFIT_PLASTFIT_H
#define PLASTFIT_PLASTFIT_H

#include <plastfit/abi/plugin.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Version of these headers. configure.ac reads it from here. */
#define PF_VERSION "0.1.0"

/** Version of the library that is linked; differs from PF_VERSION where headers and library do not
 * belong together. */
PF_EXPORT const char *pf_version(void);
/** sizeof(pf_real) as the library was built: 8, or 4 with --with-precision=single. */
PF_EXPORT size_t pf_version_real_bytes(void);

#ifdef __cplusplus
}
#endif

#endif
