// What the kernel's maps are given agrees with the structs that the programs read, and fits into them.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { type TypeInterest, TypeInterestSchema } from "@nightjar/proto";
import test from "ava";
import { compileFilters, FILTER, KINDS } from "./filters.ts";
import { GOVERNED, GOVERNED_READS_PER_S, GOVERNED_SAMPLE } from "./governor.ts";

const OPEN = 35;
const CONNECT = 36;
const READS = 1 << 1;

const shared = readFileSync(join(import.meta.dirname, "..", "bpf", "shared.h"), "utf8");

const compile = (...types: MessageInitShape<typeof TypeInterestSchema>[]) => {
  const interests = types.map((type) => create(TypeInterestSchema, type));
  return compileFilters(new Map(interests.map((type): [number, TypeInterest] => [type.eventType, type])));
};

test("the limits are those of the header", (t) => {
  for (const [name, value] of Object.entries(FILTER)) {
    const found = new RegExp(`\\b${name} = (\\d+)`).exec(shared)?.[1];
    if (found !== undefined) t.is(Number(found), value, name);
    else t.is(name, "EVENT_TYPE_IDS_MAX", "generated from proto/");
  }
});

test("the kinds are those of the header, in its order", (t) => {
  const body = /enum filter_kind \{(.*?)\};/s.exec(shared)?.[1] ?? "";
  t.deepEqual(body.match(/FILTER_[A-Z_]+/g), [...KINDS]);
});

test("what the governor gives up is named as in the header", (t) => {
  const names = { ...GOVERNED, SAMPLE: GOVERNED_SAMPLE, READS_PER_S: GOVERNED_READS_PER_S };
  for (const [name, value] of Object.entries(names))
    t.is(Number(new RegExp(`\\bGOVERNED_${name} = (\\d+)`).exec(shared)?.[1]), value, name);
});

test("a path is found by its leaf and then looked up whole", (t) => {
  const { keys, paths, filters, widened } = compile({
    eventType: OPEN,
    paths: [{ classes: READS, whole: "/etc/shadow" }],
  });
  t.deepEqual(widened, []);
  t.deepEqual([...keys.subarray(0, 4)], [0, OPEN, KINDS.indexOf("FILTER_LEAF"), "shadow".length]);
  t.is(new TextDecoder().decode(keys.subarray(8, 14)), "shadow");
  t.deepEqual([...keys.subarray(32, 34)], [0, READS], "not passed, but looked up");
  t.is(new DataView(paths.buffer).getUint32(0, true), 8 * (2 + "/etc/shadow".length + 1));
  t.is(filters[OPEN * 16], 0);
});

test("the longest beginning has the classes of the shorter ones", (t) => {
  const { paths } = compile({
    eventType: OPEN,
    paths: [
      { classes: READS, begin: "/etc/" },
      { classes: 4, begin: "/etc/ssh/" },
    ],
  });
  const row = FILTER.FILTER_PATH_SIZE + 12;
  const classes = [0, 1].map((at) => new DataView(paths.buffer).getUint32((at + 1) * row - 4, true));
  t.deepEqual(classes, [READS, READS | 4]);
});

test("where there are too many keys, the type with the most is wanted whole", (t) => {
  const many = Array.from({ length: FILTER.FILTER_PATHS_MAX + 1 }, (_, at) => ({
    classes: READS,
    whole: `/etc/${at}`,
  }));
  const few = { eventType: CONNECT, remotePorts: [{ classes: READS, port: 22 }] };
  const { keys, paths, filters, widened } = compile({ eventType: OPEN, paths: many }, few);
  t.deepEqual(widened, [OPEN]);
  t.is(filters[OPEN * 16], 0xff);
  t.is(paths.length, 0);
  t.is(keys.length, 36, "the other type keeps its port");
});

test("what says nothing about a path wants everything of its classes", (t) => {
  for (const path of [{ begin: "/" }, { directory: "/" }, {}]) {
    t.is(compile({ eventType: OPEN, paths: [{ classes: READS, ...path }] }).filters[OPEN * 16], READS);
  }
});
