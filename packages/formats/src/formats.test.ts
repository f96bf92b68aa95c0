// The formats against their public shapes: Falco's alert, ECS's own list of fields, OCSF's objects.
import { create } from "@bufbuild/protobuf";
import { EcsFlat } from "@elastic/ecs";
import { EventSchema } from "@nightjar/proto";
import test from "ava";
import { bareDetection, connectOnHost, readInPod, sampleOrigin } from "./detection.fixture.ts";
import { formatNames, formats } from "./format.ts";
import { type Json, type JsonObject, toJson } from "./json.ts";
import { type Shape, shapeProblems } from "./shape.fixture.ts";

const samples = { readInPod, connectOnHost, bareDetection };

/** As a reader gets it: through JSON and back. */
function read(format: keyof typeof formats, make: () => ReturnType<typeof readInPod>) {
  return JSON.parse(toJson(formats[format](make(), sampleOrigin())));
}

for (const name of formatNames) {
  for (const [what, make] of Object.entries(samples)) {
    test(`${name}: ${what} is one line, the same each time, with the detection's id`, (t) => {
      const line = toJson(formats[name](make(), sampleOrigin()));
      t.is(line, toJson(formats[name](make(), sampleOrigin())));
      t.notRegex(line, /\n/);
      t.true(line.replaceAll("-", "").includes(make().id));
    });
  }
}

test("falco: the keys and types of an alert, numbers as numbers with all their digits", (t) => {
  const alert = read("falco", readInPod);
  t.deepEqual(alert, {
    hostname: "crab",
    output: "03:04:05.006000001: Warning /etc/shadow was read by cat",
    output_fields: {
      // As near as a reader without bigints comes to it.
      "evt.time": 1_767_323_045_006_000_000,
      "evt.failed": false,
      "fd.name": "/etc/shadow",
      "proc.name": "7",
      "proc.pid": 20,
      "nightjar.count": 3,
    },
    priority: "Warning",
    rule: "Read sensitive file untrusted",
    source: "syscall",
    tags: ["T1003.008", "mitre_credential_access"],
    time: "2026-01-02T03:04:05.006000001Z",
    uuid: "00112233-4455-6677-8899-aabbccddeeff",
  });
  t.regex(toJson(formats.falco(readInPod(), sampleOrigin())), /"evt\.time":1767323045006000001,/);
  t.deepEqual(Object.keys(alert), [
    ...["hostname", "output", "output_fields", "priority", "rule", "source", "tags", "time", "uuid"],
  ]);
});

/** [what ECS calls a type, what JSON may have there] */
const ecsTypes: Readonly<Record<string, (value: unknown) => boolean>> = {
  keyword: (value) => typeof value === "string",
  wildcard: (value) => typeof value === "string",
  match_only_text: (value) => typeof value === "string",
  ip: (value) => typeof value === "string" && /^[\d.]+$|:/.test(value),
  long: Number.isSafeInteger,
  boolean: (value) => typeof value === "boolean",
  date: (value) => typeof value === "string" && new Date(value).toISOString() === value,
  object: (value) => typeof value === "object",
};

/** What ECS says against the document, a line each. */
function ecsProblems(value: Json, path: string): string[] {
  const field = (EcsFlat as Record<string, { type: string; normalize?: readonly string[] }>)[path];
  if (field === undefined) {
    if (typeof value !== "object" || value === null) return [`${path} is no field of ECS`];
    return Object.entries(value as JsonObject).flatMap(([name, one]) =>
      ecsProblems(one ?? null, path === "" ? name : `${path}.${name}`),
    );
  }
  const isList = field.normalize?.includes("array") ?? false;
  if (isList !== Array.isArray(value)) return [`${path} is ${isList ? "" : "no "}list`];
  const values: readonly unknown[] = Array.isArray(value) ? value : [value];
  return values.every((one) => ecsTypes[field.type]?.(one)) ? [] : [`${path} is no ${field.type}`];
}

for (const [what, make] of Object.entries(samples)) {
  test(`ecs: each field of ${what} is one of ECS's, with its type`, (t) => {
    t.deepEqual(ecsProblems(read("ecs", make), ""), []);
  });
}

test("ecs: who did what, where", (t) => {
  const document = read("ecs", readInPod);
  const { event, process, threat, container, orchestrator, file } = document;
  t.is(document["@timestamp"], "2026-01-02T03:04:05.006Z");
  t.deepEqual([event.kind, event.category, event.type], ["alert", ["intrusion_detection", "file"], ["access"]]);
  t.deepEqual([event.severity, event.duration], [47, 4_994_000_000]);
  t.deepEqual(
    [process.executable, process.command_line, process.user.name],
    ["/usr/bin/cat", "cat /etc/shadow", "root"],
  );
  t.is(process.start, "2026-01-02T03:04:02.506Z");
  t.deepEqual([process.parent.name, process.parent.pid], ["bash", 10]);
  t.is(process.hash.sha256, "cd".repeat(32));
  t.deepEqual(threat.technique, { id: ["T1003"], subtechnique: { id: ["T1003.008"] } });
  t.deepEqual(threat.tactic, { name: ["Credential Access"], id: ["TA0006"] });
  t.deepEqual(
    [container.name, container.image.name, orchestrator.resource.name],
    ["web", "example.org/shop", "shop-1"],
  );
  t.deepEqual(file, { path: "/etc/shadow", name: "shadow", directory: "/etc" });
  const { source, destination } = read("ecs", connectOnHost);
  t.deepEqual([source.ip, destination], ["192.0.2.7", { ip: "::1", address: "::1", port: 4444 }]);
});

test("ecs: categories and types are of ECS's lists and go together, for each type of event", (t) => {
  const rows = EcsFlat["event.category"].allowed_values as readonly { name: string; expected_event_types?: string[] }[];
  const types = EventSchema.oneofs[0]?.fields ?? [];
  t.true(types.length > 0);
  for (const { localName } of types) {
    const event = create(EventSchema, { data: { case: localName as "open", value: {} } });
    const { category, type } = read("ecs", () => ({ ...readInPod(), event })).event;
    const known = rows.filter(({ name }) => category.includes(name));
    t.is(known.length, category.length, `${localName}: ${category}`);
    t.true(
      known.find(({ name }) => name === category.at(-1))?.expected_event_types?.includes(type[0]),
      `${localName}: ${category} with ${type}`,
    );
  }
});

for (const [what, make] of Object.entries(samples)) {
  test(`ocsf: ${what} is a Detection Finding, with what is required and nothing that is not known`, (t) => {
    t.deepEqual(shapeProblems("detection_finding" satisfies Shape, read("ocsf", make)), []);
  });
}

test("ocsf: classes, activities and who did what", (t) => {
  const finding = read("ocsf", readInPod);
  t.deepEqual([finding.class_uid, finding.category_uid, finding.type_uid], [2004, 2, 200_402]);
  t.deepEqual([finding.time, finding.start_time, finding.count], [1_767_323_050_000, 1_767_323_045_006, 3]);
  t.deepEqual([finding.severity_id, finding.severity], [3, "Medium"]);
  t.is(finding.finding_info.uid, "00112233-4455-6677-8899-aabbccddeeff");
  t.deepEqual(finding.finding_info.attacks, [
    { tactic: { name: "Credential Access", uid: "TA0006" } },
    { technique: { uid: "T1003" }, sub_technique: { uid: "T1003.008" } },
  ]);
  t.is(finding.actor.process.parent_process.name, "bash");
  t.is(finding.actor.process.file.hashes[0].value, "cd".repeat(32));
  t.is(finding.evidences[0].file.path, "/etc/shadow");
  t.is(read("ocsf", connectOnHost).type_uid, 200_401);
  t.deepEqual(read("ocsf", connectOnHost).evidences[0].dst_endpoint, { ip: "::1", port: 4444 });
});
