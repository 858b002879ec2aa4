# Whole trajectories: against golden values (tests/golden DIR, a line a file), and gradients against differences.
check_PROGRAMS += tests/golden
TESTS += tests/golden
tests_golden_SOURCES = tests/golden.c
tests_golden_SOURCES += tests/goldens/compare.c tests/goldens/compare.h
tests_golden_SOURCES += tests/goldens/data.c
tests_golden_SOURCES += tests/goldens/json.c tests/goldens/json.h
tests_golden_SOURCES += tests/goldens/rule.c tests/goldens/rule.h
tests_golden_SOURCES += tests/goldens/setup.c tests/goldens/setup.h
tests_golden_SOURCES += tests/goldens/training.c
tests_golden_SOURCES += tests/goldens/values.c
tests_golden_SOURCES += tests/lab/lab.c tests/lab/lab.h
tests_golden_CPPFLAGS = $(AM_CPPFLAGS) -DPF_SRCDIR='"$(abs_top_srcdir)"'
tests_golden_LDADD = libplastfit_core.la $(JANSSON_LIBS)

check_PROGRAMS += tests/gradients
TESTS += tests/gradients
tests_gradients_SOURCES = tests/gradients.c
tests_gradients_SOURCES += tests/lab/animals.c tests/lab/animals.h
tests_gradients_SOURCES += tests/lab/bench.c tests/lab/bench.h
tests_gradients_SOURCES += tests/lab/cases.c tests/lab/cases.h
tests_gradients_SOURCES += tests/lab/table.c tests/lab/table.h
tests_gradients_SOURCES += tests/lab/lab.c tests/lab/lab.h tests/unit/support/numbers.h
tests_gradients_LDADD = libplastfit_core.la
