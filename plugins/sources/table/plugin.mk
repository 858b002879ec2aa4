if PLUGIN_TABLE
plugin_LTLIBRARIES += plugins/table.la
endif
plugins_table_la_SOURCES = plugins/sources/table/table.c \
	plugins/sources/table/columns.c plugins/sources/table/columns.h \
	plugins/sources/table/steps.c plugins/sources/table/steps.h
plugins_table_la_CPPFLAGS = $(plugin_cppflags)
plugins_table_la_LDFLAGS = $(plugin_ldflags)
plugins_table_la_LIBADD = $(plugin_libadd)
EXTRA_DIST += plugins/sources/table/README.md
