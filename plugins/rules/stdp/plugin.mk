if PLUGIN_STDP
plugin_LTLIBRARIES += plugins/stdp.la
conformance_stdpdir = $(plugindir)/conformance/stdp
dist_conformance_stdp_DATA = plugins/rules/stdp/conformance.cfg
endif
plugins_stdp_la_SOURCES = plugins/rules/stdp/stdp.c plugins/rules/stdp/stdp_ops.h \
  plugins/rules/common/rule_common.h plugins/rules/common/time_constant.h
plugins_stdp_la_CPPFLAGS = $(plugin_cppflags)
plugins_stdp_la_LDFLAGS = $(plugin_ldflags)
plugins_stdp_la_LIBADD = $(plugin_libadd)
EXTRA_DIST += plugins/rules/stdp/README.md
