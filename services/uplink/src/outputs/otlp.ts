// The output otlp: OpenTelemetry log records, posted as protobuf (OTLP/HTTP 1.x).
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { type Json, type JsonObject, type Origin, severityOf } from "@nightjar/formats";
import type { Detection } from "@nightjar/proto";
import {
  ExportLogsServiceRequestSchema,
  ExportLogsServiceResponseSchema,
} from "@nightjar/proto/opentelemetry/collector/logs/v1/logs_service";
import {
  type AnyValue,
  AnyValueSchema,
  type KeyValue,
  KeyValueSchema,
} from "@nightjar/proto/opentelemetry/common/v1/common";
import { type LogRecord, LogRecordSchema } from "@nightjar/proto/opentelemetry/logs/v1/logs";
import type { Settings } from "@nightjar/stage";
import { SEND_DETECTIONS_MAX } from "../limits.ts";
import { HttpSender } from "./http.ts";
import type { LeftOut, Output } from "./output.ts";

const SCOPE = "nightjar";
const EVENT_NAME = "nightjar.detection";
const NS_PER_S = 1_000_000_000n;
const compress = promisify(gzip);

export function otlpOutput(
  settings: Settings["outputs"],
  format: (detection: Detection) => JsonObject,
  origin: Origin,
): Output {
  const sender = new HttpSender({
    url: settings.otlp_url,
    caFile: settings.otlp_ca_file,
    headersFile: settings.otlp_headers_file,
    timeoutMs: settings.timeout_ms,
    connectionsMax: 1,
  });
  return {
    name: "otlp",
    target: new URL(settings.otlp_url).origin,
    format: settings.otlp_format,
    batchMax: SEND_DETECTIONS_MAX,
    parallelMax: 1,
    async send(detections, signal) {
      const body = await compress(exportRequest(detections, format, origin));
      const headers = { "content-type": "application/x-protobuf", "content-encoding": "gzip" };
      return leftOutOf(await sender.post({ headers, body, signal }));
    },
  };
}

/** An encoded ExportLogsServiceRequest. */
export function exportRequest(
  detections: readonly Detection[],
  format: (detection: Detection) => JsonObject,
  origin: Origin,
): Uint8Array {
  const request = create(ExportLogsServiceRequestSchema, {
    resourceLogs: [
      {
        resource: { attributes: resourceOf(origin) },
        scopeLogs: [
          {
            scope: { name: SCOPE, version: origin.sensorVersion },
            logRecords: detections.map((one) => recordOf(one, format)),
          },
        ],
      },
    ],
  });
  return toBinary(ExportLogsServiceRequestSchema, request);
}

/** By OpenTelemetry's semantic conventions for service, host and os. */
function resourceOf({ host, sensorId, sensorVersion }: Origin): KeyValue[] {
  return attributes({
    "service.name": "nightjar",
    "service.version": sensorVersion,
    "service.instance.id": sensorId,
    "host.name": host.name,
    "host.id": host.machineId,
    "host.arch": host.architecture,
    "os.type": "linux",
    "os.description": host.distribution,
  });
}

function recordOf(detection: Detection, format: (detection: Detection) => JsonObject): LogRecord {
  const { time, lastTime, processes, containers } = detection;
  const container = containers[(processes[0]?.container ?? 0) - 1];
  const { otel, falco } = severityOf(detection.priority);
  return create(LogRecordSchema, {
    timeUnixNano: nanoseconds(time),
    // When it was noticed: of repeats the last one.
    observedTimeUnixNano: nanoseconds(lastTime ?? time),
    severityNumber: otel,
    severityText: falco,
    eventName: EVENT_NAME,
    body: anyValue(format(detection)),
    attributes: attributes({
      "nightjar.detection.id": detection.id,
      "nightjar.detection.revision": detection.revision,
      "security_rule.name": detection.rule,
      "security_rule.version": detection.contentVersion,
      "process.pid": processes[0]?.pid,
      "container.id": container?.fullId || container?.id,
      "k8s.pod.name": container?.pod?.name,
      "k8s.namespace.name": container?.pod?.namespace,
    }),
  });
}

function nanoseconds(time: Detection["time"]): bigint {
  return time ? time.seconds * NS_PER_S + BigInt(time.nanos) : 0n;
}

/** Without those that say nothing. */
function attributes(values: JsonObject): KeyValue[] {
  return Object.entries(values)
    .filter(([, value]) => value !== undefined && value !== "")
    .map(([key, value]) => create(KeyValueSchema, { key, value: anyValue(value ?? null) }));
}

function anyValue(value: Json): AnyValue {
  return create(AnyValueSchema, { value: oneOf(value) });
}

function oneOf(value: Json): NonNullable<MessageInitShape<typeof AnyValueSchema>["value"]> {
  if (typeof value === "string") return { case: "stringValue", value };
  if (typeof value === "boolean") return { case: "boolValue", value };
  if (typeof value === "bigint") return { case: "intValue", value };
  if (typeof value === "number") {
    return Number.isSafeInteger(value) ? { case: "intValue", value: BigInt(value) } : { case: "doubleValue", value };
  }
  if (value === null) return { case: undefined };
  if (isList(value)) return { case: "arrayValue", value: { values: value.map(anyValue) } };
  return { case: "kvlistValue", value: { values: attributes(value) } };
}

function isList(value: readonly Json[] | JsonObject): value is readonly Json[] {
  return Array.isArray(value);
}

/** What was left out must not be sent again (OTLP specification, "Partial Success"). */
function leftOutOf(body: Uint8Array): LeftOut | undefined {
  try {
    const { partialSuccess } = fromBinary(ExportLogsServiceResponseSchema, body);
    const count = Number(partialSuccess?.rejectedLogRecords ?? 0n);
    return count > 0 ? { count, why: partialSuccess?.errorMessage ?? "" } : undefined;
  } catch {
    // A receiver that answers 200 with something else has taken them all the same.
    return undefined;
  }
}
