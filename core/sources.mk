# The core's sources, in the order data flow through it.
# `core_sources` go into the library, and so into the program and the unit tests; `cli_sources` into the program alone.
core_sources =
core_sources += core/base/memory.c core/base/memory.h
core_sources += core/base/random.c core/base/random.h
core_sources += core/base/text.c core/base/text.h
core_sources += core/base/threads.h
core_sources += core/base/version.c

cli_sources = core/cli/cli.h
cli_sources += core/cli/cmd_check.c
cli_sources += core/cli/cmd_describe.c
cli_sources += core/cli/cmd_fit.c
cli_sources += core/cli/cmd_evaluate.c
cli_sources += core/cli/cmd_list.c
cli_sources += core/cli/cmd_new.c core/cli/rule_template.c core/cli/rule_template.h
cli_sources += core/cli/cmd_simulate.c
cli_sources += core/cli/interrupt.c core/cli/interrupt.h
cli_sources += core/cli/main.c

core_sources += core/data/dataset.c core/data/dataset.h
core_sources += core/data/derive.c
core_sources += core/data/expectation.c
core_sources += core/data/linear.c

core_sources += core/engine/engine.h core/engine/kernels.h core/engine/workspace.h
core_sources += core/engine/adjoint.c
core_sources += core/engine/batch.c
core_sources += core/engine/bounds.c core/engine/bounds.h
core_sources += core/engine/carry.c core/engine/carry.h
core_sources += core/engine/coupled.c core/engine/coupled.h
core_sources += core/engine/draw.c
core_sources += core/engine/explain.c core/engine/explain.h
core_sources += core/engine/forward.c
core_sources += core/engine/gradient.c
core_sources += core/engine/kernels.c
core_sources += core/engine/masks.c
core_sources += core/engine/model.c
core_sources += core/engine/plan.c core/engine/plan.h
core_sources += core/engine/run.c
core_sources += core/engine/sensitivity.h
core_sources += core/engine/simulate.c
core_sources += core/engine/sweep.c core/engine/sweep.h
core_sources += core/engine/workspace.c

core_sources += core/config/config.h core/config/node.h
core_sources += core/config/libconfig.c
core_sources += core/config/node.c
core_sources += core/config/options.c
core_sources += core/config/overlay.c
core_sources += core/config/overrides.c
core_sources += core/config/prescan.c
core_sources += core/config/read.c
core_sources += core/config/unknown.c
core_sources += core/config/view.c
core_sources += core/config/where.c
core_sources += core/config/write.c

core_sources += core/problem/problem.h core/problem/build.h core/problem/keys.h
core_sources += core/problem/channels.c
core_sources += core/problem/data.c
core_sources += core/problem/draws.c
core_sources += core/problem/initial_weights.c core/problem/initial_weights.h
core_sources += core/problem/keys.c
core_sources += core/problem/masks.c
core_sources += core/problem/memory.c
core_sources += core/problem/models.c
core_sources += core/problem/parameters.c core/problem/record.c core/problem/warm.c
core_sources += core/problem/problem.c
core_sources += core/problem/settings.c
core_sources += core/problem/validation.c core/problem/validation.h
core_sources += core/problem/view.c core/problem/view.h

core_sources += core/plugin/component.h core/plugin/describe.h core/plugin/loader.h core/plugin/path.h
core_sources += core/plugin/registry.h
core_sources += core/plugin/admit.c
core_sources += core/plugin/component.c
core_sources += core/plugin/describe.c
core_sources += core/plugin/loader.c
core_sources += core/plugin/path.c
core_sources += core/plugin/registry.c

core_sources += core/fit/layout.c core/fit/layout.h
core_sources += core/fit/adam.h core/fit/fit.h core/fit/objective.h core/fit/theta_file.h core/fit/ticker.h core/fit/units.h
core_sources += core/fit/adam.c
core_sources += core/fit/optimiser.h core/fit/quadratic.h core/fit/conjugate.h
core_sources += core/fit/conjugate.c
core_sources += core/fit/lm.c
core_sources += core/fit/passes.c
core_sources += core/fit/quadratic.c
core_sources += core/fit/quasi_newton.c
core_sources += core/fit/optimiser.c
core_sources += core/fit/objective.c
core_sources += core/fit/run.c
core_sources += core/fit/theta_file.c
core_sources += core/fit/ticker.c
core_sources += core/fit/units.c

core_sources += core/evaluate/deviance.h core/evaluate/evaluate.h core/evaluate/plan.h core/evaluate/r2.h
core_sources += core/evaluate/score.h
core_sources += core/evaluate/deviance.c
core_sources += core/evaluate/evaluate.c
core_sources += core/evaluate/plan.c
core_sources += core/evaluate/r2.c
core_sources += core/evaluate/score.c
core_sources += core/evaluate/summary.c

core_sources += core/stats/stats.h
core_sources += core/stats/bootstrap.c core/stats/distributions.c core/stats/holm.c core/stats/quantile.c
core_sources += core/stats/wilcoxon.c
core_sources += core/report/report.h core/report/tables.h
core_sources += core/report/check.c core/report/check.h core/report/check_data.c
core_sources += core/report/csv.c
core_sources += core/report/folder.c

core_sources += core/compare/compare.h
core_sources += core/report/figure.h core/report/figure_parts.h core/report/folder.h core/report/h5.h core/report/names.h core/report/polynomial.h
core_sources += core/report/h5.c
core_sources += core/report/json.c
core_sources += core/report/meter.c
core_sources += core/report/figure.c core/report/figure_draw.c core/report/figure_script.c
core_sources += core/report/names.c
core_sources += core/report/polynomial.c
core_sources += core/report/print.c
core_sources += core/report/report.c
core_sources += core/report/run_folder.c core/report/run_folder.h
core_sources += core/report/simulated.c core/report/simulated.h
core_sources += core/report/trajectories.c
