if PLUGIN_TRIPLET
plugin_LTLIBRARIES += plugins/triplet.la
conformance_tripletdir = $(plugindir)/conformance/triplet
dist_conformance_triplet_DATA = plugins/rules/triplet/conformance.cfg
endif
plugins_triplet_la_SOURCES = plugins/rules/triplet/triplet.c plugins/rules/common/traced_rule.h plugins/rules/common/traced_synapse.h \
  plugins/rules/common/rule_common.h plugins/rules/common/time_constant.h
plugins_triplet_la_CPPFLAGS = $(plugin_cppflags)
plugins_triplet_la_LDFLAGS = $(plugin_ldflags)
plugins_triplet_la_LIBADD = $(plugin_libadd)
EXTRA_DIST += plugins/rules/triplet/README.md
