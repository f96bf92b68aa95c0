// Mistakes in rules files are told with file, line, column and code, and the other rules stay in force.
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { temporaryFolder, waitFor } from "@nightjar/test-support";
import test from "ava";
import { startSensor } from "../harness/sensor.ts";

const RECORDING = fileURLToPath(new URL("../pipeline/attacks.njr", import.meta.url));

const MIXED = `# A sound rule, one with an unknown field, and one that is sound again.
- rule: Shadow read
  desc: Sound.
  condition: evt.type = openat and fd.name = /etc/shadow
  output: "%fd.name"
  priority: WARNING
- rule: Wrong field
  desc: The field is misspelt.
  condition: evt.type = openat and fd.nmae = /etc/shadow
  output: "%fd.name"
  priority: WARNING
- rule: Memory executed
  desc: Sound.
  condition: evt.type in (execve, execveat) and proc.is_exe_from_memfd = true
  output: "%proc.exepath"
  priority: ERROR
`;

const NO_YAML = "- rule: [\n  nothing closes this\n";

test("a mistake is told with its place, and the rules beside it detect", async (t) => {
  t.timeout(90_000);
  const folder = join(temporaryFolder(t), "rules");
  mkdirSync(folder);
  const mixed = join(folder, "a-mixed.yaml");
  const broken = join(folder, "b-broken.yaml");
  const gone = join(folder, "0-gone.yaml");
  symlinkSync(join(folder, "..", "nowhere.yaml"), gone);
  writeFileSync(mixed, MIXED);
  writeFileSync(broken, NO_YAML);
  const sensor = await startSensor(t, {
    args: ["--rules", folder, "--replay", RECORDING, "--keep-running"],
    stages: ["bus", "enricher", "rule-engine", "uplink"],
  });
  const rules = await waitFor(
    async () => {
      const found = new Set((await sensor.detections()).map((one) => one.detection?.rule));
      return found.size >= 2 ? found : undefined;
    },
    { what: "both sound rules detect", timeoutMs: 30_000, explain: () => sensor.process.stderr.slice(-4_000) },
  );
  t.deepEqual([...rules].sort(), ["Memory executed", "Shadow read"]);

  const status = (await sensor.statuses()).find(({ stage }) => stage === "rule-engine");
  const issue = status?.healthIssues.find(({ code }) => code === "RULES_PROBLEM");
  t.regex(issue?.message ?? "", /3 mistakes in the rules/);
  t.is(status?.facts.rules, "2");

  const told = sensor.log("rule-engine").map(({ fields }) => fields);
  const place = (code: string) => told.find((fields) => fields.code === code);
  const wrongField = place("LOAD_ERR_COMPILE_CONDITION");
  t.is(wrongField?.file, mixed);
  t.is(wrongField?.line, MIXED.split("\n").findIndex((line) => line.includes("fd.nmae")) + 1);
  t.is(wrongField?.column, (MIXED.split("\n").find((line) => line.includes("fd.nmae")) ?? "").indexOf("fd.nmae") + 1);
  t.regex(wrongField?.message ?? "", /fd\.nmae/);
  t.is(place("LOAD_ERR_YAML_PARSE")?.file, broken);
  t.true(Number(place("LOAD_ERR_YAML_PARSE")?.line) >= 1);
  t.is(place("RULES_FILE_UNREADABLE")?.file, gone);
});
