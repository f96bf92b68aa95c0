// Reads files of tests of rules: events written briefly, or a recording, and which rules must match and which must not.
import { fail, ItemError, type ItemName } from "../files/decode.ts";
import { FILE_CHARACTERS_MAX } from "../files/read.ts";
import { type MappingValue, readYaml, type Value } from "../files/yaml.ts";
import { type Place, type Problem, problem } from "../problem.ts";
import type { BriefEvent, BriefFields, BriefValue } from "./brief.ts";

/** How the names of such files end; they stand beside the rules and are no rules. */
export const TEST_FILE_ENDINGS: readonly string[] = [".test.yaml", ".test.yml"];

/** The keys of each part of a file, with what they say: what is read, and what an editor is told, goes by these. */
export const TEST_FILE_KEYS = {
  file: {
    rules: "Files of rules, from this file's folder; without it the file of the same name without .test.",
    tests: "The tests.",
  },
  test: {
    test: "What is tested, in a few words.",
    event: "What happened: fields by the names that rules use.",
    events: "Several events in their order, instead of `event`.",
    process: "Who did it: a command line, or fields of a process. Of all events that do not say it themselves.",
    ancestors: "Its parent, its parent's parent and so on; without it a login shell over SSH.",
    recording: "A file of `nightjar record`, from this file's folder, instead of events.",
    match: "The rules that must match, by name.",
    no_match: "The rules that must not match; without it, or with `others`, all that `match` does not name.",
  },
  event: {
    type: "An event type or a call, e.g. open; or `evt.type`, which is a call.",
    process: "Who did it: a command line, or fields of a process.",
    ancestors: "Its parent, its parent's parent and so on.",
    after: "How long after the first event, e.g. 500ms, 2s or 5m.",
  },
} as const satisfies Record<string, Record<string, string>>;

/** What must not match: rules by name, or all that need not. */
export type NoMatch = readonly string[] | "others";

export interface RuleTest {
  name: string;
  place: Place;
  /** Either events or a recording. */
  events: readonly BriefEvent[];
  recording?: string;
  match: readonly string[];
  noMatch: NoMatch;
}

export interface TestFile {
  /** As written; undefined where the file does not say. */
  rules?: readonly string[];
  tests: RuleTest[];
  problems: Problem[];
}

const CODE = "TEST_FILE_INVALID";
const OTHERS = "others";

/** Reads one file of tests. A test with a fault is left out and told of. */
export function readTestFile(file: string, content: string): TestFile {
  const result: TestFile = { tests: [], problems: [] };
  const start: Place = { file, line: 1, column: 1 };
  if (content.length > FILE_CHARACTERS_MAX) {
    result.problems.push(problem("RULES_FILE_TOO_LARGE", "the file is too large", start));
    return result;
  }
  const { documents, problems } = readYaml(file, content);
  result.problems.push(...problems);
  for (const document of documents) trying(result, () => readDocument(document, result));
  return result;
}

function trying(result: TestFile, work: () => void): void {
  try {
    work();
  } catch (error) {
    if (!(error instanceof ItemError)) throw error;
    result.problems.push(error.problem);
  }
}

const WHOLE: ItemName = { type: "test file", name: "" };

function readDocument(document: Value, result: TestFile): void {
  const whole = mapping(document, TEST_FILE_KEYS.file, WHOLE);
  const rules = whole.entries.get("rules")?.value;
  if (rules) result.rules = names(rules, WHOLE);
  const tests = whole.entries.get("tests")?.value;
  if (tests?.kind !== "sequence") fail(CODE, "a file of tests has a list `tests`", whole.place, WHOLE);
  for (const test of tests.items) trying(result, () => result.tests.push(readTest(test)));
}

function readTest(value: Value): RuleTest {
  const nameless: ItemName = { type: "test", name: "" };
  const test = mapping(value, TEST_FILE_KEYS.test, nameless);
  const name = test.entries.get("test")?.value;
  if (name?.kind !== "text" || name.text === "") fail(CODE, "a test has a name: `test: …`", test.place, nameless);
  const item = { type: "test", name: name.text };
  const entry = (key: string): Value | undefined => test.entries.get(key)?.value;
  const [event, events, recording, match] = [entry("event"), entry("events"), entry("recording"), entry("match")];
  if ([event, events, recording].filter(Boolean).length !== 1)
    fail(CODE, "a test has either `event`, `events` or `recording`", test.place, item);
  if (events && events.kind !== "sequence") fail(CODE, "`events` is a list", events.place, item);
  const written = events?.kind === "sequence" ? events.items : event ? [event] : [];
  return {
    name: item.name,
    place: test.place,
    events: written.map((each) => readEvent(each, test, item)),
    ...(recording && { recording: text(recording, item) }),
    match: match ? names(match, item) : fail(CODE, "a test says which rules `match`; none is []", test.place, item),
    noMatch: readNoMatch(entry("no_match"), item),
  };
}

function readNoMatch(value: Value | undefined, item: ItemName): NoMatch {
  if (!value || (value.kind === "text" && value.text === OTHERS)) return OTHERS;
  return names(value, item);
}

/** Of an event by itself, as it stands in a file for `why-not`: the keys of an event, fields, and who acted. */
export function readEventFile(file: string, content: string): { events: BriefEvent[]; problems: Problem[] } {
  const result: TestFile = { tests: [], problems: [] };
  const { documents, problems } = readYaml(file, content);
  result.problems.push(...problems);
  const events: BriefEvent[] = [];
  for (const document of documents) {
    const items = document.kind === "sequence" ? document.items : [document];
    for (const item of items)
      trying(result, () => events.push(readEvent(item, undefined, { type: "event", name: "" })));
  }
  return { events, problems: result.problems };
}

/** A login over SSH: what most of what people do comes from. */
const LOGIN = ["-bash", "sshd: root@pts/0", "/usr/sbin/sshd -D", "/sbin/init"] as const;
const LOGIN_PROGRAMS = ["/usr/bin/bash", "/usr/sbin/sshd", "/usr/sbin/sshd", "/usr/lib/systemd/systemd"] as const;

function readEvent(value: Value, test: MappingValue | undefined, item: ItemName): BriefEvent {
  if (value.kind !== "mapping") fail(CODE, "an event is a mapping of fields", value.place, item);
  const entry = (key: string): Value | undefined => value.entries.get(key)?.value;
  const type = entry("type") ?? entry("evt.type");
  if (!type) fail(CODE, "an event has a `type` or `evt.type`", value.place, item);
  const process = entry("process") ?? test?.entries.get("process")?.value;
  const ancestors = entry("ancestors") ?? test?.entries.get("ancestors")?.value;
  if (ancestors && ancestors.kind !== "sequence") fail(CODE, "`ancestors` is a list", ancestors.place, item);
  const after = entry("after");
  return {
    type: { given: text(type, item), place: type.place },
    fields: readFields(value, item, Object.keys(TEST_FILE_KEYS.event)),
    processes: [
      process ? readProcess(process, item) : new Map(),
      ...(ancestors?.kind === "sequence" ? ancestors.items.map((each) => readProcess(each, item)) : login(value.place)),
    ],
    afterNs: after ? duration(after, item) : 0n,
  };
}

function login(place: Place): BriefFields[] {
  return LOGIN.map((command, at) => {
    const [exe = "", ...args] = command.includes(":") ? [command] : command.split(" ");
    const fields: [string, string | string[]][] = [
      ["proc.exepath", LOGIN_PROGRAMS[at] as string],
      ["proc.exe", exe],
      ["proc.args", args],
    ];
    return new Map(fields.map(([field, given]) => [field, { given, place }]));
  });
}

function readProcess(value: Value, item: ItemName): BriefValue | BriefFields {
  if (value.kind === "mapping") return readFields(value, item, []);
  return { given: given(value, item), place: value.place };
}

function readFields({ entries }: MappingValue, item: ItemName, except: readonly string[]): BriefFields {
  const fields = [...entries].filter(([name]) => !except.includes(name));
  return new Map(fields.map(([name, { value }]) => [name, { given: given(value, item), place: value.place }]));
}

function given(value: Value, item: ItemName): string | string[] {
  return value.kind === "sequence" ? value.items.map((each) => text(each, item)) : text(value, item);
}

const UNITS_NS: Readonly<Record<string, bigint>> = { ms: 1_000_000n, s: 1_000_000_000n, m: 60_000_000_000n };

function duration(value: Value, item: ItemName): bigint {
  const [, number = "", unit = ""] = /^([0-9]{1,6})(ms|s|m)$/.exec(text(value, item)) ?? [];
  return number === ""
    ? fail(CODE, "a time is e.g. 500ms, 2s or 5m", value.place, item)
    : BigInt(number) * UNITS_NS[unit]!;
}

function text(value: Value, item: ItemName): string {
  return value.kind === "text" ? value.text : fail(CODE, "a single value is wanted here", value.place, item);
}

/** One name or a list of them. */
function names(value: Value, item: ItemName): string[] {
  return value.kind === "sequence" ? value.items.map((each) => text(each, item)) : [text(value, item)];
}

/** A mapping with no key but those. */
function mapping(value: Value, keys: Readonly<Record<string, string>>, item: ItemName): MappingValue {
  if (value.kind !== "mapping") fail(CODE, "a mapping is wanted here", value.place, item);
  for (const [key, { key: place }] of value.entries) {
    if (!(key in keys)) fail(CODE, `unknown key '${key}'; there are ${Object.keys(keys).join(", ")}`, place, item);
  }
  return value;
}
