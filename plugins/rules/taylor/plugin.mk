if PLUGIN_TAYLOR
plugin_LTLIBRARIES += plugins/taylor.la
conformance_taylordir = $(plugindir)/conformance/taylor
dist_conformance_taylor_DATA = plugins/rules/taylor/conformance.cfg
endif
# Compiled once for the plugin and the unit tests: gcc takes long over its kernels.
EXTRA_LTLIBRARIES += plugins/rules/taylor/libtaylor.la
CLEANFILES += plugins/rules/taylor/libtaylor.la
plugins_rules_taylor_libtaylor_la_SOURCES = plugins/rules/taylor/rows.c plugins/rules/taylor/taylor.c \
  plugins/rules/taylor/kernel.h plugins/rules/taylor/packed.h plugins/rules/taylor/pairs.h \
  plugins/rules/taylor/rows.h plugins/rules/taylor/rows_ops.h plugins/rules/taylor/taylor_ops.h plugins/rules/taylor/tangent.h plugins/rules/taylor/terms.h \
  plugins/rules/common/rule_common.h plugins/rules/common/rule_tangent.h
plugins_rules_taylor_libtaylor_la_CPPFLAGS = $(plugin_cppflags)
plugins_taylor_la_SOURCES =
plugins_taylor_la_LDFLAGS = $(plugin_ldflags)
plugins_taylor_la_LIBADD = plugins/rules/taylor/libtaylor.la $(plugin_libadd)
EXTRA_DIST += plugins/rules/taylor/README.md
