/* plugins/sources/fly_mat: files found and ordered, what a file becomes, the 18 flies, and files
 * that are broken. */
#define _POSIX_C_SOURCE 200809L

#include "plugins/sources/fly_mat/animal_files.h"
#include "tests/unit/support/fake_options.h"
#include "tests/unit/support/numbers.h"
#include <criterion/criterion.h>
#include <fcntl.h>
#include <matio.h>
#include <plastfit/abi/plugin.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const pf_plugin *fly_mat_LTX_pf_plugin_entry(void);

/* ---- a sink that keeps what it needs to compare ---- */

enum { MAX_STEPS = 700, MAX_ANIMALS = 20, MAX_INPUTS = 3 };

typedef struct taken {
  char animal[32], name[256];
  int64_t n_steps, n_input;
  double cue[MAX_STEPS * MAX_INPUTS], reward[MAX_STEPS], choice[MAX_STEPS];
  uint32_t flags[MAX_STEPS];
  int64_t trial[MAX_STEPS], block[MAX_STEPS];
} taken;

typedef struct keeper {
  pf_sink face;
  taken *items;
  size_t n;
  size_t refuse_at; /**< answer PF_STOP to this one */
} keeper;

static pf_status keep(const pf_sink *face, const pf_experiment *e, pf_error *error)
{
  keeper *sink = face->impl;
  if (sink->n == sink->refuse_at) {
    return pf_fail(error, PF_STOP, "no more");
  }
  cr_assert(sink->n < MAX_ANIMALS && e->n_steps <= MAX_STEPS && e->n_input <= MAX_INPUTS);
  cr_assert(e->size == sizeof *e && e->session == NULL && e->dt == NULL);
  cr_assert(e->channels.count == 1 && strcmp(e->channels.items[0].name, "reward") == 0);
  cr_assert(e->targets.count == 1 && strcmp(e->targets.items[0].name, "choice") == 0);
  cr_assert(e->targets.items[0].n == 1);
  taken *to = &sink->items[sink->n++];
  const size_t n = (size_t)e->n_steps;
  (void)snprintf(to->animal, sizeof to->animal, "%s", e->animal);
  (void)snprintf(to->name, sizeof to->name, "%s", e->name);
  to->n_steps = e->n_steps;
  to->n_input = e->n_input;
  memcpy(to->cue, e->cue, n * (size_t)e->n_input * sizeof *to->cue);
  memcpy(to->reward, e->channels.items[0].values, n * sizeof *to->reward);
  memcpy(to->choice, e->targets.items[0].values, n * sizeof *to->choice);
  memcpy(to->flags, e->flags, n * sizeof *to->flags);
  memcpy(to->trial, e->trial, n * sizeof *to->trial);
  memcpy(to->block, e->block, n * sizeof *to->block);
  return PF_OK;
}

/* ---- reading with options ---- */

typedef struct setup {
  fake_host host;
  pf_error error;
  keeper sink;
  pf_status status;
} setup;

/** Create, read, destroy. What was taken stays in s->sink until `finish`. */
static void read_with_failing(setup *s, const fake_value *given, size_t n_given, int64_t fail_at,
                              size_t refuse_at)
{
  const pf_plugin *plugin = fly_mat_LTX_pf_plugin_entry();
  fake_options options;
  void *source = NULL;
  memset(s, 0, sizeof *s);
  s->error.size = sizeof s->error;
  fake_options_init(&options, &plugin->options, given, n_given);
  const pf_host *host = fake_host_init(&s->host);
  s->host.fail_at = fail_at;
  s->sink.items = calloc(MAX_ANIMALS, sizeof *s->sink.items);
  cr_assert(s->sink.items != NULL);
  s->sink.refuse_at = refuse_at;
  s->sink.face = (pf_sink){.size = sizeof(pf_sink), .impl = &s->sink, .experiment = keep};
  s->status = plugin->source->create(host, &options.face, &source, &s->error);
  cr_assert(options.mistakes == 0);
  if (s->status == PF_OK) {
    s->status = plugin->source->read(source, &s->sink.face, &s->error);
  }
  plugin->source->destroy(source);
  cr_assert(s->host.live == 0, "%lld allocations leak", (long long)s->host.live);
}

static void read_with(setup *s, const fake_value *given, size_t n_given)
{
  read_with_failing(s, given, n_given, -1, SIZE_MAX);
}

static void finish(setup *s)
{
  free(s->sink.items);
}

static void expect_refused(const char *path, const char *text)
{
  const fake_value given[] = {FAKE_PATH("path", path)};
  setup s;
  read_with(&s, given, 1);
  cr_expect(s.status == PF_STOP, "expected: %s", text);
  cr_expect(strstr(s.error.text, text) != NULL, "expected \"%s\", got \"%s\"", text, s.error.text);
  cr_expect(strchr(s.error.text, '\n') == NULL);
  finish(&s);
}

/* ---- a folder of files ---- */

static char folder[64];

static void make_folder(void)
{
  (void)snprintf(folder, sizeof folder, "/tmp/pf_fly_mat_XXXXXX");
  cr_assert(mkdtemp(folder) != NULL);
}

static void remove_folder(void)
{
  char command[128];
  (void)snprintf(command, sizeof command, "rm -r '%s'", folder);
  cr_expect(system(command) == 0);
}

static const char *in_folder(const char *name)
{
  static char path[4][128];
  static int next;
  next = (next + 1) % 4;
  (void)snprintf(path[next], sizeof path[next], "%s/%s", folder, name);
  return path[next];
}

static void write_bytes(const char *path, const void *bytes, size_t n)
{
  FILE *file = fopen(path, "wb");
  cr_assert(file != NULL && fwrite(bytes, 1, n, file) == n);
  cr_assert(fclose(file) == 0);
}

/** A variable to be written: column-major, as MATLAB has it. */
typedef struct to_write {
  const char *name;
  enum matio_classes class_type;
  enum matio_types type;
  size_t n_rows, n_columns;
  const void *data;
  int options;
} to_write;

static void write_mat(const char *path, enum mat_ft version, enum matio_compression compression,
                      const to_write *variables, size_t n)
{
  mat_t *mat = Mat_CreateVer(path, NULL, version);
  cr_assert(mat != NULL);
  for (size_t i = 0; i < n; i++) {
    const to_write *v = &variables[i];
    size_t dims[2] = {v->n_rows, v->n_columns};
    matvar_t *variable = Mat_VarCreate(v->name, v->class_type, v->type, 2, dims,
                                       (void *)(uintptr_t)v->data, v->options);
    cr_assert(variable != NULL);
    cr_assert(Mat_VarWrite(mat, variable, compression) == 0);
    Mat_VarFree(variable);
  }
  cr_assert(Mat_Close(mat) == 0);
}

/* Eight encounters: rejected, accepted, accepted, rejected, rejected, accepted, rejected, rejected
 * (unfinished). */
static const uint8_t small_x[] = {1, 0, 1, 0, 0, 1, 1, 0, /**/ 0, 1, 0, 1, 1, 0, 0, 1};
static const uint8_t small_y[] = {0, 1, 1, 0, 0, 1, 0, 0};
static const uint8_t small_r[] = {1, 0, 1};
#define U8(name_, rows_, columns_, data_)                      \
  {                                                            \
    name_, MAT_C_UINT8, MAT_T_UINT8, rows_, columns_, data_, 0 \
  }
static const to_write small[] = {U8("X", 8, 2, small_x), U8("Y", 8, 1, small_y),
                                 U8("R", 3, 1, small_r)};

static void expect_small(const taken *got)
{
  static const int64_t trials[] = {0, 0, 1, 2, 2, 2, 3, 3};
  static const double rewards[] = {NAN, 1, 0, NAN, NAN, 1, NAN, NAN};
  cr_assert(got->n_steps == 8 && got->n_input == 2);
  for (int t = 0; t < 8; t++) {
    cr_expect(got->cue[2 * t] == small_x[t] && got->cue[2 * t + 1] == small_x[8 + t]);
    cr_expect(got->choice[t] == small_y[t]);
    cr_expect(got->trial[t] == trials[t]);
    cr_expect(isnan(rewards[t]) ? isnan(got->reward[t]) : got->reward[t] == rewards[t]);
    cr_expect(got->flags[t] ==
              (PF_STEP_FIT | PF_STEP_SCORE | (small_y[t] ? (uint32_t)PF_STEP_PLASTIC : 0U)));
  }
}

TestSuite(source_fly_mat, .init = make_folder, .fini = remove_folder);

/* ---- what a file becomes ---- */

Test(source_fly_mat, reads_v5_and_v73_of_any_numeric_class)
{
  double x[16];
  int16_t y[8];
  float r[3];
  for (int k = 0; k < 16; k++) {
    x[k] = small_x[k];
  }
  for (int k = 0; k < 8; k++) {
    y[k] = small_y[k];
  }
  for (int k = 0; k < 3; k++) {
    r[k] = small_r[k];
  }
  const to_write others[] = {
      {"X", MAT_C_DOUBLE, MAT_T_DOUBLE, 8, 2, x, 0},
      {"Y", MAT_C_INT16, MAT_T_INT16, 1, 8, y, 0}, /* lying vectors are fine */
      {"R", MAT_C_SINGLE, MAT_T_SINGLE, 1, 3, r, 0}};
  const to_write logical[] = {U8("X", 8, 2, small_x),
                              {"Y", MAT_C_UINT8, MAT_T_UINT8, 8, 1, small_y, MAT_F_LOGICAL},
                              U8("R", 3, 1, small_r)};
  const to_write *const kinds[] = {small, others, logical};
  const enum mat_ft versions[] = {MAT_FT_MAT5, MAT_FT_MAT5, MAT_FT_MAT73};
  const char *path = in_folder("Fly1.mat");
  const fake_value given[] = {FAKE_PATH("path", path)};
  for (int version = 0; version < 3; version++) {
    for (int kind = 0; kind < 3; kind++) {
      write_mat(path, versions[version], version == 1 ? MAT_COMPRESSION_ZLIB : MAT_COMPRESSION_NONE,
                kinds[kind], 3);
      setup s;
      read_with(&s, given, 1);
      cr_assert(s.status == PF_OK, "version %d, kind %d: %s", version, kind, s.error.text);
      cr_assert(s.sink.n == 1);
      cr_expect(strcmp(s.sink.items[0].animal, "Fly1") == 0);
      expect_small(&s.sink.items[0]);
      finish(&s);
    }
  }
}

Test(source_fly_mat, blocks_come_from_the_options)
{
  const int64_t trials[] = {1, 2};
  const int64_t too_few[] = {1, 1};
  const double ratios[] = {0.25, 9.0};
  const char *path = in_folder("Fly1.mat");
  const fake_value given[] = {FAKE_PATH("path", path), FAKE_INTEGERS("blocks.trials", trials, 2),
                              FAKE_REALS("blocks.reward_ratio", ratios, 2)};
  const fake_value short_given[] = {FAKE_PATH("path", path),
                                    FAKE_INTEGERS("blocks.trials", too_few, 2)};
  const fake_value unequal[] = {FAKE_PATH("path", path), FAKE_INTEGERS("blocks.trials", trials, 2),
                                FAKE_REALS("blocks.reward_ratio", ratios, 1)};
  static const int64_t expected[] = {0, 0, 1, 1,
                                     1, 1, 1, 1}; /* the unfinished trial stays in the last block */
  setup s;
  write_mat(path, MAT_FT_MAT5, MAT_COMPRESSION_ZLIB, small, 3);
  read_with(&s, given, 1);
  cr_assert(s.status == PF_OK);
  for (int t = 0; t < 8; t++) {
    cr_expect(s.sink.items[0].block[t] == 0);
  }
  finish(&s);
  read_with(&s, given, 3);
  cr_assert(s.status == PF_OK, "%s", s.error.text);
  for (int t = 0; t < 8; t++) {
    cr_expect(s.sink.items[0].block[t] == expected[t]);
  }
  finish(&s);
  read_with(&s, short_given, 2);
  cr_expect(s.status == PF_STOP);
  cr_expect(strstr(s.error.text, "has 3 trials, more than the 2 of all blocks") != NULL, "%s",
            s.error.text);
  cr_expect(strcmp(s.error.key, "blocks.trials") == 0);
  finish(&s);
  read_with(&s, unequal, 3);
  cr_expect(s.status == PF_STOP);
  cr_expect(strstr(s.error.text, "1 ratios for 2 blocks") != NULL, "%s", s.error.text);
  finish(&s);
}

Test(source_fly_mat, variables_may_have_other_names)
{
  const to_write renamed[] = {U8("odour", 8, 2, small_x), U8("accepted", 8, 1, small_y),
                              U8("reward", 3, 1, small_r)};
  const char *path = in_folder("day.one.mat");
  const fake_value given[] = {FAKE_PATH("path", path), FAKE_STRING("variables.x", "odour"),
                              FAKE_STRING("variables.y", "accepted"),
                              FAKE_STRING("variables.r", "reward")};
  setup s;
  write_mat(path, MAT_FT_MAT5, MAT_COMPRESSION_NONE, renamed, 3);
  read_with(&s, given, 4);
  cr_assert(s.status == PF_OK, "%s", s.error.text);
  cr_expect(strcmp(s.sink.items[0].animal, "day.one") == 0);
  expect_small(&s.sink.items[0]);
  finish(&s);
  expect_refused(path, "has no variable X; it has odour, accepted, reward");
}

/* ---- which files ---- */

Test(source_fly_mat, natural_order)
{
  const char *const sorted[] = {"",
                                "Fly",
                                "Fly01",
                                "Fly1",
                                "Fly2",
                                "Fly2b",
                                "Fly10",
                                "Fly10a2",
                                "Fly10a10",
                                "Fly18446744073709551617",
                                "Fly18446744073709551618",
                                "fly1"};
  const size_t n = sizeof sorted / sizeof sorted[0];
  for (size_t i = 0; i < n; i++) {
    for (size_t k = 0; k < n; k++) {
      const int order = fly_mat_natural_order(sorted[i], sorted[k]);
      cr_expect((order > 0) - (order < 0) == (i > k) - (i < k), "%s against %s", sorted[i],
                sorted[k]);
    }
  }
}

Test(source_fly_mat, takes_files_in_natural_order_and_leaves_some_out)
{
  const char *const names[] = {"Fly10.mat", "Fly2.mat", "Fly1.mat", "Fly11.mat"};
  const char *const out[] = {"Fly10", "Fly1"};
  const char *const missing[] = {"Fly2", "Fly3"};
  const char *const all[] = {"Fly1", "Fly2", "Fly10", "Fly11"};
  for (int i = 0; i < 4; i++) {
    write_mat(in_folder(names[i]), MAT_FT_MAT5, MAT_COMPRESSION_ZLIB, small, 3);
  }
  write_bytes(in_folder("notes.txt"), "not an animal", 13);
  const char *pattern = in_folder("Fly*.mat");
  const fake_value given[] = {FAKE_PATH("path", pattern), FAKE_STRINGS("exclude", out, 2)};
  const fake_value unknown[] = {FAKE_PATH("path", pattern), FAKE_STRINGS("exclude", missing, 2)};
  const fake_value everyone[] = {FAKE_PATH("path", pattern), FAKE_STRINGS("exclude", all, 4)};
  setup s;
  read_with(&s, given, 1);
  cr_assert(s.status == PF_OK && s.sink.n == 4, "%s", s.error.text);
  for (size_t i = 0; i < 4; i++) {
    cr_expect(strcmp(s.sink.items[i].animal, all[i]) == 0);
  }
  finish(&s);
  read_with(&s, given, 2);
  cr_assert(s.status == PF_OK && s.sink.n == 2, "%s", s.error.text);
  cr_expect(strcmp(s.sink.items[0].animal, "Fly2") == 0 &&
            strcmp(s.sink.items[1].animal, "Fly11") == 0);
  finish(&s);
  read_with(&s, unknown, 2);
  cr_expect(s.status == PF_STOP && strstr(s.error.text, "no animal \"Fly3\"") != NULL, "%s",
            s.error.text);
  finish(&s);
  read_with(&s, everyone, 2);
  cr_expect(s.status == PF_STOP && strstr(s.error.text, "every animal") != NULL, "%s",
            s.error.text);
  finish(&s);
  read_with_failing(&s, given, 1, -1,
                    2); /* what the sink answers is passed on, and nothing more is handed over */
  cr_expect(s.status == PF_STOP && s.sink.n == 2 && strcmp(s.error.text, "no more") == 0);
  finish(&s);
}

Test(source_fly_mat, says_where_it_looked_in_vain)
{
  char text[192];
  write_mat(in_folder("Fly1.mat"), MAT_FT_MAT5, MAT_COMPRESSION_ZLIB, small, 3);
  (void)snprintf(text, sizeof text, "no file matches \"Bee*.mat\" in the folder %s", folder);
  expect_refused(in_folder("Bee*.mat"), text);
  expect_refused(in_folder("nowhere/Fly*.mat"), "there is no folder");
  expect_refused(folder, "is a folder; say which files in it");
  expect_refused("no-such-file-*.mat", "no file matches \"no-such-file-*.mat\" in the folder .");
  expect_refused("", "no file matches");
}

Test(source_fly_mat, one_file_may_have_the_characters_of_a_pattern)
{
  const char *path = in_folder("Fly[1].mat");
  const fake_value given[] = {FAKE_PATH("path", path)};
  setup s;
  write_mat(path, MAT_FT_MAT5, MAT_COMPRESSION_ZLIB, small, 3);
  read_with(&s, given, 1);
  cr_expect(s.status == PF_OK && s.sink.n == 1, "%s", s.error.text);
  finish(&s);
}

Test(source_fly_mat, refuses_two_files_of_one_name)
{
  cr_assert(mkdir(in_folder("a"), 0700) == 0 && mkdir(in_folder("b"), 0700) == 0);
  write_mat(in_folder("a/Fly1.mat"), MAT_FT_MAT5, MAT_COMPRESSION_ZLIB, small, 3);
  write_mat(in_folder("b/Fly1.mat"), MAT_FT_MAT5, MAT_COMPRESSION_ZLIB, small, 3);
  expect_refused(in_folder("*/Fly1.mat"), "two files make one animal Fly1");
}

/* ---- what is wrong with a file ---- */

Test(source_fly_mat, says_what_is_wrong_with_the_contents)
{
  static const uint8_t two_hot[16] = {1, 1, 1, 0, 0, 1, 1, 0, /**/ 0, 1, 0, 1, 1, 0, 0, 1};
  static const uint8_t twos[8] = {0, 1, 2, 0, 0, 1, 0, 0};
  static const float nan_r[3] = {1, NAN, 0};
  static const uint8_t cube[8] = {0};
  const struct {
    to_write variables[3];
    size_t n;
    const char *text;
  } cases[] = {
      {{small[2], small[0]}, 2, "has no variable Y; it has R, X"},
      {{small[1]}, 1, "has no variable X; it has Y"},
      {{small[0], small[1]}, 2, "has no variable R; it has X, Y"},
      {{U8("X", 2, 8, small_x), small[1], small[2]}, 3, "X is 2 x 8; expected 8 rows"},
      {{small[0], U8("Y", 4, 2, small_y), small[2]}, 3, "Y is 4 x 2; expected one choice"},
      {{small[0], small[1], U8("R", 2, 2, cube)}, 3, "R is 2 x 2; expected one reward"},
      {{U8("X", 8, 2, two_hot), small[1], small[2]}, 3, "row 2 of X is not one-hot"},
      {{small[0], U8("Y", 8, 1, twos), small[2]}, 3, "Y(3) is 2; expected 1 (accepted) or 0"},
      {{small[0], small[1], U8("R", 2, 1, small_r)}, 3, "Y has 3 accepts but R has 2 rewards"},
      {{small[0], small[1], {"R", MAT_C_SINGLE, MAT_T_SINGLE, 3, 1, nan_r, 0}}, 3, "R(2) is nan"},
      {{U8("X", 0, 2, NULL), U8("Y", 0, 1, NULL), U8("R", 0, 1, NULL)},
       3,
       "the animal has no trial"},
      {{small[0], {"Y", MAT_C_CHAR, MAT_T_UINT8, 1, 8, "abcdefgh", 0}, small[2]},
       3,
       "Y is not a full matrix of real numbers"},
  };
  for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
    for (int version = 0; version < 2; version++) {
      const char *path = in_folder("Fly1.mat");
      write_mat(path, version == 0 ? MAT_FT_MAT5 : MAT_FT_MAT73, MAT_COMPRESSION_NONE,
                cases[k].variables, cases[k].n);
      expect_refused(path, cases[k].text);
      expect_refused(path, path); /* and in which file */
    }
  }
}

Test(source_fly_mat, says_what_is_no_mat_file)
{
  char text[4000];
  memset(text, 'x', sizeof text);
  write_bytes(in_folder("empty.mat"), "", 0);
  expect_refused(in_folder("empty.mat"), "is empty");
  write_bytes(in_folder("text.mat"), text, sizeof text);
  expect_refused(in_folder("text.mat"), "is not a .mat file");
  write_bytes(in_folder("short.mat"), "MATLAB 5.0 MAT-file", 19);
  expect_refused(in_folder("short.mat"), "is not a .mat file");
  cr_assert(mkdir(in_folder("folder.mat"), 0700) == 0);
  expect_refused(in_folder("folder.m?t"), "Is a directory");
}

/** Bytes of the small file in one version. */
static size_t small_bytes(enum mat_ft version, enum matio_compression compression,
                          unsigned char *bytes, size_t capacity)
{
  const char *path = in_folder("whole.mat");
  write_mat(path, version, compression, small, 3);
  FILE *file = fopen(path, "rb");
  cr_assert(file != NULL);
  const size_t n = fread(bytes, 1, capacity, file);
  cr_assert(n < capacity);
  (void)fclose(file);
  return n;
}

/* Nothing but our own line: matio and HDF5 write to stderr unless told otherwise. */
static int mute(FILE **log)
{
  const int before = dup(STDERR_FILENO);
  *log = tmpfile();
  cr_assert(before >= 0 && *log != NULL);
  (void)fflush(stderr);
  cr_assert(dup2(fileno(*log), STDERR_FILENO) >= 0);
  return before;
}

static int64_t unmute(int before, FILE *log)
{
  (void)fflush(stderr);
  cr_assert(dup2(before, STDERR_FILENO) >= 0);
  (void)close(before);
  const int64_t n = (int64_t)lseek(fileno(log), 0, SEEK_END);
  (void)fclose(log);
  return n;
}

Test(source_fly_mat, refuses_a_file_truncated_anywhere, .timeout = 120)
{
  enum { CAPACITY = 1 << 16 };
  static const enum mat_ft versions[] = {MAT_FT_MAT5, MAT_FT_MAT5, MAT_FT_MAT73};
  unsigned char *bytes = malloc(CAPACITY);
  cr_assert(bytes != NULL);
  for (int version = 0; version < 3; version++) {
    const size_t n =
        small_bytes(versions[version], version == 1 ? MAT_COMPRESSION_ZLIB : MAT_COMPRESSION_NONE,
                    bytes, CAPACITY);
    const size_t stride = version == 2 ? 97 : 1;
    int truncated = 0;
    int other = 0;
    FILE *log = NULL;
    const int before = mute(&log);
    for (size_t cut = 0; cut < n; cut += stride) {
      const char *path = in_folder("cut.mat");
      const fake_value given[] = {FAKE_PATH("path", path)};
      setup s;
      write_bytes(path, bytes, cut);
      read_with(&s, given, 1);
      cr_assert(s.status == PF_STOP, "version %d cut at %zu of %zu was taken for whole", version,
                cut, n);
      cr_assert(strstr(s.error.text, path) != NULL, "%s", s.error.text);
      if (strstr(s.error.text, "is truncated") != NULL) {
        truncated++;
      } else {
        other++;
      }
      finish(&s);
    }
    const int64_t said = unmute(before, log);
    cr_expect(said == 0, "version %d: %lld bytes on stderr", version, (long long)said);
    cr_expect(version == 2 ? other > 20 : truncated > 100 && other < 135,
              "version %d: %d truncated, %d other", version, truncated,
              other); /* other: cuts within the header, and between variables */
  }
  free(bytes);
}

Test(source_fly_mat, survives_damaged_files, .timeout = 120)
{
  enum { CAPACITY = 1 << 16 };
  static const enum mat_ft versions[] = {MAT_FT_MAT5, MAT_FT_MAT5};
  unsigned char *bytes = malloc(CAPACITY);
  cr_assert(bytes != NULL);
  uint64_t seed = 8;
  int refused = 0;
  for (int version = 0; version < 2; version++) {
    const size_t n =
        small_bytes(versions[version], version == 1 ? MAT_COMPRESSION_ZLIB : MAT_COMPRESSION_NONE,
                    bytes, CAPACITY);
    for (int k = 0; k < 400; k++) {
      const size_t at = 124 + (size_t)(numbers_next(&seed) % (n - 124));
      const unsigned char was = bytes[at];
      bytes[at] = (unsigned char)numbers_next(&seed);
      const char *path = in_folder("bad.mat");
      const fake_value given[] = {FAKE_PATH("path", path)};
      setup s;
      write_bytes(path, bytes, n);
      read_with(&s, given, 1);
      cr_assert(s.status == PF_OK || (s.error.text[0] != '\0' && s.sink.n == 0));
      refused += s.status != PF_OK;
      finish(&s);
      bytes[at] = was;
    }
  }
  cr_expect(refused > 200);
  free(bytes);
}

Test(source_fly_mat, survives_every_failed_allocation)
{
  const int64_t trials[] = {3};
  const char *const out[] = {"Fly2"};
  write_mat(in_folder("Fly1.mat"), MAT_FT_MAT5, MAT_COMPRESSION_ZLIB, small, 3);
  write_mat(in_folder("Fly2.mat"), MAT_FT_MAT5, MAT_COMPRESSION_ZLIB, small, 3);
  const char *pattern = in_folder("Fly*.mat");
  const fake_value given[] = {FAKE_PATH("path", pattern), FAKE_STRINGS("exclude", out, 1),
                              FAKE_INTEGERS("blocks.trials", trials, 1)};
  int64_t failed = 0;
  for (;; failed++) {
    setup s;
    read_with_failing(&s, given, 3, failed, SIZE_MAX);
    const pf_status status = s.status;
    cr_assert(status == PF_OK || strstr(s.error.text, "out of memory") != NULL, "%s", s.error.text);
    finish(&s);
    if (status == PF_OK) {
      break;
    }
    cr_assert(failed < 100);
  }
  cr_expect(failed == 20); /* 8 of the object, 5 of the names, 3 matrices, 4 arrays of steps */
}

/* ---- the animals ---- */

Test(source_fly_mat, reads_the_18_flies)
{
  char pattern[1024];
  const char *shared = getenv("PF_SHARED");
#ifdef PF_SRCDIR
  const char *fallback = PF_SRCDIR "/../shared";
#else
  const char *fallback = "../shared";
#endif
  (void)snprintf(pattern, sizeof pattern, "%s/data/drosophila/Fly1.mat",
                 shared != NULL ? shared : fallback);
  if (shared == NULL && access(pattern, R_OK) != 0) {
    cr_skip_test("the flies are not there: set PF_SHARED, or put them at %s", pattern);
  }
  (void)snprintf(pattern, sizeof pattern, "%s/data/drosophila/Fly*.mat",
                 shared != NULL ? shared : fallback);
  const int64_t trials[] = {80, 80, 80};
  const fake_value given[] = {FAKE_PATH("path", pattern),
                              FAKE_INTEGERS("blocks.trials", trials, 3)};
  setup s;
  read_with(&s, given, 2);
  cr_assert(s.status == PF_OK, "%s", s.error.text);
  cr_assert(s.sink.n == 18);
  int64_t shortest = INT64_MAX;
  int64_t longest = 0;
  for (size_t i = 0; i < 18; i++) {
    const taken *fly = &s.sink.items[i];
    char name[16];
    int64_t accepts = 0;
    (void)snprintf(name, sizeof name, "Fly%zu", i + 1);
    cr_expect(strcmp(fly->animal, name) == 0);
    cr_expect(fly->n_input == 2);
    for (int64_t t = 0; t < fly->n_steps; t++) {
      const int accepted = fly->choice[t] == 1.0;
      cr_assert(fly->cue[2 * t] + fly->cue[2 * t + 1] == 1.0);
      cr_assert(((fly->flags[t] & (uint32_t)PF_STEP_PLASTIC) != 0) == accepted);
      cr_assert(accepted ? fly->reward[t] == 0.0 || fly->reward[t] == 1.0 : isnan(fly->reward[t]));
      cr_assert(fly->trial[t] == accepts);
      cr_assert(fly->block[t] == (accepts < 240 ? accepts / 80 : 2));
      accepts += accepted;
    }
    cr_expect(accepts == (i + 1 == 10 ? 215 : (i + 1 == 17 ? 226 : 240)), "%s: %lld trials", name,
              (long long)accepts);
    shortest = fly->n_steps < shortest ? fly->n_steps : shortest;
    longest = fly->n_steps > longest ? fly->n_steps : longest;
  }
  cr_expect(shortest == 348 && longest == 604); /* ../shared/data/drosophila/README.md */
  finish(&s);
}
