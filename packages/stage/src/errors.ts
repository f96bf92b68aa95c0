// Every code of a problem with the rules files as files; those of their contents are the rule language's.

export const ruleFileCodes = {
  RULES_FILE_UNREADABLE: "A file or folder of rules cannot be read. The others are in force.",
  RULES_FILES_TOO_MANY: "There are more rules files than are read; those behind the limit are left out.",
} as const;

export type RuleFileCode = keyof typeof ruleFileCodes;
