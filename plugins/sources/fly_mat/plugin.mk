if PLUGIN_FLY_MAT
plugin_LTLIBRARIES += plugins/fly_mat.la
conformance_fly_matdir = $(plugindir)/conformance/fly_mat
dist_conformance_fly_mat_DATA = plugins/sources/fly_mat/conformance.cfg plugins/sources/fly_mat/conformance1.mat plugins/sources/fly_mat/conformance2.mat
endif
plugins_fly_mat_la_SOURCES = plugins/sources/fly_mat/fly_mat.c \
	plugins/sources/fly_mat/mat_file.c plugins/sources/fly_mat/mat_file.h \
	plugins/sources/common/mat_open.c plugins/sources/common/mat_open.h \
	plugins/sources/fly_mat/animal_files.c plugins/sources/fly_mat/animal_files.h
plugins_fly_mat_la_CPPFLAGS = $(plugin_cppflags) $(MATIO_CFLAGS)
plugins_fly_mat_la_LDFLAGS = $(plugin_ldflags)
plugins_fly_mat_la_LIBADD = $(plugin_libadd) $(MATIO_LIBS)
EXTRA_DIST += plugins/sources/fly_mat/README.md
