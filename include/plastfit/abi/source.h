/*
 * plastfit/abi/source.h - where experiments come from.
 *
 * A source either reads experiments (`read`), or is a closed-loop task
 * (`begin`, `next`, `end`): the host runs network and rule, draws the choice,
 * and the task answers with rewards and the next inputs. So a teacher, and a
 * fitted rule put back into the task, are the same thing.
 */
#ifndef PLASTFIT_ABI_SOURCE_H
#define PLASTFIT_ABI_SOURCE_H

#include <plastfit/abi/experiment.h>
#include <plastfit/abi/options.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Filled by `declare`. Tables are the source's and valid until destroy. */
typedef struct pf_source_declaration {
  size_t size;
  int64_t n_input;   /**< inputs per step; 0: known only once read, or as many as the network has */
  pf_names channels; /**< channels it provides, e.g. { "reward" } */
  pf_names targets;  /**< targets it provides; of a task: those the host records from the network */
  /* tasks only */
  int64_t n_state;   /**< doubles of state per run, owned by the host */
  int64_t n_uniform; /**< uniform numbers in [0, 1) that `next` takes */
  int64_t n_normal;  /**< standard normal numbers that `next` takes */
  int64_t max_steps; /**< a run that goes on longer is an error */
} pf_source_declaration;

/** What the task gets: how the step that it last presented went. */
typedef struct pf_task_in {
  size_t size;
  int64_t step; /**< index of the step to present, from 0; at 0 there is no last step */
  double
      choice; /**< drawn from the model's probability, 0 or 1; NaN where the network makes none */
  const pf_real *output; /**< [n_output] activity of the last population */
  int64_t n_output;
  int64_t n_input;       /**< of the network */
  const double *uniform; /**< [n_uniform] */
  const double *normal;  /**< [n_normal] */
} pf_task_in;

/** What the task answers. The host zeroes it before the call. */
typedef struct pf_task_out {
  size_t size;
  /* about the step that went before (ignored at step 0) */
  uint32_t flags;   /**< PF_STEP_* */
  double *channels; /**< [n channels]; NaN: nothing at that step (a reward that could not come) */
  /* about the step to come */
  uint32_t done; /**< 1: there is none */
  double *cue;   /**< [n_input], see pf_experiment */
  int64_t trial, block;
  double dt;       /**< ms, or 0 */
  uint32_t starts; /**< PF_STEP_RESET_* of the step to come: what starts anew before it */
} pf_task_out;

/** A column or array of a recording as it stands in its file: what `list` shows. */
typedef struct pf_column {
  size_t size;
  const char *name;
  const char *why;       /**< NULL, or why it cannot be used */
  const char *option;    /**< the group of options that names such columns: "columns" */
  const char *word;      /**< what messages call it: "column", "array" */
  int64_t rows, columns; /**< columns: values side by side in a row */
  int64_t n_dims;        /**< 0: one value */
  const double *numbers; /**< [rows][columns], NaN: missing; NULL: it has texts, or is too large */
  const char *const *texts; /**< [rows][columns], NULL: missing; NULL: it has numbers */
} pf_column;

/** The host's end of `list`. */
typedef struct pf_column_sink pf_column_sink;
struct pf_column_sink {
  size_t size;
  void *impl;
  /** Hand over one column. A result other than PF_OK: return it at once. */
  pf_status (*column)(const pf_column_sink *sink, const pf_column *column, pf_error *error);
};

/**
 * What a source can do. Of every op here (base.h says it in full):
 *
 * - Returns. PF_OK; PF_POINT_FAILED where these parameter values cannot be gone on with, so that an
 *   optimiser backs off; PF_STOP. With either of these a line in *error (pf_fail).
 * - Memory.  What is handed over is the host's and valid for the call; [hot] ops allocate nothing.
 * - Threads. `create` and `destroy`: one at a time for an object. All others: several at once on
 *   the same object.
 */
typedef struct pf_source_ops {
  size_t size; /**< sizeof(pf_source_ops) */

  /* ---- required ---- */

  /**
   * Make an object from its options (checked, defaults filled in; valid during this call only). On
   * failure *self is untouched and nothing leaks. `host` is valid until destroy returns.
   */
  pf_status (*create)(const pf_host *host, const pf_options *options, void **self, pf_error *error);
  /** Free it; self MAY be NULL. */
  void (*destroy)(void *self);
  /** Say what the source declares; *declared comes zeroed but for size. Tables are the object's,
   * valid until destroy. */
  pf_status (*declare)(const void *self, pf_source_declaration *declared, pf_error *error);

  /* ---- required of a source that reads ---- */

  /** Hand every experiment to the sink, in an order that does not depend on the machine, twice the
   * same. May take memory and read files; a result of the sink other than PF_OK is returned at
   * once. */
  pf_status (*read)(const void *self, const pf_sink *sink, pf_error *error);

  /* ---- required of a task ---- */

  /** Set the state [n_state] (zeroed before) for one run. `run`: index of the animal. */
  pf_status (*begin)(const void *self, int64_t run, double *state, pf_error *error);
  /** Settle the last step and present the next, or say that there is none. */
  pf_status (*next)(const void *self, double *state, const pf_task_in *in, pf_task_out *out,
                    pf_error *error);
  /** The run is over (also after a failure). */
  void (*end)(const void *self, double *state);

  /* ---- optional ---- */

  /** Every column of the (first) file that the options name, whatever it is used as: for `plastfit
   * new config`, which guesses that. Needs no object. */
  pf_status (*list)(const pf_host *host, const pf_options *options, const pf_column_sink *sink,
                    pf_error *error);
} pf_source_ops;

#ifdef __cplusplus
}
#endif

#endif
