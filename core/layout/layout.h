/*
 * How the parameters of a fit are laid out: what the optimiser sees, and what the engine gets of
 * it.
 *
 * The model declares parameters, each with a scope: shared, per animal, per experiment. A fit has
 *
 *   instances  one per copy of a parameter: a single one if it is shared, else one per animal or
 *              per experiment of the fit's recordings. A fixed parameter has a single one. Reports
 *              list instances.
 *   values     [n] the free ones among the instances, in their order: what an optimiser changes. A
 *              fixed instance keeps its number. A tied one is a factor times another's value, and
 *              has its scope.
 *   theta      [n_parameters] what the engine simulates one recording with: of each parameter the
 *              instance that is the recording's.
 *
 * In what follows a recording is given by its index in the layout, 0 .. n_recordings - 1.
 */
#ifndef PLASTFIT_CORE_LAYOUT_LAYOUT_H
#define PLASTFIT_CORE_LAYOUT_LAYOUT_H

#include "core/model/model.h"

#define PF_LAYOUT_NONE SIZE_MAX

/** One copy of a parameter. */
typedef struct pf_parameter_instance {
  size_t parameter; /**< index in the model */
  size_t recording; /**< the first recording (in the layout) that uses it */
  size_t value;     /**< its value, or that of what it is tied to; PF_LAYOUT_NONE: fixed */
  double factor;    /**< instance = factor * values[value]; 1 unless tied */
} pf_parameter_instance;

/** The recording of the data that stands at a place of the layout. */
typedef struct pf_layout_place {
  size_t recording, local;
} pf_layout_place;

typedef struct pf_layout {
  const pf_model_parameter *parameters; /**< [n_parameters], the model's */
  size_t n_parameters;
  const pf_dataset *data;  /**< of the recordings; NULL: one recording, without a name */
  size_t *recordings;      /**< [n_recordings] their indices in `data` */
  size_t *animal;          /**< [n_recordings] which of the fit's animals each is of, from 0 */
  pf_layout_place *places; /**< [n_recordings] the other way round, in order */
  size_t n_recordings, n_animals;
  pf_parameter_instance
      *instances; /**< [n_instances], parameter by parameter, then in the order of the recordings */
  size_t n_instances;
  size_t *first;  /**< [n_parameters] first instance of each */
  uint8_t *scope; /**< [n_parameters] enum pf_scope in effect */
  double *kept;   /**< [n_instances] numbers of the fixed instances; of others without meaning */
  size_t n;       /**< values */
  size_t *index;  /**< [n] the instance of each value */
  double *lower, *upper; /**< [n] bounds of the values */
} pf_layout;

/** Neither fixed nor tied? */
bool pf_is_free(const pf_model_parameter *parameter);
/** Sets the tied ones of theta [n] from those that they are tied to. */
void pf_tie(const pf_model_parameter *parameters, size_t n, double *theta);

/** Parameters and the recordings that they are of; `parameters` and `data` MUST outlive the layout.
 */
typedef struct pf_layout_in {
  const pf_model_parameter *parameters;
  size_t n_parameters;
  const pf_dataset *data;   /**< NULL: for one recording that belongs to nobody */
  const size_t *recordings; /**< [n_recordings] of the data; copied */
  size_t n_recordings;
} pf_layout_in;

/** Fixed ones have their parameter's initial value, within its bounds. */
pf_status pf_layout_create(const pf_layout_in *in, pf_layout **out, pf_error *error);
void pf_layout_free(pf_layout *layout);
/**
 * The same recordings with fewer values: instances for which keep[instance] is true become fixed at
 * the numbers that `values` [layout->n] gives them (what is tied to them too). keep: [n_instances].
 */
pf_status pf_layout_freeze(const pf_layout *layout, const double *values, const bool *keep,
                           pf_layout **out, pf_error *error);

/** The numbers that fixed instances have from now on, of `instances` [n_instances]. */
void pf_layout_keep(pf_layout *layout, const double *instances);
/** Whose copy an instance is: the animal's name and the experiment's number in it (from 0); "" and
 * -1 where it is shared. */
void pf_layout_copy(const pf_layout *layout, size_t instance, const char **animal,
                    int64_t *experiment);
/** Index in the layout of a recording of layout->data (0 where data is NULL), or PF_LAYOUT_NONE. */
size_t pf_layout_recording(const pf_layout *layout, const pf_recording *recording);
/** The instance of a parameter that a recording uses. */
size_t pf_layout_instance(const pf_layout *layout, size_t recording, size_t parameter);

/** The value of `layout` that value k of `from`, a layout of the same recordings, is;
 * PF_LAYOUT_NONE: it is fixed there. */
static inline size_t pf_layout_value_of(const pf_layout *layout, const pf_layout *from, size_t k)
{
  return layout->instances[from->index[k]].value;
}

/** Is value k one for all recordings of the layout? */
bool pf_layout_is_shared(const pf_layout *layout, size_t k);
/** The number of every instance [n_instances]. */
void pf_layout_instances(const pf_layout *layout, const double *values, double *instances);
/** The values [n] among the numbers of the instances. */
void pf_layout_values(const pf_layout *layout, const double *instances, double *values);
/** theta [n_parameters] of a recording. */
void pf_layout_theta(const pf_layout *layout, const double *values, size_t recording,
                     double *theta);
/** A recording's d / d theta [n_parameters] is added to d / d instances [n_instances]. */
void pf_layout_fold(const pf_layout *layout, size_t recording, const double *gradient_theta,
                    double *instances);
/** From d / d instances [n_instances] to d / d values [n], overwritten: what hangs on a value by
 * ties counts with its factor.
 */
void pf_layout_gradient(const pf_layout *layout, const double *instances, double *values);
/**
 * A recording's symmetric matrix [n_which][n_which] in the parameters `which`, of a Hessian or of
 * Fisher information, is added to that in the values [n][n].
 */
void pf_layout_fold_information(const pf_layout *layout, size_t recording, const size_t *which,
                                size_t n_which, const double *block, double *information);

#endif
