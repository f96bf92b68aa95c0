// The governor's steps as a person meets them: a health issue each, from beginning to end, with what was not seen.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { create } from "@bufbuild/protobuf";
import { GOVERNED, type Governed } from "@nightjar/native-probe";
import { eventTypeName, eventTypes, InterestSchema } from "@nightjar/proto";
import { type HealthCodeName, healthCodes } from "@nightjar/stage";
import test from "ava";
import { Governor, type World } from "./governor.ts";
import { givenUp, steps } from "./steps.ts";
import { UseMeter } from "./use.ts";

const DOCS = fileURLToPath(new URL("../../../../docs/governor.md", import.meta.url));
const idOf = (name: string) => eventTypes.find((type) => type.name === name)?.id as number;
const [OPEN, CONNECT, DNS, EXEC] = ["open", "connect", "dns", "exec"].map(idOf) as [number, number, number, number];
const MS_PER_S = 1_000;
const SETTINGS = { cpu_percent: 50, busy_cpu_percent: 25, memory_bytes: 1024 ** 3, lag_s: 10, over_s: 10, back_s: 60 };

function trial() {
  const now = { ms: 0, ringPercent: 0 };
  const issues: string[] = [];
  const open = new Set<HealthCodeName>();
  const applied: Governed[] = [];
  const facts = new Map<string, string>();
  const governed = new Map<number, bigint>();
  const health = {
    raise(code: HealthCodeName, message: string) {
      open.add(code);
      issues.push(`${code} ${message}`);
    },
    resolve: (code: HealthCodeName) => void open.delete(code),
  };
  const world = {
    stage: { health, facts, counters: { set: () => {} }, log: { info: () => {} }, settings: { governor: SETTINGS } },
    governed: () => new Map(governed),
    setGoverned: (one: Governed) => void applied.push(one),
    ringPercent: () => now.ringPercent,
    diskPercent: () => 10,
    nowMs: () => now.ms,
    use: new UseMeter(() => undefined),
  };
  const governor = new Governor(world as unknown as World);
  const pass = (seconds: number) => {
    for (let second = 0; second < seconds; second++) {
      now.ms += MS_PER_S;
      governor.look();
    }
  };
  return { governor, now, pass, issues, open, applied, facts, governed };
}

test("a step begins with its reason and ends with how long it was and what was not seen", (t) => {
  const { now, pass, issues, open, applied, facts, governed } = trial();
  pass(5);
  t.deepEqual([...open], []);
  now.ringPercent = 80;
  pass(11);
  t.deepEqual([...open], ["GOVERNOR_NOISY_READS"]);
  t.regex(issues[0] ?? "", /^GOVERNOR_NOISY_READS file reads .*sampled: the ring buffer is 80 % full$/);
  t.deepEqual([...(applied.at(-1) ?? [])], [[OPEN, GOVERNED.NOISY_READS]]);
  t.is(facts.get("governor"), "noisy_reads");
  governed.set(OPEN, 1_200n);
  now.ringPercent = 0;
  pass(70);
  t.deepEqual([...open], []);
  t.regex(issues.at(-1) ?? "", /^GOVERNOR_NOISY_READS for \d+ s file reads .*80 % full; not told: 1200 open$/);
  t.is(applied.at(-1)?.size, 0);
  t.is(facts.get("governor"), "everything is told");
});

test("step after step is taken while it does not help, and taken back in the other order", (t) => {
  const { now, pass, open } = trial();
  now.ringPercent = 80;
  pass(11 + 10 * (steps.length - 1));
  t.deepEqual(
    [...open],
    steps.map(({ code }) => code),
  );
  now.ringPercent = 0;
  pass(70);
  t.deepEqual(
    [...open],
    steps.slice(0, -1).map(({ code }) => code),
  );
});

test("exec is never given up, and of the network not what a rule asks for", (t) => {
  const all = givenUp(steps.length, () => true);
  t.false(all.has(EXEC));
  const kept = eventTypes.filter(({ id }) => !all.has(id)).map(({ id }) => eventTypeName(id));
  t.true(
    ["exec", "fork", "exit", "set_id"].every((name) => kept.includes(name)),
    kept.join(),
  );
  const network = steps.findIndex(({ name }) => name === "network") + 1;
  const asked = givenUp(network, (type) => type === CONNECT);
  t.is(asked.get(CONNECT), GOVERNED.FOLDED);
  t.is(asked.get(DNS), GOVERNED.ALL);
  t.false(givenUp(network - 1, () => false).has(CONNECT));
});

test("what rules ask for is spared from the moment it is known", (t) => {
  const { governor, now, pass, applied } = trial();
  now.ringPercent = 80;
  pass(11 + 10 * 3);
  t.is(applied.at(-1)?.get(DNS), undefined, "rules may want all until they have spoken");
  const interest = create(InterestSchema, { stage: "rule-engine", eventTypes: [CONNECT] });
  governor.setHolders([{ name: "rule-engine", isLeased: false, interest }]);
  t.is(applied.at(-1)?.get(DNS), GOVERNED.ALL);
  t.is(applied.at(-1)?.get(CONNECT), GOVERNED.FOLDED);
});

test("each step is documented, with its issue", (t) => {
  const page = readFileSync(DOCS, "utf8");
  for (const { name, code } of steps) {
    t.true(page.includes(`\`${name}\``), name);
    t.true(page.includes(`\`${code}\``), code);
    t.true(code in healthCodes);
  }
});
