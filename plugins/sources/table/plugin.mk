if PLUGIN_TABLE
plugin_LTLIBRARIES += plugins/table.la
conformance_tabledir = $(plugindir)/conformance/table
dist_conformance_table_DATA = plugins/sources/table/conformance.cfg plugins/sources/table/conformance.csv
endif
plugins_table_la_SOURCES = plugins/sources/table/table.c \
	plugins/sources/table/columns.c plugins/sources/table/columns.h \
	plugins/sources/table/rows.c plugins/sources/table/rows.h \
	plugins/sources/table/values.c plugins/sources/table/values.h \
	plugins/sources/table/steps.c plugins/sources/table/steps.h \
	plugins/sources/common/recording.c plugins/sources/common/recording.h \
	plugins/common/name_distance.h plugins/sources/common/roles.c plugins/sources/common/roles.h
plugins_table_la_CPPFLAGS = $(plugin_cppflags)
plugins_table_la_LDFLAGS = $(plugin_ldflags)
plugins_table_la_LIBADD = $(plugin_libadd)
EXTRA_DIST += plugins/sources/table/README.md
