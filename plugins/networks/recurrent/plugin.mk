if PLUGIN_RECURRENT
plugin_LTLIBRARIES += plugins/recurrent.la
conformance_recurrentdir = $(plugindir)/conformance/recurrent
dist_conformance_recurrent_DATA = plugins/networks/recurrent/conformance.cfg
endif
plugins_recurrent_la_SOURCES = plugins/networks/recurrent/recurrent.c plugins/networks/recurrent/recurrent_ops.h \
  plugins/common/activation.h plugins/common/unit_function.h
plugins_recurrent_la_CPPFLAGS = $(plugin_cppflags)
plugins_recurrent_la_LDFLAGS = $(plugin_ldflags)
plugins_recurrent_la_LIBADD = $(plugin_libadd)
EXTRA_DIST += plugins/networks/recurrent/README.md
