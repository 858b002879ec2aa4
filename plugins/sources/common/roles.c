#include "roles.h"

#include <plastfit/author/name_distance.h>

#include <string.h>

/* The columns of the list of roles. */
#define USUAL_NAME(prefix_, word_, id_, key_, use_, channel_, what_) [ROLE_##id_] = key_,
#define USE(prefix_, word_, id_, key_, use_, channel_, what_) [ROLE_##id_] = use_,
#define IS_CHANNEL(prefix_, word_, id_, key_, use_, channel_, what_) [ROLE_##id_] = channel_,
static const char *const single_names[ROLE_N_SINGLE] = {EACH_ROLE(USUAL_NAME, , )};
static const enum role_use single_uses[ROLE_N_SINGLE] = {EACH_ROLE(USE, , )};
static const unsigned char is_channel[ROLE_N_SINGLE] = {EACH_ROLE(IS_CHANNEL, , )};

/** What the search works on. */
enum { IS_TAKEN = 1, IS_IN_GROUP = 2 };

typedef struct finder {
  const pf_host *host;
  const char *path;
  const role_variables *variables;
  void *self;
  size_t n;
  const pf_options *options;
  roles *out;
  unsigned char
      *taken; /* [n] IS_TAKEN: is something already; IS_IN_GROUP: too, of the list in hand */
  pf_error *error;
} finder;

static pf_status no_memory(const finder *f)
{
  return pf_fail(f->error, PF_STOP, "%.300s: out of memory for its %ss", f->path,
                 f->variables->word);
}

/* ---- names ---- */

static const char *name_of(const finder *f, size_t i)
{
  return f->variables->name(f->self, i);
}

static pf_status not_there(const finder *f, const char *key, const char *name)
{
  const role_variables *v = f->variables;
  const char *nearest = NULL;
  size_t best = strlen(name) / 3 + 1;
  char all[400] = "";
  size_t used = 0;
  for (size_t i = 0; i < f->n; i++) {
    const char *other = name_of(f, i);
    const size_t d = pf_name_distance(name, other);
    if (d > 0 && d <= best && d < strlen(other)) { /* 0: it is there, as something else */
      nearest = d < best || nearest == NULL ? other : nearest;
      best = d;
    }
    if (used < sizeof all - 1) {
      used += (size_t)snprintf(all + used, sizeof all - used, "%s%s", i > 0 ? ", " : "", other);
    }
  }
  if (nearest != NULL) {
    return pf_fail_key(f->error, PF_STOP, key,
                       "%.300s%s: there is no %s '%.60s'; did you mean '%.60s'?", f->path, v->where,
                       v->word, name, nearest);
  }
  return pf_fail_key(f->error, PF_STOP, key, "%.300s%s: there is no %s '%.60s'; %s: %s%s", f->path,
                     v->where, v->word, name, v->has, all, used >= sizeof all ? "..." : "");
}

int roles_same_word(const char *a, const char *b)
{
  while (*a != '\0' && pf_lower_case(*a) == pf_lower_case(*b)) {
    a++;
    b++;
  }
  return *a == *b;
}

/** The variable of this name, or the only one that is it in another case; -1: there is none. */
static int64_t index_of(const finder *f, const char *name)
{
  int64_t other_case = -1;
  size_t n = 0;
  for (size_t i = 0; i < f->n; i++) {
    if (strcmp(name_of(f, i), name) == 0) {
      return (int64_t)i;
    }
    if (roles_same_word(name_of(f, i), name)) {
      other_case = (int64_t)i;
      n++;
    }
  }
  return n == 1 ? other_case : -1;
}

/** A variable that is used under a name that is not quite its own is told, once. */
static void note_other_case(const finder *f, int64_t index, const char *name)
{
  char line[600];
  if (strcmp(name_of(f, (size_t)index), name) != 0) {
    (void)snprintf(line, sizeof line, "%.300s%s: the %s '%.60s' is taken for '%.60s'", f->path,
                   f->variables->where, f->variables->word, name_of(f, (size_t)index), name);
    f->host->warn(f->host, line);
  }
}

/** Can it stand in a modulator's expression? */
static int is_identifier(const char *name)
{
  static const char characters[] =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789";
  return name[0] != '\0' && strchr("0123456789", name[0]) == NULL &&
         strspn(name, characters) == strlen(name);
}

/** Does the name fit the pattern, in which * stands for anything, whatever their case? */
static int fits_pattern(const char *pattern, const char *name)
{
  const char *star = NULL, *from = NULL;
  while (*name != '\0') {
    if (*pattern == '*') {
      star = pattern++;
      from = name;
    } else if (pf_lower_case(*pattern) == pf_lower_case(*name)) {
      pattern++;
      name++;
    } else if (star != NULL) {
      pattern = star + 1;
      name = ++from;
    } else {
      return 0;
    }
  }
  while (*pattern == '*') {
    pattern++;
  }
  return *pattern == '\0';
}

/* ---- groups ---- */

static pf_status take(const finder *f, int64_t index, enum role_use use, int64_t *width)
{
  *width = 1;
  if (f->variables->use != NULL) {
    const pf_status status = f->variables->use(f->self, (size_t)index, use, width, f->error);
    if (status != PF_OK) {
      return status;
    }
  }
  f->taken[index] |= IS_TAKEN;
  return PF_OK;
}

static pf_status add_variable(const finder *f, role_group *group, int64_t index, enum role_use use)
{
  int64_t width = 0;
  const pf_status status = take(f, index, use, &width);
  if (status != PF_OK) {
    return status;
  }
  group->variables[group->n++] = (size_t)index;
  group->width += width;
  return PF_OK;
}

/** Room for `most` variables. */
static pf_status begin_group(const finder *f, role_group *group, size_t most)
{
  group->variables = f->host->allocate(f->host, (most > 0 ? most : 1) * sizeof *group->variables);
  return group->variables == NULL ? no_memory(f) : PF_OK;
}

static pf_status add_once(const finder *f, role_group *group, int64_t index, const char *declared)
{
  if ((f->taken[index] & IS_IN_GROUP) != 0) {
    return pf_fail_key(f->error, PF_STOP, declared, "names the %s '%.60s' twice",
                       f->variables->word, name_of(f, (size_t)index));
  }
  f->taken[index] |= IS_IN_GROUP;
  return add_variable(f, group, index, ROLE_NUMBERS);
}

/** Those that one name of a list stands for: a variable, all that fit a pattern, all parts. */
static pf_status add_named(const finder *f, role_group *group, const char *name,
                           const char *declared)
{
  const role_variables *v = f->variables;
  const int64_t index = index_of(f, name);
  size_t n = 0;
  for (size_t i = 0; i < f->n; i++) {
    const int is_part = v->is_part_of != NULL && v->is_part_of(f->self, i, name);
    const int fits = index < 0 && strchr(name, '*') != NULL && fits_pattern(name, name_of(f, i));
    if (is_part || fits) {
      n++;
      const pf_status status = add_once(f, group, (int64_t)i, declared);
      if (status != PF_OK) {
        return status;
      }
    }
  }
  if (n > 0) {
    return PF_OK;
  }
  if (index < 0) {
    return not_there(f, declared, name);
  }
  note_other_case(f, index, name);
  return add_once(f, group, index, declared);
}

/** Those that the list option `key` names. */
static pf_status listed(const finder *f, role_group *group, const char *key, const char *declared)
{
  const int64_t n = f->options->length(f->options, key);
  pf_status status = begin_group(f, group, f->n + (size_t)n);
  if (status != PF_OK) {
    return status;
  }
  for (int64_t i = 0; i < n; i++) {
    status = add_named(f, group, f->options->string_at(f->options, key, i), declared);
    if (status != PF_OK) {
      return status;
    }
  }
  for (size_t k = 0; k < group->n; k++) {
    f->taken[group->variables[k]] = IS_TAKEN;
  }
  return PF_OK;
}

/** All parts that `name` stands for together, *n of them. */
static pf_status add_parts(const finder *f, role_group *group, const char *name, size_t *n)
{
  const role_variables *v = f->variables;
  for (size_t i = 0; v->is_part_of != NULL && i < f->n; i++) {
    if (v->is_part_of(f->self, i, name)) {
      (*n)++;
      const pf_status status = add_variable(f, group, (int64_t)i, ROLE_NUMBERS);
      if (status != PF_OK) {
        return status;
      }
    }
  }
  return PF_OK;
}

/** The first of `usual` that is there; of "x#" x1, x2, ... as far as they are. */
static pf_status found(const finder *f, role_group *group, const char *const *usual)
{
  pf_status status = begin_group(f, group, f->n);
  if (status != PF_OK) {
    return status;
  }
  for (; *usual != NULL && group->n == 0; usual++) {
    const size_t stem = strcspn(*usual, "#");
    const int numbered = (*usual)[stem] == '#';
    for (size_t k = 1; k <= (numbered ? f->n : 1); k++) {
      char name[64];
      (void)snprintf(name, sizeof name, "%.*s%.0zu", (int)stem, *usual,
                     numbered ? k : 0); /* %.0zu: 0 is no digit */
      const int64_t index = index_of(f, name);
      size_t n_parts = 0;
      status = add_parts(f, group, name, &n_parts);
      if (status != PF_OK) {
        return status;
      }
      if (index < 0 && n_parts == 0) {
        break;
      }
      if (n_parts > 0) {
        continue;
      }
      note_other_case(f, index, name);
      status = add_variable(f, group, index, ROLE_NUMBERS);
      if (status != PF_OK) {
        return status;
      }
    }
  }
  return PF_OK;
}

/** Those that the option `key` names, where it stands, else the usual ones. */
static pf_status listed_or_found(const finder *f, role_group *group, const char *key,
                                 const char *const *usual)
{
  return f->options->present(f->options, key) ? listed(f, group, key, key) : found(f, group, usual);
}

/* ---- groups by name ---- */

/** Room for `most` groups. */
static pf_status begin_groups(const finder *f, role_groups *groups, size_t most)
{
  groups->items = f->host->allocate(f->host, most * sizeof *groups->items);
  groups->names = f->host->allocate(f->host, most * sizeof *groups->names);
  return groups->items == NULL || groups->names == NULL ? no_memory(f) : PF_OK;
}

/** A copy of a name in the groups' text; NULL: no memory. */
static const char *keep_name(const pf_host *host, role_groups *groups, const char *name)
{
  const size_t usual = 65536, length = strlen(name) + 1;
  role_text *text = groups->text;
  if (text == NULL || text->size - text->used < length) {
    const size_t size = length > usual ? length : usual;
    text = host->allocate(host, sizeof *text + size);
    if (text == NULL) {
      return NULL;
    }
    *text = (role_text){.before = groups->text, .size = size};
    groups->text = text;
  }
  char *copy = text->bytes + text->used;
  memcpy(copy, name, length);
  text->used += length;
  return copy;
}

/** Another group, without a variable: the last one. */
static pf_status add_group(const finder *f, role_groups *groups, const char *name)
{
  const char *copy = keep_name(f->host, groups, name);
  if (copy == NULL) {
    return no_memory(f);
  }
  groups->names[groups->n++] = copy;
  return PF_OK;
}

static role_group *last(const role_groups *groups)
{
  return &groups->items[groups->n - 1];
}

static pf_status add_group_of_one(const finder *f, role_groups *groups, const char *name,
                                  int64_t index)
{
  const pf_status status = add_group(f, groups, name);
  if (status != PF_OK) {
    return status;
  }
  last(groups)->variables = &last(groups)->one;
  return add_variable(f, last(groups), index, ROLE_NUMBER);
}

static void drop_group(const pf_host *host, role_groups *groups)
{
  if (last(groups)->variables != &last(groups)->one) {
    host->release(host, last(groups)->variables);
  }
  *last(groups) = (role_group){0};
  groups->n--;
}

static void free_groups(const pf_host *host, role_groups *groups)
{
  while (groups->n > 0) {
    drop_group(host, groups);
  }
  host->release(host, groups->items);
  host->release(host, (void *)groups->names);
  while (groups->text != NULL) {
    role_text *before = groups->text->before;
    host->release(host, groups->text);
    groups->text = before;
  }
}

/* ---- what each is ---- */

static pf_status find_inputs(const finder *f)
{
  const role_variables *v = f->variables;
  size_t n = 0;
  for (size_t i = 0; i < f->n; i++) {
    n += (size_t)(v->is_part_of != NULL && v->is_part_of(f->self, i, NULL));
  }
  if (n > 0 && !f->options->present(f->options, v->inputs)) {
    const pf_status status = begin_group(f, &f->out->inputs, n);
    n = 0;
    return status == PF_OK ? add_parts(f, &f->out->inputs, NULL, &n) : status;
  }
  return listed_or_found(f, &f->out->inputs, f->variables->inputs, f->variables->usual_inputs);
}

/** Does the name stand for several variables? */
static int has_parts(const finder *f, const char *name)
{
  const role_variables *v = f->variables;
  for (size_t i = 0; v->is_part_of != NULL && i < f->n; i++) {
    if (v->is_part_of(f->self, i, name)) {
      return 1;
    }
  }
  return 0;
}

static pf_status find_singles(const finder *f)
{
  for (int k = 0; k < ROLE_N_SINGLE; k++) {
    const char *key = f->variables->single[k];
    const int said = key != NULL && f->options->present(f->options, key);
    const char *name = said          ? f->options->string(f->options, key)
                       : key != NULL ? single_names[k]
                                     : "";
    /* an empty name: there is one of the usual name, but it is something else */
    const int64_t index = name[0] == '\0' ? -1 : index_of(f, name);
    f->out->single[k] = -1;
    if (index < 0 && name[0] != '\0' && has_parts(f, name)) {
      return pf_fail_key(f->error, PF_STOP, key,
                         "%.300s%s: %s '%.60s': has several columns, expected one value a step; "
                         "name one of them: %s = \"%.60s[1]\", or \"\" where it is something else",
                         f->path, f->variables->where, f->variables->word, name, key, name);
    }
    if (index < 0 && said && name[0] != '\0') {
      return not_there(f, key, name);
    }
    if (index < 0 || (!said && f->taken[index] && f->variables->one_role)) {
      continue;
    }
    int64_t width = 0;
    const pf_status status = take(f, index, single_uses[k], &width);
    if (status != PF_OK) {
      return status;
    }
    note_other_case(f, index, name);
    f->out->single[k] = index;
  }
  return PF_OK;
}

/** A name in small letters, without what separates words. */
static void plain_name(const char *name, char *plain, size_t capacity)
{
  size_t n = 0;
  for (; *name != '\0' && n + 1 < capacity; name++) {
    if (strchr(" _-.", *name) == NULL) {
      plain[n++] = pf_lower_case(*name);
    }
  }
  plain[n] = '\0';
}

/** At most one change from one to the other: then they begin or end alike, which is soon seen. */
static int is_near_word(const char *plain, const char *word)
{
  const size_t n = strlen(plain), m = strlen(word);
  if (n + 1 < m || m + 1 < n || n == 0 || (plain[0] != word[0] && plain[n - 1] != word[m - 1])) {
    return 0;
  }
  return pf_name_distance(plain, word) <= 1;
}

/** Does a variable look like the animal by its name? */
static int looks_like_animal(const char *name)
{
  static const char *const others[] = {
      "animalid", "animals", "subject", "subjectid",   "subjid",       "subj",
      "mouse",    "mouseid", "rat",     "ratid",       "fly",          "flyid",
      "monkey",   "bird",    "fish",    "participant", "participantid"};
  char plain[64];
  plain_name(name, plain, sizeof plain);
  for (size_t k = 0; k < sizeof others / sizeof others[0]; k++) {
    if (strcmp(plain, others[k]) == 0) {
      return 1;
    }
  }
  return is_near_word(plain, "animal");
}

/**
 * Of a role that nothing has: is there a variable whose name is nearly its? Animals that are taken
 * for one would be fitted wrongly without a word, so that is an error; others are told.
 */
static pf_status check_near_names(const finder *f)
{
  for (int k = 0; k < ROLE_N_SINGLE; k++) {
    const char *key = f->variables->single[k];
    if (key == NULL || f->out->single[k] >= 0 || f->options->present(f->options, key)) {
      continue;
    }
    for (size_t i = 0; i < f->n; i++) {
      char plain[64], line[700];
      plain_name(name_of(f, i), plain, sizeof plain);
      if (f->taken[i] || plain[0] == '\0') {
        continue;
      }
      if (k == ROLE_ANIMAL && looks_like_animal(name_of(f, i))) {
        return pf_fail_key(f->error, PF_STOP, key,
                           "%.300s%s: there is no %s 'animal', but '%.60s': say %s = \"%.60s\", or "
                           "\"\" where all of it is one animal",
                           f->path, f->variables->where, f->variables->word, name_of(f, i), key,
                           name_of(f, i));
      }
      if (strlen(single_names[k]) > 3 && is_near_word(plain, single_names[k])) {
        (void)snprintf(
            line, sizeof line,
            "%.300s%s: there is no %s '%s', but '%.60s', which is not taken for it (%s = "
            "\"%.60s\"?)",
            f->path, f->variables->where, f->variables->word, single_names[k], name_of(f, i), key,
            name_of(f, i));
        f->host->warn(f->host, line);
      }
    }
  }
  return PF_OK;
}

/** The target "activity", if there is one. */
static pf_status find_activities(const finder *f)
{
  const role_variables *v = f->variables;
  role_groups *targets = &f->out->targets;
  pf_status status = add_group(f, targets, "activity");
  if (status != PF_OK) {
    return status;
  }
  status = listed_or_found(f, last(targets), v->activities, v->usual_activities);
  if (status != PF_OK) {
    return status;
  }
  if (last(targets)->n == 0) {
    drop_group(f->host, targets);
  }
  return PF_OK;
}

/** The i-th of the targets that options list. */
static pf_status add_listed_target(const finder *f, int64_t i)
{
  char name[64], list[64];
  (void)snprintf(name, sizeof name, "targets[%lld].name", (long long)i);
  (void)snprintf(list, sizeof list, "targets[%lld].%ss", (long long)i, f->variables->word);
  const pf_status status = add_group(f, &f->out->targets, f->options->string(f->options, name));
  if (status != PF_OK) {
    return status;
  }
  return listed(f, last(&f->out->targets), list, f->variables->targets);
}

static pf_status find_targets(const finder *f)
{
  role_groups *targets = &f->out->targets;
  const int64_t n = f->options->length(f->options, "targets");
  pf_status status = begin_groups(f, targets, (size_t)n + 2);
  if (status != PF_OK) {
    return status;
  }
  if (f->out->single[ROLE_CHOICE] >= 0) {
    status = add_group_of_one(f, targets, "choice", f->out->single[ROLE_CHOICE]);
    if (status != PF_OK) {
      return status;
    }
  }
  status = find_activities(f);
  if (status != PF_OK) {
    return status;
  }
  for (int64_t i = 0; i < n; i++) {
    status = add_listed_target(f, i);
    if (status != PF_OK) {
      return status;
    }
  }
  return PF_OK;
}

/** Is the variable given on as a channel for what it is, as the reward is? */
static int is_channel_already(const finder *f, int64_t index)
{
  for (int k = 0; k < ROLE_N_SINGLE; k++) {
    if (is_channel[k] && f->out->single[k] == index) {
      return 1;
    }
  }
  return 0;
}

/** The channels that one name of the list stands for: a variable, or all that fit a pattern. */
static pf_status add_listed_channels(const finder *f, const char *name)
{
  role_groups *channels = &f->out->channels;
  const int64_t index = index_of(f, name);
  if (index >= 0) {
    return is_channel_already(f, index) ? PF_OK : add_group_of_one(f, channels, name, index);
  }
  size_t n_fit = 0;
  for (size_t k = 0; k < f->n && strchr(name, '*') != NULL; k++) {
    if (!fits_pattern(name, name_of(f, k))) {
      continue;
    }
    const pf_status status = add_group_of_one(f, channels, name_of(f, k), (int64_t)k);
    if (status != PF_OK) {
      return status;
    }
    n_fit++;
  }
  return n_fit == 0 ? not_there(f, f->variables->channels, name) : PF_OK;
}

/** Every variable that is nothing else and may be a channel. */
static pf_status add_other_channels(const finder *f)
{
  for (size_t i = 0; i < f->n; i++) {
    if (f->taken[i] || !f->variables->may_be_channel(f->self, i) || !is_identifier(name_of(f, i))) {
      continue;
    }
    const pf_status status = add_group_of_one(f, &f->out->channels, name_of(f, i), (int64_t)i);
    if (status != PF_OK) {
      return status;
    }
  }
  return PF_OK;
}

/** Roles that are channels, then those listed, or every one that is nothing else and may be one. */
static pf_status find_channels(const finder *f)
{
  const char *key = f->variables->channels;
  const int64_t *single = f->out->single;
  role_groups *channels = &f->out->channels;
  const int said = f->options->present(f->options, key);
  const int64_t n = said ? f->options->length(f->options, key) : 0;
  size_t most = said ? ROLE_N_SINGLE : f->n + ROLE_N_SINGLE;
  for (int64_t i = 0; i < n; i++) { /* a pattern may stand for all, a name for one */
    most += strchr(f->options->string_at(f->options, key, i), '*') != NULL ? f->n : 1;
  }
  pf_status status = begin_groups(f, channels, most);
  if (status != PF_OK) {
    return status;
  }
  for (int k = 0; k < ROLE_N_SINGLE; k++) {
    if (!is_channel[k] || single[k] < 0) {
      continue;
    }
    status = add_group_of_one(f, channels, single_names[k], single[k]);
    if (status != PF_OK) {
      return status;
    }
  }
  if (!said) {
    return add_other_channels(f);
  }
  for (int64_t i = 0; i < n; i++) {
    status = add_listed_channels(f, f->options->string_at(f->options, key, i));
    if (status != PF_OK) {
      return status;
    }
  }
  return PF_OK;
}

/** Where weights change, from what a row is; `several`: choices are no accepts and rejects. */
static pf_status plastic_of_kind(const finder *f, const char *kind, int several)
{
  const int has_choice = f->out->single[ROLE_CHOICE] >= 0;
  const int is_go = strcmp(kind, "go_no_go") == 0, is_choice = strcmp(kind, "choice") == 0;
  if ((is_go || is_choice) && !has_choice) {
    return not_there(f, "kind", "choice");
  }
  if (is_go && several) {
    return pf_fail_key(f->error, PF_STOP, "kind",
                       "%.300s: kind is \"go_no_go\", but choices are not 0 (rejected) and 1 "
                       "(accepted); for a choice between arms: kind = \"choice\"",
                       f->path);
  }
  const int is_auto = strcmp(kind, "auto") == 0;
  f->out->plastic = is_choice || (is_auto && has_choice && several) ? ROLE_CHOSEN
                    : is_go || (is_auto && has_choice)              ? ROLE_ACCEPTS
                                                                    : ROLE_ALWAYS;
  return PF_OK;
}

static pf_status find_plastic(const finder *f)
{
  roles *r = f->out;
  const int has_variable = r->single[ROLE_PLASTIC] >= 0;
  const int has_choice = r->single[ROLE_CHOICE] >= 0;
  int several = 0;
  if (has_choice && f->variables->look_at_choice != NULL) {
    const pf_status status =
        f->variables->look_at_choice(f->self, (size_t)r->single[ROLE_CHOICE], &several, f->error);
    if (status != PF_OK) {
      return status;
    }
  }
  const pf_status status = plastic_of_kind(f, f->options->string(f->options, "kind"), several);
  if (status != PF_OK) {
    return status;
  }
  if (!f->options->present(f->options, "plastic")) {
    r->plastic = has_variable ? ROLE_SAID : r->plastic;
    return PF_OK;
  }
  const char *how = f->options->string(f->options, "plastic");
  r->plastic = strcmp(how, f->variables->word) == 0 ? ROLE_SAID
               : strcmp(how, "accepts") == 0        ? ROLE_ACCEPTS
               : strcmp(how, "chosen") == 0         ? ROLE_CHOSEN
                                                    : ROLE_ALWAYS;
  if (r->plastic == ROLE_SAID && !has_variable) {
    return not_there(f, "plastic", "plastic");
  }
  const int needs_choice = r->plastic == ROLE_ACCEPTS || r->plastic == ROLE_CHOSEN;
  return needs_choice && !has_choice ? not_there(f, "plastic", "choice") : PF_OK;
}

static pf_status check_found(const finder *f)
{
  const role_variables *v = f->variables;
  if (f->out->inputs.width == 0) {
    return pf_fail_key(f->error, PF_STOP, v->inputs,
                       "%.300s%s: has no inputs: %s; name them with %s (in a table [\"1\"] is an "
                       "input that is always 1)",
                       f->path, v->where, v->no_inputs, v->inputs);
  }
  if (f->out->targets.n == 0) {
    const char *choice = v->single[ROLE_CHOICE];
    return pf_fail_key(
        f->error, PF_STOP, choice,
        "%.300s%s: has nothing to predict: no %s choice, and %s; name them with %s or %s", f->path,
        v->where, v->word, v->no_activities, choice, v->activities);
  }
  return PF_OK;
}

/** Each role in turn; a variable that one takes is not looked at for those behind. */
static pf_status find_roles(const finder *f)
{
  static pf_status (*const find[])(const finder *) = {find_inputs,      find_singles,  find_targets,
                                                      check_near_names, find_channels, find_plastic,
                                                      check_found};
  for (size_t k = 0; k < sizeof find / sizeof find[0]; k++) {
    const pf_status status = find[k](f);
    if (status != PF_OK) {
      return status;
    }
  }
  return PF_OK;
}

pf_status roles_find(const pf_host *host, const char *path, const role_variables *variables,
                     void *self, size_t n, const pf_options *options, roles *out, pf_error *error)
{
  finder f = {host, path, variables, self, n, options, out, host->allocate(host, n), error};
  *out = (roles){0};
  const pf_status status = f.taken == NULL ? no_memory(&f) : find_roles(&f);
  host->release(host, f.taken);
  if (status != PF_OK) {
    roles_free(host, out);
  }
  return status;
}

void roles_free(const pf_host *host, roles *of)
{
  host->release(host, of->inputs.variables);
  free_groups(host, &of->channels);
  free_groups(host, &of->targets);
  *of = (roles){0};
}
