/*
 * plastfit/abi/base.h - what every plugin and the host share: the number type,
 * versions, results of calls, the error line, tables.
 *
 * Conventions of the whole ABI, stated once:
 *
 * - Sizes.   A struct that crosses the boundary starts with `size`, set by the
 *            side that allocated it to its own sizeof. Neither side reads or
 *            writes beyond the smaller of the two sizes; an op or a field
 *            beyond it is absent. The host zeroes what a plugin fills.
 * - Tables.  An array of structs crosses with its element stride, so its
 *            elements can grow: use pf_table_at().
 * - Memory.  A pointer handed to a callback is the host's and valid for that
 *            call only, unless its comment says otherwise. A pointer that a
 *            plugin returns is the plugin's and valid until `destroy`.
 * - Threads. An object is const after `create`: every op but create and
 *            destroy MAY run on several threads at once on the same object.
 * - Hot.     Ops marked [hot] MUST NOT allocate, do I/O, draw random numbers
 *            or keep anything between calls.
 * - Zero.    Any count MAY be 0; the call then does nothing and returns PF_OK.
 * - Layout.  Matrices are row-major with a leading dimension:
 *            w[i * ldw + j], i postsynaptic, j presynaptic, ldw >= n_pre.
 *            Padding cells beyond a row's end MUST NOT be read or written.
 */
#ifndef PLASTFIT_ABI_BASE_H
#define PLASTFIT_ABI_BASE_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Same major: compatible. A plugin's minor MUST NOT be newer than the host's. */
#define PF_ABI_MAJOR 1
#define PF_ABI_MINOR 0

/**
 * The number type of arrays. theta, losses and sums of gradients are always
 * double. `PF_SINGLE` comes from the pkg-config file of the precision chosen.
 */
#ifdef PF_SINGLE
typedef float pf_real;
#else
typedef double pf_real;
#endif

enum pf_kind { PF_KIND_RULE = 1, PF_KIND_NETWORK = 2, PF_KIND_LOSS = 3, PF_KIND_SOURCE = 4 };

/**
 * Result of a call: 0 done; > 0 this point (these parameter values) failed,
 * another may not, so an optimiser may back off; < 0 stop.
 */
typedef int pf_status;
enum { PF_OK = 0, PF_POINT_FAILED = 1, PF_STOP = -1 };

enum { PF_ERROR_LENGTH = 1024 };

/**
 * One line that says what went wrong, owned by the caller of the op. Written
 * where the fault is found and never rewritten: use pf_fail(). The host adds
 * plugin, file:line, experiment and step; the line says the rest: what was
 * found, what was expected, what to do. No newline, no final full stop needed.
 */
typedef struct pf_error {
  size_t size;
  const char *key;            /**< option at fault as declared, or NULL; static or plugin's */
  char text[PF_ERROR_LENGTH]; /**< "" while nothing is wrong */
} pf_error;

#if defined(__GNUC__)
#define PF_PRINTF(format_arg, first_arg) __attribute__((format(printf, format_arg, first_arg)))
#else
#define PF_PRINTF(format_arg, first_arg)
#endif

/** Write the error line, unless one stands already; error MAY be NULL. Returns `status`. */
PF_PRINTF(4, 5)
static inline pf_status pf_fail_key(pf_error *error, pf_status status, const char *key,
                                    const char *format, ...)
{
  if (error != NULL && error->text[0] == '\0') {
    va_list args;
    va_start(args, format);
    (void)vsnprintf(error->text, sizeof error->text, format, args);
    va_end(args);
    error->key = key;
  }
  return status;
}
#define pf_fail(error, status, ...) pf_fail_key((error), (status), NULL, __VA_ARGS__)

/** Element i of a table of structs that may be larger than ours; NULL when out of range. */
static inline const void *pf_table_at(const void *items, size_t stride, size_t count, size_t i)
{
  return i < count ? (const char *)items + i * stride : NULL;
}

/** Is `field` of *object inside the size its owner declared? (objects that start with size) */
#define PF_HAS(object, type, field) \
  ((object)->size >= offsetof(type, field) + sizeof((object)->field))

/** A table of names. */
typedef struct pf_names {
  const char *const *items;
  size_t count;
} pf_names;

/**
 * Services of the host, given to `create`, valid until `destroy` returns.
 * Plugins link nothing of the core: whatever they need comes through here.
 */
typedef struct pf_host pf_host;
struct pf_host {
  size_t size;
  void *impl; /**< the host's own */
  /** Zeroed memory aligned to 64 bytes, or NULL. Threads: any. */
  void *(*allocate)(const pf_host *host, size_t bytes);
  /** Counterpart of allocate; pointer MAY be NULL. */
  void (*release)(const pf_host *host, void *pointer);
  /** One line for the person at the terminal: something surprising, not an error. */
  void (*warn)(const pf_host *host, const char *line);
};

#ifdef __cplusplus
}
#endif

#endif
