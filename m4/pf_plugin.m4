dnl PF_PLUGIN(NAME, KIND, [CHECKS])
dnl Gives --disable-NAME, the conditional PLUGIN_NAME for plugins/KINDs/NAME/plugin.mk, a place in the summary,
dnl and runs CHECKS (the plugin's own dependencies) unless it is disabled.
AC_DEFUN([PF_PLUGIN], [
  AC_ARG_ENABLE([$1], [AS_HELP_STRING([--disable-$1], [leave out the $2 $1])], [], [enable_$1=yes])
  AS_VAR_IF([enable_$1], [no], [pf_plugins_off="$pf_plugins_off $1"], [
    pf_plugins_on="$pf_plugins_on $1"
    pf_preloaded="$pf_preloaded -dlpreopen plugins/$1.la"
    $3
  ])
  AM_CONDITIONAL(m4_toupper([PLUGIN_$1]), [test "$enable_$1" != no])
])
