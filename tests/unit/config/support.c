#include "support.h"

#include <math.h>

/* libconfig 1.5 loses a string that stands where it expects none: its memory, not ours, so
 * LeakSanitizer looks away. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
  return "leak:libconfig.so\n";
}

pf_option_table rule_table(void)
{
  static const pf_option items[] = {
      {.name = "rate",
       .type = PF_TYPE_REAL,
       .fallback = "0.1",
       .lower = 0,
       .upper = 1,
       .help = "of learning"},
      {.name = "layers",
       .type = PF_TYPE_INTEGERS,
       .fallback = "[2, 10]",
       .lower = 1,
       .upper = INFINITY},
      {.name = "kind",
       .type = PF_TYPE_STRING,
       .fallback = "\"tanh\"",
       .choices = "tanh|relu|linear"},
      {.name = "modulator", .type = PF_TYPE_STRING},
      {.name = "baited", .type = PF_TYPE_BOOL, .fallback = "true"},
      {.name = "count",
       .type = PF_TYPE_INTEGER,
       .fallback = "3",
       .lower = -INFINITY,
       .upper = INFINITY},
      {.name = "in.mean",
       .type = PF_TYPE_REAL,
       .fallback = "0.75",
       .lower = -INFINITY,
       .upper = INFINITY},
      {.name = "in.sd",
       .type = PF_TYPE_REAL,
       .required = 1,
       .lower = 0,
       .upper = INFINITY,
       .help = "noise"},
      {.name = "path", .type = PF_TYPE_PATH},
      {.name = "names", .type = PF_TYPE_STRINGS},
      {.name = "task.blocks[].trials",
       .type = PF_TYPE_INTEGER,
       .required = 1,
       .lower = 1,
       .upper = 100},
      {.name = "task.blocks[].reward",
       .type = PF_TYPE_REALS,
       .fallback = "[0.2, 0.8]",
       .lower = 0,
       .upper = 1},
  };
  return (pf_option_table){items, sizeof items / sizeof items[0], sizeof items[0]};
}

pf_names rule_others(void)
{
  static const char *const items[] = {"plugin", "eta", "in.draws", "parameters"};
  return (pf_names){items, sizeof items / sizeof items[0]};
}

pf_status parse(const char *text, const char *override, pf_config **out, pf_error *error)
{
  return pf_config_parse(text, "configs/t.cfg", &override, override == NULL ? 0 : 1, out, error);
}

pf_view *view_of_rule(const char *text, const char *override, pf_config **config, pf_error *error)
{
  pf_view *view = NULL;
  if (parse(text, override, config, error) != PF_OK) {
    return NULL;
  }
  const pf_group group = {.config = *config,
                          .node = pf_node_get(pf_config_root(*config), "rule"),
                          .what = "rule taylor",
                          .plugin = "taylor",
                          .table = rule_table(),
                          .others = rule_others()};
  if (pf_view_create(&group, &view, error) != PF_OK) {
    pf_config_free(*config);
    return NULL;
  }
  return view;
}

const char *line_of(const char *text, const char *override)
{
  static char line[PF_ERROR_LENGTH];
  pf_error error = pf_error_none();
  pf_config *config = NULL;
  pf_view *view = view_of_rule(text, override, &config, &error);
  if (view != NULL) {
    pf_view_free(view);
    pf_config_free(config);
  }
  (void)snprintf(line, sizeof line, "%s", error.text);
  return line;
}
