// A recording goes through all stages on a real nats-server, without root and without the kernel's help.
import { existsSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { startProcess, type TestProcess, temporaryFolder } from "@nightjar/test-support";
import test, { type ExecutionContext } from "ava";
import { attacks } from "../attacks/acts.ts";
import { CLI, play, printedDetections } from "./play.ts";

const RECORDING = fileURLToPath(new URL("attacks.njr", import.meta.url));

/** Runs the command line in a folder of its own. */
function nightjar(t: ExecutionContext, folder: string, ...args: string[]): TestProcess {
  return startProcess(t, process.execPath, [CLI, ...args], { cwd: folder, group: true });
}

interface PrintedDetection {
  id: string;
  rule: string;
  techniques?: string[];
  explanation?: { parts: { depth?: number; holds?: boolean; place?: { file: string; line: number } }[] };
}

test("the recorded attacks are detected again, the same each time", async (t) => {
  const first = printedDetections<PrintedDetection>(await play(t, RECORDING));
  const second = printedDetections<PrintedDetection>(await play(t, RECORDING));
  t.deepEqual(first.map((one) => one.rule).sort(), attacks.map((one) => one.rule ?? "").sort());
  t.deepEqual(second.map((one) => one.id).sort(), first.map((one) => one.id).sort());
  for (const { rule, techniques = [], explanation } of first) {
    t.true(techniques.length > 0, rule);
    const [whole, ...parts] = explanation?.parts ?? [];
    t.true(whole?.holds, rule);
    t.true(
      parts.some(({ place }) => place?.file.endsWith("nightjar.yaml")),
      rule,
    );
  }
});

/** SigmaHQ's rules for what the recorded attacks do, by their titles. */
const PUBLIC_SIGMA_RULES = [
  "Bash Interactive Shell",
  "Execution Of Script Located In Potentially Suspicious Directory",
  "Linux Shell Pipe to Shell",
  "Local System Accounts Discovery - Linux",
  "Potentially Suspicious Execution From Tmp Folder",
  "Process Execution From Shared Memory Directory",
  "Program Executions in Suspicious Folders",
  "Suspicious Use of /dev/tcp",
];

test("SigmaHQ's public rules detect the recorded attacks that they are about, and nothing else", async (t) => {
  const cases = process.env.NIGHTJAR_CASES ?? join(import.meta.dirname, "../../..", "shared", "cases");
  const folder = resolve(cases, "rules_sigma");
  if (!existsSync(folder)) {
    t.log(`NOT RUN: no rules in ${folder}; set NIGHTJAR_CASES to the folder of cases`);
    t.pass();
    return;
  }
  const run = await play(t, RECORDING, { NIGHTJAR_RULE_ENGINE_RULES: folder });
  const found = printedDetections<PrintedDetection>(run);
  t.deepEqual([...new Set(found.map(({ rule }) => rule))].sort(), PUBLIC_SIGMA_RULES);
});

test("a file that is no recording is refused with its code", async (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, "foreign"), "no recording");
  const run = nightjar(t, folder, "run", "--replay", "foreign", "--json");
  const exit = await run.exited;
  t.not(exit.code, 0);
  t.regex(run.stderr, /RECORDING_FOREIGN|no recording of Nightjar/);
});

test("a recording that does not exist is refused before anything starts", async (t) => {
  const run = nightjar(t, temporaryFolder(t), "run", "--replay", "missing.njr");
  t.is((await run.exited).code, 2);
  t.regex(run.stderr, /missing\.njr does not exist/);
});
