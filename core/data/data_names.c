#include "core/data/data_names.h"

#include <string.h>

bool pf_is_choice(const char *name)
{
  return strcmp(name, "choice") == 0;
}

bool pf_is_activity(const char *name)
{
  return strcmp(name, "activity") == 0;
}

bool pf_is_reward(const char *name)
{
  return strcmp(name, "reward") == 0;
}

bool pf_is_expected_reward(const char *name)
{
  return strcmp(name, "expected_reward") == 0;
}
