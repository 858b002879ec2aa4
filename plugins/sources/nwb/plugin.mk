if PLUGIN_NWB
plugin_LTLIBRARIES += plugins/nwb.la
conformance_nwbdir = $(plugindir)/conformance/nwb
dist_conformance_nwb_DATA = plugins/sources/nwb/conformance.cfg plugins/sources/nwb/conformance.nwb
endif
plugins_nwb_la_SOURCES = plugins/sources/nwb/nwb.c \
	plugins/sources/nwb/nwb_file.c \
	plugins/sources/nwb/nwb_file.h \
	plugins/sources/nwb/nwb_times.c \
	plugins/sources/nwb/nwb_times.h \
	plugins/sources/common/h5_arrays.c \
	plugins/sources/common/h5_arrays.h \
	plugins/sources/common/h5_trial.c \
	plugins/sources/common/h5_trial.h \
	$(recordings_sources)
plugins_nwb_la_CPPFLAGS = $(plugin_cppflags) $(HDF5_CFLAGS)
plugins_nwb_la_LDFLAGS = $(plugin_ldflags)
plugins_nwb_la_LIBADD = $(plugin_libadd) $(HDF5_LIBS)
EXTRA_DIST += plugins/sources/nwb/README.md
