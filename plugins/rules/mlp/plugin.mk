if PLUGIN_MLP
plugin_LTLIBRARIES += plugins/mlp.la
conformance_mlpdir = $(plugindir)/conformance/mlp
dist_conformance_mlp_DATA = plugins/rules/mlp/conformance.cfg
endif
# Compiled once for the plugin and the unit tests: gcc takes long over its kernels.
EXTRA_LTLIBRARIES += plugins/rules/mlp/libmlp.la
CLEANFILES += plugins/rules/mlp/libmlp.la
plugins_rules_mlp_libmlp_la_SOURCES = plugins/rules/mlp/mlp.c plugins/rules/mlp/mlp_ops.h plugins/rules/mlp/packed.h plugins/rules/mlp/shape.h \
  plugins/rules/mlp/tangent.h plugins/rules/mlp/tanh.h plugins/rules/mlp/wide.h \
  plugins/rules/common/rule_common.h plugins/rules/common/rule_tangent.h
plugins_rules_mlp_libmlp_la_CPPFLAGS = $(plugin_cppflags)
plugins_mlp_la_SOURCES =
plugins_mlp_la_LDFLAGS = $(plugin_ldflags)
plugins_mlp_la_LIBADD = plugins/rules/mlp/libmlp.la $(plugin_libadd)
EXTRA_DIST += plugins/rules/mlp/README.md
