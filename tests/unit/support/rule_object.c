#include "tests/unit/support/rule_object.h"

#include <criterion/criterion.h>
#include <string.h>

void rule_make(rule_object *rule, pf_plugin_entry entry, const fake_value *given, size_t n_given)
{
  memset(rule, 0, sizeof *rule);
  rule->plugin = entry();
  rule->ops = rule->plugin->rule;
  fake_options options;
  fake_options_init(&options, &rule->plugin->options, given, n_given);
  pf_error error = {.size = sizeof error};
  const pf_status status =
      rule->ops->create(fake_host_init(&rule->host), &options.face, &rule->self, &error);
  cr_assert(status == PF_OK, "create: %s", error.text);
  cr_assert(options.mistakes == 0, "create read %d options it should not have", options.mistakes);
  rule->declared.size = sizeof rule->declared;
  cr_assert(rule->ops->declare(rule->self, &rule->declared, &error) == PF_OK);
}

void rule_unmake(rule_object *rule)
{
  rule->ops->destroy(rule->self);
  rule->ops->destroy(NULL);
  cr_assert(rule->host.live == 0, "%lld allocations leaked", (long long)rule->host.live);
}

void rule_refusal(pf_plugin_entry entry, const fake_value *given, size_t n_given, char *text,
                  size_t capacity)
{
  const pf_plugin *plugin = entry();
  fake_options options;
  fake_host host;
  fake_options_init(&options, &plugin->options, given, n_given);
  pf_error error = {.size = sizeof error};
  void *self = &host;
  const pf_status status =
      plugin->rule->create(fake_host_init(&host), &options.face, &self, &error);
  cr_assert(status < 0, "create took what it should refuse");
  cr_assert(self == &host, "create touched *self on failure");
  cr_assert(host.live == 0, "a refusal leaks");
  cr_assert(error.text[0] != '\0', "a refusal without a line");
  (void)snprintf(text, capacity, "%s", error.text);
}

double rule_dw(const rule_object *rule, const double *theta, double x, double y, double w, double r)
{
  const pf_real cell[4] = {(pf_real)x, (pf_real)y, (pf_real)w, (pf_real)r};
  const pf_block in = {.size = sizeof in,
                       .flags = PF_STEP_PLASTIC,
                       .n_rows = 1,
                       .n_pre = 1,
                       .theta = theta,
                       .pre = &cell[0],
                       .post = &cell[1],
                       .w = &cell[2],
                       .modulator = &cell[3],
                       .ld_pre = 1,
                       .ld_post = 1,
                       .ldw = 1};
  pf_real dw = (pf_real)-77.25;
  pf_error error = {.size = sizeof error};
  cr_assert(rule->ops->forward(rule->self, &in, &dw, 1, &error) == PF_OK, "forward: %s",
            error.text);
  return (double)dw;
}
