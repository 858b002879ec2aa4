# Plugins: one fragment each, in the plugin's folder. In the build tree all of them lie in plugins/.
plugindir = $(libdir)/plastfit-$(PF_PRECISION)/plugins
plugin_LTLIBRARIES =

# A plugin sees the ABI and nothing else of this tree, and shows one symbol.
plugin_cppflags = -I$(top_srcdir)/include $(PF_PRECISION_CPPFLAGS)
plugin_ldflags = -module -avoid-version -export-symbols-regex '_LTX_pf_plugin_entry$$' $(AM_LDFLAGS)
plugin_libadd = $(LIBM)

include plugins/rules/taylor/plugin.mk
include plugins/rules/mlp/plugin.mk
include plugins/rules/oja/plugin.mk
include plugins/rules/reward/plugin.mk
include plugins/rules/trace/plugin.mk
include plugins/rules/stdp/plugin.mk
include plugins/rules/triplet/plugin.mk
include plugins/rules/voltage/plugin.mk
include plugins/rules/btsp/plugin.mk
include plugins/rules/expr/plugin.mk
include plugins/networks/feedforward/plugin.mk
include plugins/networks/recurrent/plugin.mk
include plugins/losses/choice/plugin.mk
include plugins/losses/activity/plugin.mk
include plugins/losses/categorical/plugin.mk
include plugins/losses/poisson/plugin.mk
include plugins/sources/common/common.mk
include plugins/sources/teacher/plugin.mk
include plugins/sources/table/plugin.mk
include plugins/sources/npz/plugin.mk
include plugins/sources/fly_mat/plugin.mk
include plugins/sources/npy/plugin.mk
include plugins/sources/mat/plugin.mk
include plugins/sources/hdf5/plugin.mk
include plugins/sources/nwb/plugin.mk
include plugins/sources/jsonl/plugin.mk
