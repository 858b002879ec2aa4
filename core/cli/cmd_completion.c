/* Completion for shells, from the tables of commands and options. */
#include "core/command_line/arguments.h"
#include "core/command_line/command.h"

#include <string.h>

/* ---- what all shells need ---- */

/** Calls `print` for each option of the command, its own and the common ones. */
static void each_option(const pf_command *command,
                        void (*print)(const pf_command *command, const pf_cli_option *option))
{
  for (size_t k = 0; k < command->syntax->n_options; k++) {
    print(command, &command->syntax->options[k]);
  }
  for (size_t k = command->syntax->takes_keys ? 0 : 1; k < 2; k++) {
    print(command, &pf_cli_common_options[k]);
  }
}

/** The first line of a help text, without what would end a string in single quotes, or a
 * description of zsh. */
static void print_first_line(const char *help)
{
  for (const char *c = help; *c != '\0' && *c != '\n'; c++) {
    (void)fputs(*c == '\''                            ? ""
                : *c == '[' || *c == ']' || *c == ':' ? ","
                                                      : (char[]){*c, '\0'},
                stdout);
  }
}

/** Is `word` one of the words, divided by spaces? */
static bool has_word(const char *words, const char *word)
{
  const size_t length = strlen(word);
  for (const char *at = words; at != NULL && *at != '\0';) {
    const size_t n = strcspn(at, " ");
    if (n == length && strncmp(at, word, n) == 0) {
      return true;
    }
    at += n + (at[n] == ' ' ? 1 : 0);
  }
  return false;
}

/** The words that one types as they stand: "rule loss config", without CONFIG, RUN and PLUGIN. */
static void print_plain_words(const char *words)
{
  for (const char *at = words; at != NULL && *at != '\0';) {
    const size_t n = strcspn(at, " ");
    if (at[0] >= 'a' && at[0] <= 'z') {
      (void)printf(" %.*s", (int)n, at);
    }
    at += n + (at[n] == ' ' ? 1 : 0);
  }
}

/* ---- bash ---- */

static void bash_option(const pf_command *command, const pf_cli_option *option)
{
  (void)command;
  (void)printf(" %s", option->name);
}

static void bash_command(const pf_command *command)
{
  const char *words = command->syntax->words;
  (void)printf("  %s)\n    options=\"", command->name);
  each_option(command, bash_option);
  (void)printf("\"\n    words=\"");
  print_plain_words(words);
  (void)printf("\"\n    kinds=\"%s%s%s\"\n    ;;\n", has_word(words, "CONFIG") ? "CONFIG " : "",
               has_word(words, "RUN") ? "RUN " : "", has_word(words, "PLUGIN") ? "PLUGIN" : "");
}

/** What stands behind an option: --data DATA. */
static void bash_value(const pf_command *command, const pf_cli_option *option)
{
  if (option->takes != NULL) {
    (void)printf("  %s:%s) kinds=%s ;;\n", command->name, option->name, option->takes);
  }
}

static void print_bash(pf_command_table commands)
{
  (void)puts("# bash completion of plastfit, made by `plastfit completion bash`\n"
             "_plastfit() {\n"
             "  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}\n"
             "  local command=${COMP_WORDS[1]} options='' words='' kinds=''");
  (void)printf("  if [ \"$COMP_CWORD\" -eq 1 ]; then\n    COMPREPLY=($(compgen -W \"");
  for (size_t i = 0; i < commands.count; i++) {
    (void)printf("%s ", commands.items[i]->name);
  }
  (void)puts("--help --version\" -- \"$word\"))\n    return\n  fi\n  case $command in");
  for (size_t i = 0; i < commands.count; i++) {
    bash_command(commands.items[i]);
  }
  (void)puts("  esac\n  case $command:$before in");
  for (size_t i = 0; i < commands.count; i++) {
    each_option(commands.items[i], bash_value);
  }
  (void)puts("  *)\n"
             "    if [[ $word == -* ]]; then\n"
             "      COMPREPLY=($(compgen -W \"$options\" -- \"$word\"))\n"
             "      return\n"
             "    fi\n"
             "    if [ -n \"$words\" ]; then\n"
             "      COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
             "    fi\n"
             "    ;;\n"
             "  esac\n"
             "  local folder\n"
             "  case $kinds in\n"
             "  *PLUGIN*)\n"
             "    COMPREPLY+=($(compgen -W \"$(\"${COMP_WORDS[0]}\" list 2>/dev/null |\n"
             "      sed -n 's/^  \\([a-z][a-z0-9_]*\\)  .*/\\1/p')\" -- \"$word\"))\n"
             "    ;;\n"
             "  esac\n"
             "  case $kinds in\n"
             "  *CONFIG*)\n"
             "    COMPREPLY+=($(compgen -f -X '!*.cfg' -- \"$word\") $(compgen -d -S / -- "
             "\"$word\"))\n"
             "    ;;\n"
             "  *RUN* | *FOLDER*)\n"
             "    COMPREPLY+=($(compgen -d -- \"$word\"))\n"
             "    ;;\n"
             "  *FILE* | *DATA*)\n"
             "    COMPREPLY+=($(compgen -f -- \"$word\"))\n"
             "    ;;\n"
             "  esac\n"
             "}\n"
             "complete -o filenames -o bashdefault -F _plastfit plastfit");
}

/* ---- zsh ---- */

static const char *zsh_action(const char *takes)
{
  if (strcmp(takes, "FOLDER") == 0 || strcmp(takes, "RUN") == 0) {
    return "_files -/";
  }
  if (strcmp(takes, "CONFIG") == 0) {
    return "_files -g \"*.cfg\"";
  }
  return strcmp(takes, "FILE") == 0 || strcmp(takes, "DATA") == 0 ? "_files" : " ";
}

static void zsh_option(const pf_command *command, const pf_cli_option *option)
{
  (void)command;
  (void)printf("      '%s[", option->name);
  print_first_line(option->help);
  (void)printf("]%s%s%s%s' \\\n", option->takes == NULL ? "" : ":",
               option->takes == NULL ? "" : option->takes, option->takes == NULL ? "" : ":",
               option->takes == NULL ? "" : zsh_action(option->takes));
}

static void zsh_command(const pf_command *command)
{
  const char *words = command->syntax->words;
  (void)printf("    %s)\n      _arguments \\\n", command->name);
  each_option(command, zsh_option);
  if (words == NULL) {
    (void)puts("      && return\n      ;;");
    return;
  }
  (void)printf("      '*: :{ ");
  if (has_word(words, "PLUGIN")) {
    (void)printf("compadd -- ${(f)\"$(plastfit list 2>/dev/null | sed -n "
                 "\"s/^  \\\\([a-z][a-z0-9_]*\\\\)  .*/\\\\1/p\")\"}; ");
  }
  (void)printf("compadd --");
  print_plain_words(words);
  (void)printf("; %s }' && return\n      ;;\n", has_word(words, "CONFIG") ? zsh_action("CONFIG")
                                                : has_word(words, "RUN")  ? zsh_action("RUN")
                                                                          : "_files");
}

static void print_zsh(pf_command_table commands)
{
  (void)puts("#compdef plastfit\n# zsh completion of plastfit, made by `plastfit completion zsh`\n"
             "_plastfit() {\n"
             "  local -a commands\n"
             "  commands=(");
  for (size_t i = 0; i < commands.count; i++) {
    (void)printf("    '%s:", commands.items[i]->name);
    print_first_line(commands.items[i]->summary);
    (void)puts("'");
  }
  (void)puts("  )\n"
             "  if (( CURRENT == 2 )); then\n"
             "    _describe command commands\n"
             "    return\n"
             "  fi\n"
             "  local command=$words[2]\n"
             "  shift words\n"
             "  (( CURRENT-- ))\n"
             "  case $command in");
  for (size_t i = 0; i < commands.count; i++) {
    zsh_command(commands.items[i]);
  }
  (void)puts("  esac\n"
             "}\n"
             "if [ \"$funcstack[1]\" = _plastfit ]; then\n"
             "  _plastfit \"$@\"\n"
             "else\n"
             "  compdef _plastfit plastfit\n"
             "fi");
}

/* ---- fish ---- */

static void fish_option(const pf_command *command, const pf_cli_option *option)
{
  (void)printf("complete -c plastfit -n '__fish_seen_subcommand_from %s' -l %s%s -d '",
               command->name, option->name + 2, option->takes == NULL ? "" : " -r");
  print_first_line(option->help);
  (void)puts("'");
}

static void fish_command(const pf_command *command)
{
  const char *words = command->syntax->words;
  (void)printf("complete -c plastfit -n __fish_use_subcommand -f -a %s -d '", command->name);
  print_first_line(command->summary);
  (void)puts("'");
  each_option(command, fish_option);
  if (words == NULL) {
    return;
  }
  (void)printf("complete -c plastfit -n '__fish_seen_subcommand_from %s' -a '", command->name);
  print_plain_words(words);
  (void)puts("'");
  if (has_word(words, "PLUGIN")) {
    (void)printf("complete -c plastfit -n '__fish_seen_subcommand_from %s' -a "
                 "'(plastfit list 2>/dev/null | string match -rg \"^  ([a-z][a-z0-9_]*)  \")'\n",
                 command->name);
  }
}

static void print_fish(pf_command_table commands)
{
  (void)puts("# fish completion of plastfit, made by `plastfit completion fish`");
  for (size_t i = 0; i < commands.count; i++) {
    fish_command(commands.items[i]);
  }
}

/* ---- the command ---- */

typedef struct arguments {
  pf_cli_arguments given; /**< subject: a shell */
} arguments;

static const pf_cli_syntax syntax = {
    .usage = "Usage: plastfit completion bash|zsh|fish\n"
             "\n"
             "Prints a script that completes commands, options, configs and plugins in a shell.\n"
             "`make install` puts the scripts where the shells look. To have it in this shell:\n"
             "\n"
             "    bash:  source <(plastfit completion bash)\n"
             "    zsh:   source <(plastfit completion zsh)\n"
             "    fish:  plastfit completion fish | source\n"
             "\n",
    .one = "shell",
    .wants = "a shell: bash, zsh or fish",
    .words = "bash zsh fish"};

static int print_completion(const char *shell)
{
  static const char *const shells[] = {"bash", "zsh", "fish"};
  static void (*const print[])(pf_command_table commands) = {print_bash, print_zsh, print_fish};
  for (size_t k = 0; k < 3; k++) {
    if (strcmp(shell, shells[k]) == 0) {
      print[k](pf_cli_commands());
      return PF_EXIT_DONE;
    }
  }
  return pf_cli_say(PF_EXIT_MISUSED, "completion: found '%s', expected bash, zsh or fish", shell);
}

static int run_command(int argc, char **argv)
{
  arguments how = {0};
  int code = pf_cli_parse(&pf_command_completion, argc, argv, &how, &how.given);
  if (code == PF_EXIT_DONE && !how.given.help) {
    code = print_completion(how.given.subject);
  }
  pf_cli_arguments_free(&how.given);
  return code;
}

const pf_command pf_command_completion = {
    .name = "completion",
    .synopsis = "bash|zsh|fish",
    .summary = "completion of commands and options for a shell",
    .syntax = &syntax,
    .run = run_command,
};
