dnl PF_CHOOSE_PRECISION
dnl --with-precision=single|double: what pf_real is. Each precision installs beside the other.
AC_DEFUN([PF_CHOOSE_PRECISION], [
  AC_ARG_WITH([precision], [AS_HELP_STRING([--with-precision=single|double], [type of arrays [double]])],
    [], [with_precision=double])
  AS_CASE([$with_precision],
    [double], [PF_PRECISION_CPPFLAGS=],
    [single], [PF_PRECISION_CPPFLAGS=-DPF_SINGLE=1
      dnl the program of the second precision must not replace that of the first
      test "$program_transform_name" = "s,x,x," && program_transform_name='s,^plastfit$$,plastfit-single,'],
    [AC_MSG_ERROR([--with-precision is single or double, not $with_precision])])
  AC_SUBST([PF_PRECISION], [$with_precision])
  AC_SUBST([PF_PRECISION_CPPFLAGS])
  AM_CONDITIONAL([SINGLE], [test "$with_precision" = single])
])

dnl PF_COMPILER_FLAGS
dnl What every file is compiled with, beside the user's CFLAGS. Never -ffast-math: NaN marks missing data, and sums
dnl are taken in a stated order. Binaries are for the baseline of the machine's family (faster variants are chosen at
dnl run time, plastfit/author/simd.h), unless --enable-native.
AC_DEFUN([PF_COMPILER_FLAGS], [
  AC_ARG_ENABLE([werror], [AS_HELP_STRING([--disable-werror], [let warnings pass])], [], [enable_werror=yes])
  AC_ARG_ENABLE([native], [AS_HELP_STRING([--enable-native], [compile for this machine only])], [], [enable_native=no])
  PF_CFLAGS="-std=c11 -fno-math-errno -fno-trapping-math -ffp-contract=fast -fvisibility=hidden"
  AS_VAR_IF([enable_native], [yes], [PF_CFLAGS="$PF_CFLAGS -march=native -DPF_NATIVE=1"])
  PF_WARNINGS="-Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wstrict-prototypes"
  AS_VAR_IF([enable_werror], [no], [], [PF_WARNINGS="$PF_WARNINGS -Werror"])
  dnl gcc guesses which texts might be cut, by -O level; ours are cut at their capacity on purpose.
  dnl clang warns where it did not vectorise a loop under `omp simd`; that is a question of speed, for the benchmarks
  AC_MSG_CHECKING([whether the compiler is clang])
  AC_PREPROC_IFELSE([AC_LANG_SOURCE([[
#ifndef __clang__
#error no
#endif]])],
    [AC_MSG_RESULT([yes]); PF_WARNINGS="$PF_WARNINGS -Wno-pass-failed"],
    [AC_MSG_RESULT([no]); PF_WARNINGS="$PF_WARNINGS -Wno-format-truncation"])
  AC_SUBST([PF_CFLAGS])
  AC_SUBST([PF_WARNINGS])
])

dnl PF_SANITIZERS
AC_DEFUN([PF_SANITIZERS], [
  AC_ARG_ENABLE([asan], [AS_HELP_STRING([--enable-asan], [address sanitizer])], [], [enable_asan=no])
  AC_ARG_ENABLE([ubsan], [AS_HELP_STRING([--enable-ubsan], [undefined behaviour sanitizer])], [], [enable_ubsan=no])
  AC_ARG_ENABLE([tsan], [AS_HELP_STRING([--enable-tsan], [thread sanitizer; use clang, gcc's OpenMP confuses it])],
    [], [enable_tsan=no])
  pf_sanitizers=
  AS_VAR_IF([enable_asan], [yes], [pf_sanitizers="$pf_sanitizers -fsanitize=address"])
  AS_VAR_IF([enable_ubsan], [yes],
    [pf_sanitizers="$pf_sanitizers -fsanitize=undefined -fno-sanitize-recover=undefined"])
  AS_VAR_IF([enable_tsan], [yes], [pf_sanitizers="$pf_sanitizers -fsanitize=thread"])
  AS_IF([test "$enable_tsan" = yes && test "$enable_asan" = yes],
    [AC_MSG_ERROR([--enable-tsan and --enable-asan exclude each other: make two builds])])
  AS_IF([test -n "$pf_sanitizers"], [PF_SANITIZE="$pf_sanitizers -fno-omit-frame-pointer"])
  AC_SUBST([PF_SANITIZE])
])
