/* A host whose warnings are each said once, however often they come up: for commands that read the
 * same data several times. */
#ifndef PLASTFIT_CORE_BASE_SAYING_ONCE_H
#define PLASTFIT_CORE_BASE_SAYING_ONCE_H

#include "core/base/array.h"

typedef struct pf_saying_once {
  pf_host host;  /**< first, so that a pointer to it is one to the whole */
  pf_array said; /**< of char * */
} pf_saying_once;

/** `self` MUST stay where it is, and outlive what was given the host. */
void pf_saying_once_start(pf_saying_once *self);
void pf_saying_once_end(pf_saying_once *self);

#endif
