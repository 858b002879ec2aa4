/*
 * An object of the plugin under test, made with the options of one variant of its settings, and a
 * host that counts.
 */
#ifndef PLASTFIT_CORE_CONFORMANCE_OBJECT_H
#define PLASTFIT_CORE_CONFORMANCE_OBJECT_H

#include "core/config/config.h"
#include "core/conformance/findings.h"

#include <plastfit/abi/plugin.h>

/** A host that counts what is live, fails one allocation, and sees what is written beyond one. */
typedef struct cf_host {
  pf_host face;
  struct cf_block *blocks; /**< live ones */
  int64_t n_live, n_made;
  int64_t fail_at;   /**< the allocation of this number, from 0; < 0: none */
  bool fail_onwards; /**< and all that follow */
  bool overrun;      /**< something was written behind a block */
} cf_host;

/** A number made of every live byte: changes when an object does. */
uint64_t cf_host_sum(const cf_host *host);
/** Was anything written behind a live block (or behind one that was released)? */
bool cf_host_overrun(const cf_host *host);

/** What is checked: a plugin, and how its objects are made. */
typedef struct cf_variant {
  const pf_plugin *plugin;
  const pf_config *config; /**< the settings, or NULL */
  const pf_node *node;     /**< of this variant, or NULL */
  const pf_node *options;  /**< what create is given, or NULL */
  char name[64];
  char what[128]; /**< "rule oja" */
} cf_variant;

/** Numbers of a variant's settings: `path` as in "dt"; `fallback` where it is absent. */
double cf_setting(const cf_variant *variant, const char *path, double fallback);
/** Element i of a list of numbers; `fallback` where there is none. */
double cf_setting_at(const cf_variant *variant, const char *path, int64_t i, double fallback);
int64_t cf_setting_count(const cf_variant *variant, const char *path);

typedef struct cf_object {
  const cf_variant *variant;
  const pf_plugin *plugin;
  void *self;
  cf_host *host;
} cf_object;

/** In the child: an object, with what goes wrong a finding. */
void cf_object_make(cf_report *report, const cf_variant *variant, cf_host *host, cf_object *out);
/** Destroys, and finds what leaks. */
void cf_object_end(cf_report *report, cf_object *object);

/** The lifecycle of a variant's objects: options, twice, interleaved, out of memory. A cf_group. */
void cf_check_life(cf_report *report, const void *variant);

/** A value for a check of parameter k, `u` in [0, 1), `sign` -1 or 1. */
double cf_theta_value(const pf_parameter *parameter, double u, int sign);
/** Does a struct of ops end where this host's, or an op of it, does? */
void cf_check_size(cf_report *report, const char *what, size_t size, size_t of_host);
void cf_check_parameters(cf_report *report, pf_parameter_table table);
void cf_check_names(cf_report *report, const char *what, pf_names names);

#endif
