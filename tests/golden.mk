# The golden values: one program, tests/golden DIR, a line a file; tests/golden.sh finds DIR for `make check`.
if HAVE_GOLDEN
check_PROGRAMS += tests/golden
TESTS += tests/golden.sh
endif
tests_golden_SOURCES = tests/golden.c
tests_golden_LDADD = libplastfit_core.la $(JANSSON_LIBS)
EXTRA_DIST += tests/golden.sh
