# End-to-end tests: shell scripts that run the program. They get, exported: PLASTFIT (the program), PF_SRCDIR, PF_BUILDDIR,
# and PF_SHARED where it is set. They exit with 0 passed, 77 skipped (and say why), anything else failed.
e2e_tests =
e2e_tests += tests/e2e/act.sh
e2e_tests += tests/e2e/bad_input.sh
e2e_tests += tests/e2e/check.sh
e2e_tests += tests/e2e/compare.sh
e2e_tests += tests/e2e/cli.sh
e2e_tests += tests/e2e/configs.sh
e2e_tests += tests/e2e/flies.sh
e2e_tests += tests/e2e/interrupt.sh
e2e_tests += tests/e2e/knobs.sh
e2e_tests += tests/e2e/mixing.sh
e2e_tests += tests/e2e/memory.sh
e2e_tests += tests/e2e/npz.sh
e2e_tests += tests/e2e/oja.sh
e2e_tests += tests/e2e/rivals.sh
e2e_tests += tests/e2e/threads.sh
e2e_tests += tests/e2e/unknown_start.sh
e2e_tests += tests/e2e/recoveries.sh
e2e_tests += tests/e2e/evaluate.sh
e2e_tests += tests/e2e/python_reader.sh
e2e_tests += tests/e2e/recover.sh
e2e_tests += tests/e2e/report.sh
e2e_tests += tests/e2e/simulate.sh
e2e_tests += tests/e2e/table.sh
e2e_tests += tests/e2e/table_flies.sh
EXTRA_DIST += tests/e2e/lib.sh tests/e2e/fly_to_csv.py tests/e2e/mat.py tests/e2e/npz.py
