/*
 * plastfit/author/csv.h - reading CSV (RFC 4180): rows of fields, one at a time, so that memory
 * does not grow with the file.
 *
 * Understood: quoted fields (with commas, line ends and "" in them), LF, CRLF and CR, a UTF-8 byte
 * order mark, blank lines (skipped), spaces around unquoted fields (dropped), `#` lines before the
 * first row (skipped and counted). Fields are separated by commas, tabs, semicolons or, in rows of
 * numbers, spaces: which, the first rows say. Where it is not the comma, numbers may have a decimal
 * comma, which becomes a point. Text is UTF-8; anything else is refused.
 *
 * Optional for plugins, like simd.h: a header without a source file, so that a source that links
 * nothing of the core reads as the core does.
 */
#ifndef PLASTFIT_AUTHOR_CSV_H
#define PLASTFIT_AUTHOR_CSV_H

#include <plastfit/abi/base.h>

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PF_CSV_CHUNK = 1 << 16, PF_CSV_LONGEST_ROW = 1 << 26 };

/** An open file: read a row at a time. */
typedef struct pf_csv {
  const char *path; /**< the caller's, for messages */
  FILE *file;
  char *chunk; /**< [PF_CSV_CHUNK] bytes of the file */
  size_t at, filled;
  char *row; /**< text of the current row: its fields one after the other, each ended by 0 */
  size_t length, capacity;
  size_t *starts; /**< [n_fields] where each field starts in `row` */
  size_t n_fields, max_fields;
  int64_t line;       /**< where the current row starts, from 1 */
  int64_t next_line;  /**< where the next one does */
  int64_t n_comments; /**< `#` lines skipped before the first row */
  char separator;     /**< between fields: a comma, semicolon, tab or any number of spaces */
  char decimal;       /**< '.' or ',' */
  char beyond_ascii;  /**< the row has bytes above 127 */
} pf_csv;

/** Field i of the current row. */
static inline const char *pf_csv_field(const pf_csv *csv, size_t i)
{
  return csv->row + csv->starts[i];
}

static inline void pf_csv_close(pf_csv *csv)
{
  if (csv->file != NULL) {
    (void)fclose(csv->file);
  }
  free(csv->chunk);
  free(csv->row);
  free(csv->starts);
  memset(csv, 0, sizeof *csv);
}

/** The next byte, without taking it; -1 at the end or after a failure. */
static inline int pf_csv_peek(pf_csv *csv)
{
  if (csv->at == csv->filled) {
    csv->at = 0;
    csv->filled = csv->file == NULL ? 0 : fread(csv->chunk, 1, PF_CSV_CHUNK, csv->file);
    if (csv->filled == 0) {
      return -1;
    }
  }
  return (unsigned char)csv->chunk[csv->at];
}

/** What the first bytes say that the file is, where it is no CSV; NULL: nothing against it. */
static inline const char *pf_csv_other_kind(const pf_csv *csv)
{
  static const struct {
    const char *bytes;
    size_t n;
    const char *kind;
  } kinds[] = {{"PK\3\4", 4, "a spreadsheet or an archive; export the sheet as CSV"},
               {"\xFF\xFE", 2, "UTF-16 text; save it as UTF-8"},
               {"\xFE\xFF", 2, "UTF-16 text; save it as UTF-8"},
               {"\x89HDF", 4, "an HDF5 (or MATLAB) file; export the table as CSV"},
               {"MATLAB", 6, "a MATLAB file; export the table as CSV"}};
  for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
    if (csv->filled >= kinds[i].n && memcmp(csv->chunk, kinds[i].bytes, kinds[i].n) == 0) {
      return kinds[i].kind;
    }
  }
  return NULL;
}

/* ---- what separates fields: told from the first rows ---- */

/** A stretch of the file: one line without its end. */
typedef struct pf_csv_piece {
  const char *text;
  size_t n;
} pf_csv_piece;

/** The line that starts at `*at` in the first chunk; 0: there is none. Moves `*at` behind it. */
static inline int pf_csv_line_at(const pf_csv *csv, size_t *at, pf_csv_piece *line)
{
  while (*at < csv->filled && (csv->chunk[*at] == '\n' || csv->chunk[*at] == '\r')) {
    (*at)++;
  }
  line->text = csv->chunk + *at;
  line->n = 0;
  while (*at < csv->filled && csv->chunk[*at] != '\n' && csv->chunk[*at] != '\r') {
    (*at)++;
    line->n++;
  }
  return line->n > 0;
}

/** How often `separator` stands in the line outside of quotes. */
static inline size_t pf_csv_count(pf_csv_piece line, char separator)
{
  size_t n = 0;
  int quoted = 0;
  for (size_t i = 0; i < line.n; i++) {
    quoted ^= line.text[i] == '"';
    n += !quoted && line.text[i] == separator;
  }
  return n;
}

/** Have the first lines behind `at` as many of them? */
static inline int pf_csv_is_regular(const pf_csv *csv, size_t at, char separator, size_t n)
{
  pf_csv_piece line;
  for (int k = 0; k < 20 && pf_csv_line_at(csv, &at, &line); k++) {
    const int is_cut = at == csv->filled && !feof(csv->file);
    if (!is_cut && pf_csv_count(line, separator) != n) {
      return 0;
    }
  }
  return 1;
}

/** Numbers with spaces between, and nothing else? */
static inline int pf_csv_is_spaced(pf_csv_piece line)
{
  size_t n = 0;
  for (size_t i = 0; i < line.n; i++) {
    const char c = line.text[i];
    const int is_space = c == ' ';
    if (!is_space && (c == '\0' || strchr("+-.0123456789eEnNaA", c) == NULL)) {
      return 0;
    }
    n += !is_space && (i == 0 || line.text[i - 1] == ' ');
  }
  return n > 1;
}

/** Is the field a number with a decimal comma (',') or point ('.')? */
static inline int pf_csv_is_decimal(const char *text, size_t n, char point)
{
  size_t i = 0, digits = 0, points = 0;
  i += (size_t)(n > 0 && (text[0] == '-' || text[0] == '+'));
  for (; i < n && ((text[i] >= '0' && text[i] <= '9') || text[i] == point); i++) {
    points += text[i] == point;
    digits += text[i] != point;
  }
  if (i < n && (text[i] == 'e' || text[i] == 'E') && i + 1 < n) {
    i += (size_t)(1 + (text[i + 1] == '-' || text[i + 1] == '+'));
    for (; i < n && text[i] >= '0' && text[i] <= '9'; i++) {
    }
  }
  return i == n && points == 1 && digits > 0;
}

/** Do numbers of the first chunk have a decimal comma, and none a point? */
static inline int pf_csv_has_decimal_comma(const pf_csv *csv, size_t at)
{
  int commas = 0;
  size_t start = at;
  for (; at <= csv->filled; at++) {
    const char c = at < csv->filled ? csv->chunk[at] : '\n';
    if (c != csv->separator && c != '\n' && c != '\r' && c != '"') {
      continue;
    }
    commas |= pf_csv_is_decimal(csv->chunk + start, at - start, ',');
    if (pf_csv_is_decimal(csv->chunk + start, at - start, '.')) {
      return 0;
    }
    start = at + 1;
  }
  return commas;
}

static inline void pf_csv_skip_to(pf_csv *csv, size_t at)
{
  for (; csv->at < at; csv->at++) {
    csv->next_line += csv->chunk[csv->at] == '\n';
  }
}

/**
 * Skip the `#` lines at the start, and find separator and decimal sign. The last `#` line is the
 * header where it has as many fields as the row of numbers behind it.
 */
static inline void pf_csv_look(pf_csv *csv)
{
  size_t at = csv->at, start = csv->at, behind_mark = 0;
  pf_csv_piece line, last = {NULL, 0};
  int is_there = pf_csv_line_at(csv, &at, &line);
  while (is_there && line.text[0] == '#') {
    last = line;
    csv->n_comments++;
    start = at;
    is_there = pf_csv_line_at(csv, &at, &line);
  }
  if (is_there) {
    const size_t commas = pf_csv_count(line, ','), tabs = pf_csv_count(line, '\t'),
                 semicolons = pf_csv_count(line, ';');
    if (tabs > 0 && (commas == 0 || pf_csv_is_regular(csv, at, '\t', tabs))) {
      csv->separator = '\t';
    } else if (semicolons > 0 && (commas == 0 || pf_csv_is_regular(csv, at, ';', semicolons))) {
      csv->separator = ';';
    } else if (commas == 0 && pf_csv_is_spaced(line)) {
      csv->separator = ' ';
    }
    const size_t fields = pf_csv_count(line, csv->separator);
    const char first = line.text[0];
    if (last.text != NULL && fields > 0 && pf_csv_count(last, csv->separator) == fields &&
        csv->separator != ' ' && (first == '-' || (first >= '0' && first <= '9'))) {
      behind_mark = (size_t)(last.text - csv->chunk) + 1;
      csv->n_comments--;
    }
  }
  if (last.text != NULL) {
    pf_csv_skip_to(csv, behind_mark > 0 ? behind_mark : start);
  }
  if (csv->separator != ',' && pf_csv_has_decimal_comma(csv, csv->at)) {
    csv->decimal = ',';
  }
}

/** Open `path`, which MUST outlive the reader. On failure there is nothing to close. */
static inline pf_status pf_csv_open(pf_csv *csv, const char *path, pf_error *error)
{
  memset(csv, 0, sizeof *csv);
  csv->path = path;
  csv->next_line = 1;
  csv->separator = ',';
  csv->decimal = '.';
  csv->file = fopen(path, "rb");
  if (csv->file == NULL) {
    return pf_fail(error, PF_STOP, "%.500s: cannot be read: %s", path, strerror(errno));
  }
  csv->chunk = (char *)malloc(PF_CSV_CHUNK);
  if (csv->chunk == NULL) {
    pf_csv_close(csv);
    return pf_fail(error, PF_STOP, "%.500s: out of memory", path);
  }
  errno = 0;
  pf_status status = PF_OK;
  const char *kind = NULL;
  if (pf_csv_peek(csv) < 0) {
    if (ferror(csv->file) && errno == EISDIR) {
      status = pf_fail(error, PF_STOP, "%.500s: is a folder, expected a CSV file", path);
    } else if (ferror(csv->file)) {
      status = pf_fail(error, PF_STOP, "%.500s: cannot be read: %s", path, strerror(errno));
    } else {
      status = pf_fail(error, PF_STOP,
                       "%.500s: is empty, expected a row of column names and rows of data", path);
    }
  } else if ((kind = pf_csv_other_kind(csv)) != NULL) {
    status = pf_fail(error, PF_STOP, "%.500s: is %s", path, kind);
  } else if (csv->filled >= 3 && memcmp(csv->chunk, "\xEF\xBB\xBF", 3) == 0) {
    csv->at = 3;
  }
  if (status != PF_OK) {
    pf_csv_close(csv);
    return status;
  }
  pf_csv_look(csv);
  return PF_OK;
}

static inline pf_status pf_csv_no_memory(const pf_csv *csv, pf_error *error)
{
  return pf_fail(error, PF_STOP, "%.500s:%lld: out of memory for a row", csv->path,
                 (long long)csv->line);
}

static inline pf_status pf_csv_push(pf_csv *csv, char c, pf_error *error)
{
  if (csv->length == csv->capacity) {
    const size_t larger = csv->capacity == 0 ? 1024 : 2 * csv->capacity;
    if (larger > PF_CSV_LONGEST_ROW) {
      return pf_fail(
          error, PF_STOP,
          "%.500s:%lld: a row of more than %d MiB; is a closing quote missing, or is it no CSV?",
          csv->path, (long long)csv->line, (int)(PF_CSV_LONGEST_ROW >> 20));
    }
    char *grown = (char *)realloc(csv->row, larger);
    if (grown == NULL) {
      return pf_csv_no_memory(csv, error);
    }
    csv->row = grown;
    csv->capacity = larger;
  }
  csv->row[csv->length++] = c;
  csv->beyond_ascii |= (unsigned char)c > 127;
  return PF_OK;
}

static inline pf_status pf_csv_begin_field(pf_csv *csv, pf_error *error)
{
  if (csv->n_fields == csv->max_fields) {
    const size_t larger = csv->max_fields == 0 ? 64 : 2 * csv->max_fields;
    size_t *grown = (size_t *)realloc(csv->starts, larger * sizeof *grown);
    if (grown == NULL) {
      return pf_csv_no_memory(csv, error);
    }
    csv->starts = grown;
    csv->max_fields = larger;
  }
  csv->starts[csv->n_fields++] = csv->length;
  return PF_OK;
}

/** A field in quotes, the opening one taken. Ends behind the closing one. */
static inline pf_status pf_csv_quoted(pf_csv *csv, pf_error *error)
{
  const int64_t opened = csv->next_line;
  for (;;) {
    const int c = pf_csv_peek(csv);
    if (c < 0) {
      return pf_fail(error, PF_STOP,
                     "%.500s:%lld: the file ends inside the quotes opened here, column %zu",
                     csv->path, (long long)opened, csv->n_fields);
    }
    csv->at++;
    if (c == '"') {
      if (pf_csv_peek(csv) != '"') {
        return PF_OK;
      }
      csv->at++;
    }
    csv->next_line += c == '\n';
    if (c == 0) {
      return pf_fail(error, PF_STOP, "%.500s:%lld: has a byte 0; a CSV file is text", csv->path,
                     (long long)csv->next_line);
    }
    const pf_status status = pf_csv_push(csv, (char)c, error);
    if (status != PF_OK) {
      return status;
    }
  }
}

static inline int pf_csv_is_space(const pf_csv *csv, int c)
{
  return c == ' ' || (c == '\t' && csv->separator != '\t');
}

/** A field between two spaces ends at the first of them, but not where only spaces follow. */
static inline int pf_csv_ends_spaced(pf_csv *csv)
{
  while (pf_csv_peek(csv) == ' ') {
    csv->at++;
  }
  const int c = pf_csv_peek(csv);
  return c < 0 || c == '\n' || c == '\r';
}

/** One field with its end: the separator, another follows; '\n' the row is over; -1 the file is. */
static inline pf_status pf_csv_take_field(pf_csv *csv, int *end, pf_error *error)
{
  pf_status status = pf_csv_begin_field(csv, error);
  if (status != PF_OK) {
    return status;
  }
  while (pf_csv_is_space(csv, pf_csv_peek(csv))) {
    csv->at++;
  }
  const size_t begin = csv->length;
  const int quoted = pf_csv_peek(csv) == '"';
  if (quoted) {
    csv->at++;
    status = pf_csv_quoted(csv, error);
  }
  const size_t after_quotes = csv->length;
  while (status == PF_OK) {
    int c = pf_csv_peek(csv);
    if (c == ' ' && csv->separator == ' ' && pf_csv_ends_spaced(csv)) {
      c = pf_csv_peek(csv);
    }
    if (c < 0 || c == csv->separator || c == '\n' || c == '\r') {
      csv->at += c >= 0 && !(c == ' ' && csv->separator == ' ');
      if (c == '\r' && pf_csv_peek(csv) == '\n') {
        csv->at++;
      }
      *end = c == '\r' ? '\n' : c;
      break;
    }
    if (c == 0) {
      return pf_fail(error, PF_STOP, "%.500s:%lld: has a byte 0; a CSV file is text", csv->path,
                     (long long)csv->line);
    }
    if (quoted && !pf_csv_is_space(csv, c)) {
      return pf_fail(error, PF_STOP,
                     "%.500s:%lld: column %zu: found '%c' behind a closing quote, expected a "
                     "separator (a quote inside quotes is written twice)",
                     csv->path, (long long)csv->next_line, csv->n_fields, c);
    }
    csv->at++;
    status = quoted ? PF_OK : pf_csv_push(csv, (char)c, error);
  }
  while (status == PF_OK && csv->length > after_quotes &&
         pf_csv_is_space(csv, csv->row[csv->length - 1])) {
    csv->length--;
  }
  if (status == PF_OK && csv->decimal == ',' &&
      pf_csv_is_decimal(csv->row + begin, csv->length - begin, ',')) {
    *(char *)memchr(csv->row + begin, ',', csv->length - begin) = '.';
  }
  return status == PF_OK ? pf_csv_push(csv, '\0', error) : status;
}

/** Bytes of the UTF-8 character at `text`, which has `n` bytes; 0: it is none. */
static inline size_t pf_csv_character(const unsigned char *text, size_t n)
{
  const size_t length = text[0] < 0x80                      ? 1
                        : text[0] >= 0xC2 && text[0] < 0xE0 ? 2
                        : text[0] >= 0xE0 && text[0] < 0xF0 ? 3
                        : text[0] >= 0xF0 && text[0] < 0xF5 ? 4
                                                            : 0;
  if (length > n) {
    return 0;
  }
  for (size_t i = 1; i < length; i++) {
    if ((text[i] & 0xC0) != 0x80) {
      return 0;
    }
  }
  const int is_wrong = (text[0] == 0xE0 && text[1] < 0xA0) || (text[0] == 0xED && text[1] > 0x9F) ||
                       (text[0] == 0xF0 && text[1] < 0x90) || (text[0] == 0xF4 && text[1] > 0x8F);
  return is_wrong ? 0 : length;
}

/** Is the whole text UTF-8? */
static inline int pf_csv_is_text(const char *text)
{
  const size_t length = strlen(text);
  for (size_t i = 0, n = 0; i < length; i += n) {
    n = pf_csv_character((const unsigned char *)text + i, length - i);
    if (n == 0) {
      return 0;
    }
  }
  return 1;
}

static inline pf_status pf_csv_check_text(const pf_csv *csv, pf_error *error)
{
  const unsigned char *text = (const unsigned char *)csv->row;
  for (size_t i = 0; i < csv->length;) {
    const size_t n = pf_csv_character(text + i, csv->length - i);
    if (n == 0) {
      return pf_fail(error, PF_STOP,
                     "%.300s:%lld: the byte 0x%02X is no UTF-8, expected UTF-8 text; save the file "
                     "as \"CSV UTF-8\", or: iconv -f latin1 -t utf-8 %.300s >utf8.csv",
                     csv->path, (long long)csv->line, (unsigned)text[i], csv->path);
    }
    i += n;
  }
  return PF_OK;
}

/** Read the next row that is not blank. *got: 1, or 0 at the end of the file. */
static inline pf_status pf_csv_next(pf_csv *csv, int *got, pf_error *error)
{
  *got = 0;
  while (pf_csv_peek(csv) >= 0) {
    int end = (unsigned char)csv->separator;
    csv->line = csv->next_line;
    csv->length = 0;
    csv->n_fields = 0;
    csv->beyond_ascii = 0;
    while (end == csv->separator) {
      const pf_status status = pf_csv_take_field(csv, &end, error);
      if (status != PF_OK) {
        return status;
      }
    }
    csv->next_line += end == '\n';
    if (csv->n_fields > 1 || csv->row[0] != '\0') {
      *got = 1;
      return csv->beyond_ascii ? pf_csv_check_text(csv, error) : PF_OK;
    }
  }
  if (ferror(csv->file)) {
    return pf_fail(error, PF_STOP, "%.500s:%lld: cannot be read further: %s", csv->path,
                   (long long)csv->next_line, strerror(errno));
  }
  return PF_OK;
}

/** Has the row as many fields as the header? */
static inline pf_status pf_csv_check_width(const pf_csv *csv, size_t n_columns, pf_error *error)
{
  return csv->n_fields == n_columns
             ? PF_OK
             : pf_fail(error, PF_STOP, "%.500s:%lld: found %zu %s, expected %zu as in the header",
                       csv->path, (long long)csv->line, csv->n_fields,
                       csv->n_fields == 1 ? "cell" : "cells", n_columns);
}

static inline int pf_csv_same_word(const char *text, const char *word)
{
  for (; *text != '\0' && *word != '\0'; text++, word++) {
    const char c = *text >= 'A' && *text <= 'Z' ? (char)(*text - 'A' + 'a') : *text;
    if (c != *word) {
      return 0;
    }
  }
  return *text == *word;
}

/**
 * A cell as a number: 1 and *value, NaN where it is missing (empty, NaN, NA, n/a); 0 where it is no
 * number. Short decimals are worked out here, exactly (both parts of the quotient are), as strtod
 * would give them, but several times faster.
 */
static inline int pf_csv_number(const char *text, double *value)
{
  static const double tens[] = {1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
  const char *c = text;
  if (*c == '\0') {
    *value = (double)NAN;
    return 1;
  }
  const int negative = *c == '-';
  c += *c == '-' || *c == '+';
  int64_t digits = 0;
  int n = 0, behind = -1;
  for (; n < 15 && ((*c >= '0' && *c <= '9') || (*c == '.' && behind < 0)); c++) {
    if (*c == '.') {
      behind = 0;
      continue;
    }
    digits = 10 * digits + (*c - '0');
    behind += behind >= 0;
    n++;
  }
  if (*c == '\0' && n > 0) {
    const double whole = (double)digits / tens[behind > 0 ? behind : 0];
    *value = negative ? -whole : whole;
    return 1;
  }
  if (pf_csv_same_word(text, "nan") || pf_csv_same_word(text, "na") ||
      pf_csv_same_word(text, "n/a")) {
    *value = (double)NAN;
    return 1;
  }
  if (pf_csv_same_word(text, "inf") || pf_csv_same_word(text, "-inf")) {
    *value = text[0] == '-' ? -(double)INFINITY : (double)INFINITY;
    return 1;
  }
  if (strspn(text, "+-.0123456789eE") != strlen(text)) {
    return 0; /* strtod knows more: hexadecimal, "infinity" */
  }
  char *end = NULL;
  *value = strtod(text, &end);
  return end != text && *end == '\0';
}

#endif
