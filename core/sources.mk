# The core's sources, in the order data flow through it.
# `core_sources` go into the library, and so into the program and the unit tests; `cli_sources` into the program alone.
core_sources =
core_sources += core/base/memory.c core/base/memory.h
core_sources += core/base/random.c core/base/random.h
core_sources += core/base/text.h
core_sources += core/base/version.c

cli_sources = core/cli/main.c
