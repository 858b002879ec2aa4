# End-to-end tests: shell scripts that run the program. They get, exported: PLASTFIT (the program), PF_SRCDIR, PF_BUILDDIR,
# and PF_SHARED where it is set. They exit with 0 passed, 77 skipped (and say why), anything else failed.
e2e_tests =
e2e_tests += tests/e2e/cli.sh
e2e_tests += tests/e2e/configs.sh
e2e_tests += tests/e2e/flies.sh
e2e_tests += tests/e2e/oja.sh
e2e_tests += tests/e2e/threads.sh
EXTRA_DIST += tests/e2e/lib.sh
