#include "core/intervals/interval_method.h"

#define POINTER_TO(name) &pf_interval_##name,
const pf_interval_method *const pf_interval_methods[] = {PF_EACH_INTERVAL_METHOD(POINTER_TO)};
