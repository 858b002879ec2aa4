/* plugins/sources/table: what a table becomes, how its columns are found, and tables that are
 * broken. */
#define _POSIX_C_SOURCE 200809L

#include "tests/unit/support/fake_options.h"
#include "tests/unit/support/scratch.h"

#include <criterion/criterion.h>
#include <math.h>
#include <plastfit/abi/plugin.h>
#include <stdlib.h>
#include <string.h>

const pf_plugin *table_LTX_pf_plugin_entry(void);

/* ---- a sink that writes down what it gets, as text: easy to compare, and nothing is left out ----
 */

typedef struct taken {
  pf_sink face;
  char *text;
  size_t length;
  FILE *file;
  int n;
} taken;

static void put_numbers(FILE *file, const char *name, const double *values, int64_t n)
{
  (void)fprintf(file, " %s", name);
  for (int64_t i = 0; i < n; i++) {
    (void)fprintf(file, "%c%s%.17g", i == 0 ? '=' : ',', isnan(values[i]) ? "nan#" : "",
                  isnan(values[i]) ? 0 : values[i]);
  }
}

static pf_status take(const pf_sink *face, const pf_experiment *e, pf_error *error)
{
  taken *sink = face->impl;
  FILE *file = sink->file;
  (void)error;
  sink->n++;
  (void)fprintf(file, "[%s|%s]", e->animal, e->session == NULL ? "" : e->session);
  put_numbers(file, "cue", e->cue, e->n_steps * e->n_input);
  for (size_t k = 0; k < e->channels.count; k++) {
    put_numbers(file, e->channels.items[k].name, e->channels.items[k].values, e->n_steps);
  }
  for (size_t k = 0; k < e->targets.count; k++) {
    put_numbers(file, e->targets.items[k].name, e->targets.items[k].values,
                e->n_steps * e->targets.items[k].n);
  }
  if (e->dt != NULL) {
    put_numbers(file, "dt", e->dt, e->n_steps);
  }
  (void)fprintf(file, " flags");
  for (int64_t t = 0; t < e->n_steps; t++) {
    cr_expect((e->flags[t] & (PF_STEP_FIT | PF_STEP_SCORE)) == (PF_STEP_FIT | PF_STEP_SCORE));
    (void)fprintf(file, "%d", (e->flags[t] & PF_STEP_PLASTIC) != 0);
  }
  (void)fprintf(file, " trial");
  for (int64_t t = 0; t < e->n_steps; t++) {
    (void)fprintf(file, "%lld", (long long)e->trial[t]);
  }
  (void)fprintf(file, " block");
  for (int64_t t = 0; t < e->n_steps; t++) {
    (void)fprintf(file, "%lld", (long long)e->block[t]);
  }
  for (int64_t i = 0; e->cue_sd != NULL && i < e->n_steps * e->n_input; i++) {
    (void)fprintf(file, "%s%.17g", i == 0 ? " cue_sd=" : ",", e->cue_sd[i]);
  }
  (void)fprintf(file, "\n");
  return PF_OK;
}

/* ---- a table in a file, and reading it ---- */

static char folder[SCRATCH_SIZE], path[SCRATCH_SIZE + 16];

static void make_folder(void)
{
  scratch_create(folder);
  (void)snprintf(path, sizeof path, "%s/own.csv", folder);
}

static void remove_folder(void)
{
  scratch_remove(folder);
}

TestSuite(source_table, .init = make_folder, .fini = remove_folder);

static void write_bytes(const char *bytes, size_t n)
{
  FILE *file = fopen(path, "wb");
  cr_assert(file != NULL);
  cr_assert(fwrite(bytes, 1, n, file) == n);
  cr_assert(fclose(file) == 0);
}

enum { MAX_GIVEN = 8 };

typedef struct reading {
  pf_status status;
  pf_error error;
  fake_host host;
  taken sink;
} reading;

static void read_file(reading *r, const char *file, const fake_value *given, size_t n_given,
                      int64_t fail_at)
{
  const pf_plugin *plugin = table_LTX_pf_plugin_entry();
  fake_value all[MAX_GIVEN] = {FAKE_PATH("path", file)};
  fake_options options;
  void *self = NULL;
  memset(r, 0, sizeof *r);
  r->error.size = sizeof r->error;
  cr_assert(n_given < MAX_GIVEN);
  for (size_t i = 0; i < n_given; i++) {
    all[i + 1] = given[i];
  }
  fake_options_init(&options, &plugin->options, all, n_given + 1);
  const pf_host *host = fake_host_init(&r->host);
  r->host.fail_at = fail_at;
  r->sink.file = open_memstream(&r->sink.text, &r->sink.length);
  cr_assert(r->sink.file != NULL);
  r->sink.face = (pf_sink){.size = sizeof(pf_sink), .impl = &r->sink, .experiment = take};
  r->status = plugin->source->create(host, &options.face, &self, &r->error);
  cr_assert(options.mistakes == 0);
  if (r->status == PF_OK) {
    pf_source_declaration declared = {.size = sizeof declared};
    cr_assert(plugin->source->declare(self, &declared, &r->error) == PF_OK);
    cr_expect(declared.n_input > 0);
    r->status = plugin->source->read(self, &r->sink.face, &r->error);
    plugin->source->destroy(self);
  }
  plugin->source->destroy(NULL);
  (void)fclose(r->sink.file);
  cr_assert(r->host.live == 0, "%lld allocations leak", (long long)r->host.live);
}

static void expect_with(const char *table, const fake_value *given, size_t n_given,
                        const char *expected)
{
  reading r;
  write_bytes(table, strlen(table));
  read_file(&r, path, given, n_given, -1);
  cr_assert(r.status == PF_OK, "%s", r.error.text);
  cr_expect(strcmp(r.sink.text, expected) == 0, "found\n%sexpected\n%s", r.sink.text, expected);
  free(r.sink.text);
}

static void refuse_bytes(const char *bytes, size_t n, const fake_value *given, size_t n_given,
                         const char *expected)
{
  reading r;
  write_bytes(bytes, n);
  read_file(&r, path, given, n_given, -1);
  cr_expect(r.status == PF_STOP, "taken, expected: %s", expected);
  cr_expect(strstr(r.error.text, expected) != NULL, "found '%s', expected '%s'", r.error.text,
            expected);
  cr_expect(strstr(r.error.text, "own.csv") != NULL || r.error.key != NULL, "no file in '%s'",
            r.error.text);
  cr_expect(strchr(r.error.text, '\n') == NULL);
  free(r.sink.text);
}

static void refuse(const char *table, const char *expected)
{
  refuse_bytes(table, strlen(table), NULL, 0, expected);
}

static void refuse_with(const char *table, const fake_value *given, size_t n_given,
                        const char *expected)
{
  refuse_bytes(table, strlen(table), given, n_given, expected);
}

/* ---- tables as they should be ---- */

Test(source_table, usual_names)
{
  expect_with("animal,session,trial,step,x1,x2,choice,reward\n"
              "b,mon,0,0,1,0,0,\n"
              "b,mon,0,1,0,1,1,0.5\n"
              "b,tue,0,0,1,0,1,NaN\n"
              "a,mon,3,0,0.25,-1e-3,,0\n",
              NULL, 0,
              "[b|mon] cue=1,0,0,1 reward=nan#0,0.5 choice=0,1 flags01 trial00 block00\n"
              "[b|tue] cue=1,0 reward=nan#0 choice=1 flags1 trial0 block0\n"
              "[a|mon] cue=0.25,-0.001 reward=0 choice=nan#0 flags0 trial3 block0\n");
}

Test(source_table, a_table_with_inputs_and_activity_alone)
{
  /* no animal: the file's name; no trials, no choices: every step is a trial, and plastic */
  expect_with("input1,input2,y1,y2\n1,2,3,\n4,5,6,7\n", NULL, 0,
              "[own|] cue=1,2,4,5 activity=3,nan#0,6,7 flags11 trial01 block00\n");
}

Test(source_table, trials_end_at_accepts_where_the_table_has_none)
{
  expect_with(
      "x1,choice\n1,0\n1,1\n1,0\n1,\n1,1\n1,0\n", NULL, 0,
      "[own|] cue=1,1,1,1,1,1 choice=0,1,0,nan#0,1,0 flags010010 trial001112 block000000\n");
}

Test(source_table, the_config_names_columns)
{
  static const char *const inputs[] = {"odour b", "odour a"};
  static const char *const channels[] = {"novelty"};
  static const char *const units[] = {"z2", "z1"};
  const fake_value given[] = {FAKE_STRING("columns.animal", "fly"),
                              FAKE_STRING("columns.choice", "accepted"),
                              FAKE_STRING("columns.reward", "sugar"),
                              FAKE_STRINGS("columns.inputs", inputs, 2),
                              FAKE_STRINGS("columns.channels", channels, 1),
                              FAKE_STRINGS("columns.activities", units, 2),
                              FAKE_STRING("plastic", "always")};
  expect_with("odour a,odour b,fly,sugar,novelty,other,accepted,z1,z2\n1,2,f,3,4,5,0,6,7\n", given,
              7, "[f|] cue=2,1 reward=3 novelty=4 choice=0 activity=7,6 flags1 trial0 block0\n");
}

Test(source_table, other_columns_of_numbers_are_channels)
{
  /* a note is no channel, nor is a name that no modulator can spell */
  expect_with(
      "x1,choice,novelty,note,2nd,reward,gap\n1,0,0.5,dull,3,1,20\n1,0,,\"sunny, warm\",3,1,\n",
      NULL, 0,
      "[own|] cue=1,1 reward=1,1 gap=20,nan#0 novelty=0.5,nan#0 choice=0,0 flags00 trial00 "
      "block00\n");
}

Test(source_table, plastic_from_a_column_and_dt_and_block)
{
  expect_with("x1,choice,plastic,dt,block\n1,1,0,2.5,1\n1,0,1,3,2\n", NULL, 0,
              "[own|] cue=1,1 choice=1,0 dt=2.5,3 flags01 trial01 block12\n");
}

Test(source_table, a_usual_name_that_means_something_else)
{
  const fake_value given[] = {FAKE_STRING("columns.plastic", ""), FAKE_STRING("columns.trial", "")};
  expect_with("x1,choice,plastic,trial\n1,1,7,-1\n", given, 2,
              "[own|] cue=1 plastic=7 trial=-1 choice=1 flags1 trial0 block0\n");
}

Test(source_table, further_targets)
{
  static const char *const columns[] = {"b", "a"};
  const fake_value given[] = {{.path = "targets", .count = 1},
                              FAKE_STRING("targets[0].name", "layer2"),
                              FAKE_STRINGS("targets[0].columns", columns, 2)};
  expect_with("x1,choice,a,b\n1,1,2,3\n", given, 3,
              "[own|] cue=1 choice=1 layer2=3,2 flags1 trial0 block0\n");
}

Test(source_table, quotes_line_ends_and_a_byte_order_mark)
{
  const char *expected = "[a, \"b\"\nc|] cue=1,2 choice=1,0 flags10 trial01 block00\n";
  expect_with("animal,x1,choice\n\"a, \"\"b\"\"\nc\",1,1\n\"a, \"\"b\"\"\nc\",2,0\n", NULL, 0,
              expected);
  expect_with("\xEF\xBB\xBF\"animal\",x1 , choice\r\n\"a, \"\"b\"\"\nc\" ,1,1\r\n\r\n\"a, "
              "\"\"b\"\"\nc\",2,\"0\"",
              NULL, 0, expected);
  expect_with("x1,choice\r1,1\r2,0\r", NULL, 0,
              "[own|] cue=1,2 choice=1,0 flags10 trial01 block00\n");
}

Test(source_table, numbers_are_those_of_strtod)
{
  static const char *const numbers[] = {"0.1",
                                        "-0.30000000000000004",
                                        "1e-320",
                                        "123456789012345",
                                        "1234567890123456789",
                                        ".5",
                                        "5.",
                                        "+7",
                                        "-0.0625",
                                        "2.2250738585072014e-308",
                                        "1E+3",
                                        "0.000123456789012345",
                                        "99999.99999999999"};
  for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
    char table[128], expected[128];
    (void)snprintf(table, sizeof table, "x1,y1\n%s,0\n", numbers[i]);
    (void)snprintf(expected, sizeof expected, "[own|] cue=%.17g activity=0 flags1 trial0 block0\n",
                   strtod(numbers[i], NULL));
    expect_with(table, NULL, 0, expected);
  }
}

Test(source_table, steps_count_in_the_experiment_or_in_the_trial)
{
  const char *expected = "[own|] cue=1,1,1 choice=0,1,1 flags011 trial001 block000\n";
  expect_with("trial,step,x1,choice\n0,0,1,0\n0,1,1,1\n1,2,1,1\n", NULL, 0, expected);
  expect_with("trial,step,x1,choice\n0,0,1,0\n0,1,1,1\n1,0,1,1\n", NULL, 0, expected);
}

Test(source_table, missing_steps_are_told)
{
  reading r;
  const char *table = "step,x1,choice\n0,1,0\n1,1,0\n5,1,0\n9,1,0\n";
  write_bytes(table, strlen(table));
  read_file(&r, path, NULL, 0, -1);
  cr_expect(r.status == PF_OK && r.host.warnings == 1);
  free(r.sink.text);
}

Test(source_table, many_experiments_and_long_ones)
{
  FILE *file = fopen(path, "w");
  (void)fputs("animal,experiment,x1,choice\n", file);
  for (int a = 0; a < 300; a++) {
    for (int t = 0; t < (a == 7 ? 5000 : 3); t++) {
      (void)fprintf(file, "fly%d,%d,%d,%d\n", a / 2, a, t, t % 2);
    }
  }
  (void)fclose(file);
  reading r;
  read_file(&r, path, NULL, 0, -1);
  cr_expect(r.status == PF_OK, "%s", r.error.text);
  cr_expect(r.sink.n == 300);
  free(r.sink.text);
}

Test(source_table, every_allocation_may_fail)
{
  reading r;
  const char *table = "animal,x1,choice,reward\na,1,0,1\na,1,1,1\nb,1,1,0\n";
  write_bytes(table, strlen(table));
  int64_t n = 0;
  for (;; n++) {
    read_file(&r, path, NULL, 0, n);
    free(r.sink.text);
    if (r.status == PF_OK) {
      break;
    }
    cr_expect(strstr(r.error.text, "memory") != NULL, "allocation %lld: '%s'", (long long)n,
              r.error.text);
  }
  cr_expect(n > 20, "only %lld allocations were tried", (long long)n);
}

/* ---- tables that are broken: one line each, with the line ---- */

Test(source_table, files_that_are_no_table)
{
  reading r;
  read_file(&r, "/nowhere/own.csv", NULL, 0, -1);
  cr_expect(r.status == PF_STOP &&
            strstr(r.error.text, "/nowhere/own.csv: cannot be read") != NULL);
  free(r.sink.text);
  read_file(&r, folder, NULL, 0, -1);
  cr_expect(r.status == PF_STOP && strstr(r.error.text, "is a folder, expected a CSV file") != NULL,
            "%s", r.error.text);
  free(r.sink.text);
  refuse("", "own.csv: is empty");
  refuse("\n\n", "own.csv: is empty");
  refuse("\xEF\xBB\xBF", "own.csv: is empty");
  refuse("PK\3\4xxxx", "is a spreadsheet or an archive");
  refuse_bytes("\xFF\xFEx\0", 4, NULL, 0, "UTF-16");
  refuse("MATLAB 5.0 MAT-file", "is a MATLAB file");
  refuse_bytes("x1,choice\n1,\0\n", 14, NULL, 0, "own.csv:2: has a byte 0");
}

Test(source_table, separators_and_decimal_commas)
{
  const char *read_as = "[own|] cue=1.5,0.25 reward=1,nan#0 choice=0,1 flags01 trial00 block00\n";
  expect_with("x1;choice;reward\n1,5;0;1\n0,25;1;\n", NULL, 0, read_as);
  expect_with("x1\tchoice\treward\n1,5\t0\t1\n0,25\t1\t\n", NULL, 0, read_as);
  expect_with("x1;choice;reward\n1.5;0;1\n0.25;1;n/a\n", NULL, 0, read_as);
  /* points somewhere: commas are no decimal signs */
  refuse("x1;choice;reward\n1,5;0;1\n0.25;1;\n", "own.csv:2: column 'x1': found '1,5'");
  /* a semicolon in a name does not separate */
  expect_with("x1,choice,reward,speed; cm/s\n1.5,0,1,2\n0.25,1,,2\n", NULL, 0, read_as);
}

Test(source_table, what_spreadsheets_add)
{
  const char *read_as = "[own|] cue=1.5,0.25 reward=1,nan#0 choice=0,1 flags01 trial00 block00\n";
  expect_with("\xEF\xBB\xBFx1,choice,reward\r\n1.5,0,1\r\n0.25,1,\r\n,,\r\n,,\r\n", NULL, 0,
              read_as);
  expect_with("# made up\n# units: ms\nx1,choice,reward\n1.5,0,1\n0.25,1,NA\n", NULL, 0, read_as);
  expect_with("# x1,choice,reward\n1.5,0,1\n0.25,1,NA\n", NULL, 0, read_as);
  refuse("x1,choice,reward\n1.5,0,1\n,,\n0.25,1,\n", "own.csv:3: every cell of this row is empty");
}

/* ---- what labs have ---- */

static const char *const one[] = {"1"};
static const fake_value constant[] = {FAKE_STRINGS("columns.inputs", one, 1)};

Test(source_table, codes_of_choices)
{
  const char *read_as = "[own|] cue=1,1,1 choice=0,1,nan#0 flags110 trial012 block000\n";
  const char *const left_right[] = {"right", "left"};
  const fake_value given[] = {constant[0], FAKE_STRING("values[0].column", "choice"),
                              FAKE_STRINGS("values[0].from", left_right, 2),
                              FAKE_STRING("kind", "choice")};
  const fake_value kind[] = {constant[0], FAKE_STRING("kind", "choice")};
  expect_with("trial,choice\n0,1\n1,2\n2,\n", constant, 1, read_as);
  expect_with("trial,choice\n0,-1\n1,1\n2,NA\n", constant, 1, read_as);
  expect_with("trial,choice\n0,left\n1,right\n2,n/a\n", constant, 1, read_as);
  expect_with("trial,choice\n0,right\n1,left\n2,n/a\n", given, 4, read_as);
  expect_with("trial,choice\n0,0.0\n1,1.0\n2,\n", kind, 2, read_as);
  /* 0 and 1, False and True alone may be accepts */
  expect_with("trial,choice\n0,0\n1,1\n2,\n", constant, 1,
              "[own|] cue=1,1,1 choice=0,1,nan#0 flags010 trial012 block000\n");
  expect_with("trial,choice\n0,FALSE\n1,True\n2,\n", constant, 1,
              "[own|] cue=1,1,1 choice=0,1,nan#0 flags010 trial012 block000\n");
  refuse_with("choice\nleft\nup\n", given, 4,
              "found 'up', expected one of these: right is 0, left is 1");
  refuse_with("x1,choice\n1,left\n1,0\n", NULL, 0, "column 'choice': found 'left'");
}

Test(source_table, inputs_that_are_made)
{
  const char *const cue[] = {"cue"};
  const char *const many[] = {"roi*", "0.5"};
  const fake_value split[] = {FAKE_STRINGS("one_hot", cue, 1)};
  const fake_value named[] = {split[0], FAKE_STRINGS("columns.inputs", cue, 1)};
  const fake_value pattern[] = {FAKE_STRINGS("columns.inputs", many, 2)};
  const char *read_as = "[own|] cue=0,1,1,0,0,1 choice=0,1,0 flags010 trial001 block000\n";
  expect_with("cue,choice\ntone,0\nlight,1\ntone,0\n", split, 1, read_as);
  expect_with("cue,choice\n10,0\n2,1\n10,0\n", named, 2, read_as);
  expect_with("roi2,choice,roi1\n3,0,4\n", pattern, 1,
              "[own|] cue=3,4,0.5 choice=0 flags0 trial0 block0\n");
}

Test(source_table, inputs_that_are_missing)
{
  const fake_value zero = FAKE_STRING("missing_inputs", "zero");
  const fake_value hold = FAKE_STRING("missing_inputs", "hold");
  const char *table = "x1,x2,y1\n1,2,0\nNaN,3,0\n";
  expect_with(table, &zero, 1, "[own|] cue=1,2,0,3 activity=0,0 flags11 trial01 block00\n");
  expect_with(table, &hold, 1, "[own|] cue=1,2,1,3 activity=0,0 flags11 trial01 block00\n");
  refuse("x1,x2,y1\n1,2,0\nNaN,3,0\n", "own.csv:3: column 'x1': found 'NaN', expected a number");
  refuse_with("x1,y1\n,0\n", &hold, 1, "at the first step of an experiment there is none to hold");
}

Test(source_table, inputs_that_are_drawn)
{
  const fake_value draw = FAKE_STRING("missing_inputs", "draw");
  /* a: of 1 and 3 the mean is 2, the sd the root of 2; b has nothing to draw */
  expect_with("animal,x1,x2,y1\na,1,2,0\na,,2,0\na,3,2,0\nb,5,1,0\nb,4,1,0\n", &draw, 1,
              "[a|] cue=1,2,2,2,3,2 activity=0,0,0 flags111 trial012 block000 "
              "cue_sd=0,0,1.4142135623730951,0,0,0\n"
              "[b|] cue=5,1,4,1 activity=0,0 flags11 trial01 block00\n");
  refuse_with("x1,y1\n1,0\n,0\n", &draw, 1, "'x1' has 1 recorded values, expected two or more");
}

Test(source_table, trials_that_start_anew_in_each_block)
{
  expect_with("block,trial,choice\n1,1,1\n1,2,2\n2,1,2\n2,2,1\n", constant, 1,
              "[own|] cue=1,1,1,1 choice=0,1,1,0 flags1111 trial1234 block1122\n");
  refuse_with("trial,choice\n1,1\n2,2\n1,2\n", constant, 1,
              "own.csv:4: found trial 1 behind trial 2 (line 3)");
}

Test(source_table, names_are_given)
{
  const char *const both[] = {"choice", "x*"};
  const char *const few[] = {"choice", "x1"};
  const fake_value names[] = {FAKE_STRINGS("names", both, 2)};
  const fake_value wrong[] = {FAKE_STRINGS("names", few, 2)};
  expect_with("0,1,2\n1,3,4\n", names, 1,
              "[own|] cue=1,2,3,4 choice=0,1 flags01 trial00 block00\n");
  refuse_with("0,1,2\n", wrong, 1, "found 3 columns, but 2 names");
  refuse("0,1,2\n1,3,4\n", "own.csv:1: found a row of 3 numbers, expected names of columns");
}

Test(source_table, names_that_are_nearly_those)
{
  const fake_value none = FAKE_STRING("columns.animal", "");
  refuse("anmal,x1,choice\na,1,0\n",
         "there is no column 'animal', but 'anmal': say columns.animal");
  refuse("Mouse ID,x1,choice\na,1,0\n", "there is no column 'animal', but 'Mouse ID'");
  refuse("subject,x1,choice\n3,1,0\n", "there is no column 'animal', but 'subject'");
  expect_with("subject,x1,choice\n3,1,0\n", &none, 1,
              "[own|] cue=1 subject=3 choice=0 flags0 trial0 block0\n");
  expect_with("animal,rewards,x1,choice\na,3,1,0\n", NULL, 0,
              "[a|] cue=1 rewards=3 choice=0 flags0 trial0 block0\n");
}

Test(source_table, rows_that_are_columns)
{
  const char *const units[] = {"y*"};
  const fake_value named[] = {constant[0], FAKE_BOOL("transposed", 1),
                              FAKE_STRINGS("names", units, 1)};
  const fake_value bare[] = {constant[0], FAKE_BOOL("transposed", 1)};
  const char *read_as = "[own|] cue=1,1,1 activity=1,4,2,5,nan#0,6 flags111 trial012 block000\n";
  expect_with("1,2,\n4,5,6\n", named, 3, read_as);
  expect_with("y1,1,2,\ny2,4,5,6\n", bare, 2, read_as);
  refuse_with("y1,1,2,3\ny2,4,x,6\n", bare, 2,
              "own.csv:2: column 'y2': found 'x', expected a number");
  refuse_with("y1,1,2,3\ny2,4,5\n", bare, 2, "own.csv:2: found 3 cells, expected 4");
}

Test(source_table, rows_that_are_there_twice)
{
  reading r;
  const char *table = "trial,x1,choice\n0,1,2\n0,1,2\n1,1,1\n";
  write_bytes(table, strlen(table));
  read_file(&r, path, NULL, 0, -1);
  cr_assert(r.status == PF_OK, "%s", r.error.text);
  cr_expect(r.host.warnings == 2, "%lld", (long long)r.host.warnings); /* choices 1 and 2, that */
  free(r.sink.text);
}

Test(source_table, other_case)
{
  const char *read_as = "[a|] cue=1.5,0.25 reward=1,nan#0 choice=0,1 flags01 trial00 block00\n";
  expect_with("Animal,X1,CHOICE,Reward\na,1.5,0,1\na,0.25,1,\n", NULL, 0, read_as);
  /* the exact name goes first; two that are no better than one another are none */
  expect_with("animal,Animal,x1,choice,reward\na,b,1.5,0,1\na,b,0.25,1,\n", NULL, 0, read_as);
}

Test(source_table, bytes_that_are_no_text)
{
  refuse("animal,x1,choice\na,1,0\nAndr\xE9,1,1\n", "own.csv:3: the byte 0xE9 is no UTF-8");
  refuse("animal,x1,choice,\xB5V\na,1,0,1\n", "own.csv:1: the byte 0xB5 is no UTF-8");
  expect_with("animal,x1,choice\nAndr\xC3\xA9,1,0\n", NULL, 0,
              "[Andr\xC3\xA9|] cue=1 choice=0 flags0 trial0 block0\n");
}

Test(source_table, headers)
{
  refuse("x1,choice\n", "has a header and no rows: there is no trial in it");
  refuse("x1,x1,choice\n1,1,1\n", "own.csv:1: there are two columns 'x1'");
  refuse("a,choice\n1,1\n", "own.csv:1: has no inputs");
  refuse("x1,chioce\n1,1\n", "own.csv:1: has nothing to predict");
}

Test(source_table, columns_that_are_not_there)
{
  static const char *const inputs[] = {"x1", "odour"};
  static const char *const twice[] = {"x1", "x1"};
  const fake_value reward = FAKE_STRING("columns.reward", "rewards");
  const fake_value odd = FAKE_STRING("columns.reward", "sugar");
  const fake_value input = FAKE_STRINGS("columns.inputs", inputs, 2);
  const fake_value same = FAKE_STRINGS("columns.inputs", twice, 2);
  const fake_value accepts = FAKE_STRING("plastic", "accepts");
  const fake_value column = FAKE_STRING("plastic", "column");
  const fake_value no_choice[] = {accepts, FAKE_STRING("columns.choice", "")};
  refuse_with("x1,choice,reward\n1,1,1\n", &reward, 1,
              "there is no column 'rewards'; did you mean 'reward'?");
  refuse_with("x1,choice,reward\n1,1,1\n", &odd, 1,
              "there is no column 'sugar'; the header has: x1, choice, reward");
  refuse_with("x1,choice,odour1\n1,1,1\n", &input, 1,
              "there is no column 'odour'; did you mean 'odour1'?");
  refuse_with("x1,choice\n1,1\n", &same, 1, "names the column 'x1' twice");
  refuse_with("x1,y1\n1,1\n", &accepts, 1, "there is no column 'choice'");
  refuse_with("x1,y1\n1,1\n", &column, 1, "there is no column 'plastic'");
  /* what is not asked for as a choice is not offered as one */
  refuse_with("x1,y1,choice\n1,1,1\n", no_choice, 2,
              "there is no column 'choice'; the header has: x1, y1, choice");
}

Test(source_table, rows)
{
  refuse("x1,choice\n1,1\n1\n", "own.csv:3: found 1 cell, expected 2 as in the header");
  refuse("x1,choice\n1,1,\n", "own.csv:2: found 3 cells, expected 2");
  refuse("x1,choice\n1,1\n1,\"1\n1,1\n", "own.csv:3: the file ends inside the quotes");
  refuse("x1,choice\n1,1\n1,\"1\"1\n", "behind a closing quote");
}

Test(source_table, cells)
{
  refuse("x1,choice\n1,1\nabc,1\n", "own.csv:3: column 'x1': found 'abc', expected a number");
  refuse("x1,choice\n1,1\n,1\n",
         "own.csv:3: column 'x1': found nothing, expected a number: an input cannot be missing");
  const fake_value go = FAKE_STRING("kind", "go_no_go");
  const fake_value accepts = FAKE_STRING("plastic", "accepts");
  refuse_with("x1,choice\n1,1\n1,2\n", &go, 1, "kind is \"go_no_go\", but choices are not 0");
  refuse_with(
      "x1,choice\n1,0\n1,2\n", &accepts, 1,
      "own.csv:3: column 'choice': found '2', expected 1 (accepted), 0 (rejected) or nothing");
  refuse("x1,choice,reward\n1,1,1\n1,1,inf\n",
         "own.csv:3: column 'reward': found 'inf', expected a finite number");
  refuse("x1,choice,reward\n1,1,1\n1,1,1.5.2\n", "found '1.5.2', expected a number");
  refuse("x1,choice,reward\n1,1,1\n1,1,0x10\n", "found '0x10', expected a number");
  refuse("x1,choice,reward\n1,1,1\n1,1,-\n", "found '-', expected a number");
  refuse("x1,choice,trial\n1,1,0\n1,1,0.5\n",
         "own.csv:3: column 'trial': found '0.5', expected a whole number");
  refuse("x1,choice,block\n1,1,0\n1,1,\n",
         "own.csv:3: column 'block': found nothing, expected a whole number");
  refuse("x1,choice,dt\n1,1,1\n1,1,0\n",
         "own.csv:3: column 'dt': found '0', expected the length of the step");
  refuse("x1,choice,plastic\n1,1,1\n1,1,2\n", "own.csv:3: column 'plastic': found '2', expected 1");
  refuse("animal,x1,choice\na,1,1\n,1,1\n",
         "own.csv:3: column 'animal': found nothing, expected the animal's name");
  refuse("x1,choice,novelty\n1,1,1\n1,1,new\n",
         "own.csv:3: column 'novelty': found 'new', expected a number");
}

Test(source_table, order_of_rows)
{
  refuse("step,x1,choice\n0,1,0\n1,1,0\n1,1,0\n",
         "own.csv:4: step 1 stands twice in one experiment, on line 3 too");
  refuse("trial,step,x1,choice\n0,0,1,0\n0,0,1,0\n",
         "own.csv:3: step 0 stands twice in one trial, on line 2 too");
  refuse("step,x1,choice\n0,1,0\n2,1,0\n1,1,0\n", "own.csv:4: found step 1 behind step 2 (line 3)");
  refuse("trial,x1,choice\n1,1,0\n0,1,0\n", "own.csv:3: found trial 0 behind trial 1 (line 2)");
  refuse("animal,x1,choice\na,1,0\nb,1,0\na,1,0\n",
         "own.csv:4: a row of a, which was over at line 2");
  refuse("animal,session,x1,choice\na,1,1,0\na,2,1,0\na,1,1,0\n",
         "own.csv:4: a row of a/1, which was over at line 2");
}
