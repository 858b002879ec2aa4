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

/** phi of a value; one at a bound counts as a millionth of the range (of 1) away from it. */
double pf_scale_to_line(double lower, double upper, double value);
/** The value at phi. */
double pf_scale_from_line(double lower, double upper, double phi);
/** d value / d phi at phi. */
double pf_scale_slope(double lower, double upper, double phi);

#endif
