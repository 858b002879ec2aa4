/* The files that `plastfit new rule NAME` writes. */
#ifndef PLASTFIT_CORE_CLI_RULE_TEMPLATE_H
#define PLASTFIT_CORE_CLI_RULE_TEMPLATE_H

typedef struct pf_template {
  const char *file; /**< its name; NAME between at signs stands for the rule's */
  const char *text; /**< NAME, PKGCONFIG (a folder) and PRECISION between at signs stand for what
                       they say */
} pf_template;

enum { PF_RULE_TEMPLATES = 4 };
extern const pf_template pf_rule_templates[PF_RULE_TEMPLATES];

#endif
