if PLUGIN_REWARD
plugin_LTLIBRARIES += plugins/reward.la
conformance_rewarddir = $(plugindir)/conformance/reward
dist_conformance_reward_DATA = plugins/rules/reward/conformance.cfg
endif
plugins_reward_la_SOURCES = plugins/rules/reward/reward.c plugins/rules/reward/reward_ops.h \
  plugins/rules/common/rule_common.h
plugins_reward_la_CPPFLAGS = $(plugin_cppflags)
plugins_reward_la_LDFLAGS = $(plugin_ldflags)
plugins_reward_la_LIBADD = $(plugin_libadd)
EXTRA_DIST += plugins/rules/reward/README.md
