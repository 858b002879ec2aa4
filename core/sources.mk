# The core's sources, in the order data flow through it.
# `core_sources` go into the library, and so into the program and the unit tests; `cli_sources` into the program alone.
core_sources =

# Files that become part of the library (core_embedded) or of the program (cli_embedded): each of these sources is made
# at build time from the files that it depends on. core/base/embed.h says how to read them.
core_embedded =
cli_embedded =
EMBED = $(SHELL) core/base/embed.sh
EXTRA_DIST += core/base/embed.sh

# what `plastfit new KIND NAME` writes: for a rule a template of its own, for the others examples/selectivity
templates = core/cli/templates
rule_template = $(templates)/rule/NAME.c $(templates)/rule/Makefile $(templates)/rule/NAME.cfg $(templates)/rule/README.md
callbacks_template = $(templates)/rule/Makefile $(templates)/callbacks/NAME.cfg $(templates)/callbacks/README.md
loss_template = $(templates)/rule/Makefile $(templates)/loss/NAME.cfg $(templates)/loss/README.md
network_template = $(templates)/rule/Makefile $(templates)/network/NAME.cfg $(templates)/network/README.md \
	$(templates)/network/conformance.cfg
source_template = $(templates)/rule/Makefile $(templates)/source/NAME.cfg $(templates)/source/README.md
cli_embedded += core/cli/rule_files.c core/cli/callbacks_files.c core/cli/loss_files.c core/cli/network_files.c \
	core/cli/source_files.c
EXTRA_DIST += $(rule_template) $(callbacks_template) $(loss_template) $(network_template) $(source_template) \
	$(templates)/embed_example.sh $(templates)/.clang-format
core/cli/rule_files.c: $(rule_template) core/base/embed.sh
	$(AM_V_GEN)$(MKDIR_P) $(@D) && cd $(srcdir) && $(EMBED) pf_rule_template $(rule_template) >$(abs_builddir)/$@.new
	$(AM_V_at)mv $@.new $@
EMBED_EXAMPLE = $(SHELL) $(srcdir)/$(templates)/embed_example.sh $(srcdir)
core/cli/callbacks_files.c: $(callbacks_template) examples/selectivity/bcm_sliding.c $(templates)/embed_example.sh core/base/embed.sh
	$(AM_V_GEN)$(MKDIR_P) $(@D) && $(EMBED_EXAMPLE) callbacks bcm_sliding $(callbacks_template) >$@.new && mv $@.new $@
core/cli/loss_files.c: $(loss_template) examples/selectivity/cauchy.c $(templates)/embed_example.sh core/base/embed.sh
	$(AM_V_GEN)$(MKDIR_P) $(@D) && $(EMBED_EXAMPLE) loss cauchy $(loss_template) >$@.new && mv $@.new $@
core/cli/network_files.c: $(network_template) examples/selectivity/supralinear.c $(templates)/embed_example.sh core/base/embed.sh
	$(AM_V_GEN)$(MKDIR_P) $(@D) && $(EMBED_EXAMPLE) network supralinear $(network_template) >$@.new && mv $@.new $@
core/cli/source_files.c: $(source_template) examples/selectivity/patterns.c $(templates)/embed_example.sh core/base/embed.sh
	$(AM_V_GEN)$(MKDIR_P) $(@D) && $(EMBED_EXAMPLE) source patterns $(source_template) >$@.new && mv $@.new $@

core_sources += core/base/array.c core/base/array.h
core_sources += core/base/embed.h
core_sources += core/base/memory.c core/base/memory.h
core_sources += core/base/memory_limit.c core/base/memory_limit.h
core_sources += core/base/pool.c core/base/pool.h
core_sources += core/base/put_in_place.c core/base/put_in_place.h
core_sources += core/base/random.c core/base/random.h
core_sources += core/base/saying_once.c core/base/saying_once.h
core_sources += core/base/nearest_file.c core/base/nearest_file.h
core_sources += core/base/text.c core/base/text.h
core_sources += core/base/threads.h
core_sources += core/base/version.c

cli_sources = core/command_line/command.c core/command_line/command.h
cli_sources += core/command_line/child.c core/command_line/child.h
cli_sources += core/command_line/arguments.c core/command_line/arguments.h
cli_sources += core/cli/cmd_compare.c
cli_sources += core/cli/cmd_check.c core/cli/cmd_completion.c
cli_sources += core/command_line/json_output.c core/command_line/json_output.h core/command_line/plugin_json.c core/command_line/plugin_json.h
cli_sources += core/cli/cmd_describe.c
cli_sources += core/cli/cmd_fit.c
cli_sources += core/cli/cmd_evaluate.c
cli_sources += core/cli/cmd_list.c
cli_sources += core/cli/cmd_recover.c
cli_sources += core/cli/task_command.c core/cli/task_command.h
cli_sources += core/cli/cmd_report.c
cli_sources += core/cli/cmd_new.c core/cli/new_config.c core/cli/new_config.h
cli_sources += core/cli/config_source.c core/cli/config_source.h core/cli/look_file.c core/cli/look_file.h
cli_sources += core/cli/cmd_simulate.c
cli_sources += core/cli/fitted_truth.c core/cli/fitted_truth.h
cli_sources += core/cli/run_config.c core/cli/run_config.h
cli_sources += core/cli/run_verdicts.c core/cli/run_verdicts.h
cli_sources += core/command_line/interrupt.c core/command_line/interrupt.h
cli_sources += core/cli/main.c
cli_sources += core/data_look/table_look.c core/data_look/table_look.h
cli_sources += core/data_look/array_look.c core/data_look/guess_roles.c

core_sources += core/data/animal_places.c core/data/animal_places.h core/data/recordings.h
core_sources += core/data/chain.c core/data/chain.h
core_sources += core/data/data_names.c core/data/data_names.h
core_sources += core/data/dataset.c core/data/dataset.h
core_sources += core/data/derive.c core/data/derive.h
core_sources += core/data/expected_reward.c core/data/expected_reward.h
core_sources += core/data/expected_reward_exponential.c core/data/expected_reward_window.c
core_sources += core/data/linear.c core/data/linear.h

core_sources += core/model/build_model.c core/model/build_model.h
core_sources += core/model/masks.c core/model/masks.h
core_sources += core/model/model.c core/model/model.h
core_sources += core/model/model_parameters.c core/model/model_parameters.h
core_sources += core/model/modulation.c core/model/modulation.h
core_sources += core/model/normalisation.c core/model/normalisation.h
core_sources += core/model/phases.c core/model/phases.h
core_sources += core/model/plastic.c core/model/plastic.h
core_sources += core/model/reach.c core/model/reach.h
core_sources += core/model/starting_weights.c core/model/starting_weights.h
core_sources += core/model/table_copy.c core/model/table_copy.h
core_sources += core/model/terms.c core/model/terms.h
core_sources += core/model/weight_bounds.c core/model/weight_bounds.h

core_sources += core/engine/batch.c core/engine/batch.h
core_sources += core/engine/checkpoint_plan.c core/engine/checkpoint_plan.h
core_sources += core/engine/coupled.c core/engine/coupled.h
core_sources += core/state/draw.c core/state/draw.h
core_sources += core/engine/explain.c core/engine/explain.h
core_sources += core/state/failures.c core/state/failures.h
core_sources += core/state/kernels.c core/state/kernel_ops.h core/state/kernels.h
core_sources += core/state/losses.c core/state/losses.h
core_sources += core/state/population.c core/state/population.h
core_sources += core/state/seen.c core/state/seen.h
core_sources += core/state/segments.c core/state/segments.h
core_sources += core/engine/simulation.c core/engine/simulation.h
core_sources += core/state/starting_state.c core/state/starting_state.h
core_sources += core/engine/sweep.c core/engine/sweep.h
core_sources += core/engine/sweep_block.c core/engine/sweep_block.h
core_sources += core/state/synaptic_parts.c core/state/synaptic_parts.h core/state/synaptic_state.c core/state/synaptic_state.h
core_sources += core/state/trajectory.c core/state/trajectory.h
core_sources += core/state/workspace.c core/state/workspace.h

core_sources += core/sensitivity/derivatives_words.c core/sensitivity/derivatives_words.h
core_sources += core/sensitivity/sensitivity_memory.c core/sensitivity/sensitivity_memory.h
core_sources += core/sensitivity/tangents.c core/sensitivity/tangents.h
core_sources += core/state/rule_slopes.c core/state/rule_slopes.h
core_sources += core/sensitivity/unit_tangents.c core/sensitivity/unit_tangents.h
core_sources += core/sensitivity/synaptic_tangents.c core/sensitivity/synaptic_tangents.h
core_sources += core/sensitivity/coupled_tangents.c core/sensitivity/coupled_tangents.h
core_sources += core/sensitivity/network_tangents.c core/sensitivity/network_tangents.h
core_sources += core/sensitivity/loss_information.c core/sensitivity/loss_information.h
core_sources += core/sensitivity/tangent_sweep.c core/sensitivity/tangent_sweep.h
core_sources += core/sensitivity/tangent_memory.c core/sensitivity/tangent_memory.h
core_sources += core/sensitivity/tangent_simulation.c core/sensitivity/tangent_simulation.h
core_sources += core/sensitivity/sensitivity.h
core_sources += core/sensitivity/information.c core/sensitivity/information.h
core_sources += core/sensitivity/information_product.c core/sensitivity/information_product.h

core_sources += core/baselines/baselines.c core/baselines/baselines.h core/baselines/win_stay.c core/baselines/win_stay.h
core_sources += core/baselines/logistic_history.c core/baselines/logistic_history.h
core_sources += core/baselines/choice_history.c core/baselines/choice_history.h

core_sources += core/closed_loop/choice_law.c core/closed_loop/choice_law.h
core_sources += core/closed_loop/live_channels.c core/closed_loop/live_channels.h
core_sources += core/closed_loop/redraw.c core/closed_loop/redraw.h
core_sources += core/closed_loop/simulate.c core/closed_loop/simulate.h

core_sources += core/particles/filter.c core/particles/filter.h
core_sources += core/particles/genealogy.c core/particles/genealogy.h
core_sources += core/particles/particle_states.c core/particles/particle_states.h
core_sources += core/particles/particle_weights.c core/particles/particle_weights.h

core_sources += core/config/config.h
core_sources += core/config/libconfig.c core/config/libconfig.h
core_sources += core/config/node.c core/config/node.h
core_sources += core/config/options.c core/config/options.h
core_sources += core/config/overlay.c
core_sources += core/config/overrides.c
core_sources += core/config/prescan.c core/config/prescan.h
core_sources += core/config/read.c
core_sources += core/config/reads.c
core_sources += core/config/text_file.c core/config/text_file.h
core_sources += core/config/unknown.c core/config/unknown.h
core_sources += core/config/setting.c core/config/setting.h
core_sources += core/config/view.c
core_sources += core/config/where.c
core_sources += core/config/write.c

core_sources += core/layout/layout.c core/layout/layout.h

core_sources += core/settings/fit_settings.c core/settings/fit_settings.h
core_sources += core/settings/interval_settings.c core/settings/interval_settings.h
core_sources += core/settings/marginal_settings.c core/settings/marginal_settings.h
core_sources += core/settings/population_settings.c core/settings/population_settings.h
core_sources += core/settings/network_settings.c core/settings/network_settings.h
core_sources += core/settings/root_settings.c core/settings/root_settings.h core/settings/settings.h
core_sources += core/settings/source_settings.c core/settings/source_settings.h

core_sources += core/model_config/build_models.c core/model_config/build_models.h
core_sources += core/model_config/channels.c core/model_config/channels.h
core_sources += core/model_config/component_settings.c core/model_config/component_settings.h
core_sources += core/model_config/initial_weights.c core/model_config/initial_weights.h
core_sources += core/model_config/keys.c core/model_config/keys.h
core_sources += core/model_config/learned_start.c core/model_config/learned_start.h
core_sources += core/model_config/mask_keys.c core/model_config/mask_keys.h
core_sources += core/model_config/models.c core/model_config/models.h
core_sources += core/model_config/observed_rules.c core/model_config/observed_rules.h
core_sources += core/model_config/parameters.c core/model_config/parameters.h
core_sources += core/model_config/projection_keys.c core/model_config/projection_keys.h

core_sources += core/problem/create_problem.c
core_sources += core/problem/data.c core/problem/data.h
core_sources += core/problem/draws.c
core_sources += core/problem/likelihood.c core/problem/likelihood.h
core_sources += core/problem/memory_budget.c core/problem/memory_budget.h
core_sources += core/problem/problem.c core/problem/problem.h
core_sources += core/problem/record.c core/problem/record.h
core_sources += core/problem/replicate.c core/problem/replicate.h
core_sources += core/problem/subset.c core/problem/subset.h
core_sources += core/problem/warm_start.c core/problem/warm_start.h

core_sources += core/plugin/admit.h core/plugin/component.h core/plugin/describe.h core/plugin/loader.h core/plugin/path.h
core_sources += core/plugin/registry.h
core_sources += core/plugin/admit.c
core_sources += core/plugin/component.c
core_sources += core/plugin/describe.c
core_sources += core/plugin/loader.c
core_sources += core/plugin/trial.c core/plugin/trial.h
core_sources += core/plugin/path.c
core_sources += core/plugin/registry.c

core_sources += core/optimise/adam.h core/fit/fit.h core/fit/objective.h core/readers/theta_file.h core/base/ticker.h core/fit/fit_groups.h
core_sources += core/optimise/adam.c
core_sources += core/optimise/optimiser.h core/optimise/quadratic.h core/optimise/conjugate.h
core_sources += core/fit/group_objective.h core/fit/multistart.h
core_sources += core/optimise/conjugate.c
core_sources += core/fit/multistart.c
core_sources += core/fit/group_objective.c
core_sources += core/fit/subsampled_start.c core/fit/subsampled_start.h
core_sources += core/optimise/lm.c
core_sources += core/optimise/quadratic.c
core_sources += core/optimise/secant.c core/optimise/secant.h
core_sources += core/optimise/valley.c core/optimise/valley.h
core_sources += core/optimise/quasi_newton.c core/optimise/quasi_newton.h
core_sources += core/optimise/lbfgs.c
core_sources += core/optimise/owlqn.c
core_sources += core/optimise/optimiser.c
core_sources += core/fit/judgement.c core/fit/judgement.h core/optimise/value_scales.c core/optimise/value_scales.h
core_sources += core/fit/objective.c
core_sources += core/fit/fit.c
core_sources += core/fit/fit_job.c core/fit/fit_job.h
core_sources += core/fit/fit_memory.c core/fit/fit_memory.h
core_sources += core/fit/penalty_path.c core/fit/penalty_path.h core/fit/penalty_folds.c core/fit/penalty_folds.h
core_sources += core/fit/penalty_choice.c core/fit/penalty_choice.h core/fit/path_start.c core/fit/path_start.h
core_sources += core/fit/thread_workspaces.c core/fit/thread_workspaces.h
core_sources += core/readers/theta_file.c
core_sources += core/base/ticker.c
core_sources += core/fit/fit_groups.c

core_sources += core/marginal/importance.c core/marginal/importance.h
core_sources += core/marginal/input_sd.c core/marginal/input_sd.h
core_sources += core/marginal/louis.c core/marginal/louis.h
core_sources += core/marginal/marginal.c core/marginal/marginal.h
core_sources += core/marginal/monte_carlo_em.c core/marginal/monte_carlo_em.h
core_sources += core/marginal/nats_batch.c core/marginal/nats_batch.h
core_sources += core/marginal/posterior.c core/marginal/posterior.h

core_sources += core/evaluate/deviance.h core/evaluate/evaluate.h core/evaluate/evaluation_plan.h core/evaluate/r2.h
core_sources += core/evaluate/score.h
core_sources += core/evaluate/ablation.c core/evaluate/ablation.h
core_sources += core/evaluate/closed_loop.c core/evaluate/closed_loop.h
core_sources += core/evaluate/deviance.c
core_sources += core/evaluate/evaluate.c
core_sources += core/evaluate/evaluation_plan.c
core_sources += core/evaluate/latent_bands.c core/evaluate/latent_bands.h
core_sources += core/evaluate/predictive.c core/evaluate/predictive.h
core_sources += core/evaluate/r2.c
core_sources += core/evaluate/refit.c core/evaluate/refit.h
core_sources += core/evaluate/expected_target.c core/evaluate/expected_target.h
core_sources += core/evaluate/score.c
core_sources += core/evaluate/weights_kind.h
core_sources += core/evaluate/trajectories.c core/evaluate/trajectories.h
core_sources += core/evaluate/averages.c core/evaluate/averages.h core/evaluate/evaluation.h

core_sources += core/uncertainty/evidence.c core/uncertainty/evidence.h
core_sources += core/uncertainty/infer_job.c core/uncertainty/infer_job.h
core_sources += core/uncertainty/inference.c core/uncertainty/inference.h
core_sources += core/uncertainty/spectrum.c core/uncertainty/spectrum.h
core_sources += core/uncertainty/uncertainty.c core/uncertainty/uncertainty.h

core_sources += core/intervals/bootstrap.c
core_sources += core/intervals/clusters.c core/intervals/clusters.h
core_sources += core/intervals/fisher.c
core_sources += core/intervals/covariance.c core/intervals/covariance.h
core_sources += core/intervals/interval_method.c core/intervals/interval_method.h
core_sources += core/intervals/profile.c core/intervals/profile.h
core_sources += core/intervals/rivals.c core/intervals/rivals.h
core_sources += core/intervals/sandwich.c

core_sources += core/infer/agreement.c core/infer/agreement.h
core_sources += core/infer/drawn_start.c core/infer/drawn_start.h
core_sources += core/infer/improve.c core/infer/improve.h
core_sources += core/infer/infer.c core/infer/infer.h
core_sources += core/infer/input_noise.c core/infer/input_noise.h
core_sources += core/infer/latent.c core/infer/latent.h
core_sources += core/profile/profile_quadratic.c core/profile/profile_quadratic.h
core_sources += core/profile/profile_trace.c core/profile/profile_trace.h

core_sources += core/stats/model_selection.c core/stats/model_selection.h
core_sources += core/stats/stats.h
core_sources += core/stats/resampling.c core/stats/distributions.c core/stats/holm.c core/stats/quantile.c
core_sources += core/stats/wilcoxon.c

core_sources += core/ranking/ranking.c core/ranking/ranking.h
core_sources += core/candidates/candidates.c core/candidates/candidates.h
core_sources += core/candidates/compare_settings.c core/candidates/compare_settings.h
core_sources += core/candidates/job.c core/candidates/job.h
core_sources += core/candidates/job_check.c core/candidates/job_check.h
core_sources += core/candidates/job_file.c core/candidates/job_file.h
core_sources += core/candidates/job_result.c core/candidates/job_result.h
core_sources += core/candidates/key.c core/candidates/key.h
core_sources += core/candidates/nesting.c core/candidates/nesting.h
core_sources += core/candidates/same_data.c core/candidates/same_data.h
core_sources += core/candidates/score_folds.c core/candidates/score_folds.h

core_sources += core/compare/assemble.c core/compare/assemble.h
core_sources += core/ranking/compare_table.c core/ranking/compare_table.h
core_sources += core/ranking/compare_words.c core/ranking/compare_words.h
core_sources += core/compare/comparison.c core/compare/comparison.h
core_sources += core/compare/comparison_files.c core/compare/comparison_files.h
core_sources += core/ranking/comparison_json.c core/ranking/comparison_json.h
core_sources += core/ranking/print_table.c core/ranking/print_table.h
core_sources += core/compare/followers.c core/compare/followers.h
core_sources += core/compare/select.c core/compare/select.h
core_sources += core/compare/work.c core/compare/work.h
core_sources += core/validations/validations.c core/validations/validations.h
core_sources += core/validations/validation.h
core_sources += core/validations/step_masks.c core/validations/step_masks.h
core_sources += core/validations/in_sample.c
core_sources += core/validations/in_sample_fresh_inputs.c
core_sources += core/validations/forecast.c
core_sources += core/validations/leave_one_block_out.c
core_sources += core/validations/leave_one_animal_out.c

core_sources += core/truth/coefficients.c core/truth/coefficients.h
core_sources += core/truth/effects.c core/truth/effects.h
core_sources += core/truth/equation.c core/truth/equation.h
core_sources += core/truth/names.c core/truth/names.h
core_sources += core/truth/truth.c core/truth/truth.h
core_sources += core/truth/polynomial.c core/truth/polynomial.h

core_sources += core/readers/h5_read.c core/readers/h5_read.h
core_sources += core/readers/trajectories_file.c core/readers/trajectories_file.h
core_sources += core/readers/matrix_file.c core/readers/matrix_file.h core/readers/sheet.c core/readers/sheet.h

core_sources += core/store/csv_file.c core/store/csv_file.h
core_sources += core/store/fit_csv.c
core_sources += core/store/folder.c core/store/folder.h
core_sources += core/store/folder_contents.c core/store/folder_contents.h
core_sources += core/hdf5/h5.c core/hdf5/h5.h
core_sources += core/hdf5/packed.c core/hdf5/packed.h
core_sources += core/store/population_csv.c core/store/population_json.c
core_sources += core/store/inference_csv.c
core_sources += core/store/multistart_csv.c
core_sources += core/store/results.c core/store/results.h
core_sources += core/store/simulated.c core/store/simulated.h
core_sources += core/store/json_values.c core/store/json_values.h
core_sources += core/store/summary_json.c
core_sources += core/store/tables.c core/store/tables.h
core_sources += core/store/theta_csv.c
core_sources += core/store/trajectories_h5.c

core_sources += core/plot/figure_layers.c core/plot/figure.h core/plot/figure_parts.h
core_sources += core/plot/figure_csv.c core/plot/figure_draw.c
core_sources += core/plot/figure_script.c

core_sources += core/figures/behaviour.c core/figures/behaviour.h
core_sources += core/figures/behaviour_figures.c
core_sources += core/figures/choice_figures.c
core_sources += core/figures/figure_folder.c core/figures/figure_folder.h
core_sources += core/figures/result_folder.c core/figures/result_folder.h
core_sources += core/figures/run_data.c core/figures/run_data.h
core_sources += core/figures/run_figure.h core/figures/run_figures.c core/figures/run_figures.h
core_sources += core/figures/population_figure.c
core_sources += core/figures/group_figure.c
core_sources += core/figures/value_label.c
core_sources += core/figures/spectrum_figure.c
core_sources += core/figures/theta_figures.c
core_sources += core/figures/profile_figure.c
core_sources += core/figures/weight_figures.c
core_sources += core/figures/latent_figures.c

page_files = core/page/head.html core/page/style.css
core_embedded += core/page/page_files.c
EXTRA_DIST += $(page_files)
core/page/page_files.c: $(page_files) core/base/embed.sh
	$(AM_V_GEN)$(MKDIR_P) $(@D) && cd $(srcdir) && $(EMBED) pf_page_files $(page_files) >$(abs_builddir)/$@.new
	$(AM_V_at)mv $@.new $@
core_sources += core/page/html.c core/page/html.h
core_sources += core/page/html_compare.c core/page/html_compare.h
core_sources += core/page/html_equation.c core/page/html_equation.h
core_sources += core/page/html_run.c core/page/html_run.h
core_sources += core/page/html_select.c core/page/html_select.h
core_sources += core/page/html_verdict.c core/page/html_verdict.h
core_sources += core/page/page.c core/page/page.h

core_sources += core/terminal/population_lines.c core/terminal/population_lines.h
core_sources += core/terminal/guard.c core/terminal/guard.h
core_sources += core/terminal/inference_lines.c core/terminal/inference_lines.h
core_sources += core/terminal/marginal_lines.c core/terminal/marginal_lines.h
core_sources += core/terminal/meter.c core/terminal/meter.h
core_sources += core/terminal/optimiser_lines.c core/terminal/optimiser_lines.h
core_sources += core/terminal/run_summary.c core/terminal/run_summary.h
core_sources += core/terminal/wrap.c core/terminal/wrap.h

core_sources += core/check/check.c core/check/check.h core/check/check_json.c core/check/check_json.h
core_sources += core/check/check_data.c core/check/check_data.h
core_sources += core/check/check_noise.c core/check/check_noise.h
core_sources += core/check/check_rows.c core/check/check_rows.h
core_sources += core/check/check_task.c core/check/check_task.h
core_sources += core/check/check_warnings.c core/check/check_warnings.h

core_sources += core/report/run_folder.c core/report/run_folder.h
core_sources += core/report/run_inference.c core/report/run_inference.h
core_sources += core/report/save_run.c core/report/save_run.h

core_sources += core/conformance/conformance.h core/conformance/kinds.h
core_sources += core/conformance/guarded_array.c core/conformance/guarded_array.h
core_sources += core/conformance/derivatives.c core/conformance/derivatives.h
core_sources += core/conformance/double_reference.c core/conformance/double_reference.h
core_sources += core/conformance/findings.c core/conformance/findings.h
core_sources += core/conformance/kinds/loss.c
core_sources += core/conformance/kinds/network.c
core_sources += core/conformance/kinds/rule.c
core_sources += core/conformance/kinds/source.c
core_sources += core/conformance/object.c core/conformance/object.h
core_sources += core/conformance/op.c core/conformance/op.h
core_sources += core/conformance/suite.c
core_sources += core/conformance/values.c core/conformance/values.h
core_sources += core/conformance/watch.c core/conformance/watch.h

core_sources += core/population/animal_table.c core/population/animal_table.h
core_sources += core/population/design.c core/population/design.h
core_sources += core/population/fit_population.c core/population/fit_population.h
core_sources += core/population/expansion.c core/population/expansion.h
core_sources += core/population/laplace.c core/population/laplace.h
core_sources += core/population/marginal_rounds.c core/population/marginal_rounds.h
core_sources += core/population/population_fit.c core/population/population_fit.h
core_sources += core/population/posterior_root.c core/population/posterior_root.h
core_sources += core/population/scale.c core/population/scale.h
core_sources += core/population/sd_test.c core/population/sd_test.h
core_sources += core/population/mixed_model.c core/population/mixed_model.h
core_sources += core/mixture/mixture.c core/mixture/mixture.h

core_sources += core/recover/recovery.c core/recover/recovery.h
core_sources += core/recover/population_recovery.c core/recover/population_recovery.h
core_sources += core/recover/recover.c core/recover/recover.h
core_sources += core/recover/recovery_table.c core/recover/recovery_table.h
core_sources += core/recover/missed.c core/recover/missed.h
core_sources += core/recover/print_recovery.c core/recover/print_recovery.h
core_sources += core/recover/recovery_files.c core/recover/recovery_files.h
