if PLUGIN_VOLTAGE
plugin_LTLIBRARIES += plugins/voltage.la
conformance_voltagedir = $(plugindir)/conformance/voltage
dist_conformance_voltage_DATA = plugins/rules/voltage/conformance.cfg
endif
plugins_voltage_la_SOURCES = plugins/rules/voltage/voltage.c plugins/rules/common/traced_rule.h plugins/rules/common/traced_synapse.h \
  plugins/rules/common/rule_common.h plugins/rules/common/time_constant.h
plugins_voltage_la_CPPFLAGS = $(plugin_cppflags)
plugins_voltage_la_LDFLAGS = $(plugin_ldflags)
plugins_voltage_la_LIBADD = $(plugin_libadd)
EXTRA_DIST += plugins/rules/voltage/README.md
