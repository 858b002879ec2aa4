if PLUGIN_OJA
plugin_LTLIBRARIES += plugins/oja.la
conformance_ojadir = $(plugindir)/conformance/oja
dist_conformance_oja_DATA = plugins/rules/oja/conformance.cfg
endif
plugins_oja_la_SOURCES = plugins/rules/oja/oja.c
plugins_oja_la_CPPFLAGS = $(plugin_cppflags)
plugins_oja_la_LDFLAGS = $(plugin_ldflags)
plugins_oja_la_LIBADD = $(plugin_libadd)
EXTRA_DIST += plugins/rules/oja/README.md
