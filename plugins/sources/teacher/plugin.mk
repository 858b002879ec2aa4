if PLUGIN_TEACHER
plugin_LTLIBRARIES += plugins/teacher.la
conformance_teacherdir = $(plugindir)/conformance/teacher
dist_conformance_teacher_DATA = plugins/sources/teacher/conformance.cfg
endif
plugins_teacher_la_SOURCES = plugins/sources/teacher/teacher.c \
	plugins/sources/teacher/cues.c plugins/sources/teacher/cues.h plugins/sources/teacher/schedule.c \
	plugins/sources/teacher/trials.c plugins/sources/teacher/trials.h
plugins_teacher_la_CPPFLAGS = $(plugin_cppflags)
plugins_teacher_la_LDFLAGS = $(plugin_ldflags)
plugins_teacher_la_LIBADD = $(plugin_libadd)
EXTRA_DIST += plugins/sources/teacher/README.md
