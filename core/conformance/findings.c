#define _GNU_SOURCE /* MAP_ANONYMOUS, REG_ERR */

#include "core/conformance/findings.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

enum {
  CPU_SECONDS = 60,
  WALL_SECONDS = 600,
  EXIT_FOUND = 3,
  EXIT_DONE = 4,
  EXIT_NO_MEMORY = 99,
  STACK_BYTES = 65536
};

/* A signal handler is given no argument of ours: the one variable that must outlive a call. Set in
 * the child only. */
static cf_report *the_report;

void cf_find(cf_report *report, const char *format, ...)
{
  va_list args;
  va_start(args, format);
  (void)vsnprintf(report->finding, sizeof report->finding, format, args);
  va_end(args);
  _exit(EXIT_FOUND);
}

void cf_doing(cf_report *report, const char *format, ...)
{
  va_list args;
  va_start(args, format);
  (void)vsnprintf(report->doing, sizeof report->doing, format, args);
  va_end(args);
}

void cf_need_ok(cf_report *report, pf_status status, const pf_error *error)
{
  if (status != PF_OK) {
    cf_find(report, "%s fails on ordinary input: %s", report->doing,
            error->text[0] == '\0' ? "and writes no line" : error->text);
  }
}

void cf_guard_array(cf_report *report, cf_array *array, bool at_end)
{
  cf_array_allocate(array, at_end);
  for (int i = 0; i < CF_MAX_WATCHED; i++) {
    if (report->arrays[i] == NULL) {
      report->arrays[i] = array;
      return;
    }
  }
}

void cf_guard_vector(cf_report *report, cf_array *array, const char *name, enum cf_type type,
                     int64_t n)
{
  *array = (cf_array){
      .name = name, .type = type, .copies = 1, .planes = 1, .rows = 1, .columns = n, .ld = n};
  cf_guard_array(report, array, true);
}

void cf_release_array(cf_report *report, cf_array *array)
{
  for (int i = 0; i < CF_MAX_WATCHED; i++) {
    if (report->arrays[i] == array) {
      report->arrays[i] = NULL;
    }
  }
  cf_array_free(array);
}

/** "reads", "writes", or either where the machine does not say. */
static const char *access_kind(const void *context)
{
#if defined(__x86_64__) && defined(REG_ERR)
  const ucontext_t *machine = context;
  return (machine->uc_mcontext.gregs[REG_ERR] & 2) != 0 ? "writes" : "reads";
#else
  (void)context;
  return "reads or writes";
#endif
}

static const cf_array *guarded_by(const cf_report *report, const char *address)
{
  for (int i = 0; i < CF_MAX_WATCHED; i++) {
    const cf_array *a = report->arrays[i];
    if (a != NULL && a->map != NULL && address >= a->map && address < a->map + a->map_bytes) {
      return a;
    }
  }
  return NULL;
}

static const char *describe_signal(int number)
{
  switch (number) {
  case SIGSEGV:
  case SIGBUS:
    return "memory that is not its own, or a NULL pointer";
  case SIGFPE:
    return "an integer division by zero";
  case SIGABRT:
    return "abort";
  default:
    return "an instruction that is none";
  }
}

/* The process is lost already, so what is not safe in a handler can do no more harm here. */
static void on_crash(int number, siginfo_t *info, void *context)
{
  cf_report *report = the_report;
  const char *address = info->si_addr;
  const cf_array *array =
      number == SIGSEGV || number == SIGBUS ? guarded_by(report, address) : NULL;
  if (array == NULL) {
    cf_find(report, "%s crashes (%s)", report->doing, describe_signal(number));
  }
  const long long bytes = (long long)(address - array->cells),
                  size = (long long)cf_cell_bytes(array->type);
  const long long cell = bytes < 0 ? -((-bytes + size - 1) / size) : bytes / size;
  cf_find(report,
          "%s %s outside %s: cell %lld from its first, of %lld rows x %lld columns, leading "
          "dimension %lld",
          report->doing, access_kind(context), array->name, cell,
          (long long)(array->planes * array->rows), (long long)array->columns,
          (long long)array->ld);
}

static void prepare_child(cf_report *report)
{
  the_report = report;
  stack_t stack = {.ss_sp = malloc(STACK_BYTES), .ss_size = STACK_BYTES};
  if (stack.ss_sp != NULL) {
    (void)sigaltstack(&stack, NULL); /* a stack that overflowed has no room for the handler */
  }
  static const int numbers[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
  for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
    struct sigaction action = {.sa_flags = SA_SIGINFO | SA_ONSTACK};
    action.sa_sigaction = on_crash;
    (void)sigemptyset(&action.sa_mask);
    (void)sigaction(numbers[i], &action, NULL);
  }
  const struct rlimit cpu = {CPU_SECONDS, CPU_SECONDS}, core = {0, 0};
  (void)setrlimit(RLIMIT_CPU, &cpu);
  (void)setrlimit(RLIMIT_CORE, &core);
  (void)alarm(WALL_SECONDS);
}

void cf_report_clear(cf_report *report)
{
  memset(report, 0, sizeof *report);
  report->ratio_low = INFINITY;
  report->ratio_high = -INFINITY;
}

void cf_report_add(cf_report *total, const cf_report *one)
{
  total->n_values += one->n_values;
  total->n_slopes += one->n_slopes;
  total->n_kinks += one->n_kinks;
  total->n_ratios += one->n_ratios;
  total->ratio_low = fmin(total->ratio_low, one->ratio_low);
  total->ratio_high = fmax(total->ratio_high, one->ratio_high);
  total->n_linear += one->n_linear;
  total->n_references += one->n_references;
  total->reference_error = fmax(total->reference_error, one->reference_error);
  total->n_products += one->n_products;
  total->slope_error = fmax(total->slope_error, one->slope_error);
  total->product_error = fmax(total->product_error, one->product_error);
  (void)snprintf(total->finding, sizeof total->finding, "%s", one->finding);
}

/** What a child that ended otherwise than by cf_find did. */
static void describe_end(cf_report *report, int status)
{
  if (report->finding[0] != '\0') {
    return;
  }
  if (WIFSIGNALED(status)) {
    const int number = WTERMSIG(status);
    (void)snprintf(report->finding, sizeof report->finding,
                   number == SIGXCPU || number == SIGALRM || number == SIGKILL
                       ? "%s hangs, or takes for ever (%d)"
                       : "%s ends the program (signal %d)",
                   report->doing, number);
  } else if (!WIFEXITED(status) || WEXITSTATUS(status) != EXIT_DONE) {
    (void)snprintf(report->finding, sizeof report->finding, "%s ends the program (exit code %d)",
                   report->doing, WEXITSTATUS(status));
  }
}

pf_status cf_run(cf_group group, const void *what, cf_report *total, pf_error *error)
{
  cf_report *report =
      mmap(NULL, sizeof *report, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (report == MAP_FAILED) {
    return pf_fail(error, PF_STOP, "no memory for a check: %s", strerror(errno));
  }
  (void)fflush(NULL); /* or the child would write what waits in buffers once more */
  cf_report_clear(report);
  (void)snprintf(report->doing, sizeof report->doing, "it");
  report->reference = total->reference;
  report->reference_at = total->reference_at;
  const pid_t child = fork();
  if (child == 0) {
    prepare_child(report);
    group(report, what);
    _exit(EXIT_DONE); /* not 0: that would be a plugin's exit(0) */
  }
  int status = 0;
  pid_t ended = -1;
  while (child > 0 && (ended = waitpid(child, &status, 0)) < 0 && errno == EINTR) {
  }
  if (child < 0 || ended < 0) {
    (void)munmap(report, sizeof *report);
    return pf_fail(error, PF_STOP, "a check cannot be run in a process of its own: %s",
                   strerror(errno));
  }
  pf_status result = PF_OK;
  if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_NO_MEMORY) {
    result = pf_fail(error, PF_STOP, "no memory for the arrays of a check");
  }
  describe_end(report, status);
  cf_report_add(total, report);
  (void)munmap(report, sizeof *report);
  return result;
}
