// What a rule's tags say in ATT&CK's own words: one form for the tags of Falco's rules and of Sigma's.

/** Techniques by id, tactics by name, each once and in the tags' order. */
export interface Attack {
  techniques: string[];
  tactics: string[];
}

// ATT&CK for Enterprise, in its order. Version 19 put Stealth and Defense Impairment in the place of Defense Evasion,
// which rules still name.
const TACTICS: ReadonlyMap<string, string> = new Map(
  [
    "Reconnaissance",
    "Resource Development",
    "Initial Access",
    "Execution",
    "Persistence",
    "Privilege Escalation",
    "Stealth",
    "Defense Impairment",
    "Defense Evasion",
    "Credential Access",
    "Discovery",
    "Lateral Movement",
    "Collection",
    "Command and Control",
    "Exfiltration",
    "Impact",
  ].map((name) => [name.toLowerCase().replaceAll(" ", "-"), name]),
);

/** Falco's rules write mitre_execution and T1059, Sigma's attack.execution and attack.t1059.004. */
const PREFIX = /^(?:mitre_|attack\.)/;
const TECHNIQUE = /^t[0-9]{4}(?:\.[0-9]{3})?$/;

/** What the tags say of ATT&CK; those that say nothing of it are passed over. */
export function attackOf(tags: readonly string[]): Attack {
  const techniques = new Set<string>();
  const tactics = new Set<string>();
  for (const tag of tags) {
    const word = tag.toLowerCase().replace(PREFIX, "");
    if (TECHNIQUE.test(word)) techniques.add(word.toUpperCase());
    const tactic = TACTICS.get(word.replaceAll("_", "-"));
    if (tactic !== undefined && PREFIX.test(tag.toLowerCase())) tactics.add(tactic);
  }
  return { techniques: [...techniques], tactics: [...tactics] };
}
