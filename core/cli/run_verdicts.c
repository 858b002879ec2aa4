#include "core/cli/run_verdicts.h"

#include "core/command_line/command.h"

int pf_cli_say_verdicts(const pf_fit *fit)
{
  int code = PF_EXIT_DONE;
  for (size_t u = 0; u < fit->n_groups; u++) {
    const uint32_t verdict = pf_fit_verdict(&fit->groups[u]);
    if (verdict != PF_FIT_CONVERGED && verdict != PF_FIT_PASSES_DONE && verdict != PF_FIT_FAILED) {
      code = pf_cli_say(PF_EXIT_FAILED, "%s: %s, says the run: no result rests on this fit",
                        fit->groups[u].name, pf_fit_verdict_words(verdict));
    }
  }
  return code;
}
