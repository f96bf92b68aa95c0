// `nightjar explain`: a detection's own explanation, from a file of detections.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "@nightjar/test-support";
import test from "ava";
import { exitCodes } from "../exit-codes.ts";
import { runCli } from "../testing.ts";

const DETECTION = {
  id: "00ff".repeat(8),
  rule: "Shell",
  rule_place: "r.yaml:3",
  priority: "WARNING",
  output: "a shell",
  techniques: ["T1059"],
  explanation: {
    parts: [
      { kind: "all", holds: true },
      {
        ...{ depth: 1, kind: "test", holds: true, test: "proc.name = sh" },
        seen: [{ field: "proc.name", value: "sh\u001b[2J" }],
        place: { file: "r.yaml", line: 5, column: 9 },
      },
      { depth: 1, kind: "not", holds: true },
      { depth: 2, kind: "test", test: "fd.name exists", seen: [{ field: "fd.name", reason: "not measured" }] },
    ],
    omitted: 3,
  },
};

test("each part with its mark, what it saw and where it stands", async (t) => {
  const file = join(temporaryFolder(t), "detections.jsonl");
  writeFileSync(file, `${JSON.stringify({ ...DETECTION, id: "ab".repeat(16) })}\n${JSON.stringify(DETECTION)}\n`);
  const { code, stdout } = await runCli(["explain", "00ff", "--file", file]);
  t.is(code, 0);
  t.deepEqual(stdout.split("\n").slice(2), [
    "    rule at r.yaml:3; T1059",
    "    ✓ all of",
    '      ✓ proc.name = sh    proc.name is "sh\\\\x1b[2J"  r.yaml:5:9',
    "      ✓ not",
    "        ✗ fd.name exists  fd.name is missing: not measured",
    "    … and 3 more parts",
    "",
  ]);
  const [line] = (await runCli(["explain", "00ff", "--file", file, "--json"])).stdout.trim().split("\n");
  t.like(JSON.parse(line as string), { id: DETECTION.id, rule: "Shell" });
  t.is(JSON.parse(line as string).explanation.parts.length, 4);
});

test("of a correlation, its events in order", async (t) => {
  const file = join(temporaryFolder(t), "d.json");
  const correlated = [
    { rule: "First", time: "2026-01-02T03:04:05.006Z", output: "one" },
    { rule: "Second", time: "2026-01-02T03:04:06.006Z", output: "two" },
  ];
  writeFileSync(file, JSON.stringify({ id: "ab".repeat(16), rule: "Both", correlated, correlated_omitted: 7 }));
  t.deepEqual((await runCli(["explain", "--file", file])).stdout.split("\n").slice(3), [
    "    1. 2026-01-02T03:04:05.006Z First",
    "       one",
    "    2. 2026-01-02T03:04:06.006Z Second",
    "       two",
    "    … and 7 more events",
    "",
  ]);
});

test("without an id, with one that is none, and without a portal", async (t) => {
  const state = temporaryFolder(t);
  t.is((await runCli(["explain"])).code, exitCodes.USAGE.code);
  t.is((await runCli(["explain", "xyz", "--state-dir", state])).code, exitCodes.USAGE.code);
  t.is((await runCli(["explain", "00ff", "--state-dir", state])).code, exitCodes.NOT_RUNNING.code);
});
