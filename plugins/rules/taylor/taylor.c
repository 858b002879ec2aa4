/*
 * plugins/rules/taylor/taylor.c - the Taylor (Volterra) rule: dw = sum theta_abcd x^a y^b w^c r^d,
 * powers 0..2.
 *
 * Which terms there are is the object's; what they cost is in kernel.h, rows.h and packed.h; how
 * they are written is in terms.h.
 */
#include <plastfit/abi/plugin.h>

#include "packed.h"
#include "pairs.h"
#include "tangent.h"

static const pf_option options[] = {
    {.name = "terms",
     .type = PF_TYPE_STRING,
     .help = "terms as an expression: \"1 + w + x + r + x r\", \"X1Y0W0R1 - 0.05X0Y0W1R0\", or "
             "\"all\""},
    {.name = "term_list",
     .type = PF_TYPE_STRINGS,
     .help = "the same, one expression an element: [\"x r\", \"w\"]"},
    {.name = "powers.x",
     .type = PF_TYPE_INTEGERS,
     .lower = 0,
     .upper = 2,
     .help = "all products of these powers; a letter left out has power 0"},
    {.name = "powers.y",
     .type = PF_TYPE_INTEGERS,
     .lower = 0,
     .upper = 2,
     .help = "allowed powers of y"},
    {.name = "powers.w",
     .type = PF_TYPE_INTEGERS,
     .lower = 0,
     .upper = 2,
     .help = "allowed powers of w"},
    {.name = "powers.r",
     .type = PF_TYPE_INTEGERS,
     .lower = 0,
     .upper = 2,
     .help = "allowed powers of r"},
    {.name = "mask",
     .type = PF_TYPE_INTEGERS,
     .lower = 0,
     .upper = 1,
     .help = "81 zeros and ones in the order [x power][y power][w power][r power]"},
};

static const char *const powers_option[TAYLOR_VARIABLES] = {"powers.x", "powers.y", "powers.w",
                                                            "powers.r"};

static const pf_modulator modulators[] = {
    {.name = "r",
     .fallback = "reward - expected_reward",
     .per = PF_PER_NETWORK,
     .help = "the reward term r"},
};

/** All terms, those of a mask, or the products of lists of powers. */
static pf_status read_all(taylor_set *set)
{
  for (int i = 0; i < TAYLOR_TERMS; i++) {
    set->used[i] = 1;
    set->value[i] = 1.0;
  }
  return PF_OK;
}

static pf_status read_terms(const pf_options *given, taylor_set *set, pf_error *error)
{
  const char *text = given->string(given, "terms");
  return strcmp(text, "all") == 0 ? read_all(set) : taylor_set_parse(set, text, "terms", error);
}

static pf_status read_term_list(const pf_options *given, taylor_set *set, pf_error *error)
{
  const int64_t n = given->length(given, "term_list");
  if (n == 0) {
    return pf_fail_key(error, PF_STOP, "term_list",
                       "the list is empty; write some terms, such as [\"x r\", \"w\"]");
  }
  for (int64_t i = 0; i < n; i++) {
    const pf_status status =
        taylor_set_parse(set, given->string_at(given, "term_list", i), "term_list", error);
    if (status != PF_OK) {
      return status;
    }
  }
  return PF_OK;
}

static pf_status read_powers(const pf_options *given, taylor_set *set, pf_error *error)
{
  int allowed[TAYLOR_VARIABLES][TAYLOR_POWERS] = {{0}};
  for (int v = 0; v < TAYLOR_VARIABLES; v++) {
    const char *key = powers_option[v];
    if (!given->present(given, key)) {
      allowed[v][0] = 1;
      continue;
    }
    const int64_t n = given->length(given, key);
    if (n == 0) {
      return pf_fail_key(error, PF_STOP, key,
                         "the list is empty; write the powers of %c, such as [0, 1]",
                         taylor_letters[v]);
    }
    for (int64_t i = 0; i < n; i++) {
      const int64_t power = given->integer_at(given, key, i);
      if (power < 0 || power >= TAYLOR_POWERS) {
        return pf_fail_key(error, PF_STOP, key, "found power %lld; powers 0..2 are available",
                           (long long)power);
      }
      if (allowed[v][power]) {
        return pf_fail_key(error, PF_STOP, key, "power %lld is there twice; write it once",
                           (long long)power);
      }
      allowed[v][power] = 1;
    }
  }
  for (int i = 0; i < TAYLOR_TERMS; i++) {
    int power[TAYLOR_VARIABLES];
    taylor_powers(i, power);
    set->used[i] =
        (uint8_t)(allowed[TAYLOR_X][power[TAYLOR_X]] && allowed[TAYLOR_Y][power[TAYLOR_Y]] &&
                  allowed[TAYLOR_W][power[TAYLOR_W]] && allowed[TAYLOR_R][power[TAYLOR_R]]);
    set->value[i] = 1.0;
  }
  return PF_OK;
}

static pf_status read_mask(const pf_options *given, taylor_set *set, pf_error *error)
{
  const int64_t n = given->length(given, "mask");
  if (n != TAYLOR_TERMS) {
    return pf_fail_key(
        error, PF_STOP, "mask",
        "the list has %lld elements, expected 81: [x power][y power][w power][r power]",
        (long long)n);
  }
  int any = 0;
  for (int i = 0; i < TAYLOR_TERMS; i++) {
    set->used[i] = (uint8_t)(given->integer_at(given, "mask", i) != 0);
    set->value[i] = 1.0;
    any = any || set->used[i];
  }
  return any ? PF_OK
             : pf_fail_key(error, PF_STOP, "mask",
                           "all 81 elements are 0; at least one term is needed");
}

/** The terms, by whichever of the four ways was chosen. */
static pf_status read_set(const pf_options *given, taylor_set *set, pf_error *error)
{
  const int terms = given->present(given, "terms");
  const int list = given->present(given, "term_list");
  const int mask = given->present(given, "mask");
  int powers = 0;
  for (int v = 0; v < TAYLOR_VARIABLES; v++) {
    powers = powers || given->present(given, powers_option[v]);
  }
  if (terms + list + mask + powers > 1) {
    return pf_fail_key(error, PF_STOP, terms ? "terms" : (list ? "term_list" : "mask"),
                       "terms are chosen in more than one way, by%s%s%s%s; keep one and take the "
                       "others out of the config",
                       terms ? " `terms`" : "", list ? " `term_list`" : "",
                       powers ? " `powers`" : "", mask ? " `mask`" : "");
  }
  if (terms) {
    return read_terms(given, set, error);
  }
  if (list) {
    return read_term_list(given, set, error);
  }
  if (powers) {
    return read_powers(given, set, error);
  }
  return mask ? read_mask(given, set, error) : read_all(set);
}

/** Fill in term k. */
static void add_parameter(taylor *self, const taylor_set *set, int index)
{
  const int k = self->n_terms++;
  int power[TAYLOR_VARIABLES];
  taylor_powers(index, power);
  for (int v = 0; v < TAYLOR_VARIABLES; v++) {
    self->power[k][v] = (uint8_t)power[v];
    self->highest[v] = power[v] > self->highest[v] ? power[v] : self->highest[v];
  }
  (void)snprintf(self->name[k], sizeof self->name[k], "X%dY%dW%dR%d", power[0], power[1], power[2],
                 power[3]);
  taylor_label(power, self->label[k], sizeof self->label[k]);
  self->parameters[k] = (pf_parameter){
      .name = self->name[k],
      .label = self->label[k],
      .unit = "1",
      .initial = 0.0,
      .initial_sd = 1e-5,
      .value = set->value[index],
      .lower = -INFINITY,
      .upper = INFINITY,
      .scope = PF_SCOPE_SHARED,
      .flags = set->given[index] ? PF_PARAMETER_GIVEN : 0,
      .help = "coefficient of this product",
  };
}

/** Where each term goes in the table. */
static void lay_out_table(taylor *self)
{
  const int n_x = self->highest[TAYLOR_X] + 1;
  const int n_y = self->highest[TAYLOR_Y] + 1;
  const int n_w = self->highest[TAYLOR_W] + 1;
  const int n_r = self->highest[TAYLOR_R] + 1;
  self->is_full = self->n_terms == n_x * n_y * n_w * n_r;
  for (int k = 0; k < self->n_terms; k++) {
    const uint8_t *power = self->power[k];
    self->slot[TAYLOR_ROWS][k] =
        (uint8_t)((power[TAYLOR_Y] * n_x + power[TAYLOR_X]) * n_w + power[TAYLOR_W]);
    self->slot[TAYLOR_PACKED][k] =
        (uint8_t)((power[TAYLOR_X] * n_y + power[TAYLOR_Y]) * n_w + power[TAYLOR_W]);
    self->used[self->slot[TAYLOR_ROWS][k]] = 1;
  }
  for (int slot = n_x * n_y * n_w - 1; slot >= 0; slot--) { /* a factor less is a slot before */
    const int c = slot % n_w, a = slot / n_w % n_x, b = slot / n_w / n_x;
    const int wanted = self->used[slot] || self->asked[slot];
    self->asked[slot] = (uint8_t)wanted;
    if (!wanted) {
      continue;
    }
    if (c > 0) {
      self->asked[slot - 1] = 1;
    }
    if (a > 0 && (self->used[slot] || c == 0)) {
      self->asked[slot - n_w] = 1;
    }
    if (b > 0 && (self->used[slot] || (c == 0 && a == 0))) {
      self->asked[slot - n_w * n_x] = 1;
    }
  }
}

static pf_status create(const pf_host *host, const pf_options *given, void **out, pf_error *error)
{
  taylor_set set = {{0}, {0}, {0}};
  const pf_status status = read_set(given, &set, error);
  if (status != PF_OK) {
    return status;
  }
  taylor *self = host->allocate(host, sizeof *self);
  if (self == NULL) {
    return pf_fail(error, PF_STOP, "no memory for the rule");
  }
  self->host = host;
  for (int i = 0; i < TAYLOR_TERMS; i++) {
    if (set.used[i]) {
      add_parameter(self, &set, i);
    }
  }
  lay_out_table(self);
  *out = self;
  return PF_OK;
}

static void destroy(void *object)
{
  taylor *self = object;
  if (self != NULL) {
    self->host->release(self->host, self);
  }
}

static pf_status declare(const void *object, pf_rule_declaration *out, pf_error *error)
{
  (void)error;
  const taylor *self = object;
  static const uint32_t reads[TAYLOR_VARIABLES] = {PF_READS_PRE, PF_READS_POST, PF_READS_WEIGHT,
                                                   PF_READS_MODULATOR};
  out->parameters =
      (pf_parameter_table){self->parameters, (size_t)self->n_terms, sizeof self->parameters[0]};
  out->modulators = (pf_modulator_table)PF_TABLE_OF(modulators);
  for (int v = 0; v < TAYLOR_VARIABLES; v++) {
    out->reads |= self->highest[v] > 0 ? reads[v] : 0;
  }
  if (out->reads == 0) {
    out->reads =
        PF_READS_WEIGHT; /* The constant term alone reads nothing, but 0 would mean: everything. */
  }
  return PF_OK;
}

/**
 * Terms of at least 1 % of the largest, the largest first, then how many were left out. A term that
 * is not a number is always shown.
 */
static pf_status describe(const void *object, const double *theta, uint32_t format, char *text,
                          size_t capacity, pf_error *error)
{
  (void)error;
  const taylor *self = object;
  rule_text out = rule_text_begin(text, capacity, format);
  double largest = 0.0;
  for (int k = 0; k < self->n_terms; k++) {
    largest = fabs(theta[k]) > largest ? fabs(theta[k]) : largest;
  }
  uint8_t done[TAYLOR_TERMS] = {0};
  int shown = 0;
  int zeros = 0;
  for (;;) {
    int next = -1;
    for (int k = 0; k < self->n_terms; k++) {
      const int counts = !(fabs(theta[k]) < 0.01 * largest) && theta[k] != 0.0;
      if (!done[k] && counts &&
          (next < 0 || isnan(theta[k]) || fabs(theta[k]) > fabs(theta[next]))) {
        next = k;
      }
    }
    if (next < 0) {
      break;
    }
    done[next] = 1;
    rule_text_term(&out, format, shown == 0, theta[next], self->label[next]);
    shown++;
  }
  for (int k = 0; k < self->n_terms; k++) {
    zeros += theta[k] == 0.0;
  }
  const int smaller = self->n_terms - shown - zeros;
  if (shown == 0) {
    rule_text_add(&out, "0");
  }
  if (smaller > 0) {
    rule_text_add(&out, format == PF_TEXT_LATEX ? " + \\text{%d smaller %s}" : " + %d smaller %s",
                  smaller, smaller == 1 ? "term" : "terms");
  }
  return PF_OK;
}

static const char *const aliases[] = {"volterra"};

/**
 * Of packed.h a kernel for each pair of highest powers of v and w; functions of their own, since as
 * branches of one function they take a compiler minutes.
 */
enum { TAYLOR_SHAPES = TAYLOR_POWERS * TAYLOR_POWERS };

/** The kernel for this rule and block. */
static const taylor_kernel *kernel_of(const taylor_kernel narrow[TAYLOR_SHAPES],
                                      const taylor_kernel *rows, const taylor *self,
                                      const pf_block *in)
{
  return taylor_way(in) == TAYLOR_ROWS
             ? rows
             : &narrow[self->highest[TAYLOR_Y] * TAYLOR_POWERS + self->highest[TAYLOR_W]];
}

/** Is this a step that pairs.h takes? `ld`: of w_out, or of the cotangent. */
static int is_of_pairs(const pf_block *in, const pf_update *update, int64_t ld)
{
  return in->n_pre == 2 && in->ldw == 2 && ld == 2 && update->mask == NULL;
}

#define PF_ISA baseline
#include "taylor_ops.h"
#ifdef PF_ISA_HAS_AVX2
#define PF_ISA avx2
#include "taylor_ops.h"
#endif

PF_PLUGIN_ENTRY(taylor)
{
  return PF_ISA_CHOOSE(plugin);
}
