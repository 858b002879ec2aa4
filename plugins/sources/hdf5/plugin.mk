if PLUGIN_HDF5
plugin_LTLIBRARIES += plugins/hdf5.la
conformance_hdf5dir = $(plugindir)/conformance/hdf5
dist_conformance_hdf5_DATA = plugins/sources/hdf5/conformance.cfg plugins/sources/hdf5/conformance.h5
endif
plugins_hdf5_la_SOURCES = plugins/sources/hdf5/hdf5.c \
	plugins/sources/common/h5_arrays.c \
	plugins/sources/common/h5_arrays.h \
	plugins/sources/common/h5_trial.c \
	plugins/sources/common/h5_trial.h \
	$(recordings_sources)
plugins_hdf5_la_CPPFLAGS = $(plugin_cppflags) $(HDF5_CFLAGS)
plugins_hdf5_la_LDFLAGS = $(plugin_ldflags)
plugins_hdf5_la_LIBADD = $(plugin_libadd) $(HDF5_LIBS)
EXTRA_DIST += plugins/sources/hdf5/README.md
