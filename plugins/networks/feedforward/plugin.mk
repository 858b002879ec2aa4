if PLUGIN_FEEDFORWARD
plugin_LTLIBRARIES += plugins/feedforward.la
conformance_feedforwarddir = $(plugindir)/conformance/feedforward
dist_conformance_feedforward_DATA = plugins/networks/feedforward/conformance.cfg
endif
plugins_feedforward_la_SOURCES = plugins/networks/feedforward/feedforward.c plugins/networks/feedforward/feedforward_ops.h \
  plugins/common/activation.h plugins/common/unit_function.h
plugins_feedforward_la_CPPFLAGS = $(plugin_cppflags)
plugins_feedforward_la_LDFLAGS = $(plugin_ldflags)
plugins_feedforward_la_LIBADD = $(plugin_libadd)
EXTRA_DIST += plugins/networks/feedforward/README.md
