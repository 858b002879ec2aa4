#define _GNU_SOURCE /* renameat2 */
#include "core/base/put_in_place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* To the disk. A file system that cannot (EINVAL) has nothing to wait for. */
static int sync_file(const char *path)
{
  const int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) {
    return -1;
  }
  const int synced = fsync(file) == 0 || errno == EINVAL ? 0 : -1;
  const int reason = errno;
  (void)close(file);
  errno = reason;
  return synced;
}

pf_status pf_put_in_place(const char *part, const char *path, pf_error *error)
{
  if ((access(path, F_OK) != 0 || sync_file(part) == 0) && rename(part, path) == 0) {
    return PF_OK;
  }
  const int reason = errno;
  (void)unlink(part);
  return pf_fail(error, PF_STOP, "cannot write '%.500s': %s", path, strerror(reason));
}

bool pf_put_in_free_place(const char *part, const char *path)
{
  if (renameat2(AT_FDCWD, part, AT_FDCWD, path, RENAME_NOREPLACE) == 0) {
    return true;
  }
  if (errno != EINVAL && errno != ENOSYS && errno != ENOTSUP) {
    return false;
  }
  if (access(path, F_OK) == 0) {
    errno = EEXIST;
    return false;
  }
  return rename(part, path) == 0;
}
