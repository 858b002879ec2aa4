/*
 * patterns.c - a task: at each step one of several input patterns, each as likely as the others.
 *
 * The host runs network and rule; the task is asked for the cue of the next step, and told at the
 * next call how that step went. Open loop: what the model does changes nothing here. Pattern k is 1
 * at the inputs j with j mod n = k.
 */
#include <plastfit/abi/plugin.h>

typedef struct task {
  const pf_host *host;
  int64_t steps, n;
} task;

static const pf_option options[] = {{.name = "steps",
                                     .type = PF_TYPE_INTEGER,
                                     .fallback = "200",
                                     .unit = "steps",
                                     .lower = 1,
                                     .upper = 1e6,
                                     .help = "length of a run"},
                                    {.name = "patterns",
                                     .type = PF_TYPE_INTEGER,
                                     .fallback = "2",
                                     .lower = 1,
                                     .upper = 1e3,
                                     .help = "how many there are"}};
static const char *const targets[] = {"activity"};

static pf_status create(const pf_host *host, const pf_options *given, void **out, pf_error *error)
{
  task *self = host->allocate(host, sizeof *self);
  if (self == NULL) {
    return pf_fail(error, PF_STOP, "no memory for the task");
  }
  *self = (task){.host = host,
                 .steps = given->integer(given, "steps"),
                 .n = given->integer(given, "patterns")};
  *out = self;
  return PF_OK;
}

static void destroy(void *object)
{
  task *self = object;
  if (self != NULL) {
    self->host->release(self->host, self);
  }
}

static pf_status declared(const void *object, pf_source_declaration *out, pf_error *error)
{
  const task *self = object;
  (void)error;
  out->targets = (pf_names)PF_NAMES_OF(targets); /* the host records them from the network */
  out->n_uniform = 1;                            /* one random number a step: which pattern */
  out->max_steps = self->steps;
  return PF_OK;
}

static pf_status begin(const void *object, int64_t run, double *state, pf_error *error)
{
  (void)object;
  (void)run;
  (void)state; /* nothing is to be remembered from step to step */
  (void)error;
  return PF_OK;
}

static pf_status next(const void *object, double *state, const pf_task_in *in, pf_task_out *out,
                      pf_error *error)
{
  const task *self = object;
  (void)state;
  if (in->n_input < self->n) {
    return pf_fail_key(error, PF_STOP, "patterns",
                       "%lld patterns need as many inputs, the network has %lld",
                       (long long)self->n, (long long)in->n_input);
  }
  out->flags = PF_STEP_FIT | PF_STEP_SCORE | PF_STEP_PLASTIC; /* of the step that went before */
  out->done = in->step >= self->steps;
  const int64_t k = (int64_t)(in->uniform[0] * (double)self->n) % self->n;
  for (int64_t j = 0; out->done == 0 && j < in->n_input; j++) {
    out->cue[j] = j % self->n == k ? 1.0 : 0.0;
  }
  out->trial = in->step;
  return PF_OK;
}

static void end(const void *object, double *state)
{
  (void)object;
  (void)state;
}

static const pf_source_ops ops = {.size = sizeof(pf_source_ops),
                                  .create = create,
                                  .destroy = destroy,
                                  .declare = declared,
                                  .begin = begin,
                                  .next = next,
                                  .end = end};

static const pf_plugin plugin = {PF_PLUGIN_HEAD(PF_KIND_SOURCE),
                                 .name = "patterns",
                                 .version = "1.0",
                                 .summary = "at each step one of several input patterns",
                                 .options = PF_TABLE_OF(options),
                                 .source = &ops};

PF_PLUGIN_ENTRY(patterns)
{
  return &plugin;
}
