if PLUGIN_EXPR
plugin_LTLIBRARIES += plugins/expr.la
conformance_exprdir = $(plugindir)/conformance/expr
dist_conformance_expr_DATA = plugins/rules/expr/conformance.cfg
endif
plugins_expr_la_SOURCES = plugins/rules/expr/expr.c plugins/rules/expr/formula.h plugins/rules/expr/tape.h \
	plugins/rules/common/rule_common.h
plugins_expr_la_CPPFLAGS = $(plugin_cppflags)
plugins_expr_la_LDFLAGS = $(plugin_ldflags)
plugins_expr_la_LIBADD = $(plugin_libadd)
EXTRA_DIST += plugins/rules/expr/README.md
