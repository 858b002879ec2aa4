#include "support.h"

#include <criterion/criterion.h>
#include <string.h>

static const char *const text =
    "name = \"x\";\n"
    "rule: { plugin = \"taylor\"; in: { sd = 1; }; kind = \"relu\"; };\n"
    "losses = ( { plugin = \"choice\"; weight = 2; }, { plugin = \"activity\"; } );\n";

/** What stands at `path` after the override, as a string: numbers as %g, strings as they are, else
 * "?". */
static const char *after(const char *override, const char *path)
{
  static char value[PF_ERROR_LENGTH];
  pf_config *config = NULL;
  pf_error error = pf_error_none();
  if (parse(text, override, &config, &error) != PF_OK) {
    (void)snprintf(value, sizeof value, "%s", error.text);
    return value;
  }
  const pf_node *node = pf_node_get(pf_config_root(config), path);
  const char *string = NULL;
  double number = 0;
  if (pf_node_string(node, &string)) {
    (void)snprintf(value, sizeof value, "'%s'", string);
  } else if (pf_node_number(node, &number)) {
    (void)snprintf(value, sizeof value, "%.17g", number);
  } else {
    (void)snprintf(value, sizeof value, "?");
  }
  pf_config_free(config);
  return value;
}

Test(config_overrides, values)
{
  cr_assert_str_eq(after("name=fly", "name"), "'fly'");
  cr_assert_str_eq(after("name=\"a b\"", "name"), "'a b'");
  cr_assert_str_eq(after("rule.path=../x/Fly*.mat", "rule.path"), "'../x/Fly*.mat'");
  cr_assert_str_eq(after("rule.terms=x r - 0.05 w", "rule.terms"), "'x r - 0.05 w'");
  cr_assert_str_eq(after("rule.terms=1 + w", "rule.terms"), "'1 + w'");
  cr_assert_str_eq(after("out=../12345678901/x", "out"), "'../12345678901/x'");
  cr_assert_str_eq(after("out=runs#1", "out"), "'runs#1'");
  cr_assert_str_eq(after("out=5#1", "out"), "'5#1'"); /* no comment on the command line */
  cr_assert_str_eq(after("rule.in.sd=1e-2", "rule.in.sd"), "0.01");
  cr_assert_str_eq(after(" rule.in.sd = 0.5 ", "rule.in.sd"), "0.5");
  cr_assert_str_eq(after("seed=3000000000", "seed"), "3000000000");
  cr_assert_str_eq(after("rule.layers=[2, 7]", "rule.layers.[1]"), "7");
}

Test(config_overrides, places)
{
  cr_assert_str_eq(after("losses.[0].weight=3", "losses.[0].weight"), "3");
  cr_assert_str_eq(after("losses.[1].weight=3", "losses.[1].weight"), "3");
  cr_assert_str_eq(after("losses.[2].plugin=more", "losses.[2].plugin"), "'more'");
  cr_assert_str_eq(after("losses[0].weight=3", "losses.[0].weight"), "3");
  cr_assert_str_eq(after("a.b.c=3", "a.b.c"), "3");
  cr_assert_str_eq(after("new.[0].x=3", "new.[0].x"), "3");
}

Test(config_overrides, mistakes)
{
  cr_assert_str_eq(after("rule.rate", ""),
                   "command line: rule.rate: expected key=value, such as fit.epochs=10");
  cr_assert(strstr(after("rule.rate=", ""), "the value is missing") != NULL);
  cr_assert(strstr(after("=3", ""), "is no name of a setting") != NULL);
  cr_assert(strstr(after("a..b=3", ""), "is no name of a setting") != NULL);
  cr_assert(strstr(after("a.=3", ""), "is no name of a setting") != NULL);
  cr_assert(strstr(after("losses.[x]=3", ""), "is no name of a setting") != NULL);
  cr_assert(strstr(after("losses.[3].weight=3", ""), "'losses' has 2 element(s)") != NULL);
  cr_assert(strstr(after("losses.weight=3", ""), "so it has no 'weight'") != NULL);
  cr_assert(strstr(after("name.first=3", ""),
                   "'name' is \"x\" (configs/t.cfg:1), so it has no 'first'") != NULL);
  cr_assert(strstr(after("rule=oja", ""), "such as rule.plugin") != NULL);
  cr_assert(strstr(after("rule.layers=[1", ""), "not in the config's syntax") != NULL);
  cr_assert(strstr(after("rule.rate=1; y = 2", ""), "more than one value") != NULL);
  cr_assert(strstr(after("a=1\nb=2", ""), "one line of text") != NULL);
  cr_assert(strstr(after("a=[3000000000]", ""), "beyond 32 bits; write 3000000000L") != NULL);
  cr_assert(strstr(after("a=99999999999999999999", ""), "too large") != NULL);
}

Test(config_overrides, remembers_what_it_replaced)
{
  const char *const twice[] = {"rule.plugin=oja", "rule.plugin=mlp"};
  pf_config *config = NULL;
  pf_error error = pf_error_none();
  cr_assert_eq(pf_config_parse(text, "t.cfg", twice, 2, &config, &error), PF_OK);
  const pf_node *plugin = pf_node_get(pf_config_root(config), "rule.plugin");
  cr_assert_str_eq(pf_node_replaced(plugin), "taylor");
  cr_assert_null(pf_node_replaced(pf_node_get(pf_config_root(config), "name")));
  char where[128];
  pf_node_where(config, plugin, where, sizeof where);
  cr_assert_str_eq(where, "command line: rule.plugin=mlp");
  pf_config_free(config);
}

Test(config_overrides, another_plugin_drops_only_keys_of_the_file)
{
  static const char *const file = "rule: { plugin = \"a\"; rate = 0.5; foreign = 1; eta = 2;\n"
                                  "  in: { sd = 1; other = 3; }; far: { x = 1; }; };\n";
  const char *const overrides[] = {"rule.plugin=taylor", "rule.mine=4"};
  pf_config *config = NULL;
  pf_error error = pf_error_none();
  char names[128];
  cr_assert_eq(pf_config_parse(file, "t.cfg", overrides, 2, &config, &error), PF_OK);
  const pf_node *group = pf_node_get(pf_config_root(config), "rule");
  const pf_group rule = {.config = config,
                         .node = group,
                         .what = "rule taylor",
                         .table = rule_table(),
                         .others = rule_others()};
  cr_assert_eq(pf_config_drop_foreign(&rule, names, sizeof names, &error), PF_OK);
  cr_assert_str_eq(names, "foreign, in.other, far");
  cr_assert_not_null(pf_node_get(group, "eta")); /* the host's stays */
  cr_assert_not_null(pf_node_get(group, "in.sd"));
  pf_view *view = NULL;
  cr_assert_neq(pf_view_create(&rule, &view, &error), PF_OK);
  cr_assert_str_eq(error.text, "command line: rule.mine=4: rule taylor has no option 'mine'");
  pf_config_free(config);
}
