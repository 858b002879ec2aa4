dnl Libraries to build on. A missing one is one sentence that names the Debian package.

dnl PF_SYSTEM_INCLUDES(VARIABLE)
dnl Headers of others are not held to our warnings: -I becomes -isystem.
AC_DEFUN([PF_SYSTEM_INCLUDES], [$1=$(AS_ECHO(["$$1"]) | $SED 's/-I */-isystem /g')])

dnl PF_NEED(VARIABLE, PKG-CONFIG NAME, DEBIAN PACKAGE, [, OR ELSE])
AC_DEFUN([PF_NEED], [
  PKG_CHECK_MODULES([$1], [$2], [PF_SYSTEM_INCLUDES([$1][_CFLAGS])],
    [AC_MSG_ERROR([$2 is missing: apt-get install $3$4])])
])

dnl PF_NEED_HEADER(HEADER, DEBIAN PACKAGE)
AC_DEFUN([PF_NEED_HEADER], [
  AC_CHECK_HEADER([$1], [], [AC_MSG_ERROR([$1 is missing: apt-get install $2])])
])

dnl PF_NEED_LIBRARY(LIBRARY, FUNCTION, VARIABLE, DEBIAN PACKAGE)
AC_DEFUN([PF_NEED_LIBRARY], [
  AC_CHECK_LIB([$1], [$2], [AC_SUBST([$3], [-l$1])], [AC_MSG_ERROR([lib$1 is missing: apt-get install $4])])
])
