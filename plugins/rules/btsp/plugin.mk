if PLUGIN_BTSP
plugin_LTLIBRARIES += plugins/btsp.la
conformance_btspdir = $(plugindir)/conformance/btsp
dist_conformance_btsp_DATA = plugins/rules/btsp/conformance.cfg
endif
plugins_btsp_la_SOURCES = plugins/rules/btsp/btsp.c plugins/rules/common/traced_rule.h plugins/rules/common/traced_synapse.h \
  plugins/rules/common/rule_common.h plugins/rules/common/time_constant.h
plugins_btsp_la_CPPFLAGS = $(plugin_cppflags)
plugins_btsp_la_LDFLAGS = $(plugin_ldflags)
plugins_btsp_la_LIBADD = $(plugin_libadd)
EXTRA_DIST += plugins/rules/btsp/README.md
