/*
 * The scale on which animals are drawn: a value that has bounds is drawn on the whole line and
 * mapped between them, so that no animal can lie outside.
 *
 *     both bounds   phi = log((v - lower) / (upper - v))
 *     lower alone   phi = log(v - lower)          upper alone   phi = -log(upper - v)
 *     neither       phi = v
 */
#ifndef PLASTFIT_CORE_POPULATION_SCALE_H
#define PLASTFIT_CORE_POPULATION_SCALE_H

#include "core/layout/layout.h"

/** The bounds between which a value is mapped; infinite: as it is on that side. */
typedef struct pf_scale {
  double lower, upper;
} pf_scale;

/** Of value k of a layout; not `bounded`: values are drawn as they are, whatever their bounds. */
pf_scale pf_scale_of(const pf_layout *layout, size_t k, bool bounded);
/** phi of a value; one at a bound counts as a millionth of the range (of 1) away from it. */
double pf_scale_to_line(pf_scale scale, double value);
/** The value at phi. */
double pf_scale_from_line(pf_scale scale, double phi);
/** d value / d phi at phi. */
double pf_scale_slope(pf_scale scale, double phi);

#endif
