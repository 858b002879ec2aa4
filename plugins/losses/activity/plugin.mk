if PLUGIN_ACTIVITY
plugin_LTLIBRARIES += plugins/activity.la
conformance_activitydir = $(plugindir)/conformance/activity
dist_conformance_activity_DATA = plugins/losses/activity/conformance.cfg
endif
plugins_activity_la_SOURCES = plugins/losses/activity/activity.c plugins/losses/activity/activity_ops.h plugins/losses/activity/cell_weights.h
plugins_activity_la_CPPFLAGS = $(plugin_cppflags)
plugins_activity_la_LDFLAGS = $(plugin_ldflags)
plugins_activity_la_LIBADD = $(plugin_libadd)
EXTRA_DIST += plugins/losses/activity/README.md
