if PLUGIN_NPZ
plugin_LTLIBRARIES += plugins/npz.la
conformance_npzdir = $(plugindir)/conformance/npz
dist_conformance_npz_DATA = plugins/sources/npz/conformance.cfg plugins/sources/npz/conformance.npz
endif
plugins_npz_la_SOURCES = plugins/sources/npz/npz.c \
	plugins/sources/npz/zip_arrays.c plugins/sources/npz/zip_arrays.h \
	plugins/sources/common/npy.c plugins/sources/common/npy.h $(recordings_sources)
plugins_npz_la_CPPFLAGS = $(plugin_cppflags) $(LIBZIP_CFLAGS)
plugins_npz_la_LDFLAGS = $(plugin_ldflags)
plugins_npz_la_LIBADD = $(plugin_libadd) $(LIBZIP_LIBS)
EXTRA_DIST += plugins/sources/npz/README.md
