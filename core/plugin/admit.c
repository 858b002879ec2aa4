#include "core/plugin/admit.h"

#include <stdbool.h>

const char *pf_kind_name(uint32_t kind)
{
  static const char *const names[] = {"plugin", "rule", "network", "loss", "source"};
  return kind < sizeof names / sizeof names[0] ? names[kind] : "plugin of an unknown kind";
}

static const char *precision_name(size_t bytes)
{
  if (bytes == sizeof(float)) {
    return "single";
  }
  return bytes == sizeof(double) ? "double" : "another";
}

/** The first four fields, which any version of the ABI has. */
static pf_status check_head(const pf_plugin *plugin, const char *file, uint32_t kind,
                            pf_error *error)
{
  unsigned major = plugin->abi_major, minor = plugin->abi_minor;
  if (major != PF_ABI_MAJOR) {
    return pf_fail(error, PF_STOP,
                   "%s: built for plugin ABI %u.%u, this plastfit has %d.%d: rebuild it with the "
                   "headers of this plastfit",
                   file, major, minor, PF_ABI_MAJOR, PF_ABI_MINOR);
  }
  if (minor > PF_ABI_MINOR) {
    return pf_fail(
        error, PF_STOP,
        "%s: built for plugin ABI %u.%u, newer than this plastfit's %d.%d: rebuild it with "
        "the headers of this plastfit, or update plastfit",
        file, major, minor, PF_ABI_MAJOR, PF_ABI_MINOR);
  }
  if (plugin->real_bytes != sizeof(pf_real)) {
    return pf_fail(error, PF_STOP,
                   "%s: built for %s precision, this plastfit for %s: rebuild it with "
                   "`pkg-config --cflags plastfit-%s`",
                   file, precision_name(plugin->real_bytes), precision_name(sizeof(pf_real)),
                   precision_name(sizeof(pf_real)));
  }
  if (plugin->kind < PF_KIND_RULE || plugin->kind > PF_KIND_SOURCE) {
    return pf_fail(error, PF_STOP,
                   "%s: is of kind %u, which this plastfit does not know: set .kind to one of enum "
                   "pf_kind",
                   file, (unsigned)plugin->kind);
  }
  if (kind != 0 && plugin->kind != kind) {
    return pf_fail(
        error, PF_STOP,
        "%s: is a %s, and a %s was asked for: name one that `plastfit list` shows as a %s", file,
        pf_kind_name(plugin->kind), pf_kind_name(kind), pf_kind_name(kind));
  }
  return PF_OK;
}

/* An op is there if the struct reaches to it, and it is not NULL. */
#define MISSES(ops, type, op) (!PF_HAS((ops), type, op) || (ops)->op == NULL)
#define REQUIRE(ops, type, op)   \
  do {                           \
    if (MISSES(ops, type, op)) { \
      return #op;                \
    }                            \
  } while (0)

/** Name of the first required op that is missing, or NULL. */
static const char *missing_of_rule(const pf_rule_ops *ops)
{
  REQUIRE(ops, pf_rule_ops, create);
  REQUIRE(ops, pf_rule_ops, destroy);
  REQUIRE(ops, pf_rule_ops, declare);
  REQUIRE(ops, pf_rule_ops, forward);
  REQUIRE(ops, pf_rule_ops, vjp);
  return NULL;
}

static const char *missing_of_network(const pf_network_ops *ops)
{
  REQUIRE(ops, pf_network_ops, create);
  REQUIRE(ops, pf_network_ops, destroy);
  REQUIRE(ops, pf_network_ops, declare);
  REQUIRE(ops, pf_network_ops, initial);
  REQUIRE(ops, pf_network_ops, activate);
  REQUIRE(ops, pf_network_ops, activate_vjp);
  return NULL;
}

static const char *missing_of_loss(const pf_loss_ops *ops)
{
  REQUIRE(ops, pf_loss_ops, create);
  REQUIRE(ops, pf_loss_ops, destroy);
  REQUIRE(ops, pf_loss_ops, declare);
  REQUIRE(ops, pf_loss_ops, evaluate);
  REQUIRE(ops, pf_loss_ops, vjp);
  return NULL;
}

static const char *missing_of_source(const pf_source_ops *ops)
{
  REQUIRE(ops, pf_source_ops, create);
  REQUIRE(ops, pf_source_ops, destroy);
  REQUIRE(ops, pf_source_ops, declare);
  bool reads = !MISSES(ops, pf_source_ops, read);
  bool begins = !MISSES(ops, pf_source_ops, begin);
  if (!reads && !begins) {
    return "read (or begin, next and end)";
  }
  if (begins) {
    REQUIRE(ops, pf_source_ops, next);
    REQUIRE(ops, pf_source_ops, end);
  }
  return NULL;
}

static const char *missing_op(const pf_plugin *plugin)
{
  const char *all = "table of ops";
  switch (plugin->kind) {
  case PF_KIND_RULE:
    return MISSES(plugin, pf_plugin, rule) ? all : missing_of_rule(plugin->rule);
  case PF_KIND_NETWORK:
    return MISSES(plugin, pf_plugin, network) ? all : missing_of_network(plugin->network);
  case PF_KIND_LOSS:
    return MISSES(plugin, pf_plugin, loss) ? all : missing_of_loss(plugin->loss);
  default:
    return MISSES(plugin, pf_plugin, source) ? all : missing_of_source(plugin->source);
  }
}

static bool is_identifier(const char *name)
{
  for (const char *c = name; *c != '\0'; c++) {
    bool letter = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || *c == '_';
    if (!letter && !(c > name && *c >= '0' && *c <= '9')) {
      return false;
    }
  }
  return *name != '\0';
}

pf_status pf_plugin_admit(const pf_plugin *plugin, const char *file, uint32_t kind, pf_error *error)
{
  pf_status status = check_head(plugin, file, kind, error);
  if (status != PF_OK) {
    return status;
  }
  if (!PF_HAS(plugin, pf_plugin, options)) {
    return pf_fail(
        error, PF_STOP,
        "%s: its descriptor of %zu bytes is too short: start it with PF_PLUGIN_HEAD(kind)", file,
        plugin->size);
  }
  if (plugin->name == NULL || !is_identifier(plugin->name)) {
    return pf_fail(error, PF_STOP,
                   "%s: its name '%s' is no C identifier: give it the file's name without suffix",
                   file, plugin->name == NULL ? "" : plugin->name);
  }
  if (plugin->options.count > 0 &&
      (plugin->options.items == NULL || plugin->options.stride < sizeof(pf_option))) {
    return pf_fail(error, PF_STOP,
                   "%s: its table of options has no items or no stride: make it with PF_TABLE_OF",
                   file);
  }
  if (plugin->aliases.count > 0 && plugin->aliases.items == NULL) {
    return pf_fail(error, PF_STOP,
                   "%s: its table of aliases has no items: make it with PF_NAMES_OF", file);
  }
  const char *missing = missing_op(plugin);
  if (missing != NULL) {
    return pf_fail(
        error, PF_STOP,
        "%s: the %s '%s' has no %s, which every %s needs: write it, or set the size of its "
        "ops",
        file, pf_kind_name(plugin->kind), plugin->name, missing, pf_kind_name(plugin->kind));
  }
  return PF_OK;
}
