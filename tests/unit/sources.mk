# Unit tests: tests/unit mirrors core/ and plugins/; all files make one Criterion program, tests/unit-tests.
unit_test_sources =
unit_test_sources += tests/unit/base/test_array.c
unit_test_sources += tests/unit/base/test_version.c
unit_test_sources += tests/unit/author/test_math.c tests/unit/author/math_loops.h
unit_test_sources += tests/unit/support/numbers.h
unit_test_sources += tests/unit/networks/test_activation.c
unit_test_sources += tests/unit/networks/test_feedforward.c plugins/networks/feedforward/feedforward.c
unit_test_sources += tests/unit/support/fake_options.c tests/unit/support/fake_options.h
unit_test_sources += tests/unit/support/rule_object.c tests/unit/support/rule_object.h
unit_test_sources += tests/unit/rules/test_taylor.c
unit_test_sources += tests/unit/losses/test_choice.c plugins/losses/choice/choice.c
unit_test_sources += tests/unit/losses/test_activity.c plugins/losses/activity/activity.c
unit_test_sources += tests/unit/losses/test_counts.c plugins/losses/categorical/categorical.c plugins/losses/poisson/poisson.c
unit_test_sources += tests/unit/support/tiny_problem.c tests/unit/support/tiny_problem.h
unit_test_sources += tests/unit/optimise/test_adam.c
unit_test_sources += tests/unit/fit/test_objective.c
unit_test_sources += tests/unit/optimise/functions.c tests/unit/optimise/functions.h
unit_test_sources += tests/unit/optimise/test_optimisers.c
unit_test_sources += tests/unit/optimise/test_quadratic.c
unit_test_sources += tests/unit/fit/test_fit.c
unit_test_sources += tests/unit/infer/test_profile_trace.c
unit_test_sources += tests/unit/layout/test_layout.c
unit_test_sources += tests/unit/fit/test_scopes.c
unit_test_sources += tests/unit/infer/test_infer.c tests/unit/infer/test_spectrum.c
unit_test_sources += tests/unit/engine/test_explain.c
unit_test_sources += tests/unit/engine/test_coupled.c tests/unit/support/remembering.c tests/unit/support/remembering.h
unit_test_sources += tests/unit/engine/test_known.c plugins/networks/recurrent/recurrent.c plugins/rules/trace/trace.c \
	plugins/rules/stdp/stdp.c
unit_test_sources += tests/unit/model/test_masks.c
unit_test_sources += tests/unit/closed_loop/test_redraw.c
unit_test_sources += tests/unit/sensitivity/test_sensitivity.c
unit_test_sources += tests/unit/evaluate/test_evaluate.c
unit_test_sources += tests/unit/evaluate/test_r2.c
if PLUGIN_FLY_MAT
unit_test_sources += tests/unit/sources/test_fly_mat.c $(plugins_fly_mat_la_SOURCES)
endif
unit_test_sources += tests/unit/base/test_text.c
unit_test_sources += tests/unit/config/support.c tests/unit/config/support.h
unit_test_sources += tests/unit/config/test_overrides.c
unit_test_sources += tests/unit/config/test_read.c
unit_test_sources += tests/unit/config/test_view.c
unit_test_sources += tests/unit/config/test_write.c
unit_test_sources += tests/unit/plugin/test_admit.c
unit_test_sources += tests/unit/plugin/test_registry.c
unit_test_sources += tests/unit/sources/test_teacher.c plugins/sources/teacher/teacher.c plugins/sources/teacher/cues.c \
	plugins/sources/teacher/cues.h plugins/sources/teacher/schedule.c plugins/sources/teacher/trials.c plugins/sources/teacher/trials.h
unit_test_sources += tests/unit/rules/test_oja.c plugins/rules/oja/oja.c
unit_test_sources += tests/unit/support/scratch.c tests/unit/support/scratch.h
unit_test_sources += tests/unit/store/test_folder.c
unit_test_sources += tests/unit/store/test_save_run.c
unit_test_sources += tests/unit/rules/test_reward.c plugins/rules/reward/reward.c
unit_test_sources += tests/unit/rules/test_mlp.c
if PLUGIN_TABLE
unit_test_sources += tests/unit/sources/test_table.c $(plugins_table_la_SOURCES)
endif
unit_test_sources += tests/unit/data/test_derive.c
unit_test_sources += tests/unit/readers/test_theta_file.c
unit_test_sources += tests/unit/problem/test_initial_weights.c
unit_test_sources += tests/unit/problem/test_subset.c
unit_test_sources += tests/unit/compare/test_validations.c
unit_test_sources += tests/unit/compare/test_settings.c
unit_test_sources += tests/unit/compare/test_table.c
unit_test_sources += tests/unit/compare/test_job_file.c
unit_test_sources += tests/unit/compare/test_comparison.c
unit_test_sources += tests/unit/recover/test_recovery_table.c
unit_test_sources += tests/unit/recover/test_recover.c
unit_test_sources += tests/unit/compare/test_score_folds.c
unit_test_sources += tests/unit/compare/test_key.c
unit_test_sources += tests/unit/base/test_random.c
unit_test_sources += tests/unit/data/test_dataset.c
unit_test_sources += tests/unit/data/test_expected_reward.c
unit_test_sources += tests/unit/data/test_linear.c
unit_test_sources += tests/unit/plot/test_figure.c
unit_test_sources += tests/unit/stats/test_resampling.c tests/unit/stats/test_wilcoxon.c
unit_test_sources += tests/unit/rules/test_expr.c
