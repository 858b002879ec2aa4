if PLUGIN_CHOICE
plugin_LTLIBRARIES += plugins/choice.la
conformance_choicedir = $(plugindir)/conformance/choice
dist_conformance_choice_DATA = plugins/losses/choice/conformance.cfg
endif
plugins_choice_la_SOURCES = plugins/losses/choice/choice.c plugins/losses/choice/choice_ops.h
plugins_choice_la_CPPFLAGS = $(plugin_cppflags)
plugins_choice_la_LDFLAGS = $(plugin_ldflags)
plugins_choice_la_LIBADD = $(plugin_libadd)
EXTRA_DIST += plugins/losses/choice/README.md
