// Random rules and random deeds, with the kernel's filters and without, at the same time: what the rules match must be
// the same. What a filter drops that a rule could match is missed here.
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { create, fromBinary } from "@bufbuild/protobuf";
import { unionOfInterests } from "@nightjar/events";
import { BatchSchema, type Event, type TypeInterest, TypeInterestSchema, wholeType } from "@nightjar/proto";
import { compileRules, interestOf, loadRules, type Rule, wishesOf } from "@nightjar/rules";
import { rulesFiles, type Vocabulary } from "@nightjar/rules/rules-fixture";
import { temporaryFolder } from "@nightjar/test-support";
import type { ExecutionContext } from "ava";
import fc from "fast-check";
import { compileDeed, type Deed } from "../events/support/deed.ts";
import { balances, idsOf, kernelTest, text, type Watch, watchKernel } from "../events/support/kernel.ts";

const RULE_SETS = 40;
const RULES_MAX = 3;
const DEEDS = 120;
const SEED = 20_240_817;
/** Deeper than the kernel's programs walk. */
const DEEP = 110;
const [O_RDONLY, O_WRONLY, O_RDWR, O_CREAT, O_DIRECTORY, O_PATH] = [0, 1, 2, 0o100, 0o200000, 0o10000000];
const PORTS = [9, 53, 80, 443, 9999];
const COMMANDS = ["bash", "sh", "fifteen-letters", "cat", "é"];
const LONG_NAME = "long-".repeat(51);

interface Place {
  folder: string;
  vocabulary: Vocabulary;
  /** How files are asked for. */
  requests: readonly { path: string; directory: string }[];
  /** Done before all else: mounts, and a path too deep to be walked. */
  preparations: readonly string[];
}

/** Folders and files whose names share beginnings and ends, links to them, and mounts over them. */
function makePlace(t: ExecutionContext): Place {
  const folder = temporaryFolder(t);
  const folders = ["etc", "etc/ssh", "bin", "root/etc", "mounted", "empty", "a-folder-of-more-than-eight/letters"];
  for (const name of folders) mkdirSync(join(folder, name), { recursive: true });
  const names = ["passwd", "passwd-", "id_rsa", "id_rsa.pub", "ssh_host_rsa_key", "x", "é", LONG_NAME, "seen twice"];
  const files = folders.slice(0, 4).flatMap((name) => names.map((file) => join(folder, name, file)));
  files.push(join(folder, "a-folder-of-more-than-eight/letters", "a-name-longer-than-twenty-four-letters"));
  for (const file of files) writeFileSync(file, "");
  writeFileSync(join(folder, "bound"), "");
  symlinkSync(join(folder, "etc"), join(folder, "link"));
  symlinkSync("../etc/passwd", join(folder, "bin", "link"));
  const mounted = names.map((file) => join(folder, "mounted", file));
  const missing = [join(folder, "etc", "missing"), join(folder, "nowhere", "x")];
  const links = [join(folder, "link", "passwd"), join(folder, "link", "x"), join(folder, "bin", "link")];
  const requests = [...files, ...mounted, ...missing, ...links, join(folder, "bound"), folder, join(folder, "etc")]
    .concat(["/etc/passwd", "/", "/dev/null", "/proc/self/fd/0", "/proc/self/exe"])
    .flatMap((path) => [
      { path, directory: "-" },
      { path: `./${relative(join(folder, "root"), path)}`, directory: join(folder, "root") },
    ]);
  return {
    folder,
    vocabulary: {
      paths: [...files, ...mounted, ...missing, ...links, join(folder, "bound"), "/etc/passwd", "/dev/null", "/"],
      commands: COMMANDS,
      ports: PORTS,
    },
    requests,
    preparations: [
      ["mount", join(folder, "etc"), join(folder, "mounted")],
      ["mount", join(folder, "etc", "passwd"), join(folder, "bound")],
      ["deep", join(folder, "empty"), String(DEEP), "passwd"],
    ].map((words) => words.join("\t")),
  };
}

function deeds({ requests, folder }: Place): fc.Arbitrary<string[]> {
  const flags = fc.constantFrom(O_RDONLY, O_RDONLY, O_WRONLY, O_RDWR, O_RDWR | O_CREAT, O_DIRECTORY, O_PATH);
  const open = fc
    .tuple(fc.constantFrom(...requests), flags)
    .map(([{ path, directory }, bits]) => ["open", path, String(bits), directory]);
  const name = fc.constantFrom(...COMMANDS).map((command) => ["name", command]);
  const [connect, accept] = ["connect", "accept"].map((deed) =>
    fc.tuple(fc.constantFrom(2, 10), fc.constantFrom(...PORTS)).map(([family, port]) => [deed, `${family}`, `${port}`]),
  ) as [fc.Arbitrary<string[]>, fc.Arbitrary<string[]>];
  const unix = fc.constant(["unix", join(folder, "no-socket")]);
  const one = fc.oneof({ weight: 8, arbitrary: open }, name, { weight: 2, arbitrary: connect }, accept, unix);
  return fc.array(
    one.map((words) => words.join("\t")),
    { minLength: DEEDS, maxLength: DEEDS },
  );
}

function load(yaml: string): Rule[] {
  const { rules, problems } = loadRules([{ name: "random.yaml", text: yaml }]);
  const errors = problems.filter(({ severity }) => severity === "error");
  if (errors.length > 0) throw new Error(JSON.stringify(errors));
  return rules;
}

/** What rules and people see of an event, but for its place in the ring and its time. */
function contentOf({ data, call, result, name, tid }: Event): string {
  const content = JSON.stringify(data, (_, value) => {
    if (value instanceof Uint8Array) return text(value);
    return typeof value === "bigint" ? String(value) : value;
  });
  return `${tid} ${text(name)} ${call} ${result} ${content}`;
}

/** Which rule matched what, of what a process did. */
function matchesOf(watch: Recorder, rules: readonly Rule[], pid: number): string[] {
  const engine = compileRules(rules);
  return watch.batches
    .flatMap((bytes) => {
      const { events } = fromBinary(BatchSchema, bytes);
      return engine
        .matchBatch(bytes)
        .map(({ rule, eventIndex }) => ({ rule, event: events[eventIndex] as Event }))
        .filter(({ event }) => event.pid === pid)
        .map(({ rule, event }) => `${rule.name}: ${contentOf(event)}`);
    })
    .sort();
}

interface Recorder {
  watch: Watch;
  /** Encoded, since the last run began. */
  batches: Uint8Array[];
}

function record(t: ExecutionContext): Recorder {
  const batches: Uint8Array[] = [];
  const watch = watchKernel(t, {
    types: ["open", "connect", "accept", "firstWrite", "exit"],
    onEncoded: (bytes) => void batches.push(bytes),
  });
  return { watch, batches };
}

/** Both see the same deeds; `filtered` has the interest of the rules, as `change` makes it. */
class Trial {
  readonly #all: Recorder;
  readonly #filtered: Recorder;
  readonly #place: Place;
  readonly #deed: Deed;

  constructor(t: ExecutionContext, place: Place) {
    this.#place = place;
    this.#deed = compileDeed(t, import.meta.dirname);
    this.#all = record(t);
    this.#filtered = record(t);
  }

  async run(rules: readonly Rule[], script: readonly string[], change = (type: TypeInterest) => type) {
    const wanted = unionOfInterests([interestOf(wishesOf(rules), "test", "")]);
    const [exit] = idsOf(["exit"]) as [number];
    const changed = [...wanted].map(([id, type]) => [id, change(type)] as const);
    this.#filtered.watch.probe.setInterest(new Map([...changed, [exit, wholeType(exit)]]));
    for (const recorder of [this.#all, this.#filtered]) recorder.batches.length = 0;
    const file = join(this.#place.folder, "script");
    writeFileSync(file, `${[...this.#place.preparations, ...script].join("\n")}\n`);
    const { pid, status } = this.#deed.do([file]);
    if (status !== 0) throw new Error(`the deed ended with ${status}`);
    await Promise.all([this.#all, this.#filtered].map(({ watch }) => watch.ended(pid)));
    return { all: matchesOf(this.#all, rules, pid), filtered: matchesOf(this.#filtered, rules, pid) };
  }

  /** What the kernel counted of opens, with the filters and without. */
  async ledgers() {
    const rows = [];
    for (const { watch } of [this.#all, this.#filtered]) {
      await watch.probe.stop({ timeoutMs: 1_000 });
      rows.push(watch.ledger("open"));
    }
    return rows as [(typeof rows)[0], (typeof rows)[0]];
  }
}

kernelTest("filters drop nothing that a rule could match", async (t) => {
  const place = makePlace(t);
  const trial = new Trial(t, place);
  const files = fc.sample(rulesFiles(place.vocabulary, RULES_MAX), { numRuns: RULE_SETS, seed: SEED });
  const scripts = fc.sample(deeds(place), { numRuns: RULE_SETS, seed: SEED });
  let matches = 0;
  for (const [at, file] of files.entries()) {
    const { all, filtered } = await trial.run(load(file), scripts[at] as string[]);
    t.deepEqual(filtered, all, file);
    matches += all.length;
  }
  t.true(matches > RULE_SETS, "the rules match what is done");
  const [unfiltered, ledger] = await trial.ledgers();
  t.true(balances(ledger) && balances(unfiltered));
  t.true(ledger.submitted < unfiltered.submitted, "and the filters do filter");
});

/** An interest that lacks something that is wanted. */
const CORRUPTIONS: readonly (readonly [what: string, corrupt: (type: TypeInterest) => TypeInterest])[] = [
  ["paths", (type) => create(TypeInterestSchema, { ...type, paths: type.paths.slice(1) })],
  ["commands", (type) => create(TypeInterestSchema, { ...type, commands: [] })],
  ["ports", (type) => create(TypeInterestSchema, { ...type, remotePorts: [] })],
  ["classes", (type) => create(TypeInterestSchema, { ...type, everything: type.everything & 0x0f })],
];

kernelTest("an interest that lacks something is noticed", async (t) => {
  const place = makePlace(t);
  const trial = new Trial(t, place);
  const passwd = join(place.folder, "etc", "passwd");
  const rules = load(
    JSON.stringify(
      [
        `evt.type = openat and fd.num >= 0 and fd.name in ("${passwd}", "/dev/null")`,
        "evt.type = openat and fd.num >= 0 and proc.name = cat",
        "evt.type = connect and fd.sport = 53",
        "evt.type = openat and evt.failed = true",
      ].map((condition, at) => ({ rule: `${at}`, desc: "d", condition, output: "o", priority: "INFO" })),
    ),
  );
  const script = [
    ["open", passwd, "0", "-"],
    ["connect", "2", "53"],
    ["open", `${passwd}.missing`, "0", "-"],
    ["name", "cat"],
    ["open", "/etc/hostname", "0", "-"],
  ].map((words) => words.join("\t"));
  const good = await trial.run(rules, script);
  t.deepEqual(good.filtered, good.all);
  t.true(good.all.length >= CORRUPTIONS.length);
  for (const [what, corrupt] of CORRUPTIONS) {
    const bad = await trial.run(rules, script, corrupt);
    t.true(bad.filtered.length < bad.all.length, what);
  }
});
