#define _GNU_SOURCE /* dl_iterate_phdr, dladdr */

#include "core/conformance/watch.h"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* The counters stand in for functions that are given no argument of ours. They count in a child
 * only. */
static cf_watch counted;

cf_watch cf_watch_now(void)
{
  return counted;
}

static void *counted_pointer(void *pointer)
{
  counted.n_allocations++;
  counted.n_live += pointer != NULL;
  return pointer;
}

static void *count_malloc(size_t bytes)
{
  return counted_pointer(malloc(bytes));
}

static void *count_calloc(size_t n, size_t bytes)
{
  return counted_pointer(calloc(n, bytes));
}

static void *count_realloc(void *old, size_t bytes)
{
  void *fresh = realloc(old, bytes);
  counted.n_allocations++;
  counted.n_live += old == NULL && fresh != NULL;
  return fresh;
}

static void *count_aligned_alloc(size_t alignment, size_t bytes)
{
  return counted_pointer(aligned_alloc(alignment, bytes));
}

static int count_posix_memalign(void **out, size_t alignment, size_t bytes)
{
  const int failed = posix_memalign(out, alignment, bytes);
  (void)counted_pointer(failed ? NULL : *out);
  return failed;
}

static char *count_strdup(const char *text)
{
  return counted_pointer(strdup(text));
}

static void count_free(void *pointer)
{
  counted.n_live -= pointer != NULL;
  free(pointer);
}

static int count_rand(void)
{
  counted.n_random++;
  return rand();
}

static long count_random(void)
{
  counted.n_random++;
  return random();
}

static double count_drand48(void)
{
  counted.n_random++;
  return drand48();
}

static FILE *count_fopen(const char *path, const char *mode)
{
  counted.n_files++;
  return fopen(path, mode);
}

#if defined(__LP64__) && (defined(__x86_64__) || defined(__aarch64__))

typedef void (*any_function)(void);
static const struct {
  const char *name;
  any_function counter;
} counters[] = {{"malloc", (any_function)count_malloc},
                {"calloc", (any_function)count_calloc},
                {"realloc", (any_function)count_realloc},
                {"aligned_alloc", (any_function)count_aligned_alloc},
                {"posix_memalign", (any_function)count_posix_memalign},
                {"strdup", (any_function)count_strdup},
                {"free", (any_function)count_free},
                {"rand", (any_function)count_rand},
                {"random", (any_function)count_random},
                {"drand48", (any_function)count_drand48},
                {"fopen", (any_function)count_fopen}};

/** The shared object that a descriptor lies in. */
typedef struct module {
  const void *inside; /**< the descriptor */
  const ElfW(Phdr) * headers;
  ElfW(Addr) base;
  size_t n_headers;
  bool is_program; /**< linked into the program: then the calls would be ours as well */
} module;

static int find_module(struct dl_phdr_info *info, size_t size, void *out)
{
  module *m = out;
  (void)size;
  for (size_t i = 0; i < info->dlpi_phnum; i++) {
    const ElfW(Phdr) *header = &info->dlpi_phdr[i];
    const ElfW(Addr) start = info->dlpi_addr + header->p_vaddr,
                     at = (ElfW(Addr))(uintptr_t)m->inside;
    if (header->p_type == PT_LOAD && at >= start && at < start + header->p_memsz) {
      m->headers = info->dlpi_phdr;
      m->n_headers = info->dlpi_phnum;
      m->base = info->dlpi_addr;
      m->is_program = info->dlpi_name == NULL || info->dlpi_name[0] == '\0';
      return 1;
    }
  }
  return 0;
}

static bool module_of(const pf_plugin *plugin, module *out)
{
  *out = (module){.inside = plugin};
  return dl_iterate_phdr(find_module, out) != 0 && !out->is_program;
}

/** Tables of a shared object that name the addresses it calls. */
typedef struct relocations {
  const ElfW(Sym) * symbols;
  const char *strings;
  const ElfW(Rela) * tables[2];
  size_t counts[2];
} relocations;

/** The value of an entry of the dynamic section, 0 where there is none. */
static ElfW(Addr) dynamic_value(const module *m, ElfW(Sxword) tag)
{
  const ElfW(Dyn) *entry = NULL;
  for (size_t i = 0; i < m->n_headers; i++) {
    if (m->headers[i].p_type == PT_DYNAMIC) {
      entry = (const ElfW(Dyn) *)(uintptr_t)(m->base + m->headers[i].p_vaddr);
    }
  }
  while (entry != NULL && entry->d_tag != DT_NULL && entry->d_tag != tag) {
    entry++;
  }
  return entry == NULL || entry->d_tag == DT_NULL ? 0 : entry->d_un.d_val;
}

static void *dynamic_table(const module *m, ElfW(Sxword) tag)
{
  const ElfW(Addr) value = dynamic_value(m, tag);
  /* glibc has put the base in already; others have not */
  return value == 0 ? NULL : (void *)(uintptr_t)(value < m->base ? m->base + value : value);
}

static relocations relocations_of(const module *m)
{
  return (relocations){.symbols = dynamic_table(m, DT_SYMTAB),
                       .strings = dynamic_table(m, DT_STRTAB),
                       .tables = {dynamic_table(m, DT_RELA), dynamic_table(m, DT_JMPREL)},
                       .counts = {dynamic_value(m, DT_RELASZ) / sizeof(ElfW(Rela)),
                                  dynamic_value(m, DT_PLTRELSZ) / sizeof(ElfW(Rela))}};
}

static any_function counter_of(const char *name)
{
  for (size_t k = 0; k < sizeof counters / sizeof counters[0]; k++) {
    if (strcmp(name, counters[k].name) == 0) {
      return counters[k].counter;
    }
  }
  return NULL;
}

static bool point_to(void *slot, any_function counter)
{
  const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
  void *start = (void *)((uintptr_t)slot / page * page);
  if (mprotect(start, page, PROT_READ | PROT_WRITE) != 0) {
    return false;
  }
  memcpy(slot, &counter, sizeof counter);
  return true;
}

bool cf_watch_start(const pf_plugin *plugin)
{
  module m;
  if (!module_of(plugin, &m)) {
    return false;
  }
  const relocations found = relocations_of(&m);
  if (found.symbols == NULL || found.strings == NULL) {
    return false;
  }
  for (int t = 0; t < 2; t++) {
    const size_t n = found.tables[t] == NULL ? 0 : found.counts[t];
    for (size_t i = 0; i < n; i++) {
      const ElfW(Rela) *r = &found.tables[t][i];
      const any_function counter =
          counter_of(found.strings + found.symbols[ELF64_R_SYM(r->r_info)].st_name);
      if (counter != NULL && !point_to((void *)(uintptr_t)(m.base + r->r_offset), counter)) {
        return false;
      }
    }
  }
  return true;
}

/** Writable data of the object: start and bytes of its i-th piece; false past the last. */
static bool writable_piece(const module *m, size_t i, const char **start, size_t *bytes)
{
  for (size_t h = 0; h < m->n_headers; h++) {
    const ElfW(Phdr) *header = &m->headers[h];
    if (header->p_type == PT_LOAD && (header->p_flags & PF_W) != 0 && i-- == 0) {
      *start = (const char *)(uintptr_t)(m->base + header->p_vaddr);
      *bytes = header->p_memsz;
      return true;
    }
  }
  return false;
}

/*
 * A plugin's data as they lie, with what a sanitizer puts between its variables: by bytes, since
 * a sanitizer stops memcpy and memcmp from reading that, and volatile, so that no compiler makes
 * those of a loop.
 */
__attribute__((no_sanitize("address"))) static void copy_bytes(const char *from, size_t n, char *to)
{
  const volatile char *at = from;
  for (size_t i = 0; i < n; i++) {
    to[i] = at[i];
  }
}

__attribute__((no_sanitize("address"))) static bool same_bytes(const char *a, const char *b,
                                                               size_t n)
{
  const volatile char *at = b;
  bool same = true;
  for (size_t i = 0; i < n && same; i++) {
    same = a[i] == at[i];
  }
  return same;
}

char *cf_statics_copy(const pf_plugin *plugin)
{
  module m;
  const char *start;
  size_t bytes, total = 0;
  if (!module_of(plugin, &m)) {
    return NULL;
  }
  for (size_t i = 0; writable_piece(&m, i, &start, &bytes); i++) {
    total += bytes;
  }
  char *copy = malloc(total + 1), *to = copy;
  for (size_t i = 0; copy != NULL && writable_piece(&m, i, &start, &bytes); i++) {
    copy_bytes(start, bytes, to);
    to += bytes;
  }
  return copy;
}

bool cf_statics_same(const pf_plugin *plugin, const char *before)
{
  module m;
  const char *start;
  size_t bytes;
  bool same = true;
  if (before == NULL || !module_of(plugin, &m)) {
    return true;
  }
  for (size_t i = 0; same && writable_piece(&m, i, &start, &bytes); i++) {
    same = same_bytes(before, start, bytes);
    before += bytes;
  }
  return same;
}

#else

bool cf_watch_start(const pf_plugin *plugin)
{
  (void)plugin;
  return false;
}

char *cf_statics_copy(const pf_plugin *plugin)
{
  (void)plugin;
  return NULL;
}

bool cf_statics_same(const pf_plugin *plugin, const char *before)
{
  (void)plugin;
  (void)before;
  return true;
}

#endif
