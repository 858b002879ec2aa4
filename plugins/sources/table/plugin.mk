if PLUGIN_TABLE
plugin_LTLIBRARIES += plugins/table.la
endif
plugins_table_la_SOURCES = plugins/sources/table/table.c \
	plugins/sources/table/columns.c plugins/sources/table/columns.h \
	plugins/sources/table/steps.c plugins/sources/table/steps.h
# core/base/csv.h is a header on its own: nothing of the core is linked
plugins_table_la_CPPFLAGS = $(plugin_cppflags) -I$(top_srcdir)
plugins_table_la_LDFLAGS = $(plugin_ldflags)
plugins_table_la_LIBADD = $(plugin_libadd)
EXTRA_DIST += plugins/sources/table/README.md
