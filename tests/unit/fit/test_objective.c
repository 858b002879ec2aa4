/* core/fit/objective: penalties on what they are meant for. */
#include "core/base/memory.h"
#include "core/fit/objective.h"
#include <criterion/criterion.h>
#include <math.h>

Test(fit_objective, penalties_are_on_free_parameters_of_rules)
{
  const pf_model_parameter parameters[] = {{.declared = {.name = "a"}},
                                           {.declared = {.name = "b", .flags = PF_PARAMETER_FIXED}},
                                           {.declared = {.name = "c"}},
                                           {.declared = {.name = "network's"}}};
  pf_layout *layout = NULL;
  pf_error error = pf_error_none();
  cr_assert(pf_layout_create(&(pf_layout_in){parameters, 4, NULL, NULL, 1}, &layout, &error) ==
                PF_OK,
            "%s", error.text);
  const double theta[] = {-0.7, 5.0, 0.0, 9.0};
  double gradient[] = {0.25, 0.25, 0.25, 0.25}; /* added to, not overwritten */
  const double value = pf_penalty(layout, 3, 0.03, 0.2, theta, gradient);
  cr_expect(fabs(value - (0.03 * 0.7 + 0.2 * 0.49)) < 1e-15);
  cr_expect(fabs(gradient[0] - (0.25 - 0.03 - 2.0 * 0.2 * 0.7)) < 1e-15);
  cr_expect(gradient[1] == 0.25);
  cr_expect(gradient[2] == 0.25); /* subgradient of |theta| at 0 */
  cr_expect(gradient[3] == 0.25);
  cr_expect(pf_penalty(layout, 3, 0.03, 0.2, theta, NULL) == value);
  pf_layout_free(layout);
}
