/* plugins/networks/feedforward: what it declares, its starting weights, its response and the
 * adjoint of that. */
#include "tests/unit/support/fake_options.h"
#include "tests/unit/support/numbers.h"
#include <criterion/criterion.h>
#include <plastfit/abi/plugin.h>
#include <stdlib.h>
#include <string.h>

const pf_plugin *feedforward_LTX_pf_plugin_entry(void);

/* ---- a network from options ---- */

typedef struct setup {
  fake_host host;
  pf_error error;
  const pf_network_ops *ops;
  void *net;
  pf_network_declaration declared;
  double theta[2]; /**< gain, bias: as the options give them */
} setup;

static pf_status start_at(setup *s, const fake_value *given, size_t n_given, int64_t fail_at)
{
  const pf_plugin *plugin = feedforward_LTX_pf_plugin_entry();
  fake_options options;
  memset(s, 0, sizeof *s);
  s->error.size = sizeof s->error;
  s->ops = plugin->network;
  fake_options_init(&options, &plugin->options, given, n_given);
  const pf_host *host = fake_host_init(&s->host);
  s->host.fail_at = fail_at;
  const pf_status status = s->ops->create(host, &options.face, &s->net, &s->error);
  cr_assert(options.mistakes == 0);
  if (status == PF_OK) {
    s->declared.size = sizeof s->declared;
    cr_assert(s->ops->declare(s->net, &s->declared, &s->error) == PF_OK);
    cr_assert(s->declared.parameters.count == 2);
    for (int i = 0; i < 2; i++) {
      s->theta[i] = s->declared.parameters.items[i].initial;
    }
  }
  return status;
}

static void start(setup *s, const fake_value *given, size_t n_given)
{
  const pf_status status = start_at(s, given, n_given, -1);
  cr_assert(status == PF_OK, "%s", s->error.text);
}

static void finish(setup *s)
{
  s->ops->destroy(s->net);
  cr_expect(s->host.live == 0);
}

static const int64_t sizes_fly[] = {2, 10, 1};

/* ---- declarations ---- */

Test(network_feedforward, declares_populations_projections_and_observables)
{
  const fake_value given[] = {FAKE_INTEGERS("layers", sizes_fly, 3),
                              FAKE_REAL("readout.gain", 5.0)};
  const char *const observables[] = {"layer1", "layer2", "logit", "probability"};
  setup s;
  start(&s, given, 2);
  cr_assert(s.declared.populations.count == 3);
  cr_assert(s.declared.projections.count == 2);
  cr_assert(s.declared.observables.count == 4);
  cr_expect(s.theta[0] == 5.0 && s.theta[1] == 0.0);
  for (int i = 0; i < 2; i++) {
    const pf_parameter *parameter = &s.declared.parameters.items[i];
    cr_expect(strcmp(parameter->name, i == 0 ? "gain" : "bias") == 0);
    cr_expect(parameter->flags == PF_PARAMETER_FIXED && parameter->value == s.theta[i]);
  }
  cr_expect(strcmp(s.declared.populations.items[0].name, "input") == 0);
  cr_expect(s.declared.populations.items[0].flags == PF_POPULATION_INPUT);
  for (int64_t l = 0; l < 3; l++) {
    cr_expect(s.declared.populations.items[l].n == sizes_fly[l]);
    cr_expect(s.declared.populations.items[l].n_state == 0);
    cr_expect(strcmp(s.declared.populations.items[l].signals.items[0], "activity") == 0);
  }
  for (int64_t p = 0; p < 2; p++) {
    const pf_projection *projection = &s.declared.projections.items[p];
    cr_expect(projection->pre == p);
    cr_expect(projection->post == p + 1);
    cr_expect(projection->when == PF_PRE_NOW);
    cr_expect(projection->flags == (PF_PROJECTION_PLASTIC | PF_PROJECTION_ROW_SEPARABLE));
  }
  for (int k = 0; k < 4; k++) {
    cr_expect(strcmp(s.declared.observables.items[k].name, observables[k]) == 0);
  }
  cr_expect(s.declared.observables.items[2].signal == 1, "the logit is the drive");
  cr_expect(s.declared.n_noise == 20, "a fixed readout takes no noise");
  finish(&s);
}

Test(network_feedforward, offers_a_probability_with_sigmoid_only)
{
  const char *const others[] = {"tanh", "relu", "linear"};
  for (int k = 0; k < 3; k++) {
    const fake_value given[] = {FAKE_INTEGERS("layers", sizes_fly, 3),
                                FAKE_STRING("output", others[k])};
    setup s;
    start(&s, given, 2);
    for (size_t i = 0; i < s.declared.observables.count; i++) {
      cr_expect(strcmp(s.declared.observables.items[i].name, "probability") != 0);
    }
    finish(&s);
  }
}

Test(network_feedforward, refuses_what_makes_no_network)
{
  const int64_t one[] = {3};
  const int64_t two[] = {3, 2};
  const int64_t none[] = {3, 0, 1};
  const int64_t many[] = {3, 1000000001, 1};
  const int64_t uncountable[] = {1000000000, 1000000000, 1000000000, 1000000000,
                                 1000000000, 1000000000, 1000000000, 1000000000,
                                 1000000000, 1000000000, 1000000000, 1000000000};
  const struct {
    fake_value given[2];
    size_t n_given;
    const char *key, *text;
  } cases[] = {
      {{FAKE_INTEGERS("layers", one, 1)}, 1, "layers", "1 entries"},
      {{FAKE_INTEGERS("layers", none, 3)}, 1, "layers", "layer 1 has 0 units"},
      {{FAKE_INTEGERS("layers", many, 3)}, 1, "layers", "layer 1 has 1000000001 units"},
      {{FAKE_INTEGERS("layers", uncountable, 12)}, 1, "layers", "more weights than can be counted"},
      {{FAKE_INTEGERS("layers", two, 2), FAKE_REAL("readout.gain", 5.0)},
       2,
       "readout.gain",
       "no hidden layer"},
      {{FAKE_INTEGERS("layers", two, 2), FAKE_STRING("hidden", "tan")},
       2,
       "hidden",
       "\"tan\" is no activation"},
      {{FAKE_INTEGERS("layers", two, 2), FAKE_STRING("output", "")},
       2,
       "output",
       "choose one of tanh|sigmoid"},
  };
  for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
    setup s;
    cr_assert(start_at(&s, cases[k].given, cases[k].n_given, -1) == PF_STOP);
    cr_expect(strstr(s.error.text, cases[k].text) != NULL, "case %zu says: %s", k, s.error.text);
    cr_assert(s.error.key != NULL);
    cr_expect(strcmp(s.error.key, cases[k].key) == 0);
    cr_expect(s.host.live == 0, "case %zu leaks", k);
    cr_expect(s.net == NULL);
  }
}

Test(network_feedforward, survives_every_failed_allocation)
{
  const fake_value given[] = {FAKE_INTEGERS("layers", sizes_fly, 3)};
  int64_t failed = 0;
  setup s;
  while (start_at(&s, given, 1, failed) != PF_OK) {
    cr_expect(strstr(s.error.text, "out of memory") != NULL);
    cr_expect(s.host.live == 0);
    failed++;
    cr_assert(failed < 100);
  }
  cr_expect(failed > 0);
  finish(&s);
  s.ops->destroy(NULL);
}

/* ---- starting weights ---- */

Test(network_feedforward, draws_weights_in_the_order_of_the_noise)
{
  const int64_t sizes[] = {3, 4, 2};
  const fake_value given[] = {FAKE_INTEGERS("layers", sizes, 3),
                              FAKE_REAL("initial_weights.sd", 0.37)};
  double noise[20];
  uint64_t seed = 5;
  for (int k = 0; k < 20; k++) {
    noise[k] = numbers_normal(&seed);
  }
  setup s;
  start(&s, given, 2);
  cr_assert(s.declared.n_noise == 20);
  for (int skip = 0; skip < 3; skip++) { /* 1, 2: that projection's weights are given by the data */
    pf_real first[4 * 5];
    pf_real second[2 * 7];
    for (int k = 0; k < 20; k++) {
      first[k] = (pf_real)-77;
    }
    for (int k = 0; k < 14; k++) {
      second[k] = (pf_real)-77;
    }
    pf_real *const w[] = {skip == 1 ? NULL : first, skip == 2 ? NULL : second};
    const int64_t ldw[] = {5, 7};
    const pf_initial out = {.size = sizeof out, .w = w, .ldw = ldw};
    cr_assert(s.ops->initial(s.net, NULL, noise, &out, &s.error) == PF_OK);
    for (int i = 0; i < 4 && skip != 1; i++) {
      for (int j = 0; j < 5; j++) {
        const pf_real expected = j < 3 ? (pf_real)(0.37 * noise[i * 3 + j]) : (pf_real)-77;
        cr_expect(first[i * 5 + j] == expected);
      }
    }
    for (int i = 0; i < 2 && skip != 2; i++) {
      for (int j = 0; j < 7; j++) {
        const pf_real expected = j < 4 ? (pf_real)(0.37 * noise[12 + i * 4 + j]) : (pf_real)-77;
        cr_expect(second[i * 7 + j] == expected);
      }
    }
  }
  finish(&s);
}

Test(network_feedforward, fixed_readout_is_gain_over_hidden_units)
{
  const fake_value given[] = {FAKE_INTEGERS("layers", sizes_fly, 3),
                              FAKE_REAL("readout.gain", 5.0)};
  double noise[20] = {0};
  pf_real first[20];
  pf_real second[10] = {0};
  pf_real *const w[] = {first, second};
  const int64_t ldw[] = {2, 10};
  const pf_initial out = {.size = sizeof out, .w = w, .ldw = ldw};
  setup s;
  start(&s, given, 2);
  cr_assert(s.ops->initial(s.net, NULL, noise, &out, &s.error) == PF_OK);
  for (int j = 0; j < 10; j++) {
    cr_expect(second[j] == (pf_real)0.5);
  }
  finish(&s);
}

/* ---- response ---- */

static const char *const functions[] = {"tanh", "sigmoid", "relu", "linear"};

static double exact(int function, double z)
{
  const double values[] = {tanh(z), 1.0 / (1.0 + exp(-z)), z > 0.0 ? z : 0.0, z};
  return values[function];
}

static double exact_slope(int function, double z)
{
  const double y = exact(function, z);
  const double values[] = {1.0 - y * y, y * (1.0 - y), z > 0.0 ? 1.0 : 0.0, 1.0};
  return values[function];
}

static void start_one(setup *s, int function, int64_t n_units, double bias)
{
  const int64_t sizes[] = {3, n_units};
  const fake_value given[] = {FAKE_INTEGERS("layers", sizes, 2),
                              FAKE_STRING("output", functions[function]),
                              FAKE_REAL("biases.output", bias)};
  start(s, given, 3);
}

/* Shapes: short rows, one unit over many steps, more units than a tile holds, nothing at all. */
typedef struct shape {
  int64_t n_rows, n_steps, ld_drive, ld_signal, ld_gradient;
} shape;
static const shape shapes[] = {
    {10, 9, 16, 11, 13},     {1, 440, 1, 1, 1},       {1, 37, 8, 3, 5},
    {300, 3, 304, 301, 310}, {256, 2, 256, 256, 256}, {257, 1, 257, 264, 260},
    {0, 5, 4, 4, 4},         {7, 0, 8, 8, 8},         {3, 100, 3, 3, 3}};
enum { N_SHAPES = (int)(sizeof shapes / sizeof shapes[0]) };

/** Memory with a guard value in every cell. */
enum { GUARD = -12345 };
static pf_real *guarded(int64_t n)
{
  pf_real *cells = malloc((size_t)(n + 1) * sizeof *cells);
  cr_assert(cells != NULL);
  for (int64_t k = 0; k <= n; k++) {
    cells[k] = (pf_real)GUARD;
  }
  return cells;
}

/** Drives away from the kink of relu, spread over +-4. */
static void fill(pf_real *cells, int64_t n, uint64_t seed)
{
  for (int64_t k = 0; k < n; k++) {
    const double z = 2.0 * numbers_normal(&seed);
    cells[k] = (pf_real)(z + (z < 0.0 ? -0.05 : 0.05));
  }
}

static const double tolerance =
    sizeof(pf_real) == sizeof(double) ? 1e-15 : 5e-7; /* measured: below 4e-16, 1.4e-7 */

Test(network_feedforward, responds_in_every_cell_and_nowhere_else)
{
  const double bias = -0.0213;
  int64_t compared = 0;
  for (int function = 0; function < 4; function++) {
    for (int k = 0; k < N_SHAPES; k++) {
      const shape at = shapes[k];
      const int64_t plane = at.n_steps * at.ld_signal + 5;
      setup s;
      start_one(&s, function, at.n_rows > 0 ? at.n_rows : 1, bias);
      pf_real *drive = guarded(at.n_steps * at.ld_drive);
      pf_real *signals = guarded(2 * plane);
      fill(drive, at.n_steps * at.ld_drive, 17);
      const pf_units in = {.size = sizeof in,
                           .population = 1,
                           .n_rows = at.n_rows,
                           .n_steps = at.n_steps,
                           .theta = s.theta,
                           .drive = drive,
                           .ld_drive = at.ld_drive};
      const pf_response out = {.size = sizeof out,
                               .signals = signals,
                               .signal_stride = plane,
                               .ld_signal = at.ld_signal};
      cr_assert(s.ops->activate(s.net, &in, &out, &s.error) == PF_OK);
      for (int64_t c = 0; c < plane; c++) {
        const int64_t t = c / at.ld_signal;
        const int64_t i = c % at.ld_signal;
        if (t < at.n_steps && i < at.n_rows) {
          const pf_real z = drive[t * at.ld_drive + i] + (pf_real)bias;
          cr_assert(fabs((double)signals[c] - exact(function, (double)z)) <=
                        tolerance * fmax(1.0, fabs((double)z)),
                    "%s, step %lld, unit %lld: %.17g", functions[function], (long long)t,
                    (long long)i, (double)signals[c]);
          cr_assert(signals[plane + c] == z);
          compared++;
        } else {
          cr_assert(signals[c] == (pf_real)GUARD && signals[plane + c] == (pf_real)GUARD,
                    "wrote outside");
        }
      }
      free(drive);
      free(signals);
      finish(&s);
    }
  }
  cr_expect(compared > 4000);
}

Test(network_feedforward, a_range_and_its_parts_give_the_same_bits)
{
  enum { ROWS = 23, STEPS = 31 };
  for (int function = 0; function < 4; function++) {
    setup s;
    start_one(&s, function, ROWS, 0.3);
    pf_real drive[STEPS * ROWS];
    pf_real whole[2 * STEPS * ROWS];
    pf_real parts[2 * STEPS * ROWS];
    fill(drive, STEPS * ROWS, 4);
    pf_units in = {.size = sizeof in,
                   .population = 1,
                   .n_rows = ROWS,
                   .n_steps = STEPS,
                   .theta = s.theta,
                   .drive = drive,
                   .ld_drive = ROWS};
    pf_response out = {
        .size = sizeof out, .signals = whole, .signal_stride = STEPS * ROWS, .ld_signal = ROWS};
    cr_assert(s.ops->activate(s.net, &in, &out, &s.error) == PF_OK);
    for (int64_t t = 0; t < STEPS; t++) {
      for (int64_t i = 0; i < ROWS; i += 5) {
        in.row0 = i;
        in.n_rows = ROWS - i < 5 ? ROWS - i : 5;
        in.n_steps = 1;
        in.drive = drive + t * ROWS + i;
        out.signals = parts + t * ROWS + i;
        cr_assert(s.ops->activate(s.net, &in, &out, &s.error) == PF_OK);
      }
    }
    cr_expect(memcmp(whole, parts, sizeof whole) == 0, "%s", functions[function]);
    finish(&s);
  }
}

Test(network_feedforward, nan_goes_through_every_activation)
{
  for (int function = 0; function < 4; function++) {
    setup s;
    start_one(&s, function, 3, 0.0);
    const pf_real drive[] = {(pf_real)0.7, (pf_real)NAN, (pf_real)-0.2};
    const pf_real ones[] = {1, 1, 1, 1, 1, 1};
    pf_real signals[6];
    pf_real gradient[3] = {0};
    const pf_units in = {.size = sizeof in,
                         .population = 1,
                         .n_rows = 3,
                         .n_steps = 1,
                         .theta = s.theta,
                         .drive = drive,
                         .ld_drive = 3};
    const pf_response out = {
        .size = sizeof out, .signals = signals, .signal_stride = 3, .ld_signal = 3};
    pf_real cotangent_signals[6];
    memcpy(cotangent_signals, ones, sizeof ones);
    const pf_response cotangent = {
        .size = sizeof out, .signals = cotangent_signals, .signal_stride = 3, .ld_signal = 3};
    const pf_units_gradient to = {.size = sizeof to, .drive = gradient, .ld_drive = 3};
    cr_assert(s.ops->activate(s.net, &in, &out, &s.error) == PF_OK);
    cr_assert(s.ops->activate_vjp(s.net, &in, &out, &cotangent, &to, &s.error) == PF_OK);
    cr_expect(!isnan(signals[0]) && isnan(signals[1]) && !isnan(signals[2]), "%s",
              functions[function]);
    cr_expect(!isnan(gradient[0]) && !isnan(gradient[2]));
    cr_expect(function == 3 || isnan(gradient[1]), "%s", functions[function]);
    finish(&s);
  }
}

Test(network_feedforward, hidden_layers_have_their_own_activation_and_bias)
{
  const fake_value given[] = {FAKE_INTEGERS("layers", sizes_fly, 3), FAKE_STRING("hidden", "relu"),
                              FAKE_REAL("biases.hidden", 0.25), FAKE_REAL("biases.output", -1.5)};
  const pf_real drive[] = {(pf_real)0.5};
  pf_real signals[2];
  setup s;
  start(&s, given, 4);
  pf_units in = {.size = sizeof in,
                 .population = 1,
                 .n_rows = 1,
                 .n_steps = 1,
                 .theta = s.theta,
                 .drive = drive,
                 .ld_drive = 1};
  const pf_response out = {
      .size = sizeof out, .signals = signals, .signal_stride = 1, .ld_signal = 1};
  cr_assert(s.ops->activate(s.net, &in, &out, &s.error) == PF_OK);
  cr_expect(signals[0] == (pf_real)0.75 && signals[1] == (pf_real)0.75);
  in.population = 2;
  cr_assert(s.ops->activate(s.net, &in, &out, &s.error) == PF_OK);
  cr_expect(fabs((double)signals[0] - exact(1, -1.0)) < tolerance);
  cr_expect(signals[1] == (pf_real)-1);
  in.population = 0;
  cr_expect(s.ops->activate(s.net, &in, &out, &s.error) == PF_STOP, "the input does not respond");
  in.population = 3;
  cr_expect(s.ops->activate(s.net, &in, &out, &s.error) == PF_STOP);
  finish(&s);
}

/* ---- adjoint ---- */

/** Sum of cotangent * signals after the drive moved by h along `direction`. */
static double pairing(setup *s, const shape *at, const pf_real *drive, const pf_real *direction,
                      double h, const pf_real *cotangent, int64_t plane, int64_t ld_cotangent,
                      pf_real *signals, pf_real *moved)
{
  for (int64_t k = 0; k < at->n_steps * at->ld_drive; k++) {
    moved[k] = (pf_real)((double)drive[k] + h * (double)direction[k]);
  }
  const pf_units in = {.size = sizeof in,
                       .population = 1,
                       .n_rows = at->n_rows,
                       .n_steps = at->n_steps,
                       .theta = s->theta,
                       .drive = moved,
                       .ld_drive = at->ld_drive};
  const pf_response out = {
      .size = sizeof out, .signals = signals, .signal_stride = plane, .ld_signal = at->ld_signal};
  cr_assert(s->ops->activate(s->net, &in, &out, &s->error) == PF_OK);
  double sum = 0.0;
  for (int64_t t = 0; t < at->n_steps; t++) {
    for (int64_t i = 0; i < at->n_rows; i++) {
      const int64_t c = t * at->ld_signal + i;
      const int64_t k = t * ld_cotangent + i;
      sum += (double)cotangent[k] * (double)signals[c] +
             (double)cotangent[plane + k] * (double)signals[plane + c];
    }
  }
  return sum;
}

Test(network_feedforward, adjoint_is_that_of_the_response)
{
  int64_t compared = 0;
  int differenced = 0;
  for (int function = 0; function < 4; function++) {
    for (int k = 0; k < N_SHAPES; k++) {
      const shape at = shapes[k];
      const int64_t plane = at.n_steps * (at.ld_signal + 2) + 5;
      const int64_t ld_cotangent =
          at.ld_signal > at.n_rows ? at.ld_signal + 2 : at.ld_signal; /* or no gaps at all */
      const int64_t n_drive = at.n_steps * at.ld_drive;
      const int64_t n_gradient = at.n_steps * at.ld_gradient;
      setup s;
      start_one(&s, function, at.n_rows > 0 ? at.n_rows : 1, 0.011);
      pf_real *drive = guarded(n_drive);
      pf_real *direction = guarded(n_drive);
      pf_real *moved = guarded(n_drive);
      pf_real *value = guarded(2 * plane);
      pf_real *scratch = guarded(2 * plane);
      pf_real *cotangent = guarded(2 * plane);
      pf_real *gradient = guarded(n_gradient);
      pf_real *before = guarded(n_gradient);
      fill(drive, n_drive, 23);
      fill(direction, n_drive, 29);
      fill(cotangent, 2 * plane, 31);
      fill(gradient, n_gradient, 37); /* += onto what is there */
      memcpy(before, gradient, (size_t)n_gradient * sizeof *gradient);
      (void)pairing(&s, &at, drive, direction, 0.0, cotangent, plane, ld_cotangent, value, moved);

      const pf_units in = {.size = sizeof in,
                           .population = 1,
                           .n_rows = at.n_rows,
                           .n_steps = at.n_steps,
                           .theta = s.theta,
                           .drive = drive,
                           .ld_drive = at.ld_drive};
      const pf_response of_value = {.size = sizeof of_value,
                                    .signals = value,
                                    .signal_stride = plane,
                                    .ld_signal = at.ld_signal};
      const pf_response of_cotangent = {.size = sizeof of_cotangent,
                                        .signals = cotangent,
                                        .signal_stride = plane,
                                        .ld_signal = ld_cotangent};
      pf_units_gradient to = {.size = sizeof to, .drive = gradient, .ld_drive = at.ld_gradient};
      cr_assert(s.ops->activate_vjp(s.net, &in, &of_value, &of_cotangent, &to, &s.error) == PF_OK);

      double along = 0.0;
      double scale = 0.0;
      for (int64_t c = 0; c < n_gradient; c++) {
        const int64_t t = c / at.ld_gradient;
        const int64_t i = c % at.ld_gradient;
        if (i >= at.n_rows) {
          cr_assert(gradient[c] == before[c], "wrote into the padding");
          continue;
        }
        const double z = (double)(drive[t * at.ld_drive + i] + (pf_real)0.011);
        const int64_t from = t * ld_cotangent + i;
        const double added =
            (double)cotangent[plane + from] + (double)cotangent[from] * exact_slope(function, z);
        const double got = (double)gradient[c] - (double)before[c];
        cr_assert(fabs(got - added) <=
                      20.0 * tolerance * (1.0 + fabs(added) + fabs((double)before[c])),
                  "%s: %.17g, expected %.17g", functions[function], got, added);
        along += got * (double)direction[t * at.ld_drive + i];
        scale += fabs(got * (double)direction[t * at.ld_drive + i]);
        compared++;
      }
      if (sizeof(pf_real) == sizeof(double) &&
          scale > 0.0) { /* single precision: its formula was compared above */
        const double h = 1e-5;
        const double slope =
            (pairing(&s, &at, drive, direction, h, cotangent, plane, ld_cotangent, scratch, moved) -
             pairing(&s, &at, drive, direction, -h, cotangent, plane, ld_cotangent, scratch,
                     moved)) /
            (2.0 * h);
        cr_assert(fabs(slope - along) <= 2e-10 * scale, "%s: %.12g against %.12g",
                  functions[function], along, slope); /* measured: below 5e-11 */
        differenced++;
      }
      to.drive = NULL; /* not wanted */
      cr_assert(s.ops->activate_vjp(s.net, &in, &of_value, &of_cotangent, &to, &s.error) == PF_OK);
      free(drive);
      free(direction);
      free(moved);
      free(value);
      free(scratch);
      free(cotangent);
      free(gradient);
      free(before);
      finish(&s);
    }
  }
  cr_expect(compared > 4000);
  cr_expect(sizeof(pf_real) != sizeof(double) || differenced == 4 * (N_SHAPES - 2));
}

/** Gain and bias of the last layer: the response, its adjoint and its tangents against central
 * differences. */
Test(network_feedforward, gain_and_bias_of_the_readout)
{
  enum { ROWS = 7, STEPS = 5, LD = 9, PLANE = STEPS * LD };
  const int64_t layers[] = {3, 4, ROWS};
  for (int function = 0; function < 4; function++) {
    const fake_value given[] = {FAKE_INTEGERS("layers", layers, 3), FAKE_REAL("readout.gain", 5.0),
                                FAKE_STRING("output", functions[function])};
    pf_real drive[PLANE], direction[PLANE], cotangent[2 * PLANE], value[2 * PLANE],
        moved[2 * PLANE], tangent[2 * PLANE];
    pf_real g_drive[PLANE] = {0}, sides[2][2 * PLANE];
    double g_theta[2] = {0.5, -0.25};
    const double d_theta[2] = {0.83, -0.47}, h = 1e-5;
    setup s;
    start(&s, given, 3);
    fill(drive, PLANE, 3);
    fill(direction, PLANE, 5);
    fill(cotangent, 2 * PLANE, 7);
    s.theta[0] = 3.6;
    s.theta[1] = -0.217;
    pf_units in = {.size = sizeof in,
                   .population = 2,
                   .n_rows = ROWS,
                   .n_steps = STEPS,
                   .theta = s.theta,
                   .drive = drive,
                   .ld_drive = LD};
    pf_response out = {
        .size = sizeof out, .signals = value, .signal_stride = PLANE, .ld_signal = LD};
    const pf_response of_value = out;
    pf_response to_tangent = out, of_cotangent = out;
    of_cotangent.signals = cotangent;
    to_tangent.signals = tangent;
    cr_assert(s.ops->activate(s.net, &in, &out, &s.error) == PF_OK);
    for (int64_t t = 0; t < STEPS; t++) {
      for (int64_t i = 0; i < ROWS; i++) {
        const double z = 3.6 / 5.0 * (double)drive[t * LD + i] - 0.217;
        cr_assert(fabs((double)value[PLANE + t * LD + i] - z) <=
                  10.0 * tolerance * fmax(1.0, fabs(z)));
        cr_assert(fabs((double)value[t * LD + i] - exact(function, z)) <=
                  20.0 * tolerance * fmax(1.0, fabs(z)));
      }
    }
    const pf_units_gradient to = {
        .size = sizeof to, .drive = g_drive, .ld_drive = LD, .theta = g_theta};
    const pf_units d_in = {
        .size = sizeof d_in, .theta = d_theta, .drive = direction, .ld_drive = LD};
    cr_assert(s.ops->activate_vjp(s.net, &in, &of_value, &of_cotangent, &to, &s.error) == PF_OK);
    cr_assert(s.ops->activate_jvp(s.net, &in, &of_value, &d_in, &to_tangent, &s.error) == PF_OK);
    in.drive = moved;
    for (int side = 0; side < 2; side++) {
      const double step = side == 0 ? -h : h;
      for (int k = 0; k < PLANE; k++) {
        moved[k] = (pf_real)((double)drive[k] + step * (double)direction[k]);
      }
      s.theta[0] = 3.6 + step * d_theta[0];
      s.theta[1] = -0.217 + step * d_theta[1];
      out.signals = sides[side];
      cr_assert(s.ops->activate(s.net, &in, &out, &s.error) == PF_OK);
    }
    double along = (g_theta[0] - 0.5) * d_theta[0] + (g_theta[1] + 0.25) * d_theta[1],
           by_tangents = 0.0, slope = 0.0;
    for (int64_t t = 0; t < STEPS; t++) {
      for (int64_t i = 0; i < ROWS; i++) {
        const int64_t c = t * LD + i;
        along += (double)g_drive[c] * (double)direction[c];
        for (int p = 0; p < 2; p++) {
          const double difference =
              ((double)sides[1][p * PLANE + c] - (double)sides[0][p * PLANE + c]) / (2.0 * h);
          slope += (double)cotangent[p * PLANE + c] * difference;
          by_tangents += (double)cotangent[p * PLANE + c] * (double)tangent[p * PLANE + c];
        }
      }
    }
    const double precision =
        sizeof(pf_real) == sizeof(double) ? 1e-9 : 1e-4; /* measured: below 1e-10 */
    cr_expect(fabs(along - by_tangents) <= precision * fabs(along), "%s: %g, %g",
              functions[function], along, by_tangents);
    cr_expect(sizeof(pf_real) != sizeof(double) || fabs(along - slope) <= precision * fabs(slope),
              "%s: %g, %g", functions[function], along, slope);
    finish(&s);
  }
}

Test(network_feedforward, slope_of_relu_is_zero_at_zero)
{
  const pf_real drive[] = {0};
  pf_real value[] = {0, 0};
  pf_real cotangent[] = {3, 0};
  pf_real gradient[] = {(pf_real)0.5};
  setup s;
  start_one(&s, 2, 1, 0.0);
  const pf_units in = {.size = sizeof in,
                       .population = 1,
                       .n_rows = 1,
                       .n_steps = 1,
                       .theta = s.theta,
                       .drive = drive,
                       .ld_drive = 1};
  const pf_response of_value = {
      .size = sizeof of_value, .signals = value, .signal_stride = 1, .ld_signal = 1};
  const pf_response of_cotangent = {
      .size = sizeof of_cotangent, .signals = cotangent, .signal_stride = 1, .ld_signal = 1};
  const pf_units_gradient to = {.size = sizeof to, .drive = gradient, .ld_drive = 1};
  cr_assert(s.ops->activate_vjp(s.net, &in, &of_value, &of_cotangent, &to, &s.error) == PF_OK);
  cr_expect(gradient[0] == (pf_real)0.5);
  finish(&s);
}
