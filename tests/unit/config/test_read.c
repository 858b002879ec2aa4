#define _POSIX_C_SOURCE 200809L

#include "support.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64];

static void make_folder(void)
{
  (void)snprintf(folder, sizeof folder, "/tmp/plastfit-config-XXXXXX");
  cr_assert_not_null(mkdtemp(folder));
}

static void remove_folder(void)
{
  char command[128];
  (void)snprintf(command, sizeof command, "rm -rf '%s'", folder);
  cr_assert_eq(system(command), 0);
}

static const char *in_folder(const char *name)
{
  static char path[128];
  (void)snprintf(path, sizeof path, "%s/%s", folder, name);
  return path;
}

static void put(const char *name, const char *bytes, size_t n)
{
  FILE *file = fopen(in_folder(name), "wb");
  cr_assert_not_null(file);
  cr_assert_eq(fwrite(bytes, 1, n, file), n);
  cr_assert_eq(fclose(file), 0);
}

/** The error line of reading a file; "" if it reads. */
static const char *line_of_file(const char *path)
{
  static char line[PF_ERROR_LENGTH];
  pf_config *config = NULL;
  pf_error error = pf_error_none();
  if (pf_config_read(path, NULL, 0, &config, &error) == PF_OK) {
    pf_config_free(config);
  }
  (void)snprintf(line, sizeof line, "%s", error.text);
  return line;
}

TestSuite(config_read, .init = make_folder, .fini = remove_folder);

Test(config_read, what_is_no_config_is_one_clear_line)
{
  cr_assert(strstr(line_of_file(folder), "is a folder") != NULL);
  cr_assert(strstr(line_of_file("/nowhere/x.cfg"), "No such file") != NULL);
  put("empty.cfg", "", 0);
  cr_assert(strstr(line_of_file(in_folder("empty.cfg")), "is empty") != NULL);
  put("blank.cfg", " \n\t\n", 4);
  cr_assert(strstr(line_of_file(in_folder("blank.cfg")), "is empty") != NULL);
  put("zero.cfg", "a = 1;\n\0b", 9);
  cr_assert(strstr(line_of_file(in_folder("zero.cfg")), "zero.cfg:2: byte 0 is no text") != NULL);
  put("cut.cfg", "a = 1;\nb = {", 12);
  cr_assert(strstr(line_of_file(in_folder("cut.cfg")), "cut.cfg:2: syntax error") != NULL);
  put("quote.cfg", "a = 1;\nb = \"x;\nc = 2;\n", 22);
  cr_assert(strstr(line_of_file(in_folder("quote.cfg")),
                   "quote.cfg:2: a quote (\") is opened here") != NULL);
  put("twice.cfg", "a = 1;\na = 2;", 13);
  cr_assert(strstr(line_of_file(in_folder("twice.cfg")), "twice.cfg:2: this name stands twice") !=
            NULL);
  put("mixed.cfg", "a = [1, 0.5];", 13);
  cr_assert(strstr(line_of_file(in_folder("mixed.cfg")), "must be of one type") != NULL);
}

Test(config_read, a_file_too_large_is_refused)
{
  put("huge.cfg", "a", 1);
  cr_assert_eq(truncate(in_folder("huge.cfg"), 64L * 1024 * 1024), 0);
  cr_assert(strstr(line_of_file(in_folder("huge.cfg")), "larger than 16 MiB") != NULL);
}

Test(config_read, no_permission)
{
  put("secret.cfg", "a = 1;", 6);
  cr_assert_eq(chmod(in_folder("secret.cfg"), 0), 0);
  if (geteuid() != 0) { /* root may read everything */
    cr_assert(strstr(line_of_file(in_folder("secret.cfg")), "Permission denied") != NULL);
  }
}

Test(config_read, windows_line_ends_and_byte_order_mark)
{
  put("dos.cfg",
      "\xEF\xBB\xBF"
      "a = 1;\r\nb = 2;\r\n",
      19);
  cr_assert_str_eq(line_of_file(in_folder("dos.cfg")), "");
}

Test(config_read, includes_are_relative_to_the_config)
{
  put("part.cfg", "rate = 3;\n\nbad = 4;\n", 20);
  put("whole.cfg", "x = 1;\nfit: {\n@include \"part.cfg\"\n};\n", 37);
  pf_config *config = NULL;
  pf_error error = pf_error_none();
  cr_assert_eq(pf_config_read(in_folder("whole.cfg"), NULL, 0, &config, &error), PF_OK, "%s",
               error.text);
  double rate = 0;
  cr_assert(pf_node_number(pf_node_get(pf_config_root(config), "fit.rate"), &rate));
  cr_assert_eq(rate, 3.0);
  char where[256], expected[256];
  pf_node_where(config, pf_node_get(pf_config_root(config), "fit.bad"), where, sizeof where);
  (void)snprintf(expected, sizeof expected, "%s/part.cfg:3", folder);
  cr_assert_str_eq(where, expected);
  pf_config_free(config);
}

Test(config_read, includes_that_would_end_libconfig)
{
  /* libconfig 1.5 ends the program when it includes a folder */
  put("folder.cfg", "\n@include \".\"\n", 14);
  cr_assert(strstr(line_of_file(in_folder("folder.cfg")), "folder.cfg:2: @include: ") != NULL);
  put("root.cfg", "\n@include \"/etc/gone.cfg\"\n", 26);
  cr_assert(strstr(line_of_file(in_folder("root.cfg")),
                   "root.cfg:2: @include \"/etc/gone.cfg\": found a path from the root") != NULL);
  put("none.cfg", "@include \"gone.cfg\"\n", 20);
  cr_assert(strstr(line_of_file(in_folder("none.cfg")), "gone.cfg: cannot be opened") != NULL);
  put("self.cfg", "@include \"self.cfg\"\n", 20);
  cr_assert(strstr(line_of_file(in_folder("self.cfg")), "does a file include itself?") != NULL);
  put("part.cfg", "a = 1; # end", 12);
  put("whole.cfg", "@include \"part.cfg\"\n", 20);
  cr_assert(strstr(line_of_file(in_folder("whole.cfg")),
                   "part.cfg:1: the file ends in a comment") != NULL);
  put("part.cfg", "a = 1;\nb = = 2;\n", 16);
  put("whole.cfg", "@include \"part.cfg\"\n", 20);
  cr_assert(strstr(line_of_file(in_folder("whole.cfg")), "part.cfg:2: syntax error") != NULL);
}

Test(config_read, integers_do_not_wrap_around)
{
  static const struct {
    const char *text, *part;
  } cases[] = {
      {"seed = 3000000000;",
       "t.cfg:1: the whole number 3000000000 is beyond 32 bits; write 3000000000L"},
      {"a = 1;\nseed = -2147483649;", "t.cfg:2: the whole number 2147483649 is beyond 32 bits"},
      {"seed = 0xFFFFFFFF;", "beyond 32 bits"},
      {"seed = [1, 99999999999];", "beyond 32 bits"},
      {"seed = 99999999999999999999L;", "too large"},
      {"seed = 3000000000L;", ""},
      {"seed = -2147483648;", ""},
      {"x = 3000000000.0;", ""},
      {"x = 3000000000e-3;", ""},
      {"s = \"3000000000\"; # 3000000000\n/* 3000000000 \n */ a3000000000 = 1; // 3000000000", ""},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    pf_config *config = NULL;
    pf_error error = pf_error_none();
    if (parse(cases[i].text, NULL, &config, &error) == PF_OK) {
      pf_config_free(config);
    }
    cr_assert(cases[i].part[0] == '\0' ? error.text[0] == '\0'
                                       : strstr(error.text, cases[i].part) != NULL,
              "%s: %s", cases[i].text, error.text);
  }
}

static const char *const whole =
    "# a config\nname = \"x\\\"y\"; seed = 12L;\nrule: { plugin = \"taylor\"; rate = 1e-2; layers "
    "= [2, 10];\n"
    "  path = \"d/*.mat\"; in = { sd = 1; draws = 3; }; /* a comment */ baited = false; // "
    "another\n"
    "  task: { blocks = ( { trials = 80; reward = (0.5, 1); }, { trials = 8; } ); }; };\n";

/** Reads and views; whatever comes, it comes as a status and one line. */
static void try_text(const char *text)
{
  pf_config *config = NULL;
  pf_error error = pf_error_none();
  pf_view *view = view_of_rule(text, NULL, &config, &error);
  cr_assert((view == NULL) == (error.text[0] != '\0'),
            "a status without a line, or a line without a status: %s", text);
  cr_assert_null(strchr(error.text, '\n'), "more than one line: %s", error.text);
  if (view != NULL) {
    pf_view_free(view);
    pf_config_free(config);
  }
}

Test(config_read, cut_at_every_byte)
{
  cr_assert_str_eq(line_of(whole, NULL), "");
  size_t length = strlen(whole);
  char *cut = malloc(length + 1);
  for (size_t n = 0; n < length; n++) {
    memcpy(cut, whole, n);
    cut[n] = '\0';
    try_text(cut);
  }
  free(cut);
}

static uint32_t next_random(uint32_t *state)
{
  *state = *state * 1664525U + 1013904223U;
  return *state >> 8;
}

Test(config_read, bytes_changed_at_random)
{
  static const char *const pieces[] = {
      "{",    "}",   "(",  ")",  "[",    "]",  ";",  ",",
      "=",    ":",   "\"", "\\", "/*",   "*/", "#",  "@include \"x\"",
      "1",    "-",   ".",  "e",  "rule", "\n", "0x", "L",
      "\xff", "\x80"};
  size_t length = strlen(whole);
  char *text = malloc(2 * length);
  uint32_t state = 1;
  for (int round = 0; round < 3000; round++) {
    memcpy(text, whole, length + 1);
    for (uint32_t k = 0; k <= next_random(&state) % 4; k++) {
      const char *piece = pieces[next_random(&state) % (sizeof pieces / sizeof pieces[0])];
      size_t at = next_random(&state) % (length - strlen(piece));
      memcpy(text + at, piece, strlen(piece));
    }
    try_text(text);
  }
  for (int round = 0; round < 3000; round++) {
    size_t n = next_random(&state) % 60;
    for (size_t i = 0; i < n; i++) {
      text[i] = (char)(1 + next_random(&state) % 255);
    }
    text[n] = '\0';
    try_text(text);
  }
  free(text);
}

Test(config_read, nested_deeply)
{
  enum { DEPTH = 100000 };
  char *text = malloc(4 * DEPTH + 1);
  size_t n = 0;
  for (int i = 0; i < DEPTH; i++) {
    memcpy(text + n, "a={", 3);
    n += 3;
  }
  text[n] = '\0';
  try_text(text);
  free(text);
}
