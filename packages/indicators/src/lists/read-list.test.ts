// Lists of each format as their makers write them: what is taken, and what is told of the rest.
import { timestampMs } from "@bufbuild/protobuf/wkt";
import { Disposition } from "@nightjar/proto";
import test from "ava";
import fc from "fast-check";
import type { ListDefaults } from "./list.ts";
import { readList } from "./read-list.ts";

const SHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const nowMs = Date.parse("2026-06-01T00:00:00Z");
const defaults: ListDefaults = { source: "feed", disposition: Disposition.MALICIOUS, confidence: 50, nowMs };

function read(text: string, over: Partial<ListDefaults> = {}) {
  const { format, verdicts, problems, passedOver } = readList(text, { ...defaults, ...over });
  return {
    format,
    values: verdicts.map(({ indicator }) => indicator?.value),
    verdicts,
    problems: problems.map(({ code, place }) => [code, place]),
    passedOver,
  };
}

test("plain: a value a line, with comments, hosts lines and what is none", (t) => {
  const list = read(
    "# made today\nevil.example\n192.0.2.7  # C2\n\n0.0.0.0 bad.example\n10.0.0.0/8\r\nevil.example\n; end\n",
  );
  t.is(list.format, "plain");
  t.deepEqual(list.values, ["evil.example", "192.0.2.7", "bad.example"]);
  t.deepEqual(list.problems, [["LIST_VALUE_INVALID", "line 6"]]);
  t.deepEqual(list.verdicts.map(({ source, disposition, confidence }) => [source, disposition, confidence])[0], [
    "feed",
    Disposition.MALICIOUS,
    50,
  ]);
});

test("CSV with a header of our own: every column counts, a cell that is none is told", (t) => {
  const list = read(
    [
      "indicator,type,disposition,confidence,description,labels,expires",
      '192.0.2.7,address,suspicious,80,"a scanner, seen often",scan|T1595,2026-07-01',
      `${SHA256},sha256,,,,,2026-05-01`,
      "evil.example,domain,bad,101,,,soon",
      "http://evil.example/x,url,,,,,",
      "nothing,,,,,,",
    ].join("\n"),
  );
  t.is(list.format, "csv");
  t.deepEqual(list.values, ["192.0.2.7", "evil.example"]);
  const [first] = list.verdicts;
  t.is(first?.disposition, Disposition.SUSPICIOUS);
  t.is(first?.confidence, 80);
  t.is(first?.description, "a scanner, seen often");
  t.deepEqual(first?.labels, ["scan", "T1595"]);
  t.is(first?.expiresAt && timestampMs(first.expiresAt), Date.parse("2026-07-01T00:00:00Z"));
  t.is(list.passedOver, 1, "what is over");
  t.deepEqual(list.problems, [
    ["LIST_FIELD_INVALID", "line 4"],
    ["LIST_FIELD_INVALID", "line 4"],
    ["LIST_FIELD_INVALID", "line 4"],
    ["LIST_KIND_UNKNOWN", "line 5"],
    ["LIST_VALUE_INVALID", "line 6"],
  ]);
});

test("CSV whose header is its last comment, with quotes and ports, as abuse.ch publishes it", (t) => {
  const list = read(
    [
      "################################",
      "# Recent indicators            #",
      "################################",
      '# "first_seen_utc","ioc_id","ioc_value","ioc_type","threat_type","malware","confidence_level"',
      '"2026-05-01 10:00:00", "1", "192.0.2.8:4443", "ip:port", "botnet_cc", "win.example", "75"',
      '"2026-05-01 10:00:00", "2", "d41d8cd98f00b204e9800998ecf8427e", "md5_hash", "payload", "win.example", "75"',
      "# Number of entries: 2",
    ].join("\r\n"),
  );
  t.is(list.format, "csv");
  t.deepEqual(list.values, ["192.0.2.8"]);
  t.deepEqual([list.verdicts[0]?.confidence, list.verdicts[0]?.description], [75, "botnet_cc"]);
  t.deepEqual(list.problems, [["LIST_KIND_UNKNOWN", "line 6"]]);
});

function stix(...objects: Record<string, unknown>[]): string {
  return JSON.stringify({ type: "bundle", id: "bundle--1", objects });
}

function indicator(pattern: string, over: Record<string, unknown> = {}) {
  return { type: "indicator", id: "indicator--1", pattern_type: "stix", pattern, ...over };
}

test("STIX 2.1: values, confidence, types, phases, ends and what was revoked", (t) => {
  const list = read(
    stix(
      { type: "malware", name: "x" },
      indicator(`[file:hashes.'SHA-256' = '${SHA256}']`, {
        name: "dropper",
        confidence: 90,
        labels: ["loader"],
        indicator_types: ["anomalous-activity"],
        kill_chain_phases: [{ kill_chain_name: "mitre-attack", phase_name: "command-and-control" }],
        valid_until: "2026-07-01T00:00:00.000Z",
      }),
      indicator("[domain-name:value = 'evil.example' OR ipv4-addr:value IN ('192.0.2.7', '192.0.2.8')]"),
      indicator("[ipv6-addr:value = '2001:DB8::1'] OR ([domain-name:value = 'bad.example'])"),
      indicator("[domain-name:value = 'gone.example']", { revoked: true }),
      indicator("[domain-name:value = 'over.example']", { valid_until: "2026-05-01T00:00:00Z" }),
    ),
  );
  t.is(list.format, "stix");
  t.deepEqual(list.problems, []);
  t.deepEqual(list.values, [SHA256, "evil.example", "192.0.2.7", "192.0.2.8", "2001:db8::1", "bad.example"]);
  t.deepEqual(list.verdicts[0]?.labels, ["loader", "command-and-control"]);
  t.deepEqual(
    [list.verdicts[0]?.disposition, list.verdicts[0]?.confidence, list.verdicts[0]?.description],
    [Disposition.SUSPICIOUS, 90, "dropper"],
  );
  t.is(list.passedOver, 2);
});

for (const pattern of [
  "",
  "[",
  "[domain-name:value = 'evil.example'",
  "[domain-name:value = 'evil.example' AND ipv4-addr:value = '192.0.2.7']",
  "[domain-name:value = 'evil.example'] FOLLOWEDBY [ipv4-addr:value = '192.0.2.7']",
  "[domain-name:value = 'evil.example'] WITHIN 5 SECONDS",
  "[domain-name:value LIKE '%.example']",
  "[domain-name:value != 'evil.example']",
  "[NOT domain-name:value = 'evil.example']",
  "[ipv4-addr:value = '192.0.2.0/24']",
  "[file:hashes.MD5 = 'd41d8cd98f00b204e9800998ecf8427e']",
  "[process:command_line = 'x']",
]) {
  test(`a STIX pattern that is more than values is told, not guessed: ${pattern || "none"}`, (t) => {
    const list = read(stix(indicator(pattern)));
    t.deepEqual(list.values, []);
    t.deepEqual(list.problems, [["LIST_PATTERN_UNSUPPORTED", "indicator--1"]]);
  });
}

test("MISP: attributes for detection, of objects too, in parts, with tags of the event", (t) => {
  const attribute = (type: string, value: string, over = {}) => ({ type, value, to_ids: true, uuid: value, ...over });
  const list = read(
    JSON.stringify({
      Event: {
        info: "Campaign",
        Tag: [{ name: "tlp:green" }],
        Attribute: [
          attribute("ip-dst|port", "192.0.2.7|443", { Tag: [{ name: "C2" }] }),
          attribute("domain|ip", "evil.example|192.0.2.8", { comment: "stage 2" }),
          attribute("domain", "context.example", { to_ids: false }),
          attribute("domain", "gone.example", { deleted: true }),
          attribute("md5", "d41d8cd98f00b204e9800998ecf8427e"),
          attribute("ip-src", "10.0.0.0/8"),
        ],
        Object: [{ name: "file", Attribute: [attribute("filename|sha256", `a.exe|${SHA256}`)] }],
      },
    }),
  );
  t.is(list.format, "misp");
  t.deepEqual(list.values, ["192.0.2.7", "evil.example", "192.0.2.8", SHA256]);
  t.deepEqual(list.verdicts[0]?.labels, ["C2", "tlp:green"]);
  t.deepEqual([list.verdicts[0]?.description, list.verdicts[1]?.description], ["Campaign", "stage 2"]);
  t.is(list.passedOver, 2);
  t.deepEqual(list.problems, [
    ["LIST_KIND_UNKNOWN", "attribute d41d8cd98f00b204e9800998ecf8427e"],
    ["LIST_VALUE_INVALID", "attribute 10.0.0.0/8"],
  ]);
});

test("of an indicator that comes twice the worse entry counts, then the surer", (t) => {
  const { verdicts } = read(
    "indicator,disposition,confidence\na.example,suspicious,90\na.example,malicious,10\na.example,malicious,20\n",
  );
  t.deepEqual(
    verdicts.map(({ disposition, confidence }) => [disposition, confidence]),
    [[Disposition.MALICIOUS, 20]],
  );
});

test("a file that is no list is a problem", (t) => {
  for (const text of ['{"type": "other"}', "[]", "\u0000\u0001ELF"]) {
    t.deepEqual(read(text).problems, [["LIST_UNREADABLE", ""]]);
  }
  t.deepEqual(readList("a,b\n1,2\n", defaults, "csv").problems[0]?.code, "LIST_UNREADABLE");
});

test("no text makes a reader throw", (t) => {
  const json = fc.json().map((any) => `{"Event":${any},"type":"bundle","id":"bundle--1","objects":[${any}]}`);
  const patterns = fc.stringMatching(/^[[\]()'=:. A-Za-z-]{0,60}$/).map((any) => stix(indicator(any)));
  const csv = fc.string().map((any) => `indicator,confidence\n${any}`);
  const texts = fc.oneof(fc.string({ unit: "binary" }), fc.json(), json, patterns, csv);
  t.notThrows(() => fc.assert(fc.property(texts, (text) => readList(text, defaults).verdicts.length >= 0)));
});
