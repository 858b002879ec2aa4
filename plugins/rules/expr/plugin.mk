if PLUGIN_EXPR
plugin_LTLIBRARIES += plugins/expr.la
conformance_exprdir = $(plugindir)/conformance/expr
dist_conformance_expr_DATA = plugins/rules/expr/conformance.cfg
endif
# Compiled once for the plugin and the unit tests: gcc takes long over its kernels.
EXTRA_LTLIBRARIES += plugins/rules/expr/libexpr.la
CLEANFILES += plugins/rules/expr/libexpr.la
plugins_rules_expr_libexpr_la_SOURCES = plugins/rules/expr/expr.c plugins/rules/expr/expr_ops.h plugins/rules/expr/formula.h plugins/rules/expr/tape.h \
	plugins/rules/common/rule_common.h
plugins_rules_expr_libexpr_la_CPPFLAGS = $(plugin_cppflags)
plugins_expr_la_SOURCES =
plugins_expr_la_LDFLAGS = $(plugin_ldflags)
plugins_expr_la_LIBADD = plugins/rules/expr/libexpr.la $(plugin_libadd)
EXTRA_DIST += plugins/rules/expr/README.md
