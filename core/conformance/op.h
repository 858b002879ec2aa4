/*
 * An op under test, whatever its kind: named inputs and outputs, a call that fills the outputs,
 * and, where it is differentiable, a vjp (cotangents of outputs to gradients of inputs) and a jvp
 * (tangents of inputs to tangents of outputs). rule.c, network.c and loss.c say what these are;
 * values.c and derivatives.c hold them against the promises of the ABI, all in the same way.
 */
#ifndef PLASTFIT_CORE_CONFORMANCE_OP_H
#define PLASTFIT_CORE_CONFORMANCE_OP_H

#include "core/conformance/object.h"

enum { CF_MAX_SLOTS = 40, CF_TANGENTS = 2, CF_TEXT = 96 };

/** How the numbers of an input are drawn. None is 0 or 1: a factor that is dropped must show. */
enum cf_fill {
  CF_SIGNED, /**< of either sign, 0.15 to 1.25 in size */
  CF_THETA,  /**< near what the parameter table says */
  CF_MASK,   /**< 0 or 1 */
  CF_VALUES, /**< one of the slot's values, some missing (NaN) */
  CF_RANGE,  /**< between low and high */
};

/** An input or an output. `build` sets name, type, planes, rows, columns, units, steps and
 * parameters of `value`, and what follows the arrays. */
typedef struct cf_slot {
  cf_array value;
  cf_array other;   /**< gradient of an input, cotangent of an output; no map: not differentiable */
  cf_array tangent; /**< CF_TANGENTS of them; no map: none */
  bool varies;      /**< a real input that is differentiated, or an output that depends on such */
  bool fixed;       /**< an input that is not differentiated, though it is real */
  bool starts_as_zero; /**< an output that the host zeroes before the call */
  int like; /**< an earlier input (not the first) whose leading dimension it shares; 0: its own */
  enum cf_fill fill;
  double values[16];
  int n_values;
  double low, high, missing; /**< range; fraction of NaN */
  int64_t copy_stride; /**< of the tangents, where the ABI has one for several arrays; 0: own */
} cf_slot;

enum cf_member { CF_VALUE, CF_OTHER, CF_TANGENT };
static inline const cf_array *cf_member_of(const cf_slot *slot, enum cf_member which)
{
  const cf_array *const arrays[] = {&slot->value, &slot->other, &slot->tangent};
  return arrays[which];
}

/** Units [unit0, unit0 + n_units) and steps [step0, step0 + n_steps) of the arrays; row0: what the
 * op is given as such. */
typedef struct cf_range {
  int64_t unit0, n_units, step0, n_steps, row0;
} cf_range;

/** Sizes of a case. */
typedef struct cf_shape {
  int64_t units, columns, steps;
} cf_shape;

enum { CF_PAD_ALL = -1, CF_PAD_NONE = -2 };

typedef struct cf_layout {
  int pad; /**< CF_PAD_ALL, CF_PAD_NONE, or the one slot (inputs first, then outputs) whose rows are
              padded */
  bool at_end; /**< arrays lie flush with the end of their pages */
  uint64_t seed;
} cf_layout;

typedef struct cf_op cf_op;
typedef pf_status (*cf_call)(const cf_op *op, const cf_range *range, pf_error *error);

/** What a kind says of one of its ops. */
typedef struct cf_kind_op {
  const char *call_name, *vjp_name, *jvp_name; /**< as in the ops struct */
  /** Make slots with cf_input and cf_output. Everything that `call` needs must come from op. */
  void (*build)(cf_op *op, const cf_shape *shape);
  cf_call call, vjp, jvp; /**< vjp and jvp MAY be NULL */
  size_t jvp_offset;      /**< of the jvp in the ops struct: a plugin may lack it */
  bool splits_units, splits_steps;
} cf_kind_op;

/** What to make ops of. */
typedef struct cf_case {
  const cf_kind_op *kind;
  const cf_object *object;
  const void *declared; /**< of the object */
  int64_t index;        /**< which population, for networks */
  cf_report *report;
  double dt;
} cf_case;

struct cf_op {
  cf_case of;
  cf_report *report; /**< of.report */
  cf_shape shape;
  cf_layout layout;
  cf_slot slots[CF_MAX_SLOTS]; /**< inputs, then outputs */
  int n_in, n_out;
  uint64_t wanted; /**< bit k: the gradient of input k is wanted */
  uint64_t given;  /**< bit k: the tangent of input k is given */
};

void cf_op_make(cf_op *op, const cf_case *of, cf_shape shape, cf_layout layout);
/** With all rows padded, and arrays flush with the end of their pages: what most checks want. */
void cf_op_make_padded(cf_op *op, const cf_case *of, cf_shape shape, uint64_t seed);
void cf_op_free(cf_op *op);

/* ---- for build ---- */

/** A slot of real numbers; `units`: along which axis they run. */
static inline cf_slot cf_matrix(const char *name, int64_t rows, int64_t columns, enum cf_axis units)
{
  return (cf_slot){
      .value = {.name = name, .planes = 1, .rows = rows, .columns = columns, .units = units}};
}
/** The next input. The first is always cf_input_theta. */
void cf_input(cf_op *op, const cf_slot *slot);
void cf_input_theta(cf_op *op, const pf_parameter_table *parameters);
/** The next output; inputs come before. */
void cf_output(cf_op *op, const cf_slot *slot);

/* ---- for call, vjp and jvp ---- */

/** Where a range of an array starts. */
void *cf_at(const cf_array *array, const cf_range *range);
/** Gradient of input k where it is wanted, else NULL. */
void *cf_gradient(const cf_op *op, int k, const cf_range *range);
/** Tangent of input k where it is given, else NULL. */
const void *cf_tangent(const cf_op *op, int k, const cf_range *range);
static inline const cf_slot *cf_out(const cf_op *op, int m)
{
  return &op->slots[op->n_in + m];
}

/* ---- running; what fails is a finding ---- */

cf_range cf_whole(const cf_op *op);
/** Outputs before a call: nothing that a computation gives, or zeros where the host promises them.
 */
void cf_reset_outputs(const cf_op *op);
/** The whole call with outputs reset before. */
void cf_run_whole(cf_op *op);
void cf_run_call(cf_op *op, const cf_range *range);
void cf_run_vjp(cf_op *op, const cf_range *range);
void cf_run_jvp(cf_op *op, const cf_range *range);
/** The call's status; no finding but a crash. */
pf_status cf_try_call(cf_op *op);
pf_status cf_try_vjp(cf_op *op);

/** Fill the inputs (or cotangents, gradients) again from a seed. */
void cf_fill_inputs(cf_op *op, uint64_t seed);
void cf_fill_cotangents(cf_op *op, uint64_t seed);
void cf_fill_gradients(cf_op *op, uint64_t seed);
void cf_zero_gradients(cf_op *op);
double cf_uniform(uint64_t *state);
/** 0.15 to 1.25 in size, 40 % negative. */
double cf_signed(uint64_t *state);

/** The numbers of one member of every slot, as they are now. */
typedef struct cf_numbers {
  double *of[CF_MAX_SLOTS];
} cf_numbers;
cf_numbers cf_numbers_take(const cf_op *op, enum cf_member which);
void cf_numbers_free(cf_numbers *numbers);

/** Padding of arrays that a plugin writes. */
extern const double cf_mark;
/** A finding if the padding of an array that the op wrote is not what it was. */
void cf_need_padding(const cf_op *op, const cf_array *array);
/** Rounding of sums taken in another order, relative to their size. */
double cf_rounding(void);

#endif
