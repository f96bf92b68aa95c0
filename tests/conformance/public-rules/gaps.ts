// Public rules that no event can make true yet, with the reason. The list may only shrink: a rule on it that can come
// true fails the build.

export const RULE_GAPS: Readonly<Record<string, string>> = {
  "Network Connection outside Local Subnet": "its list of namespaces is empty until somebody fills it",
};

/** Rules that no deed makes true as they come, although each of their parts can be. */
export const WITHOUT_DEED: Readonly<Record<string, string>> = {
  "Launch Disallowed Container": "its macro allows every container until somebody says which",
};
