if PLUGIN_NPY
plugin_LTLIBRARIES += plugins/npy.la
conformance_npydir = $(plugindir)/conformance/npy
dist_conformance_npy_DATA = plugins/sources/npy/conformance.cfg plugins/sources/npy/conformance_x.npy plugins/sources/npy/conformance_choice.npy plugins/sources/npy/conformance_reward.npy
endif
plugins_npy_la_SOURCES = plugins/sources/npy/npy.c \
	plugins/sources/npy/npy_files.c \
	plugins/sources/npy/npy_files.h \
	plugins/sources/npy/npy_spikes.c \
	plugins/sources/npy/npy_spikes.h \
	plugins/sources/common/npy.c \
	plugins/sources/common/npy.h \
	$(recordings_sources)
plugins_npy_la_CPPFLAGS = $(plugin_cppflags)
plugins_npy_la_LDFLAGS = $(plugin_ldflags)
plugins_npy_la_LIBADD = $(plugin_libadd)
EXTRA_DIST += plugins/sources/npy/README.md
