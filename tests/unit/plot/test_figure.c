/* core/report/figure: gnuplot draws what it is told, the same bytes each time, with any text;
 * without it all goes on.
 */
#define _POSIX_C_SOURCE 200809L
#include "core/base/memory.h"
#include "core/plot/figure.h"
#include "tests/unit/support/scratch.h"
#include <criterion/criterion.h>
#include <dirent.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const double ys[] = {1.5, 2.25, -0.75, NAN, 3.125};

static pf_figures *two_figures(void)
{
  pf_error error = pf_error_none();
  pf_figures *set = pf_figures_new(&error);
  cr_assert(set != NULL);
  pf_figure *first = pf_figures_add(
      set, "first", (pf_figure_look){.title = "it's a_b <x> & \"q\" \\n", .caption = "A"});
  pf_panel *panel =
      pf_figure_panel(first, (pf_axes){.title = "bad \xff\xc0 bytes", .x = {.label = "trial"}});
  pf_panel_line(panel, (pf_mark){.colour = PF_BLUE, .label = "caf\xc3\xa9"}, NULL, ys, 5);
  pf_panel_intervals(panel, (pf_mark){.colour = PF_GREEN}, (pf_intervals){NULL, ys, ys, ys, 5});
  pf_panel_band(panel, (pf_mark){0}, NULL, ys, ys, 5);
  pf_panel_vertical(panel, (pf_mark){.label = "here"}, 1.0);
  pf_panel_horizontal(panel, (pf_mark){.label = "there"}, 1.0);
  pf_panel_shade(panel, (pf_mark){0}, 1.0, 2.0);
  pf_panel_text(panel, (pf_mark){0}, 1.0, 0.5, "r = 0.2");
  pf_figure *second = pf_figures_add(set, "second-1_b", (pf_figure_look){0});
  static const double nothing[] = {NAN, INFINITY};
  pf_panel_points(pf_figure_panel(second, (pf_axes){0}), (pf_mark){0}, NULL, nothing, 2);
  pf_panel_histogram(pf_figure_panel(second, (pf_axes){0}), (pf_mark){0}, ys, 5, 0);
  pf_panel_heat(pf_figure_panel(second, (pf_axes){0}), (pf_heat){ys, 1, 5, 0.0, 0.0, true, "R2"});
  panel = pf_figure_panel(second, (pf_axes){.y = {.logarithmic = true}});
  pf_panel_segments(panel, (pf_mark){0}, (pf_segments){ys, ys, ys, ys, 5});
  (void)pf_figure_panel(second,
                        (pf_axes){.x = {.ticks = (const char *const[]){"a", "b"}, .n_ticks = 2}});
  return set;
}

static void need_gnuplot(void)
{
  if (system("gnuplot --version >/dev/null 2>&1") != 0) {
    cr_skip_test("gnuplot is not installed");
  }
}

static void render(pf_figures *set, const char *folder)
{
  pf_error error = pf_error_none();
  cr_assert(pf_figures_render(set, folder, &error) == PF_OK, "%s", error.text);
}

static size_t count(const char *text, const char *what)
{
  size_t n = 0;
  for (const char *at = strstr(text, what); at != NULL; at = strstr(at + 1, what)) {
    n++;
  }
  return n;
}

static size_t entries(const char *folder)
{
  size_t n = 0;
  DIR *open = opendir(folder);
  for (struct dirent *e = open != NULL ? readdir(open) : NULL; e != NULL; e = readdir(open)) {
    n += e->d_name[0] != '.' ? 1 : 0;
  }
  (void)closedir(open);
  return n;
}

Test(report_figure, the_same_calls_give_the_same_bytes)
{
  need_gnuplot();
  char folder[SCRATCH_SIZE];
  scratch_create(folder);
  pf_figures *once = two_figures();
  pf_figures *again = two_figures();
  render(once, folder);
  render(again, folder);
  cr_assert(pf_figures_plotted(once) && pf_figures_plotted(again) && pf_figures_count(once) == 2);
  for (size_t i = 0; i < 2; i++) {
    cr_assert(strlen(pf_figures_svg(once, i)) > 1000);
    cr_assert(strcmp(pf_figures_svg(once, i), pf_figures_svg(again, i)) == 0);
  }
  cr_expect(entries(folder) ==
            4); /* first and second, each .svg and .csv; nothing that was needed on the way */
  pf_figures_free(once);
  pf_figures_free(again);
  scratch_remove(folder);
}

Test(report_figure, text_is_taken_as_it_is)
{
  need_gnuplot();
  char folder[SCRATCH_SIZE];
  scratch_create(folder);
  pf_figures *set = two_figures();
  render(set, folder);
  const char *svg = pf_figures_svg(set, 0);
  cr_expect(strstr(svg, "it's a_b &lt;x> &amp; \"q\" \\n") != NULL);
  cr_expect(strstr(svg, "bad ?? bytes") != NULL && strstr(svg, "caf\xc3\xa9") != NULL);
  cr_expect(strstr(svg, ">here<") != NULL && strstr(svg, ">there<") != NULL &&
            strstr(svg, "r = 0.2") != NULL);
  cr_expect(strstr(pf_figures_svg(set, 1), "no data") != NULL &&
            strstr(pf_figures_svg(set, 1), "R2") != NULL);
  /* to stand in one page with others */
  cr_expect(count(svg, "id='gp") == 0 && count(svg, "id='first-gp") > 0 && count(svg, "'#gp") == 0);
  cr_expect(strncmp(svg, "<svg", 4) == 0 && strstr(svg, "<title>") == NULL &&
            strstr(svg, "<?xml") == NULL);
  cr_expect(strcmp(pf_figures_caption(set, 0), "A") == 0 && pf_figures_caption(set, 1) == NULL);
  pf_figures_free(set);
  scratch_remove(folder);
}

/* Programs that are not there, that fail, that draw nothing: a warning on stderr, no folder, and
 * all goes on. */
Test(report_figure, without_gnuplot_all_goes_on)
{
  static const char *const programs[] = {"", "/no/such/gnuplot", "false", "true"};
  for (size_t i = 0; i < sizeof programs / sizeof programs[0]; i++) {
    cr_assert(setenv("PLASTFIT_GNUPLOT", programs[i], 1) == 0);
    pf_figures *set = two_figures();
    render(set, "/tmp/plastfit-no-figures");
    cr_expect(!pf_figures_plotted(set) && access("/tmp/plastfit-no-figures", F_OK) != 0, "'%s'",
              programs[i]);
    cr_expect(pf_figures_svg(set, 0) == NULL);
    pf_figures_free(set);
  }
}

Test(report_figure, a_folder_that_cannot_be_made)
{
  need_gnuplot();
  pf_error error = pf_error_none();
  pf_figures *set = two_figures();
  cr_expect(pf_figures_render(set, "/dev/null/figures", &error) == PF_STOP);
  cr_expect(strstr(error.text, "/dev/null/figures") != NULL, "%s", error.text);
  pf_figures_free(set);
}

Test(report_figure, nothing_to_draw)
{
  pf_error error = pf_error_none();
  pf_figures *set = pf_figures_new(&error);
  cr_expect(pf_figures_render(set, "/tmp/plastfit-no-figures", &error) == PF_OK &&
            !pf_figures_plotted(set));
  pf_figures_free(set);
}
