#define _POSIX_C_SOURCE 200809L

/* The one file that includes ltdl.h. */
#include "core/plugin/loader.h"

#include "core/plugin/trial.h"

#include <dlfcn.h>
#include <ltdl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#ifdef __linux__
#include <elf.h>
#include <link.h>
#define PF_HAS_ELF
#endif

/** libltdl's last words, which the next call would overwrite. */
static void last_words(char *text, size_t capacity)
{
  const char *words = lt_dlerror();
  (void)snprintf(text, capacity, "%s", words == NULL ? "libltdl does not say why" : words);
}

/* ---- the system's loader ---- */

/**
 * libltdl binds functions when they are first called: a plugin that calls one that nobody has would
 * load, and end the program in the middle of a fit. So its loader opens with RTLD_NOW here; such a
 * plugin is refused like any other.
 */
static lt_module open_now(lt_user_data data, const char *file, lt_dladvise advise)
{
  (void)data;
  (void)advise;
  return dlopen(file, RTLD_NOW | RTLD_LOCAL);
}

/** Once per lt_dlinit: no module may be open yet. */
static pf_status bind_at_once(pf_error *error)
{
  static const char *const name = "lt_dlopen";
  const lt_dlvtable *found = lt_dlloader_find(name);
  if (found == NULL || found->module_open == open_now) {
    return PF_OK; /* a libltdl without dlopen has loaders that bind when they load */
  }
  lt_dlvtable *calls =
      lt_dlloader_remove(name); /* ours until it is added again; lt_dlexit frees it */
  if (calls != NULL) {
    calls->module_open = open_now;
  }
  if (calls == NULL || lt_dlloader_add(calls) != 0) {
    char words[512];
    last_words(words, sizeof words);
    return pf_fail(error, PF_STOP, "libltdl's loader cannot be set up: %s", words);
  }
  return PF_OK;
}

/* ---- before it is opened ---- */

#ifdef PF_HAS_ELF
/** Is every part that the headers name inside the file? */
static bool is_whole_elf(FILE *file, uint64_t size)
{
  ElfW(Ehdr) head;
  if (fread(&head, sizeof head, 1, file) != 1 || memcmp(head.e_ident, ELFMAG, SELFMAG) != 0 ||
      head.e_phentsize != sizeof(ElfW(Phdr)) || head.e_phoff > size ||
      head.e_phnum > (size - head.e_phoff) / sizeof(ElfW(Phdr))) {
    return false;
  }
  /* a linker writes the table of sections last, so a file that was cut short lacks it */
  if (head.e_shoff > size || head.e_shnum > (size - head.e_shoff) / sizeof(ElfW(Shdr)) ||
      fseek(file, (long)head.e_phoff, SEEK_SET) != 0) {
    return false;
  }
  for (size_t i = 0; i < head.e_phnum; i++) {
    ElfW(Phdr) part;
    if (fread(&part, sizeof part, 1, file) != 1 || part.p_offset > size ||
        (part.p_type == PT_LOAD && part.p_filesz > size - part.p_offset)) {
      return false;
    }
  }
  return true;
}
#endif

/** The system's loader does not look: a shared object that was cut short ends the program with
 * SIGBUS. True too where nothing can be said (another system, no such file). */
static bool is_whole(const char *object)
{
#ifdef PF_HAS_ELF
  FILE *file = fopen(object, "rb");
  struct stat about;
  if (file == NULL) {
    return true;
  }
  const bool whole = fstat(fileno(file), &about) != 0 || !S_ISREG(about.st_mode) ||
                     is_whole_elf(file, (uint64_t)about.st_size);
  (void)fclose(file);
  return whole;
#else
  (void)object;
  return true;
#endif
}

/** The shared object that libltdl opens for `file`, which may be libtool's text file. */
static void object_of(const char *file, char *object, size_t capacity)
{
  size_t length = strlen(file);
  bool archive = length > 3 && strcmp(file + length - 3, ".la") == 0;
  const char *slash = strrchr(file, '/');
  const char *name = slash == NULL ? file : slash + 1;
  if (!archive) {
    (void)snprintf(object, capacity, "%s", file);
    return;
  }
  /* in .libs in a build tree, and beside it once installed */
  (void)snprintf(object, capacity, "%.*s.libs/%.*s.so", (int)(name - file), file,
                 (int)(strlen(name) - 3), name);
  if (access(object, F_OK) != 0) {
    (void)snprintf(object, capacity, "%.*s.so", (int)(length - 3), file);
  }
}

/** lt_dlopen says "file not found" of whatever the system's loader refuses; asked again, that
 * repeats what it said. */
static void ask_again(const char *file, char *words, size_t capacity)
{
  char object[4096];
  object_of(file, object, sizeof object);
  void *opened = open_now(NULL, object, NULL);
  const char *said = opened == NULL ? dlerror() : NULL;
  if (opened != NULL) {
    (void)dlclose(opened);
  } else if (said != NULL) {
    (void)snprintf(words, capacity, "%s", said);
  }
}

#if defined(__GNUC__)
/* What libtool made of `-dlpreopen` when it linked this program; absent in a program that preloads
 * nothing. */
extern const lt_dlsymlist lt__PROGRAM__LTX_preloaded_symbols[] __attribute__((weak));
#define PRELOADED lt__PROGRAM__LTX_preloaded_symbols
#else
#define PRELOADED ((const lt_dlsymlist *)NULL)
#endif

pf_status pf_loader_start(pf_error *error)
{
  if ((PRELOADED != NULL && lt_dlpreload_default(PRELOADED) != 0) || lt_dlinit() != 0) {
    char words[512];
    last_words(words, sizeof words);
    return pf_fail(error, PF_STOP, "libltdl cannot be started: %s", words);
  }
  const pf_status status = bind_at_once(error);
  if (status != PF_OK) {
    (void)lt_dlexit();
  }
  return status;
}

const char *pf_loader_preloaded(size_t index)
{
  /* first the program itself, then for each archive its name without an address and its symbols
   * with theirs */
  for (const lt_dlsymlist *item = PRELOADED; item != NULL && item->name != NULL; item++) {
    const size_t length = strlen(item->name);
    const bool archive =
        item->address == NULL && length > 2 && strcmp(item->name + length - 2, ".a") == 0;
    if (archive && index-- == 0) {
      return item->name;
    }
  }
  return NULL;
}

void pf_loader_stop(void)
{
  (void)lt_dlexit();
}

pf_status pf_loader_try(const char *file, pf_error *error)
{
  char object[4096];
  object_of(file, object, sizeof object);
  return is_whole(object) ? pf_plugin_trial(object, file, error)
                          : PF_OK; /* said when it is opened */
}

pf_status pf_loader_open(const char *file, void **handle, const pf_plugin **plugin, pf_error *error)
{
  char words[512];
  char object[4096];
  object_of(file, object, sizeof object);
  if (!is_whole(object)) {
    return pf_fail(error, PF_STOP,
                   "%s: cannot be loaded: it is no whole shared object (cut short, or something "
                   "else); build it again",
                   file);
  }
  (void)lt_dlerror(); /* forget what an earlier call left */
  lt_dlhandle opened = lt_dlopen(file);
  if (opened == NULL) {
    last_words(words, sizeof words);
    ask_again(file, words, sizeof words);
    return pf_fail(error, PF_STOP, "%s: cannot be loaded (%s): %s", file, words,
                   strstr(words, "undefined symbol") != NULL
                       ? "write that function, or link what has it (-lm, ...; ldd -r shows all "
                         "that are missing)"
                       : "rebuild it for this machine, or install what it needs (ldd shows that)");
  }
  void *symbol = lt_dlsym(opened, "pf_plugin_entry");
  if (symbol == NULL) {
    last_words(words, sizeof words);
    (void)lt_dlclose(opened);
    return pf_fail(error, PF_STOP,
                   "%s: exports no plugin (%s): define PF_PLUGIN_ENTRY(name) with the file's own "
                   "name, without suffix",
                   file, words);
  }
  /* C has no conversion from an object pointer to a function's; POSIX asks for this one to work */
  pf_plugin_entry entry;
  memcpy(&entry, &symbol, sizeof entry);
  const pf_plugin *found = entry();
  if (found == NULL) {
    (void)lt_dlclose(opened);
    return pf_fail(error, PF_STOP,
                   "%s: its entry function returned no descriptor: a mistake in the plugin", file);
  }
  *handle = opened;
  *plugin = found;
  return PF_OK;
}

void pf_loader_close(void *handle)
{
  if (handle != NULL) {
    (void)lt_dlclose(handle);
  }
}
