if PLUGIN_CATEGORICAL
plugin_LTLIBRARIES += plugins/categorical.la
conformance_categoricaldir = $(plugindir)/conformance/categorical
dist_conformance_categorical_DATA = plugins/losses/categorical/conformance.cfg
endif
plugins_categorical_la_SOURCES = plugins/losses/categorical/categorical.c
plugins_categorical_la_CPPFLAGS = $(plugin_cppflags)
plugins_categorical_la_LDFLAGS = $(plugin_ldflags)
plugins_categorical_la_LIBADD = $(plugin_libadd)
EXTRA_DIST += plugins/losses/categorical/README.md
