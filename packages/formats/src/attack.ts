// ATT&CK's tactics by name, with the ids that ECS and OCSF want beside them.

/** ATT&CK for Enterprise; of tactics of version 19 that this table does not know, only the name is told. */
const TACTIC_IDS: Readonly<Partial<Record<string, string>>> = {
  Reconnaissance: "TA0043",
  "Resource Development": "TA0042",
  "Initial Access": "TA0001",
  Execution: "TA0002",
  Persistence: "TA0003",
  "Privilege Escalation": "TA0004",
  "Defense Evasion": "TA0005",
  "Credential Access": "TA0006",
  Discovery: "TA0007",
  "Lateral Movement": "TA0008",
  Collection: "TA0009",
  "Command and Control": "TA0011",
  Exfiltration: "TA0010",
  Impact: "TA0040",
};

export function tacticId(name: string): string | undefined {
  return TACTIC_IDS[name];
}

/** "T1059" of "T1059.004" and of itself. */
export function techniqueOf(id: string): string {
  return id.slice(0, "T0000".length);
}

export function isSubtechnique(id: string): boolean {
  return id.includes(".");
}
