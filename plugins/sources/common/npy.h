/* The header of a .npy array (numpy's format, versions 1 to 3), and its cells as numbers or text.
 */
#ifndef PLASTFIT_PLUGINS_SOURCES_NPY_H
#define PLASTFIT_PLUGINS_SOURCES_NPY_H

#include "container.h"

/** Bytes of a file from its start that hold the header of any array we take. */
enum { NPY_MAX_HEADER = 65536 };

typedef struct npy_header {
  char kind;       /**< 'f', 'i', 'u', 'b' numbers; 'U', 'S' text */
  int big_endian;  /**< bytes of a cell, most significant first */
  int fortran;     /**< columns lie one behind the other */
  int64_t item;    /**< bytes of a cell */
  int64_t rows;    /**< first dimension; 1 of an array without dimensions */
  int64_t columns; /**< product of the others */
  int n_dims;
  int64_t sizes[3]; /**< of each dimension, of the first three */
  size_t data;      /**< where the cells start */
} npy_header;

/**
 * From the first `length` bytes of an array that has `size` bytes in all (headers longer than
 * NPY_MAX_HEADER are refused). `name` stands for it in messages: "own.npz: array 'x'". Errors: no
 * .npy, another version, a type of cell that is no number and no text, more than three
 * dimensions, dimensions that do not come to the size.
 */
pf_status npy_read_header(const char *name, const unsigned char *bytes, size_t length,
                          uint64_t size, npy_header *out, pf_error *error);
int npy_is_number(const npy_header *header);
/** Where cell (row, column) lies in the array's cells. */
size_t npy_offset(const npy_header *header, int64_t row, int64_t column);
/** A cell as a number; `cell` points at its bytes. */
double npy_number(const npy_header *header, const unsigned char *cell);
/** A cell as text (UTF-8; numbers that are whole as such), cut at `capacity`. 0: it is not one (a
 * fraction, NaN). */
int npy_text(const npy_header *header, const unsigned char *cell, char *text, size_t capacity);

/** Add an array whose header was read; *why: empty, or why it cannot be used. */
pf_status npy_add(container *of, const char *name, const npy_header *header, const char *why,
                  int64_t at, pf_error *error);
/** All cells, [rows][columns], from the bytes of an array behind its header. */
void npy_numbers(const npy_header *header, const unsigned char *cells, double *out);
pf_status npy_texts(const pf_host *host, const npy_header *header, const unsigned char *cells,
                    char **out, pf_error *error);

#endif
