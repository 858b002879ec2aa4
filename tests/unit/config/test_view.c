#include "support.h"

#include <criterion/criterion.h>
#include <string.h>

static const char *const text =
    "rule: {\n"
    "  plugin = \"taylor\"; eta = 0.5;\n"
    "  path = \"d/y.mat\"; count = 4.0; names = [\"a\", \"b\"];\n"
    "  in = { sd = 1; draws = 3; };\n"
    "  task: { blocks = ( { trials = 80; reward = (0.5, 1); }, { trials = 8; } ); };\n"
    "};\n";

Test(config_view, values_and_defaults)
{
  pf_config *config = NULL;
  pf_error error = pf_error_none();
  pf_view *view = view_of_rule(text, NULL, &config, &error);
  cr_assert_not_null(view, "%s", error.text);
  const pf_options *o = pf_view_options(view);
  cr_assert_eq(o->real(o, "rate"), 0.1);
  cr_assert_eq(o->length(o, "layers"), 2);
  cr_assert_eq(o->integer_at(o, "layers", 1), 10);
  cr_assert_str_eq(o->string(o, "kind"), "tanh");
  cr_assert_eq(o->boolean(o, "baited"), 1);
  cr_assert_eq(o->integer(o, "count"), 4); /* 4.0 is a whole number */
  cr_assert_eq(o->real(o, "in.sd"), 1.0);  /* and 1 a real one */
  cr_assert_eq(o->present(o, "modulator"), 0);
  cr_assert_str_eq(o->string(o, "modulator"), "");
  cr_assert_eq(o->present(o, "path"), 1);
  cr_assert_str_eq(o->string_at(o, "names", 1), "b");
  cr_assert_eq(o->length(o, "task.blocks"), 2);
  cr_assert_eq(o->integer(o, "task.blocks[0].trials"), 80);
  cr_assert_eq(o->integer(o, "task.blocks[1].trials"), 8);
  cr_assert_eq(o->real_at(o, "task.blocks[0].reward", 1), 1.0);
  cr_assert_eq(o->real_at(o, "task.blocks[1].reward", 1), 0.8);
  cr_assert_eq(pf_view_verify(view, &error), PF_OK);
  cr_assert_not_null(pf_view_node(view, "task.blocks[1].trials"));
  cr_assert_null(pf_view_node(view, "rate")); /* not given */
  pf_view_free(view);
  pf_config_free(config);
}

Test(config_view, an_empty_group_has_defaults)
{
  static const pf_option items[] = {{.name = "a.b", .type = PF_TYPE_REAL, .fallback = "2"}};
  pf_view *view = NULL;
  pf_error error = pf_error_none();
  pf_config *config = NULL;
  cr_assert_eq(parse("", NULL, &config, &error), PF_OK);
  const pf_group fit = {.config = config, .what = "fit", .table = {items, 1, sizeof items[0]}};
  cr_assert_eq(pf_view_create(&fit, &view, &error), PF_OK);
  const pf_options *o = pf_view_options(view);
  cr_assert_eq(o->real(o, "a.b"), 2.0);
  pf_view_free(view);
  pf_config_free(config);
}

Test(config_view, paths_start_where_they_were_written)
{
  static const struct {
    const char *override, *expected;
  } cases[] = {{NULL, "configs/d/y.mat"},
               {"rule.path=d/z.mat", "d/z.mat"},
               {"rule.path=/abs", "/abs"},
               {"rule.path=~/x", "~/x"},
               {"rule.path=2024", "2024"}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    pf_config *config = NULL;
    pf_error error = pf_error_none();
    pf_view *view = view_of_rule(text, cases[i].override, &config, &error);
    cr_assert_not_null(view, "%s", error.text);
    const pf_options *o = pf_view_options(view);
    cr_assert_str_eq(o->string(o, "path"), cases[i].expected);
    pf_view_free(view);
    pf_config_free(config);
  }
}

Test(config_view, mistakes_have_a_place_and_a_way_out)
{
  static const struct {
    const char *override, *line;
  } cases[] = {
      {"rule.rate=2", "command line: rule.rate=2: rule.rate: found 2, expected 0 to 1"},
      {"rule.rate=-1", "command line: rule.rate=-1: rule.rate: found -1, expected 0 to 1"},
      {"rule.rate=fast",
       "command line: rule.rate=fast: rule.rate: found \"fast\", expected a number"},
      {"rule.rate=1e999", "command line: rule.rate=1e999: rule.rate: found inf, expected a number"},
      {"rule.rate={}", "command line: rule.rate={}: rule.rate: found a group, expected a number"},
      {"rule.count=1.5",
       "command line: rule.count=1.5: rule.count: found 1.5, expected a whole number"},
      {"rule.baited=1",
       "command line: rule.baited=1: rule.baited: found 1, expected true or false"},
      {"rule.layers=3", "command line: rule.layers=3: rule.layers: found 3, expected a list of "
                        "whole numbers, such as [2, 10]"},
      {"rule.layers=[4, -2]",
       "command line: rule.layers=[4, -2]: rule.layers[1]: found -2, expected 1 or more"},
      {"rule.kind=tahn",
       "command line: rule.kind=tahn: rule.kind: found \"tahn\", expected \"tanh\", \"relu\" or "
       "\"linear\"; did you mean \"tanh\"?"},
      {"rule.modulater=r",
       "command line: rule.modulater=r: rule taylor has no option 'modulater'; did you mean "
       "'modulator'? (plastfit describe taylor lists them)"},
      {"rule.etta=1",
       "command line: rule.etta=1: rule taylor has no option 'etta'; did you mean 'eta'? (plastfit "
       "describe taylor lists them)"}, /* the host's names count too */
      {"rule.in.draw=1",
       "command line: rule.in.draw=1: rule taylor has no option 'in.draw'; did you mean 'draws'? "
       "(plastfit describe taylor lists them)"},
      {"rule.mean=1", "command line: rule.mean=1: rule taylor has no option 'mean'; did you mean "
                      "'in.mean'? (plastfit "
                      "describe taylor lists them)"},
      {"rule.zzz=1", "command line: rule.zzz=1: rule taylor has no option 'zzz' (plastfit describe "
                     "taylor lists them)"},
      {"rule.task.blocks.[1].trials=1000",
       "command line: rule.task.blocks.[1].trials=1000: rule.task.blocks.[1].trials: found 1000, "
       "expected 1 to 100"},
      {"rule.task.blocks=[1, 2]",
       "command line: rule.task.blocks=[1, 2]: rule.task.blocks: found a list, expected a "
       "list of groups, ( { ... }, { ... } )"},
      {"rule.parameters.anything=1", ""}, /* a group of the host's, whatever is in it */
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    cr_assert_str_eq(line_of(text, cases[i].override), cases[i].line);
  }
}

Test(config_view, mistakes_in_the_file_name_its_line)
{
  cr_assert_str_eq(line_of("rule: { in: { sd = 1; };\n rate = -2; };", NULL),
                   "configs/t.cfg:2: rule.rate: found -2, expected 0 to 1");
  cr_assert_str_eq(line_of("rule: {\n in: { sd = 1; };\n\n raet = 1; };", NULL),
                   "configs/t.cfg:4: rule taylor has no option 'raet'; did you mean 'rate'? "
                   "(plastfit describe taylor "
                   "lists them)");
  cr_assert_str_eq(line_of("\nrule: { rate = 1; };", NULL),
                   "configs/t.cfg:2: rule taylor needs 'in.sd': noise, which is missing here");
  cr_assert_str_eq(
      line_of("rule: { in: { sd = 1; };\n task: { blocks = (\n { reward = [0.5]; } ); }; };", NULL),
      "configs/t.cfg:3: rule taylor needs 'task.blocks[0].trials', which is missing here");
  cr_assert_str_eq(line_of("rule = 3;", NULL),
                   "configs/t.cfg:1: rule: found 3, expected a group, { ... }");
  cr_assert_str_eq(line_of("rule: { in = 3; };", NULL),
                   "configs/t.cfg:1: rule.in: found 3, expected a group, { ... }");
}

Test(config_view, wrong_requests_of_a_plugin_are_found)
{
  static const char *const requests[] = {"ratte", "layers", "task", "task.blocks[9].trials"};
  for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
    pf_config *config = NULL;
    pf_error error = pf_error_none();
    pf_view *view = view_of_rule(text, NULL, &config, &error);
    const pf_options *o = pf_view_options(view);
    cr_assert_eq(o->real(o, requests[i]), 0.0);
    cr_assert_eq(pf_view_verify(view, &error), PF_STOP);
    cr_assert(strstr(error.text, requests[i]) != NULL, "%s", error.text);
    cr_assert(strstr(error.text, "rule taylor") != NULL, "%s", error.text);
    pf_view_free(view);
    pf_config_free(config);
  }
}

Test(config_view, an_element_beyond_the_end_is_found)
{
  pf_config *config = NULL;
  pf_error error = pf_error_none();
  pf_view *view = view_of_rule(text, NULL, &config, &error);
  const pf_options *o = pf_view_options(view);
  cr_assert_eq(o->integer_at(o, "layers", 2), 0);
  cr_assert_eq(pf_view_verify(view, &error), PF_STOP);
  pf_view_free(view);
  pf_config_free(config);
}

Test(config_view, a_default_that_is_wrong_is_the_tables_fault)
{
  static const pf_option bad[] = {
      {.name = "a", .type = PF_TYPE_REAL, .fallback = "tanh"},
      {.name = "a", .type = PF_TYPE_REAL, .fallback = "2", .lower = 0, .upper = 1},
      {.name = "a", .type = 99}};
  for (size_t i = 0; i < 3; i++) {
    pf_config *config = NULL;
    pf_view *view = NULL;
    pf_error error = pf_error_none();
    cr_assert_eq(parse("", NULL, &config, &error), PF_OK);
    const pf_group rule = {
        .config = config, .what = "rule x", .table = {&bad[i], 1, sizeof bad[0]}};
    cr_assert_eq(pf_view_create(&rule, &view, &error), PF_STOP);
    cr_assert(strstr(error.text, "a mistake in the table") != NULL, "%s", error.text);
    pf_config_free(config);
  }
}
