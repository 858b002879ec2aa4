/*
 * Well formed but wrong MATLAB files of version 5: variables made as the input orders, with sizes,
 * classes, types and lengths that do not fit one another, cells and structures within one another,
 * and elements compressed (in stored blocks, so that the bytes stay in sight).
 */
#include "tests/fuzz/targets.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LARGEST_FILE = 1 << 18, DEEPEST = 6, MOST_CELLS = 64 };

/** The orders, a byte each; 0 once they are used up. */
typedef struct orders {
  const uint8_t *bytes;
  size_t n, at;
} orders;

/** The file so far; what does not fit is left out. */
typedef struct mat_bytes {
  uint8_t *bytes;
  size_t n;
} mat_bytes;

static uint32_t take_order(orders *from)
{
  return from->at < from->n ? from->bytes[from->at++] : 0;
}

static void put_bytes(mat_bytes *to, const void *bytes, size_t n)
{
  if (n <= LARGEST_FILE - to->n) {
    memcpy(to->bytes + to->n, bytes, n);
    to->n += n;
  }
}

static void put_u32(mat_bytes *to, uint32_t value)
{
  put_bytes(to, &value, sizeof value);
}

static void pad_to_eight(mat_bytes *to)
{
  static const uint8_t zeros[8] = {0};
  put_bytes(to, zeros, (8 - to->n % 8) % 8);
}

/** A length: as it is, or one that is wrong. */
static uint32_t maybe_wrong(orders *from, uint32_t length)
{
  static const uint32_t odd[] = {0,    1,          7,           8,           255,
                                 4096, 0x7fffffff, 0x80000000U, 0xfffffff8U, 0xffffffffU};
  const uint32_t order = take_order(from);
  return order < 200 ? length : odd[order % (sizeof odd / sizeof odd[0])];
}

static void put_element(mat_bytes *to, orders *from, uint32_t type, const void *bytes, size_t n)
{
  const uint32_t order = take_order(from);
  put_u32(to, order < 220 ? type : order % 24);
  put_u32(to, maybe_wrong(from, (uint32_t)n));
  put_bytes(to, bytes, n);
  pad_to_eight(to);
}

static int32_t take_size(orders *from, int32_t right)
{
  static const int32_t odd[] = {0,     1,       2,       3,  5,         64,       1000,
                                65536, 1 << 20, 1 << 30, -1, INT32_MIN, INT32_MAX};
  const uint32_t order = take_order(from);
  return order < 160 ? right : odd[order % (sizeof odd / sizeof odd[0])];
}

static void put_matrix(mat_bytes *to, orders *from, const char *name, int depth);

/** The numbers of a variable: doubles, whole numbers or text, or what is said to be so. */
static void put_numbers(mat_bytes *to, orders *from, int32_t n)
{
  static const uint32_t types[] = {9, 9, 1, 2, 3, 4, 5, 6, 7, 12, 13, 16, 17, 18};
  static const uint32_t widths[] = {8, 8, 1, 1, 2, 2, 4, 4, 4, 8, 8, 1, 2, 4};
  uint8_t cells[MOST_CELLS * 8] = {0};
  const uint32_t kind = take_order(from) % (sizeof types / sizeof types[0]);
  for (int32_t k = 0; k < n && kind < 2; k++) {
    const double value = (double)(take_order(from) % 3);
    memcpy(cells + 8 * k, &value, sizeof value);
  }
  for (int32_t k = 0; k < n && kind >= 2; k++) {
    cells[(uint32_t)k * widths[kind]] = (uint8_t)take_order(from);
  }
  put_element(to, from, types[kind], cells, (size_t)n * widths[kind]);
}

static void put_fields(mat_bytes *to, orders *from, int32_t n, int depth)
{
  static const char names[3][8] = {"x", "choice", "reward"};
  const int32_t width = 8;
  put_element(to, from, 5, &width, sizeof width);
  put_element(to, from, 1, names, sizeof names);
  for (int32_t k = 0; k < 3 * (n > 0 && n < 3 ? n : 1); k++) {
    put_matrix(to, from, "", depth + 1);
  }
}

static void put_sparse(mat_bytes *to, orders *from, int32_t n)
{
  int32_t rows[MOST_CELLS] = {0}, starts[MOST_CELLS] = {0};
  for (int32_t k = 0; k < n; k++) {
    rows[k] = take_size(from, k);
    starts[k] = take_size(from, k);
  }
  put_element(to, from, 5, rows, (size_t)n * sizeof *rows);
  put_element(to, from, 5, starts, (size_t)n * sizeof *starts);
  put_numbers(to, from, n);
}

/** What is within a matrix. */
static void put_inside(mat_bytes *to, orders *from, const char *name, int depth)
{
  static const uint32_t classes[] = {6, 6, 6, 4, 1, 2, 5, 9, 7, 8, 12, 14, 3, 16, 17, 0, 255};
  const uint32_t class = classes[take_order(from) % (sizeof classes / sizeof classes[0])];
  const int32_t n = (int32_t)(take_order(from) % MOST_CELLS);
  const uint32_t flags[] = {class | take_order(from) / 32 << 8, (uint32_t)n};
  int32_t sizes[4] = {take_size(from, n), take_size(from, 1), 1, 1};
  const uint32_t rank = take_order(from);
  put_element(to, from, 6, flags, sizeof flags);
  put_element(to, from, 5, sizes, rank < 200 ? 8 : 4 * (1 + rank % 4));
  put_element(to, from, 1, name, strlen(name));
  if (class == 1) {
    for (int32_t k = 0; k < n && k < 8 && depth < DEEPEST; k++) {
      put_matrix(to, from, "", depth + 1);
    }
  } else if (class == 2 && depth < DEEPEST) {
    put_fields(to, from, n, depth);
  } else if (class == 5) {
    put_sparse(to, from, n);
  } else {
    put_numbers(to, from, n);
  }
}

static void put_matrix(mat_bytes *to, orders *from, const char *name, int depth)
{
  mat_bytes inside = {.bytes = calloc(1, LARGEST_FILE)};
  put_inside(&inside, from, name, depth);
  put_element(to, from, 14, inside.bytes, inside.n);
  free(inside.bytes);
}

/** zlib's stream of one stored block. */
static void put_compressed(mat_bytes *to, orders *from, const mat_bytes *inside)
{
  mat_bytes packed = {.bytes = calloc(1, LARGEST_FILE)};
  uint32_t a = 1, b = 0;
  const size_t n = inside->n < 65535 ? inside->n : 65535;
  const uint8_t head[] = {0x78,
                          0x01,
                          0x01,
                          (uint8_t)(n & 255),
                          (uint8_t)(n >> 8),
                          (uint8_t)(~n & 255),
                          (uint8_t)(~n >> 8 & 255)};
  for (size_t k = 0; k < n; k++) {
    a = (a + inside->bytes[k]) % 65521;
    b = (b + a) % 65521;
  }
  const uint8_t sum[] = {(uint8_t)(b >> 8), (uint8_t)(b & 255), (uint8_t)(a >> 8),
                         (uint8_t)(a & 255)};
  put_bytes(&packed, head, sizeof head);
  put_bytes(&packed, inside->bytes, n);
  put_bytes(&packed, sum, sizeof sum);
  put_u32(to, 15);
  put_u32(to, maybe_wrong(from, (uint32_t)packed.n));
  put_bytes(to, packed.bytes, packed.n); /* not padded */
  free(packed.bytes);
}

void fuzz_make_mat(const char *path, const uint8_t *bytes, size_t n)
{
  static const char *const names[] = {"x", "choice", "reward", "y"};
  static const char text[124] = "MATLAB 5.0 MAT-file";
  static const uint8_t version[] = {0, 1, 'I', 'M'};
  orders from = {.bytes = bytes, .n = n};
  mat_bytes file = {.bytes = calloc(1, LARGEST_FILE)};
  put_bytes(&file, text, sizeof text);
  put_bytes(&file, version, sizeof version);
  for (size_t k = 0; k < sizeof names / sizeof names[0]; k++) {
    mat_bytes variable = {.bytes = calloc(1, LARGEST_FILE)};
    const uint32_t order = take_order(&from);
    put_matrix(&variable, &from, names[k], 0);
    if (order % 3 == 2) {
      put_compressed(&file, &from, &variable);
    } else {
      put_bytes(&file, variable.bytes, variable.n);
    }
    free(variable.bytes);
  }
  fuzz_write(path, file.bytes, file.n);
  free(file.bytes);
}
