if PLUGIN_POISSON
plugin_LTLIBRARIES += plugins/poisson.la
conformance_poissondir = $(plugindir)/conformance/poisson
dist_conformance_poisson_DATA = plugins/losses/poisson/conformance.cfg
endif
plugins_poisson_la_SOURCES = plugins/losses/poisson/poisson.c
plugins_poisson_la_CPPFLAGS = $(plugin_cppflags)
plugins_poisson_la_LDFLAGS = $(plugin_ldflags)
plugins_poisson_la_LIBADD = $(plugin_libadd)
EXTRA_DIST += plugins/losses/poisson/README.md
