// OTLP: the messages as OpenTelemetry's own library writes them, and posted to a real receiver.
import { gunzipSync } from "node:zlib";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { formats } from "@nightjar/formats";
import { readInPod, sampleOrigin } from "@nightjar/formats/fixture";
import {
  ExportLogsServiceRequestSchema,
  ExportLogsServiceResponseSchema,
} from "@nightjar/proto/opentelemetry/collector/logs/v1/logs_service";
import type { AnyValue, KeyValue } from "@nightjar/proto/opentelemetry/common/v1/common";
import { waitFor } from "@nightjar/test-support";
import { ProtobufLogsSerializer } from "@opentelemetry/otlp-transformer";
import test from "ava";
import { encodedDetection } from "../encoded.ts";
import { detection } from "../testing.ts";
import { exportRequest } from "./otlp.ts";
import { httpReceiver, runOutput } from "./testing.ts";

const WAIT_MS = 30_000;
const until = (condition: () => boolean, what: string) => waitFor(condition, { what, timeoutMs: WAIT_MS });

/** A value as JavaScript has it. */
function plain(value: AnyValue | undefined): unknown {
  const { case: kind, value: inner } = value?.value ?? { case: undefined };
  if (kind === "kvlistValue") return attributesOf(inner.values);
  if (kind === "arrayValue") return inner.values.map(plain);
  return kind === "intValue" ? Number(inner) : inner;
}

function attributesOf(pairs: readonly KeyValue[]): Record<string, unknown> {
  return Object.fromEntries(pairs.map(({ key, value }) => [key, plain(value)]));
}

test("a log record of OpenTelemetry's own library reads as it was written: the messages are its", (t) => {
  const attributes = { text: "t", yes: true, whole: 7, half: 0.5, list: ["a", 1], map: { inner: "x" } };
  const bytes = ProtobufLogsSerializer.serializeRequest([
    {
      ...{ hrTime: [1_767_323_045, 6_000_001], hrTimeObserved: [1_767_323_050, 0] },
      ...{ severityNumber: 13, severityText: "Warning", eventName: "nightjar.detection" },
      ...{ body: { rule: "r", deep: { list: [1, "b"] } }, attributes, droppedAttributesCount: 0 },
      resource: { attributes: { "service.name": "nightjar" } },
      instrumentationScope: { name: "nightjar", version: "0.1.0" },
    },
  ] as never);
  const request = fromBinary(ExportLogsServiceRequestSchema, bytes as Uint8Array);
  const [{ resource, scopeLogs = [] } = {}] = request.resourceLogs;
  const [{ scope, logRecords = [] } = {}] = scopeLogs;
  const [record] = logRecords;
  t.deepEqual(attributesOf(resource?.attributes ?? []), { "service.name": "nightjar" });
  t.like(scope, { name: "nightjar", version: "0.1.0" });
  t.like(record, {
    ...{ timeUnixNano: 1_767_323_045_006_000_001n, observedTimeUnixNano: 1_767_323_050_000_000_000n },
    ...{ severityNumber: 13, severityText: "Warning", eventName: "nightjar.detection" },
  });
  t.deepEqual(attributesOf(record?.attributes ?? []), attributes);
  t.deepEqual(plain(record?.body), { rule: "r", deep: { list: [1, "b"] } });
  // Nothing of it was unknown: encoded anew it is as long.
  t.is(toBinary(ExportLogsServiceRequestSchema, request).length, bytes?.length ?? 0);
});

test("a detection is a log record with its time, severity, attributes, and its format as body", (t) => {
  const origin = sampleOrigin();
  const bytes = exportRequest([readInPod()], (one) => formats.falco(one, origin), origin);
  const [{ resource, scopeLogs = [] } = {}] = fromBinary(ExportLogsServiceRequestSchema, bytes).resourceLogs;
  t.like(attributesOf(resource?.attributes ?? []), {
    ...{ "service.name": "nightjar", "service.instance.id": "sensor-1", "host.name": "crab", "os.type": "linux" },
  });
  const record = scopeLogs[0]?.logRecords[0];
  t.like(record, {
    ...{ timeUnixNano: 1_767_323_045_006_000_001n, observedTimeUnixNano: 1_767_323_050_000_000_000n },
    ...{ severityNumber: 13, severityText: "Warning", eventName: "nightjar.detection" },
  });
  t.deepEqual(attributesOf(record?.attributes ?? []), {
    "nightjar.detection.id": "00112233445566778899aabbccddeeff",
    "nightjar.detection.revision": 3,
    "security_rule.name": "Read sensitive file untrusted",
    "security_rule.version": "c0ffee",
    "process.pid": 20,
    "container.id": "ab12".repeat(16),
    "k8s.pod.name": "shop-1",
    "k8s.namespace.name": "store",
  });
  t.like(plain(record?.body), { rule: "Read sensitive file untrusted", hostname: "crab", priority: "Warning" });
});

test("records are posted as compressed protobuf, together under load, each at least once", async (t) => {
  const receiver = await httpReceiver(t, (_request, response) => void response.end());
  const { running } = await runOutput(t, "otlp", { otlp_url: receiver.url, otlp_ca_file: receiver.caFile });
  const sent = Array.from({ length: 120 }, () => detection());
  await running.keep(sent.map(encodedDetection));
  await until(() => running.status.sent === 120n, "all are delivered");
  t.true(receiver.requests.length < sent.length);
  t.like(receiver.requests[0]?.headers, { "content-type": "application/x-protobuf", "content-encoding": "gzip" });
  const records = receiver.requests.flatMap(({ body }) => recordsIn(body));
  const ids = records.map(({ attributes }) => attributesOf(attributes)["nightjar.detection.id"]);
  t.deepEqual(ids.toSorted(), sent.map(({ id }) => id).toSorted());
});

test("records that the receiver leaves out are counted, and not sent again", async (t) => {
  const receiver = await httpReceiver(t, (_request, response) => {
    const partialSuccess = { rejectedLogRecords: 1n, errorMessage: "too old" };
    response.end(
      toBinary(ExportLogsServiceResponseSchema, create(ExportLogsServiceResponseSchema, { partialSuccess })),
    );
  });
  const { running, issues } = await runOutput(t, "otlp", { otlp_url: receiver.url, otlp_ca_file: receiver.caFile });
  await running.keep([detection(), detection(), detection()].map(encodedDetection));
  await until(() => running.status.sent === 2n && running.status.refused === 1n, "two are taken, one is left out");
  t.deepEqual([running.status.waiting, receiver.requests.length], [0n, 1]);
  t.regex(issues.get("otlp losing") ?? "", /left out 1 detections: too old/);
});

test("of a request that the receiver cannot take only the bad record is put aside", async (t) => {
  const receiver = await httpReceiver(t, ({ body }, response) => {
    const isBad = recordsIn(body).some(({ attributes }) => attributesOf(attributes)["security_rule.name"] === "bad");
    response.writeHead(isBad ? 400 : 200).end();
  });
  const { running, issues } = await runOutput(t, "otlp", { otlp_url: receiver.url, otlp_ca_file: receiver.caFile });
  await running.keep([detection({ rule: "bad" }), detection(), detection()].map(encodedDetection));
  await until(() => running.status.sent === 2n && running.status.refused === 1n, "two are taken, one is refused");
  t.is(running.status.waiting, 0n);
  t.false(issues.has("otlp failing"));
});

function recordsIn(body: Buffer) {
  const { resourceLogs } = fromBinary(ExportLogsServiceRequestSchema, gunzipSync(body));
  return resourceLogs.flatMap(({ scopeLogs }) => scopeLogs.flatMap(({ logRecords }) => logRecords));
}
