#define _POSIX_C_SOURCE 200809L

#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/plot/figure_parts.h"

#include <errno.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ; /* POSIX declares it nowhere */

/* ---- the process ---- */

/**
 * gnuplot with three files as its standard streams, to its end: 0, or an errno. Files, not pipes:
 * nothing can block, and they have no name that could be left behind.
 */
static int run_gnuplot(const char *program, FILE *in, FILE *out, FILE *messages, int *ended)
{
  /* by a name for its standard input: as that it reads a script byte by byte, half a second for 20
   * figures */
  char *const arguments[] = {(char *)program, (char *)"--default-settings", (char *)"/dev/stdin",
                             NULL};
  posix_spawn_file_actions_t actions;
  pid_t child = 0;
  int failed = posix_spawn_file_actions_init(&actions);
  if (failed != 0) {
    return failed;
  }
  failed = posix_spawn_file_actions_adddup2(&actions, fileno(in), STDIN_FILENO);
  failed =
      failed != 0 ? failed : posix_spawn_file_actions_adddup2(&actions, fileno(out), STDOUT_FILENO);
  failed = failed != 0
               ? failed
               : posix_spawn_file_actions_adddup2(&actions, fileno(messages), STDERR_FILENO);
  failed = failed != 0 ? failed : posix_spawnp(&child, program, &actions, NULL, arguments, environ);
  (void)posix_spawn_file_actions_destroy(&actions);
  while (failed == 0 && waitpid(child, ended, 0) < 0) {
    failed = errno == EINTR ? 0 : errno;
  }
  return failed;
}

/** All of a file as text; NULL: no memory. */
static char *is_whole(FILE *file)
{
  const long length = fseek(file, 0, SEEK_END) == 0 ? ftell(file) : -1;
  if (length < 0 || fseek(file, 0, SEEK_SET) != 0) {
    return NULL;
  }
  char *text = pf_memory_new((size_t)length + 1, 1);
  if (text != NULL && fread(text, 1, (size_t)length, file) != (size_t)length) {
    pf_memory_free(text);
    return NULL;
  }
  return text;
}

/* ---- from gnuplot's SVG to ours ---- */

static bool starts_with(const char *text, const char *with)
{
  return strncmp(text, with, strlen(with)) == 0;
}

/** Past the next occurrence of `end`, or the end of the text. */
static const char *after_prefix(const char *text, const char *end)
{
  const char *found = strstr(text, end);
  return found != NULL ? found + strlen(end) : text + strlen(text);
}

/** <g ...>, and nothing in it before </g>: the text after it, else NULL. gnuplot leaves many. */
static const char *empty_group(const char *at)
{
  if (!starts_with(at, "<g ")) {
    return NULL;
  }
  const char *inside = after_prefix(at, ">");
  inside += strspn(inside, " \t\n");
  return starts_with(inside, "</g>") ? inside + 4 + strspn(inside + 4, " \t\n") : NULL;
}

/**
 * The element <svg>...</svg> of one figure, to stand in a page with others: ids, and what refers to
 * them, get the figure's name before them; the title (which a browser would show at the pointer)
 * and empty groups go. gnuplot leaves ]]> in texts, which XML forbids.
 */
static char *tidy_svg(const char *svg, const char *end, const char *name)
{
  pf_text out = {0};
  const char *from = svg; /* what is to be copied begins here */
  const char *at = svg;
  while (at < end) {
    if (starts_with(at, "]]>")) {
      pf_text_add(&out, "%.*s]]&gt;", (int)(at - from), from);
      from = at += 3;
      continue;
    }
    if (*at != '<' && *at != ' ' && *at != 'h') { /* none of what is looked for begins so */
      at++;
      continue;
    }
    const char *skip =
        starts_with(at, "<title>") ? after_prefix(at, "</title>\n") : empty_group(at);
    const char *id = starts_with(at, " id='") || starts_with(at, " id=\"") ? at + 5
                     : starts_with(at, "href='#")                          ? at + 7
                                                                           : NULL;
    if (skip != NULL || id != NULL) {
      pf_text_add(&out, "%.*s", (int)((id != NULL ? id : at) - from), from);
      if (id != NULL) {
        pf_text_add(&out, "%s-", name);
      }
      from = at = id != NULL ? id : skip;
    } else {
      at++;
    }
  }
  pf_text_add(&out, "%.*s\n", (int)(end - from), from);
  char *copy = out.failed ? NULL : pf_memory_string(out.text, NULL);
  pf_text_free(&out);
  return copy;
}

/** Cut gnuplot's output into one SVG for each figure; false: there are fewer. */
static bool take_apart(pf_figures *set, const char *output)
{
  const char *at = output;
  for (size_t i = 0; i < set->n; i++) {
    const char *begin = strstr(at, "<svg");
    const char *end = begin != NULL ? strstr(begin, "</svg>") : NULL;
    if (end == NULL) {
      return false;
    }
    end += strlen("</svg>");
    set->figures[i]->svg = tidy_svg(begin, end, set->figures[i]->name);
    if (set->figures[i]->svg == NULL) {
      return false;
    }
    at = end;
  }
  return true;
}

/* ---- drawing ---- */

static void warn_once(const char *why, const char *detail)
{
  (void)fprintf(stderr, "plastfit: warning: no figures: %s%s%s\n", why,
                detail[0] != '\0' ? ": " : "", detail);
}

/** What gnuplot said: its "line 12: ..." where there is one (it shows the command first), else its
 * first words. */
static void first_line(const char *messages, char *line, size_t capacity)
{
  const char *found = messages != NULL ? strstr(messages, "line ") : NULL;
  const char *words = found != NULL      ? found
                      : messages != NULL ? messages + strspn(messages, " \t\n^")
                                         : "";
  (void)snprintf(line, capacity, "%.*s", (int)strcspn(words, "\n"), words);
}

static void draw_with(pf_figures *set, const char *program, FILE *in, FILE *out, FILE *messages)
{
  pf_figures_script(set, in);
  if (fflush(in) != 0 || ferror(in) || fseek(in, 0, SEEK_SET) != 0) {
    warn_once("the script for gnuplot could not be written", strerror(errno));
    return;
  }
  int ended = 0;
  const int failed = run_gnuplot(program, in, out, messages, &ended);
  if (failed != 0 || (WIFEXITED(ended) && WEXITSTATUS(ended) == 127)) {
    char line[300];
    (void)snprintf(line, sizeof line, "'%.200s' cannot be started (apt-get install gnuplot-nox)",
                   program);
    warn_once(line, failed != 0 ? strerror(failed) : "");
    return;
  }
  char *svg = is_whole(out);
  char *said = is_whole(messages);
  set->drawn = svg != NULL && WIFEXITED(ended) && WEXITSTATUS(ended) == 0 && take_apart(set, svg);
  if (!set->drawn) {
    char line[300];
    first_line(said, line, sizeof line);
    warn_once("gnuplot failed", line);
  }
  pf_memory_free(svg);
  pf_memory_free(said);
}

static void draw_figure(pf_figures *set)
{
  const char *named = getenv("PLASTFIT_GNUPLOT");
  const char *program = named != NULL ? named : "gnuplot";
  if (program[0] == '\0') {
    return; /* somebody asked for none */
  }
  FILE *files[3] = {tmpfile(), tmpfile(), tmpfile()};
  if (files[0] != NULL && files[1] != NULL && files[2] != NULL) {
    draw_with(set, program, files[0], files[1], files[2]);
  } else {
    warn_once("no room for temporary files", strerror(errno));
  }
  for (size_t i = 0; i < 3; i++) {
    if (files[i] != NULL) {
      (void)fclose(files[i]);
    }
  }
}

static void write_drawing(const pf_figure *figure, FILE *file)
{
  (void)fputs("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n", file);
  (void)fputs(figure->svg, file);
}

typedef void (*write_what)(const pf_figure *figure, FILE *file);

static bool write_file(const char *path, const pf_figure *figure, write_what write)
{
  FILE *file = fopen(path, "w");
  if (file == NULL) {
    return false;
  }
  write(figure, file);
  const bool written = fflush(file) == 0 && ferror(file) == 0;
  const int reason = errno;
  if (fclose(file) != 0) {
    return false;
  }
  errno = written ? errno : reason;
  return written;
}

/** FOLDER/NAME.svg and FOLDER/NAME.csv. */
static pf_status write_figure(const char *folder, const pf_figure *figure, pf_error *error)
{
  static const struct {
    const char *suffix;
    write_what write;
  } files[] = {{"svg", write_drawing}, {"csv", pf_figure_csv}};
  const size_t length = strlen(folder) + strlen(figure->name) + 16;
  char *path = pf_memory_need(length, 1, error);
  if (path == NULL) {
    return PF_STOP;
  }
  pf_status status = PF_OK;
  for (size_t k = 0; k < sizeof files / sizeof files[0]; k++) {
    (void)snprintf(path, length, "%s/%s.%s", folder, figure->name, files[k].suffix);
    if (!write_file(path, figure, files[k].write)) {
      status = pf_fail(error, PF_STOP, "cannot write '%s': %s", path, strerror(errno));
      break;
    }
  }
  pf_memory_free(path);
  return status;
}

pf_status pf_figures_render(pf_figures *set, const char *folder, pf_error *error)
{
  if (set->error.text[0] != '\0') {
    return pf_fail(error, PF_STOP, "%s", set->error.text);
  }
  if (set->n == 0 || set->drawn) {
    return PF_OK;
  }
  draw_figure(set);
  if (!set->drawn) {
    return PF_OK;
  }
  if (mkdir(folder, 0777) != 0 && errno != EEXIST) {
    return pf_fail(error, PF_STOP, "cannot make the folder '%s': %s", folder, strerror(errno));
  }
  for (size_t i = 0; i < set->n; i++) {
    const pf_status status = write_figure(folder, set->figures[i], error);
    if (status != PF_OK) {
      return status;
    }
  }
  return PF_OK;
}
