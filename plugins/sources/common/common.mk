# What sources of recordings share: from rows to experiments, and readers of arrays.
recordings_sources = \
	plugins/sources/common/roles.c plugins/sources/common/roles.h \
	plugins/sources/common/recording.c plugins/sources/common/recording.h \
	plugins/sources/common/container.c plugins/sources/common/container.h \
	plugins/sources/common/rows.h plugins/sources/common/text_rows.c \
	plugins/sources/common/array_rows.c plugins/sources/common/list_arrays.c plugins/sources/common/cells.c \
	plugins/sources/common/columns.c plugins/sources/common/columns.h \
	plugins/sources/common/values.c plugins/sources/common/values.h \
	plugins/sources/common/missing_inputs.c plugins/sources/common/missing_inputs.h \
	plugins/sources/common/steps.c plugins/sources/common/steps.h \
	plugins/sources/common/experiments.c plugins/sources/common/experiments.h
