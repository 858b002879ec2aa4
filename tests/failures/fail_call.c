/*
 * LD_PRELOAD: the n-th call of one function fails, as on a machine that is out of memory or disk.
 *
 *     FAIL_CALL   alloc, fopen, fread, fwrite, fflush, fclose, open, read, write, close, rename,
 *                 fsync, mkdir, unlink, mmap, flock, stat, fork
 *     FAIL_N      which one, from 1
 *     FAIL_COUNT  a file to write the number of such calls to, at the end
 *
 * Only calls that plastfit and its plugins make count: what libraries do with a failure is theirs.
 */
#define _GNU_SOURCE

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static atomic_long calls;
static __thread int inside;

static int is_ours(const void *caller)
{
  Dl_info info;
  if (dladdr(caller, &info) == 0 || info.dli_fname == NULL) {
    return 0;
  }
  const char *slash = strrchr(info.dli_fname, '/');
  const char *name = slash == NULL ? info.dli_fname : slash + 1;
  return strncmp(name, "plastfit", 8) == 0 || strstr(info.dli_fname, "/plugins/") != NULL;
}

static int fails(const char *call, const void *caller)
{
  const char *wanted = getenv("FAIL_CALL");
  if (inside || wanted == NULL || strcmp(wanted, call) != 0) {
    return 0;
  }
  inside = 1;
  const char *n = getenv("FAIL_N");
  const int failing =
      is_ours(caller) && atomic_fetch_add(&calls, 1) + 1 == (n == NULL ? 0 : atol(n));
  inside = 0;
  return failing;
}

__attribute__((destructor)) static void write_count(void)
{
  const char *path = getenv("FAIL_COUNT");
  inside = 1;
  FILE *file = path == NULL ? NULL : fopen(path, "w");
  if (file != NULL) {
    (void)fprintf(file, "%ld\n", (long)calls);
    (void)fclose(file);
  }
}

/* the caller's address, and the function that stands behind ours */
#define FAILS(call) fails(call, __builtin_return_address(0))
#define REAL(name, type)                              \
  static __typeof__(type) real;                       \
  if (real == NULL) {                                 \
    real = (__typeof__(type))dlsym(RTLD_NEXT, #name); \
  }

/* dlsym itself allocates, so that the real ones of these are found by their other names */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);

void *malloc(size_t size)
{
  if (FAILS("alloc")) {
    errno = ENOMEM;
    return NULL;
  }
  return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
  if (FAILS("alloc")) {
    errno = ENOMEM;
    return NULL;
  }
  return __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
  if (FAILS("alloc")) {
    errno = ENOMEM;
    return NULL;
  }
  return __libc_realloc(old, size);
}

char *strdup(const char *text)
{
  const size_t size = strlen(text) + 1;
  char *copy = FAILS("alloc") ? NULL : __libc_malloc(size);
  if (copy == NULL) {
    errno = ENOMEM;
    return NULL;
  }
  return memcpy(copy, text, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
  REAL(aligned_alloc, void *(*)(size_t, size_t))
  if (FAILS("alloc")) {
    errno = ENOMEM;
    return NULL;
  }
  return real(alignment, size);
}

FILE *fopen(const char *path, const char *mode)
{
  REAL(fopen, FILE * (*)(const char *, const char *))
  if (FAILS("fopen")) {
    errno = EMFILE;
    return NULL;
  }
  return real(path, mode);
}

int fflush(FILE *file)
{
  REAL(fflush, int (*)(FILE *))
  if (FAILS("fflush")) {
    errno = ENOSPC;
    return EOF;
  }
  return real(file);
}

int fclose(FILE *file)
{
  REAL(fclose, int (*)(FILE *))
  const int failing = FAILS("fclose");
  const int closed = real(file);
  if (failing) {
    errno = EIO;
    return EOF;
  }
  return closed;
}

int open(const char *path, int flags, ...)
{
  REAL(open, int (*)(const char *, int, ...))
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(arguments, mode_t) : 0;
  va_end(arguments);
  if (FAILS("open")) {
    errno = EMFILE;
    return -1;
  }
  return real(path, flags, mode);
}

ssize_t read(int descriptor, void *bytes, size_t n)
{
  REAL(read, ssize_t(*)(int, void *, size_t))
  if (FAILS("read")) {
    errno = EIO;
    return -1;
  }
  return real(descriptor, bytes, n);
}

ssize_t write(int descriptor, const void *bytes, size_t n)
{
  REAL(write, ssize_t(*)(int, const void *, size_t))
  if (FAILS("write")) {
    errno = ENOSPC;
    return -1;
  }
  return real(descriptor, bytes, n);
}

int close(int descriptor)
{
  REAL(close, int (*)(int))
  const int failing = FAILS("close");
  const int closed = real(descriptor);
  if (failing) {
    errno = EIO;
    return -1;
  }
  return closed;
}

int rename(const char *from, const char *to)
{
  REAL(rename, int (*)(const char *, const char *))
  if (FAILS("rename")) {
    errno = EACCES;
    return -1;
  }
  return real(from, to);
}

int fsync(int descriptor)
{
  REAL(fsync, int (*)(int))
  if (FAILS("fsync")) {
    errno = EIO;
    return -1;
  }
  return real(descriptor);
}

int mkdir(const char *path, mode_t mode)
{
  REAL(mkdir, int (*)(const char *, mode_t))
  if (FAILS("mkdir")) {
    errno = ENOSPC;
    return -1;
  }
  return real(path, mode);
}

int unlink(const char *path)
{
  REAL(unlink, int (*)(const char *))
  if (FAILS("unlink")) {
    errno = EACCES;
    return -1;
  }
  return real(path);
}

/* A function that sets errno and returns -1 (or NULL, or MAP_FAILED) when it fails. */
#define FAILING(call, reason, type, failed, name, declared, given) \
  type name declared                                               \
  {                                                                \
    REAL(name, type(*) declared)                                   \
    if (FAILS(call)) {                                             \
      errno = reason;                                              \
      return failed;                                               \
    }                                                              \
    return real given;                                             \
  }

FAILING("unlink", EACCES, int, -1, unlinkat, (int folder, const char *path, int flags),
        (folder, path, flags))
FAILING("unlink", EACCES, int, -1, rmdir, (const char *path), (path))
FAILING("rename", EACCES, int, -1, renameat2,
        (int from_folder, const char *from, int to_folder, const char *to, unsigned flags),
        (from_folder, from, to_folder, to, flags))
FAILING("open", EMFILE, DIR *, NULL, opendir, (const char *path), (path))
FAILING("open", EMFILE, DIR *, NULL, fdopendir, (int descriptor), (descriptor))
FAILING("flock", ENOLCK, int, -1, flock, (int descriptor, int how), (descriptor, how))
FAILING("fork", EAGAIN, pid_t, -1, fork, (void), ())
FAILING("fork", EMFILE, int, -1, pipe, (int ends[2]), (ends))
FAILING("stat", EACCES, int, -1, stat, (const char *path, struct stat *out), (path, out))
FAILING("stat", EACCES, int, -1, lstat, (const char *path, struct stat *out), (path, out))
FAILING("stat", EIO, int, -1, fstat, (int descriptor, struct stat *out), (descriptor, out))
FAILING("stat", EACCES, int, -1, fstatat,
        (int folder, const char *path, struct stat *out, int flags), (folder, path, out, flags))
FAILING("mmap", ENOMEM, void *, MAP_FAILED, mmap,
        (void *at, size_t size, int how, int flags, int descriptor, off_t offset),
        (at, size, how, flags, descriptor, offset))
/* a stream remembers that it failed */
static void mark_failed(FILE *file)
{
  const int error_seen = 0x20; /* glibc's _IO_ERR_SEEN */
  file->_flags |= error_seen;
}

size_t fread(void *out, size_t size, size_t n, FILE *file)
{
  REAL(fread, size_t(*)(void *, size_t, size_t, FILE *))
  if (FAILS("fread")) {
    mark_failed(file);
    errno = EIO;
    return 0;
  }
  return real(out, size, n, file);
}

size_t fwrite(const void *from, size_t size, size_t n, FILE *file)
{
  REAL(fwrite, size_t(*)(const void *, size_t, size_t, FILE *))
  if (FAILS("fwrite")) {
    mark_failed(file);
    errno = ENOSPC;
    return 0;
  }
  return real(from, size, n, file);
}

int openat(int folder, const char *path, int flags, ...)
{
  REAL(openat, int (*)(int, const char *, int, ...))
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(arguments, mode_t) : 0;
  va_end(arguments);
  if (FAILS("open")) {
    errno = EMFILE;
    return -1;
  }
  return real(folder, path, flags, mode);
}
