if PLUGIN_CATEGORICAL
plugin_LTLIBRARIES += plugins/categorical.la
endif
plugins_categorical_la_SOURCES = plugins/losses/categorical/categorical.c
plugins_categorical_la_CPPFLAGS = $(plugin_cppflags)
plugins_categorical_la_LDFLAGS = $(plugin_ldflags)
plugins_categorical_la_LIBADD = $(plugin_libadd)
EXTRA_DIST += plugins/losses/categorical/README.md
