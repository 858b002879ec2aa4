#define _POSIX_C_SOURCE 200809L

#include "support.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The resolved config, read again, gives the same values; also from another folder. */
Test(config_write, reads_back_the_same)
{
  static const char *const text = "name = \"quo\\\"te\\\\ \\x01 tab\\t\"; seed = 5000000000L;\n"
                                  "rule: { plugin = \"taylor\"; rate = 0.1234567890123456789; path "
                                  "= \"d/y.mat\"; in: { sd = 1e-300; };\n"
                                  "  task: { blocks = ( { trials = 80; }, { trials = 7; reward = "
                                  "(1, 0.25); } ); }; empty = (); none: { }; };\n";
  char name[] = "/tmp/plastfit-write-XXXXXX";
  int descriptor = mkstemp(name);
  cr_assert_geq(descriptor, 0);
  (void)close(descriptor);

  const char *const others[] = {"plugin", "empty", "none"};
  const pf_names host = {others, 3};
  const char *const overrides[] = {"rule.modulator=2024", "rule.count=-7"};
  pf_config *config = NULL, *again = NULL;
  pf_view *view = NULL, *second = NULL;
  pf_error error = pf_error_none();
  cr_assert_eq(pf_config_parse(text, "configs/t.cfg", overrides, 2, &config, &error), PF_OK, "%s",
               error.text);
  pf_group rule = {.config = config,
                   .node = pf_node_get(pf_config_root(config), "rule"),
                   .what = "rule",
                   .table = rule_table(),
                   .others = host};
  cr_assert_eq(pf_view_create(&rule, &view, &error), PF_OK, "%s", error.text);
  cr_assert_eq(pf_config_write(config, name, &error), PF_OK);

  cr_assert_eq(pf_config_read(name, NULL, 0, &again, &error), PF_OK, "%s", error.text);
  const pf_node *group = pf_node_get(pf_config_root(again), "rule");
  /* no option is left to its default: each is written in the file, but those that have none */
  static const char *const filled[] = {
      "rate", "layers", "kind", "baited", "count", "in.mean", "task.blocks.[0].reward"};
  for (size_t i = 0; i < sizeof filled / sizeof filled[0]; i++) {
    cr_assert_not_null(pf_node_get(group, filled[i]), "%s", filled[i]);
  }
  rule.config = again;
  rule.node = group;
  cr_assert_eq(pf_view_create(&rule, &second, &error), PF_OK, "%s", error.text);
  const pf_options *a = pf_view_options(view), *b = pf_view_options(second);
  cr_assert_eq(a->real(a, "rate"), b->real(b, "rate"));
  cr_assert_eq(a->real(a, "in.sd"), b->real(b, "in.sd"));
  cr_assert_eq(b->real(b, "in.sd"), 1e-300);
  cr_assert_eq(b->integer(b, "count"), -7);
  cr_assert_str_eq(b->string(b, "modulator"), "2024");
  cr_assert_eq(b->length(b, "task.blocks"), 2);
  cr_assert_eq(b->real_at(b, "task.blocks[0].reward", 1), 0.8);
  cr_assert_eq(b->real_at(b, "task.blocks[1].reward", 1), 0.25);
  char path[4200], here[4096];
  cr_assert_not_null(getcwd(here, sizeof here));
  (void)snprintf(path, sizeof path, "%s/configs/d/y.mat", here);
  cr_assert_str_eq(b->string(b, "path"), path);
  const char *string = NULL;
  double seed = 0;
  cr_assert(pf_node_string(pf_node_get(pf_config_root(again), "name"), &string));
  cr_assert_str_eq(string, "quo\"te\\ \x01 tab\t");
  cr_assert(pf_node_number(pf_node_get(pf_config_root(again), "seed"), &seed));
  cr_assert_eq(seed, 5e9);
  pf_view_free(view);
  pf_view_free(second);
  pf_config_free(config);
  pf_config_free(again);
  cr_assert_eq(remove(name), 0);
}

Test(config_write, two_views_of_one_group_write_each_default_once)
{
  static const pf_option first[] = {{.name = "in.mean", .type = PF_TYPE_REAL, .fallback = "1.5"}};
  static const pf_option other[] = {{.name = "in.sd", .type = PF_TYPE_REAL, .fallback = "2.5"}};
  static const char *const all[] = {"in"};
  pf_config *config = NULL;
  pf_view *view = NULL;
  pf_error error = pf_error_none();
  cr_assert_eq(parse("source: { };", NULL, &config, &error), PF_OK);
  const pf_node *group = pf_node_get(pf_config_root(config), "source");
  for (int i = 0; i < 4; i++) {
    const pf_option *items = i % 2 == 0 ? first : other;
    const pf_group source = {.config = config,
                             .node = group,
                             .what = "source",
                             .table = {items, 1, sizeof *items},
                             .others = {all, 1}};
    cr_assert_eq(pf_view_create(&source, &view, &error), PF_OK);
    pf_view_free(view);
  }
  cr_assert_null(pf_node_get(group, "in")); /* what was filled in does not look given */
  char name[] = "/tmp/plastfit-write-XXXXXX";
  int descriptor = mkstemp(name);
  cr_assert_geq(descriptor, 0);
  (void)close(descriptor);
  cr_assert_eq(pf_config_write(config, name, &error), PF_OK);
  pf_config_free(config);
  cr_assert_eq(pf_config_read(name, NULL, 0, &config, &error), PF_OK, "%s", error.text);
  cr_assert_eq(pf_node_count(pf_node_get(pf_config_root(config), "source.in")), 2);
  pf_config_free(config);
  cr_assert_eq(remove(name), 0);
}

/* An override may say a part of a group of which the rest was filled in before. */
Test(config_write, a_group_said_after_its_defaults_stands_once)
{
  static const pf_option options[] = {{.name = "in.mean", .type = PF_TYPE_REAL, .fallback = "1.5"},
                                      {.name = "in.sd", .type = PF_TYPE_REAL, .fallback = "2.5"}};
  static const char *const all[] = {"in"};
  pf_config *config = NULL;
  pf_view *view = NULL;
  pf_error error = pf_error_none();
  double value = 0.0;
  cr_assert_eq(parse("source: { };", NULL, &config, &error), PF_OK);
  const pf_group source = {.config = config,
                           .node = pf_node_get(pf_config_root(config), "source"),
                           .what = "source",
                           .table = {options, 2, sizeof *options},
                           .others = {all, 1}};
  cr_assert_eq(pf_view_create(&source, &view, &error), PF_OK);
  pf_view_free(view);
  cr_assert_eq(pf_config_override(config, "source.in.mean=7.5", &error), PF_OK);
  cr_assert_eq(pf_config_override(config, "source.in.other=3", &error), PF_OK);
  char name[] = "/tmp/plastfit-write-XXXXXX";
  int descriptor = mkstemp(name);
  cr_assert_geq(descriptor, 0);
  (void)close(descriptor);
  cr_assert_eq(pf_config_write(config, name, &error), PF_OK);
  pf_config_free(config);
  cr_assert_eq(pf_config_read(name, NULL, 0, &config, &error), PF_OK, "%s", error.text);
  cr_assert_eq(pf_node_count(pf_node_get(pf_config_root(config), "source.in")), 3);
  cr_assert(pf_node_number(pf_node_get(pf_config_root(config), "source.in.mean"), &value) &&
            value == 7.5);
  cr_assert(pf_node_number(pf_node_get(pf_config_root(config), "source.in.sd"), &value) &&
            value == 2.5);
  pf_config_free(config);
  cr_assert_eq(remove(name), 0);
}

Test(config_write, a_place_that_cannot_be_written)
{
  pf_config *config = NULL;
  pf_error error = pf_error_none();
  cr_assert_eq(parse("a = 1;", NULL, &config, &error), PF_OK);
  cr_assert_eq(pf_config_write(config, "/nowhere/x.cfg", &error), PF_STOP);
  cr_assert(strstr(error.text, "/nowhere/x.cfg: cannot be written") != NULL);
  pf_config_free(config);
}
