/*
 * tests/unit/support/fake_options.h - a pf_options and a pf_host for tests that link a plugin
 * directly.
 *
 *     const fake_value given[] = {FAKE_STRING("terms", "x r"), FAKE_REAL("blocks[0].rate", 0.5)};
 *     fake_options options;
 *     fake_options_init(&options, &plugin->options, given, 2);
 *     plugin->rule->create(fake_host(&host), &options.face, &self, &error);
 *     cr_assert(eq(int, options.mistakes, 0));
 *
 * Defaults come from the plugin's own table, so a fallback that does not parse is found here. What
 * the host would refuse (an undeclared name, another type) counts in `mistakes` and answers 0 or
 * "". Ranges and choices are the host's to check, not done here.
 */
#ifndef PLASTFIT_TESTS_FAKE_OPTIONS_H
#define PLASTFIT_TESTS_FAKE_OPTIONS_H

#include <plastfit/abi/options.h>

/** One value; lists point to the caller's arrays. */
typedef struct fake_value {
  const char *path;
  uint32_t type; /**< enum pf_type */
  int64_t count; /**< elements of a list, else 1 */
  int64_t integer;
  double real;
  const char *string;
  const int64_t *integers;
  const double *reals;
  const char *const *strings;
} fake_value;

#define FAKE_BOOL(path_, value_)                                           \
  {                                                                        \
    .path = (path_), .type = PF_TYPE_BOOL, .count = 1, .integer = (value_) \
  }
#define FAKE_INTEGER(path_, value_)                                           \
  {                                                                           \
    .path = (path_), .type = PF_TYPE_INTEGER, .count = 1, .integer = (value_) \
  }
#define FAKE_REAL(path_, value_)                                        \
  {                                                                     \
    .path = (path_), .type = PF_TYPE_REAL, .count = 1, .real = (value_) \
  }
#define FAKE_STRING(path_, value_)                                          \
  {                                                                         \
    .path = (path_), .type = PF_TYPE_STRING, .count = 1, .string = (value_) \
  }
#define FAKE_PATH(path_, value_)                                          \
  {                                                                       \
    .path = (path_), .type = PF_TYPE_PATH, .count = 1, .string = (value_) \
  }
#define FAKE_INTEGERS(path_, array_, n_)                                                    \
  {                                                                                         \
    .path = (path_), .type = PF_TYPE_INTEGERS, .count = (int64_t)(n_), .integers = (array_) \
  }
#define FAKE_REALS(path_, array_, n_)                                                 \
  {                                                                                   \
    .path = (path_), .type = PF_TYPE_REALS, .count = (int64_t)(n_), .reals = (array_) \
  }
#define FAKE_STRINGS(path_, array_, n_)                                                   \
  {                                                                                       \
    .path = (path_), .type = PF_TYPE_STRINGS, .count = (int64_t)(n_), .strings = (array_) \
  }

enum { FAKE_TEXT = 4096 };

typedef struct fake_options {
  pf_options face; /**< what the plugin sees */
  const pf_option_table *declared;
  const fake_value *given;
  size_t n_given;
  int mistakes;         /**< undeclared names, wrong types, defaults that do not parse */
  char text[FAKE_TEXT]; /**< strings cut out of defaults */
  size_t text_used;
} fake_options;

/** `declared`, `given` and *options must outlive the calls of `create`. */
void fake_options_init(fake_options *options, const pf_option_table *declared,
                       const fake_value *given, size_t n_given);

/** A host that counts live allocations and can fail one of them. */
typedef struct fake_host {
  pf_host face;
  int64_t live;     /**< allocations not yet released */
  int64_t made;     /**< allocations asked for so far */
  int64_t fail_at;  /**< the allocation of this number (from 0) fails; < 0: none */
  int64_t warnings; /**< lines warned */
} fake_host;

/** Initialise and return &host->face. */
const pf_host *fake_host_init(fake_host *host);

#endif
