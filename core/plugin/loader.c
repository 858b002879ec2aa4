/* The one file that includes ltdl.h. */
#include "core/plugin/loader.h"

#include <ltdl.h>
#include <string.h>

/** libltdl's last words, which the next call would overwrite. */
static void last_words(char *text, size_t capacity)
{
  const char *words = lt_dlerror();
  (void)snprintf(text, capacity, "%s", words == NULL ? "libltdl does not say why" : words);
}

pf_status pf_loader_start(pf_error *error)
{
  if (lt_dlinit() != 0) {
    char words[512];
    last_words(words, sizeof words);
    return pf_fail(error, PF_STOP, "libltdl cannot be started: %s", words);
  }
  return PF_OK;
}

void pf_loader_stop(void)
{
  (void)lt_dlexit();
}

pf_status pf_loader_open(const char *file, void **handle, const pf_plugin **plugin, pf_error *error)
{
  char words[512];
  (void)lt_dlerror(); /* forget what an earlier call left */
  lt_dlhandle opened = lt_dlopen(file);
  if (opened == NULL) {
    last_words(words, sizeof words);
    /* libltdl says "file not found" of whatever the system's loader refuses */
    return pf_fail(error, PF_STOP,
                   "%s: cannot be loaded (%s): it was built for another machine, or a library or symbol that it needs "
                   "is missing (ldd -r shows which)",
                   file, words);
  }
  void *symbol = lt_dlsym(opened, "pf_plugin_entry");
  if (symbol == NULL) {
    last_words(words, sizeof words);
    (void)lt_dlclose(opened);
    return pf_fail(error, PF_STOP,
                   "%s: exports no plugin (%s): define PF_PLUGIN_ENTRY(name) with the file's own name, without suffix",
                   file, words);
  }
  /* C has no conversion from an object pointer to a function's; POSIX asks for this one to work */
  pf_plugin_entry entry;
  memcpy(&entry, &symbol, sizeof entry);
  const pf_plugin *found = entry();
  if (found == NULL) {
    (void)lt_dlclose(opened);
    return pf_fail(error, PF_STOP, "%s: its entry function returned no descriptor: a mistake in the plugin", file);
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
