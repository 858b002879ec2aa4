#include "recording.h"

#include <math.h>
#include <string.h>

pf_status recording_create(const pf_host *host, const char *path, recording *out, pf_error *error)
{
  const char *slash = strrchr(path, '/');
  const char *base = slash != NULL ? slash + 1 : path;
  const char *dot = strrchr(base, '.');
  const size_t stem = dot != NULL && dot != base ? (size_t)(dot - base) : strlen(base);
  *out = (recording){.host = host,
                     .path = host->allocate(host, strlen(path) + 1),
                     .stem = host->allocate(host, stem + 1)};
  if (out->path == NULL || out->stem == NULL) {
    return pf_fail(error, PF_STOP, "out of memory for a source");
  }
  memcpy(out->path, path, strlen(path) + 1);
  memcpy(out->stem, base, stem); /* zeroed before: ends with 0 */
  return PF_OK;
}

void recording_free(recording *of)
{
  const pf_host *host = of->host;
  roles_free(host, &of->roles);
  host->release(host, of->stem);
  host->release(host, of->path);
}

pf_status recording_declare(const void *self, pf_source_declaration *declared, pf_error *error)
{
  const roles *r = &((const recording *)self)->roles;
  (void)error;
  declared->n_input = r->inputs.width;
  declared->channels = (pf_names){r->channels.names, r->channels.n};
  declared->targets = (pf_names){r->targets.names, r->targets.n};
  return PF_OK;
}

/* ---- steps ---- */

pf_status recording_steps_create(const recording *of, recording_steps *out, pf_error *error)
{
  const pf_host *host = of->host;
  const roles *r = &of->roles;
  *out =
      (recording_steps){.channel = host->allocate(host, (r->channels.n + 1) * sizeof *out->channel),
                        .target = host->allocate(host, (r->targets.n + 1) * sizeof *out->target)};
  return out->channel != NULL && out->target != NULL
             ? PF_OK
             : pf_fail(error, PF_STOP, "%.300s: out of memory for its steps", of->path);
}

void recording_steps_free(const recording *of, recording_steps *steps)
{
  const pf_host *host = of->host;
  if (steps->channel != NULL && of->roles.channels.n > 0) {
    host->release(host, steps->channel[0]); /* the others lie behind it */
  }
  for (size_t k = 0; steps->target != NULL && k < of->roles.targets.n; k++) {
    host->release(host, steps->target[k]);
  }
  host->release(host, steps->channel);
  host->release(host, steps->target);
  host->release(host, steps->cue);
  host->release(host, steps->cue_sd);
  host->release(host, steps->dt);
  host->release(host, steps->trial);
  host->release(host, steps->block);
  host->release(host, steps->flags);
  host->release(host, steps->line);
}

int recording_takes_choice(const recording *of, double choice)
{
  const int several = of->roles.plastic != ROLE_ACCEPTS && choice >= 0.0 && floor(choice) == choice;
  return isnan(choice) || choice == 0.0 || choice == 1.0 || several;
}

pf_status recording_hand_over(const recording *of, const recording_steps *steps, int64_t first,
                              int64_t n, const char *animal, const char *session, const char *name,
                              const pf_sink *sink, pf_error *error)
{
  const pf_host *host = of->host;
  const roles *r = &of->roles;
  pf_channel *channels = host->allocate(host, (r->channels.n + 1) * sizeof *channels);
  pf_target *targets = host->allocate(host, (r->targets.n + 1) * sizeof *targets);
  pf_status status = PF_OK;
  if (channels == NULL || targets == NULL) {
    status = pf_fail(error, PF_STOP, "%.300s: out of memory for its steps", of->path);
    goto done;
  }
  for (size_t k = 0; k < r->channels.n; k++) {
    channels[k] = (pf_channel){.name = r->channels.names[k], .values = steps->channel[k] + first};
  }
  for (size_t k = 0; k < r->targets.n; k++) {
    const int64_t width = r->targets.items[k].width;
    targets[k] = (pf_target){r->targets.names[k], width, steps->target[k] + first * width};
  }
  const pf_experiment experiment = {
      .size = sizeof experiment,
      .animal = animal,
      .session = session[0] != '\0' ? session : NULL,
      .name = name,
      .n_steps = n,
      .n_input = r->inputs.width,
      .cue = steps->cue + first * r->inputs.width,
      .flags = steps->flags + first,
      .dt = steps->dt != NULL ? steps->dt + first : NULL,
      .trial = steps->trial + first,
      .block = steps->block != NULL ? steps->block + first : NULL,
      .channels = {channels, r->channels.n, sizeof *channels},
      .targets = {targets, r->targets.n, sizeof *targets},
      .line = steps->line != NULL ? steps->line + first : NULL,
      .cue_sd = steps->cue_sd != NULL ? steps->cue_sd + first * r->inputs.width : NULL};
  status = sink->experiment(sink, &experiment, error);
done:
  host->release(host, channels);
  host->release(host, targets);
  return status;
}
