#include "tests/lab/lab.h"
#include "core/base/memory.h"
#include "core/model/build_model.h"
#include "core/model/plastic.h"
#include "core/model_config/keys.h"
#include <math.h>
#include <string.h>

/** Numbers that a case says of a projection, at most LAB_UNITS; returns how many. */
static size_t read_compartments(const pf_node *list, double *out)
{
  const int64_t n = pf_node_count(list);
  for (int64_t i = 0; i < n && i < LAB_UNITS; i++) {
    (void)pf_node_number(pf_node_at(list, i), &out[i]);
  }
  return n < 0 ? 0 : (size_t)n;
}

static pf_status create_rules(pf_registry *registry, lab *made, pf_plastic_spec *specs,
                              pf_error *error)
{
  const pf_node *root = pf_config_root(made->config);
  const pf_node *group = pf_node_get(root, "rules");
  const int64_t n = pf_node_count(group);
  if (n > LAB_MAX) {
    return pf_fail(error, PF_STOP, "found %lld rules, a test has at most %d", (long long)n,
                   LAB_MAX);
  }
  for (int64_t p = 0; p < n; p++) {
    const pf_node *node = pf_node_at(group, p);
    const char *projection = pf_node_name(node);
    double eta = NAN;
    const char *modulator = NULL, *post = NULL, *pre = NULL;
    const pf_component_spec spec = {made->config, node, PF_KIND_RULE, projection,
                                    pf_keys_names_of_kind(PF_KIND_RULE)};
    const pf_status status =
        pf_component_create(registry, &spec, &made->rules[made->n_rules], error);
    if (status != PF_OK) {
      return status;
    }
    (void)pf_node_number(pf_node_get(node, "eta"), &eta);
    (void)pf_node_string(pf_node_get(node, "modulator"), &modulator);
    (void)pf_node_string(pf_node_get(pf_node_get(root, "sees"), projection), &post);
    (void)pf_node_string(pf_node_get(pf_node_get(root, "sees_pre"), projection), &pre);
    (void)pf_node_string(pf_node_get(pf_node_get(root, "modulators"), projection), &modulator);
    const pf_node *compartments = pf_node_get(pf_node_get(root, "compartments"), projection);
    const bool is_signed = post != NULL && strcmp(post, "signed choice") == 0;
    specs[p] =
        (pf_plastic_spec){.rule = &made->rules[made->n_rules],
                          .projection = projection,
                          .eta = eta,
                          .modulator = modulator,
                          .post = is_signed ? "choice" : post,
                          .pre = pre,
                          .compartments = made->compartments,
                          .n_compartments = read_compartments(compartments, made->compartments),
                          .signed_choice = is_signed,
                          .owner = projection};
    made->n_rules++;
  }
  return PF_OK;
}

static pf_status create_losses(pf_registry *registry, lab *made, pf_loss_spec *specs,
                               pf_error *error)
{
  const pf_node *list = pf_node_get(pf_config_root(made->config), "losses");
  const int64_t n = pf_node_count(list);
  if (n > LAB_MAX) {
    return pf_fail(error, PF_STOP, "found %lld losses, a test has at most %d", (long long)n,
                   LAB_MAX);
  }
  for (int64_t k = 0; k < n; k++) {
    const pf_node *node = pf_node_at(list, k);
    double weight = 1.0;
    const pf_component_spec spec = {made->config, node, PF_KIND_LOSS, "loss",
                                    pf_keys_names_of_kind(PF_KIND_LOSS)};
    const pf_status status =
        pf_component_create(registry, &spec, &made->losses[made->n_losses], error);
    if (status != PF_OK) {
      return status;
    }
    (void)pf_node_number(pf_node_get(node, "weight"), &weight);
    specs[k] =
        (pf_loss_spec){.loss = &made->losses[made->n_losses], .weight = weight, .owner = "loss"};
    made->n_losses++;
  }
  return PF_OK;
}

pf_status lab_create(pf_registry *registry, const char *name, const char *text,
                     const pf_normalisation *normalise, pf_names channels, lab *out,
                     pf_error *error)
{
  pf_plastic_spec rules[LAB_MAX];
  pf_loss_spec losses[LAB_MAX];
  memset(out, 0, sizeof *out);
  pf_status status = pf_config_parse(text, name, NULL, 0, &out->config, error);
  if (status == PF_OK) {
    const pf_component_spec spec = {
        out->config, pf_node_get(pf_config_root(out->config), "network"), PF_KIND_NETWORK,
        "network", pf_keys_names_of_kind(PF_KIND_NETWORK)};
    status = pf_component_create(registry, &spec, &out->network, error);
  }
  if (status == PF_OK) {
    status = create_rules(registry, out, rules, error);
  }
  if (status == PF_OK) {
    status = create_losses(registry, out, losses, error);
  }
  if (status == PF_OK) {
    status = pf_model_create(&(const pf_model_spec){&out->network, rules, out->n_rules, losses,
                                                    out->n_losses, normalise, channels},
                             &out->model, error);
  }
  if (status != PF_OK) {
    lab_free(out);
  }
  return status;
}

void lab_free(lab *made)
{
  pf_model_free(made->model);
  for (size_t k = 0; k < made->n_losses; k++) {
    pf_component_free(&made->losses[k]);
  }
  for (size_t p = 0; p < made->n_rules; p++) {
    pf_component_free(&made->rules[p]);
  }
  pf_component_free(&made->network);
  if (made->config != NULL) {
    pf_config_free(made->config);
  }
  memset(made, 0, sizeof *made);
}
