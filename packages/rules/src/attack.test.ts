// The tags of both languages come out as ATT&CK has them.
import test from "ava";
import { attackOf } from "./attack.ts";

test("Falco's tags and Sigma's say the same in one form", (t) => {
  const falco = attackOf(["maturity_stable", "host", "mitre_privilege_escalation", "T1611", "T1059.004"]);
  const sigma = attackOf(["attack.privilege-escalation", "attack.t1611", "attack.t1059.004", "cve.2021-4034"]);
  t.deepEqual(falco, { techniques: ["T1611", "T1059.004"], tactics: ["Privilege Escalation"] });
  t.deepEqual(sigma, falco);
});

test("names of before and after version 19, with lines or dashes, each once", (t) => {
  const tags = ["mitre_defense_evasion", "attack.stealth", "attack.defense-impairment", "attack.command_and_control"];
  t.deepEqual(attackOf([...tags, ...tags]).tactics, [
    "Defense Evasion",
    "Stealth",
    "Defense Impairment",
    "Command and Control",
  ]);
});

test("what is no tactic or technique is none", (t) => {
  const tags = ["execution", "attack.g0010", "attack.s0508", "T12", "attack.t1059.4", "mitre_", "detection.dfir"];
  t.deepEqual(attackOf(tags), { techniques: [], tactics: [] });
});
