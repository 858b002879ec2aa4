if PLUGIN_TRACE
plugin_LTLIBRARIES += plugins/trace.la
conformance_tracedir = $(plugindir)/conformance/trace
dist_conformance_trace_DATA = plugins/rules/trace/conformance.cfg
endif
plugins_trace_la_SOURCES = plugins/rules/trace/trace.c plugins/rules/trace/trace_ops.h \
  plugins/rules/common/rule_common.h plugins/rules/common/time_constant.h
plugins_trace_la_CPPFLAGS = $(plugin_cppflags)
plugins_trace_la_LDFLAGS = $(plugin_ldflags)
plugins_trace_la_LIBADD = $(plugin_libadd)
EXTRA_DIST += plugins/rules/trace/README.md
