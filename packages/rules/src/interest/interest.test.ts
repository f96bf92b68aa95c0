// An interest admits every event that a rule can match, whatever the rules are; and it narrows where it should.
import { create, fromBinary } from "@bufbuild/protobuf";
import { admits, type EventKeys, NO_PORT, unionOfInterests } from "@nightjar/events";
import {
  BatchSchema,
  Call,
  DescriptorType,
  type Event,
  eventTypes,
  type TypeInterest,
  TypeInterestSchema,
} from "@nightjar/proto";
import test from "ava";
import fc from "fast-check";
import { batchOf, bytes, type EventInit } from "../engine/batch.fixture.ts";
import { compileRules, type Engine } from "../engine/engine.ts";
import { loadRules, type Rule } from "../files/load.ts";
import { costlyOf } from "./costly.ts";
import { interestOf, wishesOf } from "./interest.ts";
import { CLASS_FAILED, OPEN_READS, OPEN_WRITES } from "./rows.ts";
import { rulesFiles, type Vocabulary } from "./rules.fixture.ts";

const [O_WRONLY, O_RDWR, O_PATH] = [1, 2, 0o10000000];
const ENOENT = 2n;

const VOCABULARY: Vocabulary = {
  paths: ["/etc/passwd", "/etc/passwd-", "/etc/ssh/id_rsa", "/etc/ssh/id_rsa.pub", "/usr/bin/id", "/bin", "/x", "/é"],
  commands: ["bash", "sh", "a-name-of-fifteen", "é"],
  ports: [0, 22, 80, 443, 9999, 65_535],
};

const opens: fc.Arbitrary<EventInit> = fc
  .record({
    path: fc.constantFrom(...VOCABULARY.paths, "/etc", "/tmp/passwd", "/root/etc/passwd"),
    requested: fc.constantFrom(...VOCABULARY.paths, "passwd", "../x"),
    flags: fc.constantFrom(0, O_WRONLY, O_RDWR, O_PATH, 0o101),
    result: fc.constantFrom(3n, 0n, -ENOENT),
  })
  .map(({ path, requested, flags, result }) => ({
    call: Call.OPENAT,
    result,
    data: {
      case: "open",
      value: { path: bytes(result < 0n ? "" : path), requested: bytes(requested), flags: BigInt(flags), type: 1 },
    },
  }));

const DESCRIPTOR_TYPES = new Map([
  [1, DescriptorType.UNIX],
  [2, DescriptorType.IPV4],
  [10, DescriptorType.IPV6],
]);

const ends = fc.record({
  address: fc.constantFrom(new Uint8Array([127, 0, 0, 1]), new Uint8Array(0)),
  port: fc.constantFrom(...VOCABULARY.ports, 1234),
});

const connects: fc.Arbitrary<EventInit> = fc
  .record({ family: fc.constantFrom(0, 1, 2, 10), result: fc.constantFrom(0n, -115n), local: ends, remote: ends })
  .map(({ family, result, local, remote }) => ({
    call: Call.CONNECT,
    result,
    data: { case: "connect", value: { family, fd: 3, socketType: 1, local: sane(local), remote: sane(remote) } },
  }));

/** Of what is accepted, both ends and the family are the descriptor's. */
const accepts: fc.Arbitrary<EventInit> = fc
  .record({ family: fc.constantFrom(0, 1, 2, 10), result: fc.constantFrom(4n, -11n), local: ends, remote: ends })
  .map(({ family, result, local, remote }) => ({
    call: Call.ACCEPT,
    result,
    data: {
      case: "accept",
      value: {
        fd: 4,
        descriptor: {
          family,
          type: DESCRIPTOR_TYPES.get(family) ?? 0,
          local: sane(local),
          remote: sane(remote),
          isServer: true,
        },
      },
    },
  }));

/** A port without an address does not occur. */
const sane = <T extends { address: Uint8Array; port: number }>(end: T) => (end.address.length > 0 ? end : undefined);

const text = (of: Uint8Array) => new TextDecoder().decode(of);
const FAMILY_KINDS = new Map([
  [1, 1],
  [2, 2],
  [10, 3],
]);

/** What the kernel knows of an event, as bpf/filter.h tells it. */
function keysOf({ data, result, name }: Event): EventKeys {
  const failed = result < 0n ? CLASS_FAILED : 0;
  const command = text(name);
  if (data.case === "open") {
    const flags = Number(data.value.flags);
    const mode = flags & 3;
    const reads = mode !== O_WRONLY ? OPEN_READS : 0;
    const kind = (flags & O_PATH) !== 0 ? 0 : reads | (mode !== 0 ? OPEN_WRITES : 0);
    const path = text(data.value.path);
    return { class: failed | kind, command, ...(path !== "" && { path }) };
  }
  const socket = data.case === "connect" ? data.value : data.case === "accept" ? data.value.descriptor : undefined;
  if (!socket) return { class: failed, command };
  const port = (end: { address: Uint8Array; port: number } | undefined) =>
    end && end.address.length > 0 ? end.port : NO_PORT;
  const { family, local, remote } = socket;
  const kind = FAMILY_KINDS.get(family) ?? 0;
  return { class: failed | kind, command, remotePort: port(remote), localPort: port(local) };
}

function load(yaml: string): Rule[] {
  const { rules, problems } = loadRules([{ name: "rules.yaml", text: yaml }]);
  const errors = problems.filter(({ severity }) => severity === "error");
  if (errors.length > 0) throw new Error(JSON.stringify(errors));
  return rules;
}

const interestIn = (rules: readonly Rule[]) => unionOfInterests([interestOf(wishesOf(rules), "test", "")]);

/** The rules that match an event although the interest does not admit it. */
function missed(engine: Engine, interest: ReadonlyMap<number, TypeInterest>, batch: Uint8Array): string[] {
  const matches = engine.matchBatch(batch);
  const { events } = fromBinary(BatchSchema, batch);
  return matches.flatMap(({ rule, eventIndex }) => {
    const event = events[eventIndex] as Event;
    const type = [...interest.values()].find(({ eventType }) => eventType === typeId(event));
    return type && admits(type, keysOf(event)) ? [] : [rule.name];
  });
}

const typeId = ({ data }: Event) => eventTypes.find(({ member }) => member === data.case)?.id;

const events = fc.oneof(opens, connects, accepts).chain((event) =>
  fc.constantFrom("bash", "sh", "a-name-of-fift", "a-name-of-fifte", "é", "shell").map((name) => ({
    ...event,
    name: bytes(name),
  })),
);

test("what a rule matches, the interest admits", (t) => {
  const property = fc.property(
    rulesFiles(VOCABULARY, 4),
    fc.array(events, { minLength: 30, maxLength: 60 }),
    (yaml, list) => {
      const rules = load(yaml);
      const interest = interestIn(rules);
      const engine = compileRules(rules);
      for (const event of list) t.deepEqual(missed(engine, interest, batchOf(event, [["bash", "/bin/bash"]])), []);
    },
  );
  t.notThrows(() => fc.assert(property, { numRuns: 200 }));
});

test("an interest that wants less is noticed", (t) => {
  const rules = load(JSON.stringify([rule("evt.type = openat and fd.name in (/etc/passwd, /x)")]));
  const [open] = [...interestIn(rules).values()] as [TypeInterest];
  const less = create(TypeInterestSchema, { ...open, paths: open.paths.slice(1) });
  const event: EventInit = {
    call: Call.OPENAT,
    result: 3n,
    data: { case: "open", value: { path: bytes("/etc/passwd"), type: 1 } },
  };
  t.deepEqual(missed(compileRules(rules), new Map([[35, less]]), batchOf(event, [["bash", "/bin/bash"]])), ["rule"]);
});

function rule(condition: string) {
  return { rule: "rule", desc: "one", condition, output: "matched", priority: "INFO" };
}

/** Conditions with what is left of opens or connects: everything of some classes, or the keys that are looked up. */
const NARROWED: readonly (readonly [condition: string, everything: number, keys: readonly string[]])[] = [
  ["evt.type = openat and fd.name = /etc/passwd", 0xf0, ["/etc/passwd"]],
  ["evt.type = openat and fd.num >= 0 and fd.name = /etc/passwd", 0, ["/etc/passwd"]],
  ["evt.type = openat and fd.num >= 0 and evt.is_open_write = true and fd.name startswith /etc/", 0, ["/etc/…"]],
  ["evt.type = openat and evt.is_open_write = true", 0xcc, []],
  ["evt.type = openat and evt.failed = true", 0xf0, []],
  ["evt.type = openat and not evt.failed = true and fd.name = /x", 0, ["/x"]],
  ["evt.type = openat and fd.num >= 0 and not fd.name in (/etc/passwd)", 0x0f, []],
  ["evt.type = openat and fd.num >= 0 and (fd.name = /x or proc.name = sh)", 0, ["/x", "sh"]],
  ["evt.type = openat and fd.num >= 0 and fd.directory = /etc and fd.filename = passwd", 0, ["passwd in /etc"]],
  ["evt.type = openat and fd.num >= 0 and fd.name glob /etc/*.conf", 0, ["/etc/…….conf"]],
  ["evt.type = openat and fd.num >= 0 and fd.name pmatch (/etc)", 0, ["/etc", "/etc/…"]],
  ["evt.type = openat and fd.num >= 0 and fd.name contains x", 0x0f, []],
  ["evt.type = openat and fd.num >= 0 and fd.name = /x and fd.name = /y", 0, []],
  ["evt.type = connect and fd.sport in (80, 443)", 0, [":80", ":443"]],
  ["evt.type = connect and fd.type in (ipv4) and fd.sport = 80", 0, [":80"]],
  ["evt.type = connect and not fd.sport in (53)", 0, ["others", ":53-"]],
  ["evt.type = connect and fd.typechar = u", 0x33, []],
];

for (const [condition, everything, keys] of NARROWED) {
  test(`narrowed: ${condition}`, (t) => {
    const [type] = [...interestIn(load(JSON.stringify([rule(condition)]))).values()];
    t.is(type?.everything ?? 0, everything);
    t.deepEqual(type ? describe(type) : [], keys);
  });
}

function describe(type: TypeInterest): string[] {
  const paths = type.paths.map(({ whole, begin, end, leaf, directory }) => {
    if (whole) return whole;
    return leaf ? `${leaf} in ${directory}` : `${begin && `${begin}…`}${end && `…${end}`}`;
  });
  const ports = type.remotePorts.map(({ port, classes }) => `:${port}${classes === 0 ? "-" : ""}`);
  return [...paths, ...type.commands.map(({ name }) => name), ...(type.otherRemotePorts ? ["others"] : []), ...ports];
}

/** Rules, and whether they ask for the environment and for data. */
const COSTLY: readonly (readonly [condition: string, output: string, enabled: boolean, asks: string])[] = [
  ["evt.type = execve and proc.env[LD_PRELOAD] exists", "x", true, "environment"],
  ["evt.type = openat and proc.aenv contains SECRET", "x", true, "environment"],
  ["evt.type = execve", "x %proc.env", true, "environment"],
  ["evt.type = execve and proc.env contains x", "x", false, ""],
  ["evt.type = execve and proc.name = env", "x %proc.exe", true, ""],
  ["evt.type = recvfrom and evt.buffer bcontains cafebabe", "x", true, "data"],
  ["evt.type = sendto and evt.arg.data contains x", "x", true, "data"],
  ["evt.type = sendto and evt.args contains x", "x", true, "data"],
  ["evt.type = sendto", "x %evt.arg.data", true, "data"],
  ["evt.type = sendto", "x %evt.args", true, ""],
  ["evt.type = first_write and fd.name = /etc/passwd", "x %evt.buffer", true, "data"],
  ["evt.type = first_write and evt.buflen > 100", "x", true, ""],
  ["evt.type = connect and fd.sip.name = x.example", "x", true, "names of addresses"],
  ["evt.type = connect and fd.sip.name = x.example", "x", false, ""],
  ["evt.type = connect", "x %fd.rip.name", true, "names of addresses"],
  ["evt.type = connect and fd.sip = 192.0.2.7", "x %fd.sip", true, ""],
];

for (const [condition, output, enabled, asks] of COSTLY) {
  test(`${condition}, ${output}, ${enabled}: asks for ${asks || "nothing more"}`, (t) => {
    const text = JSON.stringify([{ rule: "R", desc: "d", condition, output, priority: "INFO", enabled }]);
    const { rules } = loadRules([{ name: "r", text }]);
    t.is(rules.length, 1);
    const costly = {
      environment: asks === "environment",
      data: asks === "data",
      addressNames: asks === "names of addresses",
    };
    t.deepEqual(costlyOf(rules), costly);
    t.like(interestOf(wishesOf(rules), "s", "", costlyOf(rules)), costly);
  });
}
