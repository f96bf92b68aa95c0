// The settings of redaction. It has no switch: secrets never leave the host as they are.
import { patternProblem } from "@nightjar/redact/pattern";
import { list, type Setting, type SettingTable } from "../setting.ts";

const patterns = list({
  default: [],
  doc:
    "More of what is secret, beside what [redaction](../redaction.md) knows: regular expressions in RE2's syntax. " +
    "What one matches is replaced, or its first group where it has one. In a flag or variable one a line.",
});

const extraPatterns: Setting<readonly string[]> = {
  ...patterns,
  separator: "\n",
  allowed: "regular expressions in RE2's syntax that do not match nothing, one a line",
  read(value) {
    const given = patterns.read(typeof value === "string" ? value.split("\n").filter((one) => one !== "") : value);
    return given?.every((one) => patternProblem(one) === undefined) ? given : undefined;
  },
};

export const redactSettings = { extra_patterns: extraPatterns } satisfies SettingTable;
