# Unit tests: tests/unit mirrors core/ and plugins/; all files make one Criterion program, tests/unit-tests.
unit_test_sources =
unit_test_sources += tests/unit/base/test_version.c
unit_test_sources += tests/unit/support/numbers.h
unit_test_sources += tests/unit/networks/test_activation.c
unit_test_sources += tests/unit/networks/test_feedforward.c plugins/networks/feedforward/feedforward.c
