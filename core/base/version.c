#include <plastfit/plastfit.h>

const char *pf_version(void)
{
  return PF_VERSION;
}

size_t pf_version_real_bytes(void)
{
  return sizeof(pf_real);
}
