#include "core/layout/layout.h"

#include "core/base/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

bool pf_is_free(const pf_model_parameter *parameter)
{
  return (parameter->declared.flags & PF_PARAMETER_FIXED) == 0 && !parameter->tied;
}

void pf_tie(const pf_model_parameter *parameters, size_t n, double *theta)
{
  for (size_t i = 0; i < n; i++) {
    if (parameters[i].tied) {
      theta[i] = parameters[i].factor * theta[parameters[i].tied_to];
    }
  }
}

/* ---- who uses which instance ---- */

/** A tied parameter has the scope of what it is tied to, and a fixed one needs no copies. */
static uint8_t effective_scope(const pf_model_parameter *parameters, size_t i)
{
  const pf_model_parameter *parameter = &parameters[parameters[i].tied ? parameters[i].tied_to : i];
  return (parameter->declared.flags & PF_PARAMETER_FIXED) != 0 ? (uint8_t)PF_SCOPE_SHARED
                                                               : (uint8_t)parameter->declared.scope;
}

static size_t count_copies(const pf_layout *layout, size_t i)
{
  switch (layout->scope[i]) {
  case PF_SCOPE_EXPERIMENT:
    return layout->n_recordings;
  case PF_SCOPE_ANIMAL:
    return layout->n_animals;
  default:
    return 1;
  }
}

static int compare_places(const void *a, const void *b)
{
  const pf_layout_place *x = a, *y = b;
  if (x->recording != y->recording) {
    return x->recording < y->recording ? -1 : 1;
  }
  return (x->local > y->local) - (x->local < y->local);
}

/** Where recording i of the data is in the layout: the last place, where it is there repeatedly. */
static size_t find_local(const pf_layout *layout, size_t i)
{
  size_t low = 0, high = layout->n_recordings; /* first of a recording above i */
  while (low < high) {
    const size_t middle = low + (high - low) / 2;
    if (layout->places[middle].recording <= i) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low > 0 && layout->places[low - 1].recording == i ? layout->places[low - 1].local
                                                           : PF_LAYOUT_NONE;
}

size_t pf_layout_recording(const pf_layout *layout, const pf_recording *recording)
{
  if (layout->data == NULL) {
    return 0;
  }
  const pf_recording *all = layout->data->recordings;
  if (recording < all || recording >= all + layout->data->n) {
    return PF_LAYOUT_NONE;
  }
  return find_local(layout, (size_t)(recording - all));
}

size_t pf_layout_instance(const pf_layout *layout, size_t recording, size_t parameter)
{
  const size_t first = layout->first[parameter];
  switch (layout->scope[parameter]) {
  case PF_SCOPE_EXPERIMENT:
    return first + recording;
  case PF_SCOPE_ANIMAL:
    return first + layout->animal[recording];
  default:
    return first;
  }
}

void pf_layout_copy(const pf_layout *layout, size_t instance, const char **animal,
                    int64_t *experiment)
{
  const pf_parameter_instance *of = &layout->instances[instance];
  const uint8_t scope = layout->scope[of->parameter];
  *animal = "";
  *experiment = -1;
  if (layout->data != NULL && scope != PF_SCOPE_SHARED) {
    const pf_recording *recording = &layout->data->recordings[layout->recordings[of->recording]];
    *animal = recording->animal;
    *experiment = scope == PF_SCOPE_EXPERIMENT ? (int64_t)recording->experiment : -1;
  }
}

/* ---- making one ---- */

/** The data's index of the animal at place r. */
static size_t animal_at(const pf_layout *layout, size_t r)
{
  return layout->data->recordings[layout->recordings[r]].animal_index;
}

/** The highest such index; *several: are there two animals? */
static size_t highest_animal(const pf_layout *layout, bool *several)
{
  size_t highest = 0;
  *several = false;
  for (size_t r = 0; r < layout->n_recordings; r++) {
    const size_t animal = animal_at(layout, r);
    highest = animal > highest ? animal : highest;
    *several = *several || animal != animal_at(layout, 0);
  }
  return highest;
}

/** Animals are numbered as they appear. */
static pf_status number_animals(pf_layout *layout, pf_error *error)
{
  bool several = false;
  const size_t highest = layout->data == NULL ? 0 : highest_animal(layout, &several);
  if (!several) { /* layout->animal is 0 */
    layout->n_animals = layout->n_recordings > 0 ? 1 : 0;
    return PF_OK;
  }
  /* of each animal of the data, its number plus 1; 0: it has none yet */
  size_t *numbers = pf_memory_need(highest + 1, sizeof *numbers, error);
  if (numbers == NULL) {
    return PF_STOP;
  }
  for (size_t r = 0; r < layout->n_recordings; r++) {
    size_t *number = &numbers[animal_at(layout, r)];
    if (*number == 0) {
      *number = ++layout->n_animals;
    }
    layout->animal[r] = *number - 1;
  }
  pf_memory_free(numbers);
  return PF_OK;
}

static void make_instances(pf_layout *layout)
{
  for (size_t i = 0, s = 0; i < layout->n_parameters; i++) {
    const size_t n = count_copies(layout, i);
    for (size_t c = 0; c < n; c++, s++) {
      layout->instances[s] =
          (pf_parameter_instance){.parameter = i, .value = PF_LAYOUT_NONE, .factor = 1.0};
      if (layout->scope[i] == PF_SCOPE_EXPERIMENT) {
        layout->instances[s].recording = c;
      }
    }
  }
  for (size_t i = 0; i < layout->n_parameters; i++) {
    for (size_t r = layout->n_recordings; r-- > 0 && layout->scope[i] == PF_SCOPE_ANIMAL;) {
      layout->instances[pf_layout_instance(layout, r, i)].recording = r;
    }
  }
}

/** Numbers the instances that are values, then joins tied ones to theirs. `keep`: [n_instances]
 * those that are none, or NULL.
 */
static void make_values(pf_layout *layout, const pf_layout *from, const bool *keep)
{
  for (size_t s = 0; s < layout->n_instances; s++) {
    const pf_model_parameter *parameter = &layout->parameters[layout->instances[s].parameter];
    const bool was_free = from == NULL || from->instances[s].value != PF_LAYOUT_NONE;
    if (pf_is_free(parameter) && was_free && (keep == NULL || !keep[s])) {
      layout->instances[s].value = layout->n;
      layout->index[layout->n] = s;
      layout->lower[layout->n] = parameter->declared.lower;
      layout->upper[layout->n] = parameter->declared.upper;
      layout->n++;
    }
  }
  for (size_t s = 0; s < layout->n_instances; s++) {
    pf_parameter_instance *instance = &layout->instances[s];
    const pf_model_parameter *parameter = &layout->parameters[instance->parameter];
    if (parameter->tied) {
      const size_t other = pf_layout_instance(layout, instance->recording, parameter->tied_to);
      instance->value = layout->instances[other].value;
      instance->factor = parameter->factor;
      layout->kept[s] = parameter->factor * layout->kept[other];
    }
  }
}

static pf_status allocate_recordings(pf_layout *layout, pf_error *error)
{
  const size_t n = layout->n_recordings;
  layout->recordings = pf_memory_need(n, sizeof *layout->recordings, error);
  layout->animal = pf_memory_need(n, sizeof *layout->animal, error);
  layout->places = pf_memory_need(n, sizeof *layout->places, error);
  layout->first = pf_memory_need(layout->n_parameters, sizeof *layout->first, error);
  layout->scope = pf_memory_need(layout->n_parameters, sizeof *layout->scope, error);
  return layout->recordings == NULL || layout->animal == NULL || layout->places == NULL ||
                 layout->first == NULL || layout->scope == NULL
             ? PF_STOP
             : PF_OK;
}

static pf_status allocate_instances(pf_layout *layout, pf_error *error)
{
  const size_t n = layout->n_instances;
  layout->instances = pf_memory_need(n, sizeof *layout->instances, error);
  layout->kept = pf_memory_need(n, sizeof *layout->kept, error);
  layout->index = pf_memory_need(n, sizeof *layout->index, error);
  layout->lower = pf_memory_need(n, sizeof *layout->lower, error);
  layout->upper = pf_memory_need(n, sizeof *layout->upper, error);
  return layout->instances == NULL || layout->kept == NULL || layout->index == NULL ||
                 layout->lower == NULL || layout->upper == NULL
             ? PF_STOP
             : PF_OK;
}

/** Which recordings they are, both ways. */
static void index_recordings(pf_layout *layout, const size_t *recordings)
{
  if (layout->data == NULL) {
    return;
  }
  for (size_t r = 0; r < layout->n_recordings; r++) {
    layout->recordings[r] = recordings[r];
    layout->places[r] = (pf_layout_place){.recording = recordings[r], .local = r};
  }
  if (layout->n_recordings > 1) {
    qsort(layout->places, layout->n_recordings, sizeof *layout->places, compare_places);
  }
}

/** Everything but the values; NULL, with the line: no memory. */
static pf_layout *create_bare(const pf_layout_in *in, pf_error *error)
{
  pf_layout *layout = pf_memory_need(1, sizeof *layout, error);
  if (layout == NULL) {
    return NULL;
  }
  *layout = (pf_layout){.parameters = in->parameters,
                        .n_parameters = in->n_parameters,
                        .data = in->data,
                        .n_recordings = in->data == NULL ? 1 : in->n_recordings};
  if (allocate_recordings(layout, error) != PF_OK) {
    goto failed;
  }
  index_recordings(layout, in->recordings);
  if (number_animals(layout, error) != PF_OK) {
    goto failed;
  }
  for (size_t i = 0; i < in->n_parameters; i++) {
    layout->scope[i] = effective_scope(in->parameters, i);
    layout->first[i] = layout->n_instances;
    layout->n_instances += count_copies(layout, i);
  }
  if (allocate_instances(layout, error) != PF_OK) {
    goto failed;
  }
  make_instances(layout);
  return layout;
failed:
  pf_layout_free(layout);
  return NULL;
}

pf_status pf_layout_create(const pf_layout_in *in, pf_layout **out, pf_error *error)
{
  pf_layout *layout = create_bare(in, error);
  if (layout == NULL) {
    return PF_STOP;
  }
  for (size_t s = 0; s < layout->n_instances; s++) {
    const pf_parameter *declared = &in->parameters[layout->instances[s].parameter].declared;
    layout->kept[s] = fmin(fmax(declared->initial, declared->lower), declared->upper);
  }
  make_values(layout, NULL, NULL);
  *out = layout;
  return PF_OK;
}

pf_status pf_layout_freeze(const pf_layout *layout, const double *values, const bool *keep,
                           pf_layout **out, pf_error *error)
{
  const pf_layout_in in = {layout->parameters, layout->n_parameters, layout->data,
                           layout->recordings, layout->n_recordings};
  pf_layout *frozen = create_bare(&in, error);
  if (frozen == NULL) {
    return PF_STOP;
  }
  pf_layout_instances(layout, values, frozen->kept);
  make_values(frozen, layout, keep);
  *out = frozen;
  return PF_OK;
}

void pf_layout_free(pf_layout *layout)
{
  if (layout != NULL) {
    pf_memory_free(layout->recordings);
    pf_memory_free(layout->animal);
    pf_memory_free(layout->places);
    pf_memory_free(layout->instances);
    pf_memory_free(layout->first);
    pf_memory_free(layout->scope);
    pf_memory_free(layout->kept);
    pf_memory_free(layout->index);
    pf_memory_free(layout->lower);
    pf_memory_free(layout->upper);
    pf_memory_free(layout);
  }
}

void pf_layout_keep(pf_layout *layout, const double *instances)
{
  if (layout->n_instances > 0) {
    memcpy(layout->kept, instances, layout->n_instances * sizeof *instances);
  }
}

/* ---- there and back ---- */

static double instance_number(const pf_layout *layout, const double *values, size_t s)
{
  const pf_parameter_instance *instance = &layout->instances[s];
  return instance->value == PF_LAYOUT_NONE ? layout->kept[s]
                                           : instance->factor * values[instance->value];
}

bool pf_layout_is_shared(const pf_layout *layout, size_t k)
{
  const uint8_t scope = layout->scope[layout->instances[layout->index[k]].parameter];
  return scope == PF_SCOPE_SHARED || layout->n_recordings < 2 ||
         (scope == PF_SCOPE_ANIMAL && layout->n_animals < 2);
}

void pf_layout_instances(const pf_layout *layout, const double *values, double *instances)
{
  for (size_t s = 0; s < layout->n_instances; s++) {
    instances[s] = instance_number(layout, values, s);
  }
}

void pf_layout_values(const pf_layout *layout, const double *instances, double *values)
{
  for (size_t k = 0; k < layout->n; k++) {
    values[k] = instances[layout->index[k]];
  }
}

void pf_layout_theta(const pf_layout *layout, const double *values, size_t recording, double *theta)
{
  for (size_t i = 0; i < layout->n_parameters; i++) {
    theta[i] = instance_number(layout, values, pf_layout_instance(layout, recording, i));
  }
}

void pf_layout_fold(const pf_layout *layout, size_t recording, const double *gradient_theta,
                    double *instances)
{
  for (size_t i = 0; i < layout->n_parameters; i++) {
    instances[pf_layout_instance(layout, recording, i)] += gradient_theta[i];
  }
}

void pf_layout_gradient(const pf_layout *layout, const double *instances, double *values)
{
  for (size_t k = 0; k < layout->n; k++) {
    values[k] = instances[layout->index[k]];
  }
  for (size_t s = 0; s < layout->n_instances; s++) {
    const pf_parameter_instance *instance = &layout->instances[s];
    if (instance->value != PF_LAYOUT_NONE && layout->index[instance->value] != s) {
      values[instance->value] += instance->factor * instances[s];
    }
  }
}

void pf_layout_fold_information(const pf_layout *layout, size_t recording, const size_t *which,
                                size_t n_which, const double *block, double *information)
{
  for (size_t i = 0; i < n_which; i++) {
    const pf_parameter_instance *row =
        &layout->instances[pf_layout_instance(layout, recording, which[i])];
    for (size_t j = 0; j < n_which && row->value != PF_LAYOUT_NONE; j++) {
      const pf_parameter_instance *column =
          &layout->instances[pf_layout_instance(layout, recording, which[j])];
      if (column->value == PF_LAYOUT_NONE) {
        continue;
      }
      information[row->value * layout->n + column->value] +=
          row->factor * column->factor * block[i * n_which + j];
    }
  }
}
