#include "core/data/animal_places.h"

#include "core/base/memory.h"

#include <string.h>

static const size_t fewest_buckets = 64;

/* ---- from an animal to its recordings ---- */

static const pf_animal_place *place_at(const pf_dataset *data, size_t animal)
{
  const pf_array *places = &data->places.places;
  return animal < places->n ? (const pf_animal_place *)places->items + animal : NULL;
}

/** By looking: the first from `start` on. */
static size_t look_for(const pf_dataset *data, size_t animal, size_t start)
{
  while (start < data->n && data->recordings[start].animal_index != animal) {
    start++;
  }
  return start;
}

size_t pf_dataset_first(const pf_dataset *data, size_t animal)
{
  const pf_animal_place *place = place_at(data, animal);
  return place != NULL ? place->first : look_for(data, animal, 0);
}

size_t pf_dataset_next(const pf_dataset *data, size_t recording)
{
  const pf_recording *from = &data->recordings[recording];
  return data->places.places.n > 0 ? from->next_of_animal
                                   : look_for(data, from->animal_index, recording + 1);
}

size_t pf_dataset_count(const pf_dataset *data, size_t animal)
{
  const pf_animal_place *place = place_at(data, animal);
  size_t n = 0;
  if (place != NULL) {
    return place->n;
  }
  for (size_t i = pf_dataset_first(data, animal); i < data->n; i = pf_dataset_next(data, i)) {
    n++;
  }
  return n;
}

size_t pf_dataset_numbered_animal(const pf_dataset *data, size_t number)
{
  /* in the data as read, numbers and indices are the same */
  const size_t guess = number < data->n_animals ? pf_dataset_first(data, number) : data->n;
  if (guess < data->n && data->recordings[guess].animal_number == number) {
    return number;
  }
  for (size_t i = 0; i < data->n; i++) {
    if (data->recordings[i].animal_number == number) {
      return data->recordings[i].animal_index;
    }
  }
  return data->n_animals;
}

/* ---- from a name to its animal ---- */

/** FNV-1a. */
static size_t bucket_of(const pf_animal_places *to, const char *name)
{
  uint64_t hash = 14695981039346656037U;
  for (const char *c = name; *c != '\0'; c++) {
    hash = (hash ^ (unsigned char)*c) * 1099511628211U;
  }
  return (size_t)(hash % to->n_buckets);
}

size_t pf_dataset_find_animal(const pf_dataset *data, const char *name)
{
  size_t a =
      data->places.n_buckets == 0 ? SIZE_MAX : data->places.buckets[bucket_of(&data->places, name)];
  while (a != SIZE_MAX && strcmp(data->animals[a], name) != 0) {
    a = place_at(data, a)->next;
  }
  return a == SIZE_MAX ? data->n_animals : a;
}

static void put_into_bucket(pf_dataset *data, size_t animal)
{
  pf_animal_place *place = (pf_animal_place *)data->places.places.items + animal;
  size_t *bucket = &data->places.buckets[bucket_of(&data->places, data->animals[animal])];
  place->next = *bucket;
  *bucket = animal;
}

/** As many buckets as there are animals, at least. */
static pf_status widen_buckets(pf_dataset *data, size_t n, pf_error *error)
{
  pf_animal_places *to = &data->places;
  if (n <= to->n_buckets) {
    return PF_OK;
  }
  const size_t more = 2 * n > fewest_buckets ? 2 * n : fewest_buckets;
  size_t *buckets = pf_memory_need(more, sizeof *buckets, error);
  if (buckets == NULL) {
    return PF_STOP;
  }
  for (size_t k = 0; k < more; k++) {
    buckets[k] = SIZE_MAX;
  }
  pf_memory_free(to->buckets);
  to->buckets = buckets;
  to->n_buckets = more;
  for (size_t a = 0; a < to->places.n; a++) {
    put_into_bucket(data, a);
  }
  return PF_OK;
}

/* ---- keeping it ---- */

static pf_status place_recording(pf_dataset *data, size_t i, pf_error *error)
{
  pf_array *places = &data->places.places;
  pf_recording *recording = &data->recordings[i];
  recording->next_of_animal = SIZE_MAX;
  places->size = sizeof(pf_animal_place);
  while (places->n <= recording->animal_index) {
    if (widen_buckets(data, places->n + 1, error) != PF_OK) {
      return PF_STOP;
    }
    pf_animal_place *place = pf_array_append(places, error);
    if (place == NULL) {
      return PF_STOP;
    }
    place->first = SIZE_MAX;
    put_into_bucket(data, places->n - 1);
  }
  pf_animal_place *place = (pf_animal_place *)places->items + recording->animal_index;
  if (place->n == 0) {
    place->first = i;
  } else {
    data->recordings[place->last].next_of_animal = i;
  }
  place->last = i;
  place->n++;
  return PF_OK;
}

pf_status pf_dataset_place_last(pf_dataset *data, pf_error *error)
{
  return place_recording(data, data->n - 1, error);
}

pf_status pf_dataset_place(pf_dataset *data, pf_error *error)
{
  pf_dataset_forget_places(data);
  for (size_t i = 0; i < data->n; i++) {
    if (place_recording(data, i, error) != PF_OK) {
      pf_dataset_forget_places(data);
      return PF_STOP;
    }
  }
  return PF_OK;
}

void pf_dataset_forget_places(pf_dataset *data)
{
  pf_array_free(&data->places.places);
  pf_memory_free(data->places.buckets);
  data->places = (pf_animal_places){.n_buckets = 0};
}
