/*
 * plastfit/abi/plugin.h - the one header a plugin includes, and the one symbol it exports.
 *
 * A plugin is one shared object that exports one function,
 *
 *     const pf_plugin *<module>_LTX_pf_plugin_entry(void)
 *
 * where <module> is the file's name without suffix, a C identifier (libltdl
 * strips the prefix, so all plugins can also be preloaded into one static
 * program). Define it with PF_PLUGIN_ENTRY(module). Loading has no side effects.
 */
#ifndef PLASTFIT_ABI_PLUGIN_H
#define PLASTFIT_ABI_PLUGIN_H

#include <plastfit/abi/base.h>
#include <plastfit/abi/experiment.h>
#include <plastfit/abi/loss.h>
#include <plastfit/abi/network.h>
#include <plastfit/abi/options.h>
#include <plastfit/abi/parameters.h>
#include <plastfit/abi/rule.h>
#include <plastfit/abi/source.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * The descriptor: const, static, one per plugin. The first four fields never
 * move, in any version of the ABI: any host can read them and refuse politely.
 */
typedef struct pf_plugin {
  uint32_t abi_major, abi_minor; /**< PF_ABI_MAJOR, PF_ABI_MINOR */
  uint32_t real_bytes;           /**< sizeof(pf_real) */
  uint32_t kind;                 /**< enum pf_kind */
  size_t size;                   /**< sizeof(pf_plugin) */
  const char *name;              /**< the module's name */
  const char *version;           /**< the plugin's own */
  const char *summary;           /**< one line; for a rule, its equation */
  pf_names aliases;              /**< other names it answers to */
  pf_option_table options;
  const pf_rule_ops *rule; /**< the one of its kind; the others NULL */
  const pf_network_ops *network;
  const pf_loss_ops *loss;
  const pf_source_ops *source;
} pf_plugin;

typedef const pf_plugin *(*pf_plugin_entry)(void);

#define PF_PLUGIN_HEAD(kind_of_plugin)                                                           \
  .abi_major = PF_ABI_MAJOR, .abi_minor = PF_ABI_MINOR, .real_bytes = (uint32_t)sizeof(pf_real), \
  .kind = (uint32_t)(kind_of_plugin), .size = sizeof(pf_plugin)

/** An option or name table from an array. */
#define PF_TABLE_OF(array)                                          \
  {                                                                 \
    (array), sizeof(array) / sizeof((array)[0]), sizeof((array)[0]) \
  }
#define PF_NAMES_OF(array)                      \
  {                                             \
    (array), sizeof(array) / sizeof((array)[0]) \
  }

#if defined(__GNUC__)
#define PF_EXPORT __attribute__((visibility("default")))
#else
#define PF_EXPORT
#endif

/** Head of the entry function, to be followed by its body, which returns the address of the
 * descriptor. */
#define PF_PLUGIN_ENTRY(module)                                  \
  PF_EXPORT const pf_plugin *module##_LTX_pf_plugin_entry(void); \
  PF_EXPORT const pf_plugin *module##_LTX_pf_plugin_entry(void)

#ifdef __cplusplus
}
#endif

#endif
