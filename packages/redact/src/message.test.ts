// A detection goes out without the secrets of its evidence, and is else what it was; and what that costs.
import { create, equals, fromBinary, toBinary } from "@bufbuild/protobuf";
import { type Detection, DetectionSchema } from "@nightjar/proto";
import test from "ava";
import { Maker, makeLookalikes, makeSecrets } from "./corpus.ts";
import { redactMessage } from "./message.ts";
import { createRedactor, KEY_BYTES } from "./redactor.ts";

const redactor = createRedactor({ key: Buffer.alloc(KEY_BYTES, 7) });
const bytes = (text: string) => new Uint8Array(Buffer.from(text));
const PASSWORD = "Xy12ab34-Ü";
/** A word that could stand anywhere, and stays where nothing says that it is the secret. */
const WORD = "shop";

function image(args: string[], environment: string[] = []) {
  return {
    executable: bytes(`/usr/bin/${args[0]}`),
    args: args.map(bytes),
    environment: environment.map(bytes),
    workingDirectory: bytes("/srv/shop"),
  };
}

function detection(): Detection {
  const mysql = image(["mysql", "-u", "root", `-p${PASSWORD}`, WORD], ["PGPASSWORD=two words", `X=${PASSWORD}`]);
  return create(DetectionSchema, {
    id: "0123456789abcdef0123456789abcdef",
    revision: 3,
    rule: "password=notasecret of a rule",
    output: `Database read (command=mysql -u root -p${PASSWORD} ${WORD} parent=sh)`,
    tags: ["token=abcdefgh12"],
    eventId: "boot:1:2",
    event: { timeNs: 5n, data: { case: "exec", value: mysql } },
    processes: [
      { pid: 7, name: bytes("mysql"), image: mysql },
      { pid: 1, name: bytes("sh"), image: image(["sh", "-c", `mysql -p${PASSWORD}`]) },
    ],
    fields: { "proc.cmdline": `mysql -u root -p${PASSWORD} ${WORD}`, "fd.name": `/srv/${PASSWORD}/x` },
    explanation: {
      parts: [
        {
          test: "proc.cmdline contains 'password=Xy'",
          seen: [{ field: "proc.cmdline", value: `mysql -p${PASSWORD}` }],
        },
      ],
    },
    samples: [{ eventId: "boot:1:3", output: "curl -u bob:OtherSecret1 https://x" }],
    correlated: [{ eventId: "boot:1:4", output: `a ${PASSWORD}`, fields: { a: `b ${PASSWORD}` } }],
    story: { lineage: ["/usr/bin/mysql"], target: `/srv/${PASSWORD}` },
  });
}

test("the secret of an argument is in no text of the detection, and the same token everywhere", (t) => {
  const redacted = redactMessage(redactor, DetectionSchema, detection());
  const encoded = Buffer.from(toBinary(DetectionSchema, redacted)).toString("utf8");
  for (const secret of [PASSWORD, "two words", "OtherSecret1"]) t.false(encoded.includes(secret), secret);
  const token = redactor.token(PASSWORD, "password");
  t.is(redacted.output, `Database read (command=mysql -u root -p${token} ${WORD} parent=sh)`);
  t.is(redacted.fields["fd.name"], `/srv/${token}/x`);
  const { data } = redacted.event ?? {};
  t.is(data?.case === "exec" && Buffer.from(data.value.args[3] as Uint8Array).toString(), `-p${token}`);
  t.is(redacted.story?.target, `/srv/${token}`);
  t.is(Buffer.from(redacted.processes[0]?.image?.args[3] as Uint8Array).toString(), `-p${token}`);
  t.is(redacted.explanation?.parts[0]?.seen[0]?.value, `mysql -p${token}`);
});

test("identities, the rule's own words and all that is no secret stay", (t) => {
  const redacted = redactMessage(redactor, DetectionSchema, detection());
  const before = detection();
  for (const field of ["id", "revision", "rule", "eventId"] as const) t.is(redacted[field], before[field]);
  t.deepEqual(redacted.tags, before.tags);
  t.is(redacted.explanation?.parts[0]?.test, before.explanation?.parts[0]?.test);
  t.is(redacted.samples[0]?.eventId, "boot:1:3");
  t.deepEqual(redacted.processes[1]?.image?.workingDirectory, before.processes[1]?.image?.workingDirectory);
});

test("a redacted detection is left as it is", (t) => {
  const once = redactMessage(redactor, DetectionSchema, detection());
  const again = redactMessage(redactor, DetectionSchema, fromBinary(DetectionSchema, toBinary(DetectionSchema, once)));
  t.true(equals(DetectionSchema, again, once));
});

test("bytes that are no UTF-8 come back as they were, but for the secret", (t) => {
  const args = ["curl", "-u", "bob:Xy12ab34", "caf\xe9"].map((one) => new Uint8Array(Buffer.from(one, "latin1")));
  const message = create(DetectionSchema, { processes: [{ image: { args } }] });
  const after = redactMessage(redactor, DetectionSchema, message).processes[0]?.image?.args as Uint8Array[];
  t.deepEqual(after[3], args[3]);
  t.is(Buffer.from(after[2] as Uint8Array).toString(), `bob:${redactor.token("Xy12ab34", "password")}`);
});

const DETECTIONS = 400;
const LINEAGE = 8;

test("what a detection costs", (t) => {
  const maker = new Maker(1);
  const lines = [...makeLookalikes(2), ...makeSecrets(2)].map(({ given }) => given.split(" "));
  const ancestors = Array.from({ length: 64 }, () => image(maker.pick(lines)));
  const costs = Array.from({ length: DETECTIONS }, () => {
    const line = [maker.of("abcdef", 6), ...maker.pick(lines)];
    const one = create(DetectionSchema, {
      output: `A program ran (command=${line.join(" ")} parent=bash user=root)`,
      processes: [image(line), ...Array.from({ length: LINEAGE - 1 }, () => maker.pick(ancestors))].map((of, pid) => ({
        pid,
        image: { ...of, args: [...of.args] },
      })),
      fields: { "proc.cmdline": line.join(" "), "proc.pname": "bash", "user.name": "root" },
    });
    const before = process.cpuUsage();
    redactMessage(redactor, DetectionSchema, one);
    return process.cpuUsage(before).user;
  }).sort((a, b) => a - b);
  t.is(costs.length, DETECTIONS);
  t.log(`us of CPU for a detection with ${LINEAGE} processes: median ${costs[DETECTIONS / 2]}`);
});
