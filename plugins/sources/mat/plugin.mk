if PLUGIN_MAT
plugin_LTLIBRARIES += plugins/mat.la
conformance_matdir = $(plugindir)/conformance/mat
dist_conformance_mat_DATA = plugins/sources/mat/conformance.cfg plugins/sources/mat/conformance.mat
endif
plugins_mat_la_SOURCES = plugins/sources/mat/mat.c \
	plugins/sources/mat/mat_arrays.c \
	plugins/sources/mat/mat_arrays.h \
	plugins/sources/mat/mat_walk.c \
	plugins/sources/mat/mat_walk.h \
	plugins/sources/common/mat_open.c \
	plugins/sources/common/mat_open.h \
	plugins/sources/common/h5_arrays.c \
	plugins/sources/common/h5_arrays.h \
	plugins/sources/common/h5_trial.c \
	plugins/sources/common/h5_trial.h \
	$(recordings_sources)
plugins_mat_la_CPPFLAGS = $(plugin_cppflags) $(MATIO_CFLAGS) $(HDF5_CFLAGS)
plugins_mat_la_LDFLAGS = $(plugin_ldflags)
plugins_mat_la_LIBADD = $(plugin_libadd) $(MATIO_LIBS) $(HDF5_LIBS)
EXTRA_DIST += plugins/sources/mat/README.md
