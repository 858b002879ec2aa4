#include "npy.h"

#include <math.h>
#include <string.h>

/* ---- the header: a Python dict of literals ---- */

typedef struct parser {
  const char *name;
  const char *at, *end;
  pf_error *error;
} parser;

static pf_status bad(const parser *p, const char *what)
{
  return pf_fail(p->error, PF_STOP, "%.400s: its .npy header cannot be read: expected %s", p->name,
                 what);
}

static void skip_space(parser *p)
{
  while (p->at < p->end && (*p->at == ' ' || *p->at == '\n' || *p->at == '\t')) {
    p->at++;
  }
}

static int take(parser *p, char c)
{
  skip_space(p);
  if (p->at < p->end && *p->at == c) {
    p->at++;
    return 1;
  }
  return 0;
}

static int take_word(parser *p, const char *word)
{
  const size_t n = strlen(word);
  skip_space(p);
  if ((size_t)(p->end - p->at) >= n && memcmp(p->at, word, n) == 0) {
    p->at += n;
    return 1;
  }
  return 0;
}

/** 'text' or "text", without escapes. */
static int take_string(parser *p, char *text, size_t capacity)
{
  size_t n = 0;
  skip_space(p);
  if (p->at == p->end || (*p->at != '\'' && *p->at != '"')) {
    return 0;
  }
  const char quote = *p->at++;
  while (p->at < p->end && *p->at != quote && *p->at != '\\' && n + 1 < capacity) {
    text[n++] = *p->at++;
  }
  text[n] = '\0';
  return p->at < p->end && *p->at++ == quote;
}

static int take_whole(parser *p, int64_t *value)
{
  int digits = 0;
  skip_space(p);
  *value = 0;
  for (; p->at < p->end && *p->at >= '0' && *p->at <= '9'; p->at++, digits++) {
    if (*value > (INT64_MAX - 9) / 10) {
      return 0;
    }
    *value = *value * 10 + (*p->at - '0');
  }
  (void)take(p, 'L'); /* Python 2 wrote 3L */
  return digits > 0;
}

/** "<f8" and its like. */
static pf_status take_type(parser *p, npy_header *h)
{
  static const char takes[] = "f4, f8, i1 to i8, u1 to u8, bool and text";
  char text[64];
  skip_space(p);
  if (p->at < p->end && *p->at == '[') {
    return pf_fail(p->error, PF_STOP,
                   "%.400s: is a structured array; expected plain numbers: save each of its fields "
                   "under a name of its "
                   "own",
                   p->name);
  }
  if (!take_string(p, text, sizeof text)) {
    return bad(p, "the type of its cells");
  }
  int64_t item = 0;
  parser digits = {.at = text + (text[0] != '\0' && text[1] != '\0' ? 2 : 0),
                   .end = text + strlen(text)};
  const char kind = text[0] != '\0' ? text[1] : '\0';
  if (kind == 'O') {
    return pf_fail(
        p->error, PF_STOP,
        "%.400s: holds Python objects (they would be unpickled, which can run anything); expected "
        "numbers or "
        "text: save it with a dtype, such as np.asarray(x, float) or np.asarray(names, str), a "
        "dict "
        "by its parts: np.savez(\"plain.npz\", y=d[\"y\"], ...)",
        p->name);
  }
  if (strchr("<>|=", text[0]) == NULL || text[0] == '\0' || !take_whole(&digits, &item) ||
      digits.at != digits.end) {
    return pf_fail(p->error, PF_STOP, "%.400s: has cells of type '%.40s'; expected %s", p->name,
                   text, takes);
  }
  const uint16_t one = 1;
  unsigned char first = 0;
  memcpy(&first, &one, 1);
  h->kind = kind;
  h->big_endian = text[0] == '>' || (text[0] == '=' && first == 0);
  h->item = kind == 'U' ? 4 * item : item;
  const int whole =
      (kind == 'i' || kind == 'u') && (item == 1 || item == 2 || item == 4 || item == 8);
  const int real = kind == 'f' && (item == 4 || item == 8);
  const int boolean = kind == 'b' && item == 1;
  const int is_text = (kind == 'U' || kind == 'S') && item <= 4096;
  if (!whole && !real && !boolean && !is_text) {
    return pf_fail(p->error, PF_STOP, "%.400s: has cells of type '%.40s'; expected %s", p->name,
                   text, takes);
  }
  return PF_OK;
}

static pf_status take_shape(parser *p, npy_header *h)
{
  if (!take(p, '(')) {
    return bad(p, "its shape");
  }
  h->n_dims = 0;
  h->rows = h->columns = 1;
  while (!take(p, ')')) {
    int64_t n = 0;
    if (!take_whole(p, &n)) {
      return bad(p, "its shape, whole numbers");
    }
    if (h->n_dims < 3) {
      h->sizes[h->n_dims] = n;
    }
    if (h->n_dims++ == 0) {
      h->rows = n;
    } else if (n != 0 && h->columns > INT64_MAX / n) {
      return bad(p, "a shape of less than 2^63 cells");
    } else {
      h->columns *= n;
    }
    if (!take(p, ',')) {
      if (!take(p, ')')) {
        return bad(p, "its shape, numbers separated by commas");
      }
      break;
    }
  }
  return PF_OK;
}

static pf_status take_dict(parser *p, npy_header *h)
{
  int seen[3] = {0, 0, 0};
  char key[32];
  if (!take(p, '{')) {
    return bad(p, "{");
  }
  while (!take(p, '}')) {
    pf_status status = PF_OK;
    if (!take_string(p, key, sizeof key) || !take(p, ':')) {
      return bad(p, "the keys descr, fortran_order and shape");
    }
    if (strcmp(key, "descr") == 0) {
      seen[0]++;
      status = take_type(p, h);
    } else if (strcmp(key, "fortran_order") == 0) {
      seen[1]++;
      h->fortran = take_word(p, "True");
      status = h->fortran || take_word(p, "False") ? PF_OK : bad(p, "fortran_order True or False");
    } else if (strcmp(key, "shape") == 0) {
      seen[2]++;
      status = take_shape(p, h);
    } else {
      return bad(p, "the keys descr, fortran_order and shape, and no other");
    }
    if (status != PF_OK) {
      return status;
    }
    if (!take(p, ',')) {
      if (!take(p, '}')) {
        return bad(p, "a comma or }");
      }
      break;
    }
  }
  return seen[0] == 1 && seen[1] == 1 && seen[2] == 1
             ? PF_OK
             : bad(p, "descr, fortran_order and shape, once each");
}

pf_status npy_read_header(const char *name, const unsigned char *bytes, size_t length,
                          uint64_t size, npy_header *out, pf_error *error)
{
  *out = (npy_header){0};
  if (length < 10 || memcmp(bytes, "\x93NUMPY", 6) != 0) {
    return pf_fail(error, PF_STOP, "%.400s: is no .npy array (those start with \\x93NUMPY)", name);
  }
  const unsigned major = bytes[6];
  if (major < 1 || major > 3) {
    return pf_fail(error, PF_STOP,
                   "%.400s: has version %u.%u of the .npy format; expected 1, 2 or 3", name, major,
                   (unsigned)bytes[7]);
  }
  const size_t start = major == 1 ? 10 : 12;
  size_t n = (size_t)bytes[8] + 256 * (size_t)bytes[9];
  n += major == 1 || length < start ? 0 : 65536 * ((size_t)bytes[10] + 256 * (size_t)bytes[11]);
  if (length < start || n > length - start) {
    return pf_fail(error, PF_STOP,
                   "%.400s: ends within its header, or has one of more than %d bytes", name,
                   NPY_MAX_HEADER);
  }
  parser p = {.name = name,
              .at = (const char *)bytes + start,
              .end = (const char *)bytes + start + n,
              .error = error};
  const pf_status status = take_dict(&p, out);
  if (status != PF_OK) {
    return status;
  }
  out->data = start + n;
  if (out->n_dims > 3) {
    return pf_fail(error, PF_STOP,
                   "%.400s: has %d dimensions; expected [steps] or [steps][columns]: put the steps "
                   "of all animals and "
                   "sessions below one another, with arrays that say whose each is",
                   name, out->n_dims);
  }
  const uint64_t cells = size - out->data;
  const uint64_t row = (uint64_t)out->columns * (uint64_t)out->item;
  const int too_wide =
      out->columns > 0 && out->item > 0 && row / (uint64_t)out->item != (uint64_t)out->columns;
  if (too_wide ||
      (row == 0 ? cells != 0 : cells % row != 0 || cells / row != (uint64_t)out->rows)) {
    return pf_fail(
        error, PF_STOP,
        "%.400s: its shape, %lld x %lld cells of %lld bytes, does not come to the %llu bytes "
        "it has: it is cut off or damaged",
        name, (long long)out->rows, (long long)out->columns, (long long)out->item,
        (unsigned long long)cells);
  }
  return PF_OK;
}

/* ---- cells ---- */

int npy_is_number(const npy_header *header)
{
  return header->kind != 'U' && header->kind != 'S';
}

size_t npy_offset(const npy_header *header, int64_t row, int64_t column)
{
  const int64_t cell =
      header->fortran ? column * header->rows + row : row * header->columns + column;
  return (size_t)cell * (size_t)header->item;
}

/** n bytes as an unsigned number. */
static uint64_t bits_of(const unsigned char *bytes, int64_t n, int big_endian)
{
  uint64_t bits = 0;
  for (int64_t i = 0; i < n; i++) {
    bits = bits << 8 | bytes[big_endian ? i : n - 1 - i];
  }
  return bits;
}

double npy_number(const npy_header *header, const unsigned char *cell)
{
  const uint64_t bits = bits_of(cell, header->item, header->big_endian);
  if (header->kind == 'f' && header->item == 8) {
    double value = 0.0;
    memcpy(&value, &bits, sizeof value);
    return value;
  }
  if (header->kind == 'f') {
    const uint32_t low = (uint32_t)bits;
    float value = 0.0F;
    memcpy(&value, &low, sizeof value);
    return (double)value;
  }
  const int64_t width = 8 * header->item;
  if (header->kind == 'i' && (bits >> (width - 1)) != 0) { /* two's complement, of any width */
    const uint64_t all = width == 64 ? UINT64_MAX : ((uint64_t)1 << width) - 1;
    return -(double)(all - bits) - 1.0;
  }
  return header->kind == 'b' ? (bits != 0 ? 1.0 : 0.0) : (double)bits;
}

/** One code point as UTF-8: its length; 0: no code point, or no room. */
static size_t put_utf8(uint64_t c, char *text, size_t room)
{
  const size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
  if (c > 0x10FFFF || (c >= 0xD800 && c < 0xE000) || n >= room) {
    return 0;
  }
  if (n == 1) {
    text[0] = (char)c;
    return 1;
  }
  static const unsigned lead[] = {0, 0, 0xC0, 0xE0, 0xF0};
  for (size_t i = n - 1; i > 0; i--) {
    text[i] = (char)(0x80 | (c & 0x3F));
    c >>= 6;
  }
  text[0] = (char)(lead[n] | c);
  return n;
}

int npy_text(const npy_header *header, const unsigned char *cell, char *text, size_t capacity)
{
  size_t used = 0;
  text[0] = '\0';
  if (npy_is_number(header)) {
    const double value = npy_number(header, cell);
    (void)snprintf(text, capacity, "%.0f", value);
    return floor(value) == value && fabs(value) < 9e15;
  }
  const int64_t unit = header->kind == 'U' ? 4 : 1;
  for (int64_t i = 0; i + unit <= header->item; i += unit) {
    const uint64_t c = bits_of(cell + i, unit, header->big_endian);
    if (c == 0) { /* numpy fills with zeros */
      break;
    }
    size_t n = 1;
    if (unit == 4) {
      n = put_utf8(c, text + used, capacity - used);
    } else if (used + 1 < capacity) {
      text[used] = (char)c;
    } else {
      n = 0;
    }
    if (n == 0) {
      break;
    }
    used += n;
    text[used] = '\0';
  }
  return 1;
}

/* ---- as an array of a container ---- */

pf_status npy_add(container *of, const char *name, const npy_header *header, const char *why,
                  int64_t at, pf_error *error)
{
  container_array *array = container_add(of, name, error);
  if (array == NULL) {
    return PF_STOP;
  }
  array->at = at;
  if (why[0] != '\0') {
    return container_refuse(of, error, "%s", why);
  }
  array->stored = (double)header->item * (double)header->rows * (double)header->columns;
  array->is_text = !npy_is_number(header);
  array->n_dims = header->n_dims;
  array->rows = header->rows;
  array->columns = header->columns;
  if (header->n_dims < 3) {
    return PF_OK;
  }
  /* rows are read one by one, columns as they lie */
  static const int in_order[] = {0, 1, 2}, turned[] = {0, 2, 1};
  const int *axis = header->fortran ? turned : in_order;
  const int64_t sizes[] = {header->sizes[axis[0]], header->sizes[axis[1]], header->sizes[axis[2]]};
  return array->is_text ? container_refuse(of, error,
                                           "%.300s: %s '%.60s': is text of 3 dimensions; expected "
                                           "numbers",
                                           of->path, of->format->word, array->name)
                        : container_fold(of, sizes, axis, error);
}

void npy_numbers(const npy_header *header, const unsigned char *cells, double *out)
{
  for (int64_t i = 0; i < header->rows; i++) {
    for (int64_t j = 0; j < header->columns; j++) {
      out[i * header->columns + j] = npy_number(header, cells + npy_offset(header, i, j));
    }
  }
}

pf_status npy_texts(const pf_host *host, const npy_header *header, const unsigned char *cells,
                    char **out, pf_error *error)
{
  char text[4 * 4096 + 1];
  for (int64_t i = 0; i < header->rows; i++) {
    for (int64_t j = 0; j < header->columns; j++) {
      (void)npy_text(header, cells + npy_offset(header, i, j), text, sizeof text);
      char *copy = container_text(host, text, strlen(text));
      if (copy == NULL) {
        return pf_fail(error, PF_STOP, "out of memory for the texts of an array");
      }
      out[i * header->columns + j] = copy;
    }
  }
  return PF_OK;
}
