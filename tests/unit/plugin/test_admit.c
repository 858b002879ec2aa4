#include "core/base/memory.h"
#include "core/plugin/registry.h"

#include <criterion/criterion.h>
#include <string.h>

/* Ops that are there; none is called. */
static pf_status create(const pf_host *host, const pf_options *options, void **self,
                        pf_error *error)
{
  (void)host;
  (void)options;
  (void)self;
  (void)error;
  return PF_STOP;
}
static void destroy(void *self)
{
  (void)self;
}
static pf_status rule_declare(const void *self, pf_rule_declaration *declared, pf_error *error)
{
  (void)self;
  (void)declared;
  (void)error;
  return PF_STOP;
}
static pf_status forward(const void *self, const pf_block *in, pf_real *dw, int64_t lddw,
                         pf_error *error)
{
  (void)self;
  (void)in;
  (void)dw;
  (void)lddw;
  (void)error;
  return PF_STOP;
}
static pf_status vjp(const void *self, const pf_block *in, const pf_real *cotangent, int64_t ld,
                     const pf_rule_gradient *gradient, pf_error *error)
{
  (void)self;
  (void)in;
  (void)cotangent;
  (void)ld;
  (void)gradient;
  (void)error;
  return PF_STOP;
}
static pf_status source_declare(const void *self, pf_source_declaration *declared, pf_error *error)
{
  (void)self;
  (void)declared;
  (void)error;
  return PF_STOP;
}
static pf_status read_all(const void *self, const pf_sink *sink, pf_error *error)
{
  (void)self;
  (void)sink;
  (void)error;
  return PF_STOP;
}
static pf_status begin(const void *self, int64_t run, double *state, pf_error *error)
{
  (void)self;
  (void)run;
  (void)state;
  (void)error;
  return PF_STOP;
}

static pf_rule_ops good_ops(void)
{
  return (pf_rule_ops){.size = sizeof(pf_rule_ops),
                       .create = create,
                       .destroy = destroy,
                       .declare = rule_declare,
                       .forward = forward,
                       .vjp = vjp};
}

static pf_plugin good(const pf_rule_ops *ops)
{
  return (pf_plugin){PF_PLUGIN_HEAD(PF_KIND_RULE), .name = "good", .version = "1", .summary = "",
                     .rule = ops};
}

/** The refusal must name the file and contain both parts: what is wrong, what to do. "" is
 * admitted. */
static void refuses(const pf_plugin *plugin, uint32_t kind, const char *wrong, const char *remedy)
{
  pf_error error = pf_error_none();
  cr_assert_eq(pf_plugin_admit(plugin, "good.so", kind, &error), PF_STOP);
  cr_assert_eq(strncmp(error.text, "good.so: ", 9), 0, "%s", error.text);
  cr_assert(strstr(error.text, wrong) != NULL, "%s", error.text);
  cr_assert(strstr(error.text, remedy) != NULL, "%s", error.text);
}

Test(plugin_admit, a_sound_plugin)
{
  pf_rule_ops ops = good_ops();
  pf_plugin plugin = good(&ops);
  pf_error error = pf_error_none();
  cr_assert_eq(pf_plugin_admit(&plugin, "good.so", PF_KIND_RULE, &error), PF_OK, "%s", error.text);
  cr_assert_eq(pf_plugin_admit(&plugin, "good.so", 0, &error), PF_OK, "%s", error.text);
}

Test(plugin_admit, versions)
{
  pf_rule_ops ops = good_ops();
  pf_plugin plugin = good(&ops);
  plugin.abi_major++;
  refuses(&plugin, PF_KIND_RULE, "built for plugin ABI 2.0, this plastfit has 1.0", "rebuild it");
  plugin = good(&ops);
  plugin.abi_minor++;
  refuses(&plugin, PF_KIND_RULE, "newer than this plastfit's", "update plastfit");
}

Test(plugin_admit, precision)
{
  pf_rule_ops ops = good_ops();
  pf_plugin plugin = good(&ops);
  plugin.real_bytes = sizeof(pf_real) == 8 ? 4 : 8;
  refuses(&plugin, PF_KIND_RULE,
          sizeof(pf_real) == 8 ? "built for single precision" : "built for double precision",
          sizeof(pf_real) == 8 ? "plastfit-double" : "plastfit-single");
}

Test(plugin_admit, kind)
{
  pf_rule_ops ops = good_ops();
  pf_plugin plugin = good(&ops);
  refuses(&plugin, PF_KIND_LOSS, "is a rule, and a loss was asked for", "plastfit list");
  plugin.kind = 9;
  refuses(&plugin, 0, "of kind 9", "pf_kind");
}

Test(plugin_admit, required_ops)
{
  pf_rule_ops ops = good_ops();
  pf_plugin plugin = good(&ops);
  ops.vjp = NULL;
  refuses(&plugin, PF_KIND_RULE, "has no vjp", "write it");
  ops = good_ops();
  ops.create = NULL;
  refuses(&plugin, PF_KIND_RULE, "has no create", "write it");
  /* an op that is there, but beyond the size its table states, is absent */
  ops = good_ops();
  ops.size = offsetof(pf_rule_ops, vjp);
  refuses(&plugin, PF_KIND_RULE, "has no vjp", "size of its ops");
  ops.size = offsetof(pf_rule_ops, jvp);
  pf_error error = pf_error_none();
  cr_assert_eq(pf_plugin_admit(&plugin, "good.so", 0, &error), PF_OK, "an older, shorter table: %s",
               error.text);
  plugin.rule = NULL;
  refuses(&plugin, PF_KIND_RULE, "has no table of ops", "write it");
}

Test(plugin_admit, a_source_reads_or_is_a_task)
{
  pf_source_ops ops = {
      .size = sizeof ops, .create = create, .destroy = destroy, .declare = source_declare};
  pf_plugin plugin = {PF_PLUGIN_HEAD(PF_KIND_SOURCE), .name = "good", .source = &ops};
  refuses(&plugin, PF_KIND_SOURCE, "has no read (or begin, next and end)", "write it");
  ops.begin = begin;
  refuses(&plugin, PF_KIND_SOURCE, "has no next", "write it");
  ops.begin = NULL;
  ops.read = read_all;
  pf_error error = pf_error_none();
  cr_assert_eq(pf_plugin_admit(&plugin, "good.so", PF_KIND_SOURCE, &error), PF_OK, "%s",
               error.text);
}

Test(plugin_admit, descriptor)
{
  static const pf_option option = {.name = "a", .type = PF_TYPE_REAL};
  pf_rule_ops ops = good_ops();
  pf_plugin plugin = good(&ops);
  plugin.size = offsetof(pf_plugin, options);
  refuses(&plugin, PF_KIND_RULE, "too short", "PF_PLUGIN_HEAD");
  plugin = good(&ops);
  plugin.name = "not good";
  refuses(&plugin, PF_KIND_RULE, "no C identifier", "file's name");
  plugin.name = NULL;
  refuses(&plugin, PF_KIND_RULE, "no C identifier", "file's name");
  plugin = good(&ops);
  plugin.options = (pf_option_table){&option, 1, 0};
  refuses(&plugin, PF_KIND_RULE, "no stride", "PF_TABLE_OF");
}
