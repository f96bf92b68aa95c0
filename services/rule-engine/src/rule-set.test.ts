// A set of rules in its threads: which of the rules that are true of an event are told.
import { create, toBinary } from "@bufbuild/protobuf";
import { BatchSchema, Call } from "@nightjar/proto";
import test from "ava";
import { type Evaluation, RuleSet } from "./rule-set.ts";

const text = ["First", "Second"]
  .map((name) => `- {rule: ${name}, desc: d, condition: evt.type = execve, output: o, priority: INFO}`)
  .join("\n");
const content = { rules: [{ name: "two.yaml", text }], suppressions: [], problems: [], version: "v" };
const batch = toBinary(
  BatchSchema,
  create(BatchSchema, {
    bootId: new Uint8Array(16),
    nextPosition: 1n,
    events: [{ call: Call.EXECVE, data: { case: "exec", value: {} } }],
    processes: [{ pid: 1 }],
    actors: [1],
  }),
);

for (const [ruleMatching, told] of [
  ["all", ["First", "Second"]],
  ["first", ["First"]],
] as const satisfies [Evaluation["ruleMatching"], string[]][]) {
  test(`two rules that are true of an event, matching ${ruleMatching}: ${told.join(" and ")}`, async (t) => {
    const set = await RuleSet.compile(content, { threads: 1, ruleMatching });
    t.teardown(() => set.close());
    const result = await set.pool.match(batch, []);
    t.true(result.ok);
    if (result.ok) t.deepEqual([...result.matched.keys()], told);
  });
}
