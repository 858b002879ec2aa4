#define _POSIX_C_SOURCE 200809L

#include "core/base/memory_limit.h"

#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

/** Bytes of address space in use; 0: not known (no Linux). */
static unsigned long long used_bytes(void)
{
  unsigned long long pages = 0;
  FILE *file = fopen("/proc/self/statm", "r");
  if (file == NULL) {
    return 0;
  }
  const int n = fscanf(file, "%llu", &pages);
  (void)fclose(file);
  const long size = sysconf(_SC_PAGESIZE);
  return n == 1 && size > 0 ? pages * (unsigned long long)size : 0;
}

pf_memory_limit pf_memory_limit_begin(size_t bytes)
{
  pf_memory_limit limit = {.is_set = false};
  struct rlimit now;
  const unsigned long long used = used_bytes();
  if (used == 0 || getrlimit(RLIMIT_AS, &now) != 0) {
    return limit;
  }
  const unsigned long long most = used + bytes;
  if (now.rlim_cur != RLIM_INFINITY && now.rlim_cur <= most) {
    return limit;
  }
  limit.before = now.rlim_cur;
  now.rlim_cur = (rlim_t)most;
  limit.is_set = setrlimit(RLIMIT_AS, &now) == 0;
  return limit;
}

void pf_memory_limit_end(const pf_memory_limit *limit)
{
  struct rlimit now;
  if (limit->is_set && getrlimit(RLIMIT_AS, &now) == 0) {
    now.rlim_cur = (rlim_t)limit->before;
    (void)setrlimit(RLIMIT_AS, &now);
  }
}
