/* core/candidates/job_file: what was written is read back with the same bits, or not at all. */
#include "core/base/memory.h"
#include "core/candidates/job_file.h"
#include "core/ranking/ranking.h"
#include "tests/unit/support/scratch.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

static char folder[SCRATCH_SIZE], path[SCRATCH_SIZE + 16];
static pf_error error;
static const pf_job job = {.candidate = 1, .key = {0x1234, 0xFEDCBA9876543210U}};

static void start(void)
{
  error = pf_error_none();
  scratch_create(folder);
  (void)snprintf(path, sizeof path, "%s/1.job", folder);
}

static void end(void)
{
  scratch_remove(folder);
}

TestSuite(compare_job_file, .init = start, .fini = end);

/* Two scores, one of them failed; an estimate and a prediction with awkward numbers. */
static double theta[2] = {0.1, -1.0 / 3.0}, probability[3] = {NAN, 0.7, 5e-324};
static pf_compare_row scores[2] = {{.animal = 3,
                                    .validation = 2,
                                    .n = 121,
                                    .n_fit = 385,
                                    .log_likelihood = -83.814696652764766,
                                    .no_plasticity = -INFINITY,
                                    .mean_rate = NAN,
                                    .r2_weights = -0.0,
                                    .r2_activity = 1e300},
                                   {.animal = 4,
                                    .ablation = PF_ABLATION_NONE,
                                    .status = PF_POINT_FAILED,
                                    .error = (char *)"weights overflow, step 7"}};
static pf_compare_estimate estimate = {.animal = 3, .theta = theta};
static pf_compare_prediction prediction = {
    .recording = 9, .validation = 2, .n_steps = 3, .probability = probability};
static pf_job_theta at_optimum = {.recording = 9, .theta = theta};
static const pf_job_result whole = {.verdict = PF_FIT_PASSES_DONE,
                                    .objective = 0.3,
                                    .thetas = &at_optimum,
                                    .n_thetas = 1,
                                    .n_free = 5,
                                    .n_theta = 2,
                                    .scores = scores,
                                    .n_scores = 2,
                                    .estimates = &estimate,
                                    .n_estimates = 1,
                                    .predictions = &prediction,
                                    .n_predictions = 1};

static void write_text(const char *text, size_t n)
{
  FILE *file = fopen(path, "w");
  cr_assert(file != NULL && fwrite(text, 1, n, file) == n);
  (void)fclose(file);
}

static size_t read_text(char *text, size_t capacity)
{
  FILE *file = fopen(path, "r");
  cr_assert(file != NULL);
  const size_t n = fread(text, 1, capacity, file);
  (void)fclose(file);
  cr_assert(n < capacity);
  text[n] = '\0';
  return n;
}

Test(compare_job_file, comes_back_whole)
{
  pf_job_result back;
  cr_assert(pf_job_write(&job, &whole, path, &error) == PF_OK, "%s", error.text);
  cr_assert(pf_job_read(&job, path, &back));
  cr_assert(back.done && back.status == PF_OK && back.error == NULL);
  cr_assert(back.n_free == 5 && back.n_theta == 2 && back.n_scores == 2);
  for (size_t i = 0; i < 2; i++) {
    pf_compare_row a = back.scores[i], b = scores[i];
    cr_assert((a.error == NULL) == (b.error == NULL));
    cr_assert(b.error == NULL || strcmp(a.error, b.error) == 0);
    cr_assert(isnan(a.mean_rate) == isnan(b.mean_rate));
    a.error = b.error = NULL;
    a.mean_rate = b.mean_rate = 0.0; /* NaN has several bit patterns */
    cr_assert(a.animal == b.animal && a.validation == b.validation && a.ablation == b.ablation);
    cr_assert(a.status == b.status && a.n == b.n && a.n_fit == b.n_fit);
    cr_assert(memcmp(&a.log_likelihood, &b.log_likelihood, 5 * sizeof(double)) == 0);
  }
  cr_assert(back.verdict == PF_FIT_PASSES_DONE && back.objective == 0.3);
  cr_assert(back.n_thetas == 1 && back.thetas[0].recording == 9);
  cr_assert(memcmp(back.thetas[0].theta, theta, sizeof theta) == 0);
  cr_assert(back.n_estimates == 1 && back.estimates[0].animal == 3);
  cr_assert(memcmp(back.estimates[0].theta, theta, sizeof theta) == 0);
  cr_assert(back.n_predictions == 1 && back.predictions[0].recording == 9);
  cr_assert(back.predictions[0].n_steps == 3 && isnan(back.predictions[0].probability[0]));
  cr_assert(memcmp(back.predictions[0].probability + 1, probability + 1, 2 * sizeof(double)) == 0);
  pf_job_result_clear(&back);
}

Test(compare_job_file, a_failed_fit_is_a_result)
{
  pf_job_result back;
  const pf_job_result failed = {.status = PF_POINT_FAILED, .error = (char *)"no start has a value"};
  cr_assert(pf_job_write(&job, &failed, path, &error) == PF_OK);
  cr_assert(pf_job_read(&job, path, &back));
  cr_assert(back.done && back.status == PF_POINT_FAILED && back.n_scores == 0);
  cr_assert(strcmp(back.error, "no start has a value") == 0);
  pf_job_result_clear(&back);
}

Test(compare_job_file, of_another_key)
{
  pf_job other = job;
  pf_job_result back;
  cr_assert(!pf_job_read(&job, path, &back)); /* no such file */
  cr_assert(pf_job_write(&job, &whole, path, &error) == PF_OK);
  other.key[1]++;
  cr_assert(!pf_job_read(&other, path, &back));
}

Test(compare_job_file, cut_short_anywhere)
{
  char text[2000];
  pf_job_result back;
  cr_assert(pf_job_write(&job, &whole, path, &error) == PF_OK);
  const size_t n = read_text(text, sizeof text);
  for (size_t cut = 0; cut < n; cut++) {
    write_text(text, cut);
    cr_assert(!pf_job_read(&job, path, &back), "cut at %zu", cut);
  }
}

/* Each damage: one text replaced by another of the same length. */
Test(compare_job_file, damaged)
{
  static const char *const damages[][2] = {{"plastfit-job 4", "plastfit-job 3"},
                                           {"score 3 2 0", "score 3 9 0"}, /* no such validation */
                                           {"score 3 2 0", "score 3 2 7"}, /* no such ablation */
                                           {"score 3 2 0", "score -3 2 0"},
                                           {"estimate", "estimat "},
                                           {"prediction 9 2 3", "prediction 9 2 4"},
                                           {"fit 0 1 5 2 2", "fit 0 1 5 2 9"},
                                           {"fit 0 1 5 2 2", "fit 0 1 5 3 2"},
                                           {"fit 0 1 5 2 2", "fit 0 9 5 2 2"}, /* no such verdict */
                                           {"theta 9", "theta -"},
                                           {"end", "eng"}};
  char text[2000];
  pf_job_result back;
  cr_assert(pf_job_write(&job, &whole, path, &error) == PF_OK);
  const size_t n = read_text(text, sizeof text);
  for (size_t k = 0; k < sizeof damages / sizeof damages[0]; k++) {
    char damaged[2100];
    const char *at = strstr(text, damages[k][0]);
    cr_assert(at != NULL, "%s", damages[k][0]);
    const size_t before = (size_t)(at - text), length = strlen(damages[k][0]);
    (void)snprintf(damaged, sizeof damaged, "%.*s%s%s", (int)before, text, damages[k][1],
                   at + length);
    write_text(damaged, n - length + strlen(damages[k][1]));
    cr_assert(!pf_job_read(&job, path, &back), "%s", damages[k][1]);
  }
}

Test(compare_job_file, cannot_be_written)
{
  char nowhere[SCRATCH_SIZE + 32];
  (void)snprintf(nowhere, sizeof nowhere, "%s/no/1.job", folder);
  cr_assert(pf_job_write(&job, &whole, nowhere, &error) == PF_STOP);
  cr_assert(strstr(error.text, "cannot write") != NULL);
}
