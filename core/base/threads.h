/* The number of this thread in its OpenMP team, 0 without OpenMP. */
#ifndef PLASTFIT_CORE_BASE_THREADS_H
#define PLASTFIT_CORE_BASE_THREADS_H

#ifdef _OPENMP
#include <omp.h>
#endif

static inline int pf_this_thread(void)
{
#ifdef _OPENMP
  return omp_get_thread_num();
#else
  return 0;
#endif
}

#endif
