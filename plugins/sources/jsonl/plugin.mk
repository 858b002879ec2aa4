if PLUGIN_JSONL
plugin_LTLIBRARIES += plugins/jsonl.la
conformance_jsonldir = $(plugindir)/conformance/jsonl
dist_conformance_jsonl_DATA = plugins/sources/jsonl/conformance.cfg plugins/sources/jsonl/conformance.jsonl
endif
plugins_jsonl_la_SOURCES = plugins/sources/jsonl/jsonl.c \
	plugins/sources/jsonl/json_lines.c \
	plugins/sources/jsonl/json_lines.h \
	$(recordings_sources)
plugins_jsonl_la_CPPFLAGS = $(plugin_cppflags) $(JANSSON_CFLAGS)
plugins_jsonl_la_LDFLAGS = $(plugin_ldflags)
plugins_jsonl_la_LIBADD = $(plugin_libadd) $(JANSSON_LIBS)
EXTRA_DIST += plugins/sources/jsonl/README.md
