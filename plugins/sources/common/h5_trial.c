#define _POSIX_C_SOURCE 200809L /* fork */

#include "h5_trial.h"

#include <errno.h>
#include <hdf5.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/** Texts of a dataset (is_set) or an attribute: read, and looked at to their end. */
static void look_at_texts(hid_t object, int is_set)
{
  const hid_t type = is_set ? H5Dget_type(object) : H5Aget_type(object);
  const hid_t space = is_set ? H5Dget_space(object) : H5Aget_space(object);
  const hssize_t n = space < 0 ? 0 : H5Sget_simple_extent_npoints(space);
  if (type >= 0 && H5Tis_variable_str(type) > 0 && n > 0 && n < INT32_MAX) {
    char **texts = calloc((size_t)n, sizeof *texts);
    if (texts != NULL && (is_set ? H5Dread(object, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, texts)
                                 : H5Aread(object, type, texts)) >= 0) {
      size_t length = 0;
      for (hssize_t k = 0; k < n; k++) {
        length += texts[k] == NULL ? 0 : strlen(texts[k]);
      }
      volatile size_t seen = length; /* so that they are read */
      (void)seen;
    }
    free(texts);
  }
}

static herr_t look_at_attribute(hid_t object, const char *name, const H5A_info_t *info, void *data)
{
  (void)info;
  (void)data;
  const hid_t attribute = H5Aopen(object, name, H5P_DEFAULT);
  if (attribute >= 0) {
    look_at_texts(attribute, 0);
    (void)H5Aclose(attribute);
  }
  return 0;
}

static herr_t look_at_object(hid_t group, const char *name, const H5O_info_t *info, void *data)
{
  const hid_t object = H5Oopen(group, name, H5P_DEFAULT);
  if (object < 0) {
    return 0;
  }
  if (info->type == H5O_TYPE_DATASET) {
    look_at_texts(object, 1);
  }
  (void)H5Aiterate2(object, H5_INDEX_NAME, H5_ITER_INC, NULL, look_at_attribute, data);
  (void)H5Oclose(object);
  return 0;
}

/** In the child, which does not come back. It says on `done` that it is through, and ends by a
 * signal: plastfit does not let a plugin call exit. */
static void look_at_file(const char *path, int done)
{
  static const int ends[] = {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL, SIGALRM};
  const struct rlimit none = {0, 0};
  for (size_t k = 0; k < sizeof ends / sizeof ends[0]; k++) {
    (void)signal(ends[k], SIG_DFL);
  }
  (void)setrlimit(RLIMIT_CORE, &none);
  (void)alarm(60);
  const hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
  if (file >= 0) {
    (void)H5Ovisit(file, H5_INDEX_NAME, H5_ITER_INC, look_at_object, NULL);
  }
  const char through = 1;
  while (write(done, &through, 1) < 0 && errno == EINTR) {
  }
  (void)kill(getpid(), SIGKILL);
}

/** Did the child say that it was through? It ends in any case. */
static int wait_for_child(pid_t child, int done)
{
  char through = 0;
  ssize_t got = read(done, &through, 1);
  while (got < 0 && errno == EINTR) {
    got = read(done, &through, 1);
  }
  while (waitpid(child, NULL, 0) < 0 && errno == EINTR) {
  }
  return got == 1;
}

int h5_survives(const char *path)
{
  int ends[2];
  if (pipe(ends) != 0) {
    return 1; /* as without the trial */
  }
  const pid_t child = fork();
  if (child == 0) {
    (void)close(ends[0]);
    look_at_file(path, ends[1]);
  }
  (void)close(ends[1]);
  const int survives = child < 0 || wait_for_child(child, ends[0]);
  (void)close(ends[0]);
  return survives;
}
