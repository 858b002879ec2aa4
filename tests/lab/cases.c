#include "tests/lab/cases.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define MODULATED "modulator = \"reward - 0.7 expected_reward + 0.1\"; "

const lab_rule_case lab_rules[] = {
    {"taylor", MODULATED "terms = \"all\";", 0.06, false, NULL},
    {"taylor", MODULATED "powers: { x = [0, 1, 2]; w = [0, 1]; r = [0, 1, 2]; };", 0.2, false,
     NULL},
    {"taylor", MODULATED "terms = \"x^2 y r + y^2 w^2 + x y w + w + r^2\";", 0.3, false, NULL},
    {"mlp", MODULATED "inputs = [\"x\", \"y\", \"w\", \"r\"]; hidden = [5];", 0.5, true, NULL},
    {"mlp", MODULATED "inputs = [\"x\", \"y\", \"w\", \"r\"]; hidden = [4, 3];", 0.5, true, NULL},
    {"mlp", MODULATED "inputs = [\"w\", \"r\", \"x\"]; hidden = [4];", 0.5, true, NULL},
    {"oja", "", 0.4, false, NULL},
    {"expr",
     "dw = \"a*x*(reward - expected_reward) - b*w + c*tanh(y + w)*x\"; parameters: { a = 0.1; b = "
     "0.1; c = 0.1; };",
     0.4, false, NULL},
    {"expr",
     MODULATED "dw = \"a*x*r*exp(-w^2) - b*max(w, x*y)\"; parameters: { a = 0.1; b = 0.1; };", 0.3,
     true, NULL},
    {"expr",
     MODULATED "dw = \"a*x*choice*r + b*error*(x - w) + c*y\"; parameters: { a = 0.1; b = 0.1; c = "
               "0.1; };",
     0.2, false, "4-1 sees errors; 3-4-4 softmax, sees choices; 3-4 softmax, sees errors"},
    {"expr",
     MODULATED "dw = \"a*recorded[pre]*potential*r + b*tanh(potential[pre]*recorded) - c*x*w\"; "
               "parameters: { a = 0.1; b = 0.1; c = 0.1; };",
     0.1, false, "recurrent, leaky; recurrent, discrete, both"},
    {"reward", "form = \"x r\";", 0.6, false, NULL},
    {"reward", "form = \"x r\"; decay_term = true;", 0.6, false, NULL},
    {"reward", "form = \"x y r\";", 0.6, false, NULL},
    {"reward", "form = \"x y r\"; decay_term = true;", 0.6, false, NULL},
    {"reward", "form = \"covariance\"; x_mean = 0.37;", 0.6, false, NULL},
    {"reward", "form = \"covariance\"; x_mean = 0.37; decay_term = true;", 0.6, false, NULL},
    {"reward", "form = \"rescorla-wagner\";", 0.6, false, NULL},
    {"reward", "form = \"rescorla-wagner\"; decay_term = true;", 0.6, false, NULL},
    {"trace", "", 0.4, false, NULL},
    {"trace", MODULATED "eligibility = \"x\";", 0.4, false, NULL},
    {"trace", MODULATED "eligibility = \"y\";", 0.4, false, NULL},
    {"stdp", "", 0.15, false, NULL},
    {"stdp",
     MODULATED
     "third_factor = \"gate\"; weight_dependence = \"multiplicative\"; w_min = -0.7; w_max = 1.3;",
     0.3, false, NULL},
    {"stdp", MODULATED "third_factor = \"eligibility\";", 0.15, false, NULL},
    {"stdp",
     MODULATED "third_factor = \"eligibility\"; weight_dependence = \"multiplicative\"; w_min = "
               "-0.7; w_max = 1.3;",
     0.15, false, NULL},
    {"triplet", "", 0.02, true, NULL},
    {"voltage", "", 0.05, true, NULL},
    {"btsp", "", 0.0, false, NULL},
};
const size_t lab_n_rules = COUNT(lab_rules);

#define SPREAD "initial_weights: { sd = 0.4; }; "
#define READOUT                                                                                  \
  SPREAD "layers = [3, 5, 1]; readout: { gain = 5.0; }; biases: { hidden = 0.2; output = -0.3; " \
         "}; "
#define OTHER                                                                           \
  "layer2: { plugin = \"taylor\"; terms = \"x r + w + x y^2\"; eta = 0.1; modulator = " \
  "\"reward\"; };"

/* weak recurrence: chaos has no derivative that differences could find */
#define WEAK "initial_weights: { recurrent_gain = 0.3; }; "
#define RECURRENT WEAK "inputs = 3; units = 5; outputs = 1; "

/* 19 x 13: more rows than one block of the engine has, and rows wide enough for the kernels of wide
 * rows. */
const lab_network_case lab_networks[] = {
    {"3-5-1 tanh", "feedforward", READOUT "hidden = \"tanh\";", "layer1", "", 3, 5, 1, false, false,
     1, NULL, NULL, NULL, NULL},
    {"3-5-1 sigmoid", "feedforward", READOUT "hidden = \"sigmoid\";", "layer1", "", 3, 5, 1, false,
     false, 1, NULL, NULL, NULL, NULL},
    {"3-5-1 relu", "feedforward", READOUT "hidden = \"relu\";", "layer1", "", 3, 5, 1, true, false,
     1, NULL, NULL, NULL, NULL},
    {"3-5-1 linear", "feedforward", READOUT "hidden = \"linear\";", "layer1", "", 3, 5, 1, false,
     false, 1, NULL, NULL, NULL, NULL},
    {"3-4-3-1, layer 2", "feedforward", SPREAD "layers = [3, 4, 3, 1];", "layer2", "", 3, 3, 1,
     false, false, 1, NULL, NULL, NULL, NULL},
    {"4-6", "feedforward", SPREAD "layers = [4, 6]; output = \"sigmoid\";", "layer1", "", 4, 6, 0,
     false, false, 1, NULL, NULL, NULL, NULL},
    {"13-19", "feedforward", SPREAD "layers = [13, 19]; output = \"tanh\";", "layer1", "", 13, 19,
     0, false, false, 1, NULL, NULL, NULL, NULL},
    {"3-5-1, two rules", "feedforward", SPREAD "layers = [3, 5, 1];", "layer1", OTHER, 3, 5, 1,
     false, false, 1, NULL, NULL, NULL, NULL},
    {"3-6-1, masked", "feedforward", SPREAD "layers = [3, 6, 1]; hidden = \"tanh\";", "layer1", "",
     3, 6, 1, false, true, 1, NULL, NULL, NULL, NULL},
    {"recurrent, leaky", "recurrent", RECURRENT "tau = 3.0;", "recurrent", "", 3, 5, 1, false,
     false, 2, NULL, NULL, NULL, NULL},
    {"recurrent, input, masked", "recurrent", RECURRENT "activation = \"sigmoid\";", "input", "", 3,
     5, 1, false, true, 2, NULL, NULL, NULL, NULL},
    {"recurrent, discrete, both", "recurrent",
     RECURRENT "dynamics = \"discrete\"; readout: { gain = 3.0; };", "recurrent",
     "input: { plugin = \"taylor\"; terms = \"x r + w\"; eta = 0.1; modulator = \"reward\"; };", 3,
     5, 1, false, false, 2, NULL, NULL, NULL, NULL},
    {"recurrent, bias, 4 choices", "recurrent",
     WEAK "inputs = 3; units = 6; outputs = 4; output = \"softmax\"; bias_projection = true;",
     "bias", "recurrent: { plugin = \"trace\"; eta = 0.1; modulator = \"reward\"; };", 3, 6, 4,
     false, false, 2, NULL, NULL, NULL, NULL},
    {"recurrent, masked, linear", "recurrent",
     WEAK "inputs = 4; units = 4; outputs = 0; activation = \"linear\";", "recurrent", "", 4, 4, 0,
     false, true, 2, NULL, NULL, NULL, NULL},
    {"3-5-4 softmax, biases", "feedforward",
     SPREAD "layers = [3, 5, 4]; output = \"softmax\"; bias_projections = true;", "layer1",
     "bias1: { plugin = \"taylor\"; terms = \"x r + w + x y\"; eta = 0.1; modulator = \"reward\"; "
     "};",
     3, 5, 4, false, false, 2, NULL, NULL, NULL, NULL},
    {"3-4-3 softmax, plastic", "feedforward",
     SPREAD "layers = [3, 4, 3]; output = \"softmax\"; bias_projections = true;", "bias2",
     "layer2: { plugin = \"trace\"; eligibility = \"x\"; eta = 0.1; modulator = \"reward\"; };", 3,
     3, 3, false, false, 3, NULL, NULL, NULL, NULL},
    {"13-19, masked", "feedforward", SPREAD "layers = [13, 19]; output = \"tanh\";", "layer1", "",
     13, 19, 0, false, true, 1, NULL, NULL, NULL, NULL},
    {"4-1 sees choices", "feedforward", SPREAD "layers = [4, 1]; output = \"sigmoid\";", "layer1",
     "", 4, 1, 1, false, false, 3, "choice", NULL, NULL, NULL},
    {"4-1 sees signed choices", "feedforward", SPREAD "layers = [4, 1]; output = \"sigmoid\";",
     "layer1", "", 4, 1, 1, false, true, 3, "signed choice", NULL, NULL, NULL},
    {"4-1 sees errors", "feedforward", SPREAD "layers = [4, 1]; output = \"sigmoid\";", "layer1",
     "", 4, 1, 1, false, false, 2, "error", NULL, NULL, NULL},
    {"3-4-4 softmax, sees choices", "feedforward",
     SPREAD "layers = [3, 4, 4]; output = \"softmax\"; bias_projections = true;", "bias2",
     "layer2: { plugin = \"taylor\"; terms = \"x y r + w\"; eta = 0.1; modulator = \"reward\"; };",
     3, 4, 4, false, false, 3, "choice", NULL, NULL, NULL},
    {"3-4 softmax, sees errors", "feedforward", SPREAD "layers = [3, 4]; output = \"softmax\";",
     "layer1", "", 3, 4, 4, false, true, 3, "error", NULL, NULL, NULL},
    {"13-19, sees what was recorded", "feedforward", SPREAD "layers = [13, 19]; output = \"tanh\";",
     "layer1", "", 13, 19, 0, false, false, 3, "recorded", NULL, NULL, NULL},
    {"recurrent, sees potentials", "recurrent", RECURRENT "tau = 3.0;", "recurrent", "", 3, 5, 1,
     false, false, 3, "potential", NULL, NULL, NULL},
    {"3-3-1, a channel a row", "feedforward", SPREAD "layers = [3, 3, 1];", "layer1", "", 3, 3, 1,
     false, false, 2, NULL, NULL, "dan[post] - 0.3 expected_reward", NULL},
    {"13-19, a channel a row, masked", "feedforward",
     SPREAD "layers = [13, 19]; output = \"tanh\";", "layer1", "", 13, 19, 0, false, true, 2, NULL,
     NULL, "0.2 + dan[post]", "[0, 0, 1, 1, 1, 2, 0, 0, 0, 0, 2, 2, 1, 1, 1, 1, 1, 2, 0]"},
    {"3-6-1, a channel a column", "feedforward", SPREAD "layers = [3, 6, 1];", "layer1", "", 3, 6,
     1, false, true, 2, NULL, NULL, "reward dan[pre] + 0.1", NULL},
    {"3-3-1, rows and columns", "feedforward", SPREAD "layers = [3, 3, 1];", "layer1", OTHER, 3, 3,
     1, false, false, 3, NULL, NULL, "dan[pre] + 0.5 dan[post]", NULL},
    {"recurrent, a channel a row and potentials", "recurrent",
     WEAK "inputs = 2; units = 3; outputs = 1;", "recurrent", "", 2, 3, 1, false, false, 3,
     "potential", NULL, "dan[post]", NULL},
    {"3-4-3-1, drives", "feedforward", SPREAD "layers = [3, 4, 3, 1];", "layer2", "", 3, 3, 1,
     false, false, 3, NULL, "drive", NULL, NULL},
    {"recurrent, potentials of both", "recurrent", RECURRENT "tau = 3.0;", "recurrent", "", 3, 5, 1,
     false, true, 3, "potential", "potential", NULL, NULL},
    {"recurrent, recorded", "recurrent", RECURRENT "tau = 3.0;", "recurrent", "", 3, 5, 1, false,
     false, 3, "recorded", "recorded", NULL, NULL},
};
const size_t lab_n_networks = COUNT(lab_networks);

const lab_loss_case lab_losses[] = {
    {"choice", {"choice", NULL}, "losses = ( { plugin = \"choice\"; } );", 1, 1},
    {"activity", {"activity", NULL}, "losses = ( { plugin = \"activity\"; } );", 0, 1},
    {"choice and activity",
     {"choice", "activity"},
     "losses = ( { plugin = \"choice\"; weight = 0.7; }, { plugin = \"activity\"; weight = 1.3; "
     "units = [0, 2]; } );",
     1,
     1},
    {"activity, weighed",
     {"activity", NULL},
     "losses = ( { plugin = \"activity\"; sem = \"sem\"; } );",
     0,
     6},
    {"categorical",
     {"categorical", NULL},
     "losses = ( { plugin = \"categorical\"; categories = 4; } );",
     4,
     1},
    {"poisson", {"poisson", NULL}, "losses = ( { plugin = \"poisson\"; } );", 0, 5},
    {"poisson, softplus",
     {"poisson", NULL},
     "losses = ( { plugin = \"poisson\"; link = \"softplus\"; } );",
     0,
     7},
};
const size_t lab_n_losses = COUNT(lab_losses);
