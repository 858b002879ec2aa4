/* What a run's fits came to, said again by the commands that go on from them. */
#ifndef PLASTFIT_CORE_CLI_RUN_VERDICTS_H
#define PLASTFIT_CORE_CLI_RUN_VERDICTS_H

#include "core/fit/fit.h"

/** A line for each fit on which nothing rests; PF_EXIT_FAILED if there are any, else PF_EXIT_DONE.
 */
int pf_cli_say_verdicts(const pf_fit *fit);

#endif
