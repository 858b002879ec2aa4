if PLUGIN_TABLE
plugin_LTLIBRARIES += plugins/table.la
conformance_tabledir = $(plugindir)/conformance/table
dist_conformance_table_DATA = plugins/sources/table/conformance.cfg plugins/sources/table/conformance.csv
endif
plugins_table_la_SOURCES = plugins/sources/table/table.c $(recordings_sources)
plugins_table_la_CPPFLAGS = $(plugin_cppflags)
plugins_table_la_LDFLAGS = $(plugin_ldflags)
plugins_table_la_LIBADD = $(plugin_libadd)
EXTRA_DIST += plugins/sources/table/README.md
