/*
 * Is a plugin what its header promises? The conformance suite: the way into core/conformance.
 *
 * A plugin is made into objects with the options of its conformance settings (conformance.cfg), and
 * each of its ops is held against the comments of include/plastfit/abi: values,
 * derivatives, memory, invalid inputs. Every group of checks runs in a forked child, with guard
 * pages at the ends of every array and a limit of processor time, so that a crash or a hang of the
 * plugin is a finding, with a sentence, like any other.
 */
#ifndef PLASTFIT_CORE_CONFORMANCE_CONFORMANCE_H
#define PLASTFIT_CORE_CONFORMANCE_CONFORMANCE_H

#include "core/config/config.h"

#include <plastfit/abi/plugin.h>
#include <stdbool.h>

/** What came of it. */
typedef struct pf_conformance {
  int64_t n_findings; /**< promises broken */
  int64_t n_compared; /**< derivatives and values compared; 0 is a finding too */
} pf_conformance;

/** What goes between a double and a single build of a plugin: either MAY be NULL. */
typedef struct pf_conformance_reference {
  FILE *values; /**< what the ops compute is written there */
  /** What the double build's check wrote: compared with, instead of differences. */
  const char *text;
} pf_conformance_reference;

/** What a group of checks found. */
typedef struct pf_conformance_group {
  const char *variant, *name; /**< its options; what was checked */
  const char *finding;        /**< the promise that is broken, or NULL */
  int64_t n_values, n_derivatives;
  double error; /**< largest relative error of derivatives; NaN: none was compared */
} pf_conformance_group;

typedef struct pf_conformance_request {
  const pf_plugin *plugin;   /**< loaded, and so admitted */
  const char *file;          /**< it was loaded from */
  const pf_config *settings; /**< MAY be NULL: one object with all defaults */
  FILE *stream; /**< a table of what was compared, findings in sentences; MAY be NULL */
  bool verbose; /**< the table has also remainders, and each kind of comparison */
  /** Called after each group; MAY be NULL. */
  void (*note)(void *payload, const pf_conformance_group *group);
  void *payload;
  pf_conformance_reference reference;
} pf_conformance_request;

/** Check one plugin. A result other than PF_OK: the check itself could not be done (settings that
 * do not parse, no memory), with the line. */
pf_status pf_conformance_check(const pf_conformance_request *request, pf_conformance *out,
                               pf_error *error);

/**
 * Conformance settings that belong to the plugin of `file`: in the source tree for a plugin of this
 * build, else conformance/NAME/conformance.cfg or conformance.cfg beside it. *out NULL: there are
 * none.
 */
pf_status pf_conformance_settings(const pf_plugin *plugin, const char *file, pf_config **out,
                                  pf_error *error);

#endif
