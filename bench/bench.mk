# Measurements; bench/README.md says how. bench/gradient is built by `make check` too: a test counts its instructions.
check_PROGRAMS += bench/gradient
bench_gradient_SOURCES = bench/gradient.c tests/lab/lab.c tests/lab/lab.h
bench_gradient_LDADD = libplastfit_core.la
EXTRA_DIST += bench/README.md bench/against-jax bench/author bench/by-hand bench/cohorts bench/fly-table bench/not-recorded bench/profile-ends bench/unknown-start bench/jax_version.py bench/run bench/scaling bench/table
EXTRA_DIST += bench/optimisers bench/population bench/population-chain bench/mixed-rules
EXTRA_DIST += bench/eighty-one-terms bench/appendix-rows bench/journeys

# One table, of both precisions: the other one is built beside this one.
.PHONY: bench
bench: all bench/gradient$(EXEEXT)
	@PLASTFIT_BUILD='$(abs_top_builddir)' $(SHELL) $(top_srcdir)/bench/table
