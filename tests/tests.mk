# Everything `make check` runs.
include tests/unit/sources.mk
include tests/e2e/tests.mk

TESTS = tests/headers/headers.tap tests/unit.tap tests/conformance.tap tests/mutants/mutants.tap tests/instructions/instructions.tap tests/readmes.tap tests/docs/readability.tap tests/examples.sh tests/installed.sh $(e2e_tests)
TESTS += tests/tree/tree.tap tests/abi/abi.tap
TEST_EXTENSIONS = .tap .sh
TAP_LOG_DRIVER = env AM_TAP_AWK='$(AWK)' $(SHELL) $(top_srcdir)/build-aux/tap-driver.sh
TAP_LOG_COMPILER = $(SHELL)
SH_LOG_COMPILER = $(SHELL) $(top_srcdir)/tests/shared-or-fail
LOG_COMPILER = $(SHELL) $(top_srcdir)/tests/shared-or-fail
EXTRA_DIST += tests/headers/headers.tap tests/readmes.tap tests/docs/readability.tap tests/unit.tap tests/shared-or-fail tests/e2e/lib.sh $(e2e_tests)
EXTRA_DIST += tests/examples.sh tests/installed.sh examples
EXTRA_DIST += tests/tree/tree.tap tests/tree/tree.py tests/report/look.py
EXTRA_DIST += tests/abi
EXTRA_DIST += tests/instructions/instructions.tap tests/instructions/counts.txt

# Tests share the cores: a thread that waits must not spin. Same bits, a third of the processor time.
AM_TESTS_ENVIRONMENT = \
	OMP_WAIT_POLICY=passive; export OMP_WAIT_POLICY; \
	PF_SRCDIR='$(abs_top_srcdir)'; export PF_SRCDIR; \
	PF_BUILDDIR='$(abs_top_builddir)'; export PF_BUILDDIR; \
	PLASTFIT='$(abs_top_builddir)/plastfit'; export PLASTFIT; \
	CC='$(CC)'; export CC; CXX='$(CXX)'; export CXX;

EXTRA_DIST += tests/conformance.tap tests/mutants/mutants.tap tests/mutants/loss.cfg
EXTRA_DIST += tests/mutants/rule.c tests/mutants/trace.c tests/mutants/network.c tests/mutants/loss.c tests/mutants/source.c
EXTRA_DIST += tests/mutants/rule.txt tests/mutants/trace.txt tests/mutants/network.txt tests/mutants/loss.txt tests/mutants/source.txt tests/mutants/shipped.txt

include tests/golden.mk

# ---- unit tests ----
if HAVE_CRITERION
check_PROGRAMS += tests/unit-tests
else
check_DATA += criterion-is-missing
criterion-is-missing:
	@echo "make check needs Criterion: apt-get install libcriterion-dev, then run configure again" >&2; exit 1
endif
tests_unit_tests_SOURCES = $(unit_test_sources)
tests_unit_tests_CPPFLAGS = $(AM_CPPFLAGS) $(CRITERION_CFLAGS) $(MATIO_CFLAGS) -DPACKAGE_VERSION='"$(PACKAGE_VERSION)"' \
	-DPF_SRCDIR='"$(abs_top_srcdir)"' -DPF_BUILDDIR='"$(abs_top_builddir)"'
tests_unit_tests_LDADD = plugins/rules/taylor/libtaylor.la plugins/rules/mlp/libmlp.la plugins/rules/expr/libexpr.la libplastfit_core.la $(CRITERION_LIBS) $(MATIO_LIBS)

# Whatever a file holds: tests/fuzz/README.md.
check_PROGRAMS += tests/fuzz/replay
fuzz_sources = tests/fuzz/fuzz.c tests/fuzz/targets.c tests/fuzz/targets.h
fuzz_sources += tests/fuzz/hdf5_values.c tests/fuzz/job_values.c tests/fuzz/mat_values.c
tests_fuzz_replay_SOURCES = $(fuzz_sources)
tests_fuzz_replay_LDADD = libplastfit_core.la
EXTRA_DIST += tests/fuzz/README.md tests/fuzz/corpus tests/fuzz/prepare.sh tests/fuzz/run
# clang's libFuzzer: made by tests/fuzz/run alone, in a build folder of its own
EXTRA_PROGRAMS = tests/fuzz/libfuzzer
tests_fuzz_libfuzzer_SOURCES = $(fuzz_sources)
tests_fuzz_libfuzzer_CPPFLAGS = $(AM_CPPFLAGS) -DPF_LIBFUZZER
tests_fuzz_libfuzzer_LDADD = libplastfit_core.la
tests_fuzz_libfuzzer_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
