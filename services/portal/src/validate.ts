// What the portal takes: each check gives a problem a person can act on, or undefined.
import { toBinary } from "@bufbuild/protobuf";
import type { Timestamp } from "@bufbuild/protobuf/wkt";
import {
  type Detection,
  DetectionSchema,
  type HeartbeatRequest,
  HeartbeatRequestSchema,
  type ListDetectionsRequest,
  Priority,
  type SendDetectionsRequest,
} from "@nightjar/proto";
import {
  BLIND_SPELLS_MAX,
  DETECTION_BYTES_MAX,
  DETECTIONS_PER_REQUEST_MAX,
  FACT_CHARS_MAX,
  HEARTBEAT_BYTES_MAX,
  HEARTBEAT_INTERVAL_S_MAX,
  OUTPUT_CHARS_MAX,
  PAGE_MAX,
  PROCESSES_MAX,
  RULE_CHARS_MAX,
  SAMPLES_MAX,
  SETTINGS_MAX,
  STAGES_MAX,
  TAG_CHARS_MAX,
  TAGS_MAX,
  TIME_SECONDS_MAX,
} from "./limits.ts";

/** What is wrong and what is allowed, naming the field. */
export type Problem = string | undefined;

const SENSOR_ID = /^[A-Za-z0-9_-]{1,64}$/;
const DETECTION_ID = /^[0-9a-f]{32}$/;
const DETECTION_ID_PREFIX = /^[0-9a-f]{4,32}$/;
const NS_PER_S = 1_000_000_000;
const PRIORITY_LAST = Priority.DEBUG;

/** [what is checked, whether it holds, what is allowed] */
export type Check = readonly [string, boolean, string];

export function firstProblem(checks: readonly Check[]): Problem {
  const failed = checks.find(([, holds]) => !holds);
  return failed && `${failed[0]}: ${failed[2]}`;
}

export function within(name: string, value: string | readonly unknown[], max: number): Check {
  const unit = typeof value === "string" ? "characters" : "entries";
  return [name, value.length <= max, `at most ${max} ${unit}, not ${value.length}`];
}

export function sensorId(name: string, id: string): Check {
  return [name, SENSOR_ID.test(id), "1 to 64 of letters, digits, _ and -"];
}

export function isTime(time: Timestamp | undefined): boolean {
  if (!time) return false;
  return time.seconds >= 0n && time.seconds < TIME_SECONDS_MAX && time.nanos >= 0 && time.nanos < NS_PER_S;
}

export function checkSendDetections(request: SendDetectionsRequest): Problem {
  const { detections } = request;
  const problem = firstProblem([
    sensorId("sensor_id", request.sensorId),
    within("host_name", request.hostName, FACT_CHARS_MAX),
    ["detections", detections.length > 0, "at least one"],
    within("detections", detections, DETECTIONS_PER_REQUEST_MAX),
  ]);
  if (problem) return problem;
  for (const [index, detection] of detections.entries()) {
    const wrong = checkDetection(detection);
    if (wrong) return `detections[${index}].${wrong}`;
  }
  return undefined;
}

function checkDetection(detection: Detection): Problem {
  const { id, rule, priority, output, time, lastTime, tags, processes, samples } = detection;
  return firstProblem([
    ["id", DETECTION_ID.test(id), "32 lower-case hex digits"],
    ["rule", rule.length > 0, "a name"],
    within("rule", rule, RULE_CHARS_MAX),
    ["priority", priority >= Priority.EMERGENCY && priority <= PRIORITY_LAST, `1 to ${PRIORITY_LAST}, not ${priority}`],
    within("output", output, OUTPUT_CHARS_MAX),
    ["time", isTime(time), "a time from 1970 to 2262"],
    ["last_time", lastTime === undefined || isTime(lastTime), "a time from 1970 to 2262"],
    within("samples", samples, SAMPLES_MAX),
    within("tags", tags, TAGS_MAX),
    ["tags", tags.every((tag) => tag.length <= TAG_CHARS_MAX), `at most ${TAG_CHARS_MAX} characters each`],
    within("processes", processes, PROCESSES_MAX),
    ["size", fits(detection), `at most ${DETECTION_BYTES_MAX} bytes encoded`],
  ]);
}

function fits(detection: Detection): boolean {
  return toBinary(DetectionSchema, detection).length <= DETECTION_BYTES_MAX;
}

export function checkHeartbeat(request: HeartbeatRequest): Problem {
  const { sensor, stages, intervalSeconds, outageReport, configuration } = request;
  if (!sensor) return "sensor: missing";
  const { $typeName, $unknown, id, processors, memoryBytes, ...facts } = sensor;
  return firstProblem([
    sensorId("sensor.id", id),
    ...Object.entries(facts).map(([name, value]) => within(`sensor.${name}`, value, FACT_CHARS_MAX)),
    within("stages", stages, STAGES_MAX),
    within("configuration.settings", Object.keys(configuration?.settings ?? {}), SETTINGS_MAX),
    within("outage_report.blind", outageReport?.blind ?? [], BLIND_SPELLS_MAX),
    [
      "outage_report.blind",
      (outageReport?.blind ?? []).every(({ from, until }) => isTime(from) && isTime(until)),
      "times",
    ],
    [
      "interval_seconds",
      intervalSeconds >= 1 && intervalSeconds <= HEARTBEAT_INTERVAL_S_MAX,
      `1 to ${HEARTBEAT_INTERVAL_S_MAX}, not ${intervalSeconds}`,
    ],
    [
      "size",
      toBinary(HeartbeatRequestSchema, request).length <= HEARTBEAT_BYTES_MAX,
      `at most ${HEARTBEAT_BYTES_MAX} bytes encoded`,
    ],
  ]);
}

/** Also for StreamDetections, which has the same fields but the last two. */
export function checkQuery(
  request: Partial<Pick<ListDetectionsRequest, "since" | "limit" | "sensorId" | "after" | "idPrefix">>,
): Problem {
  const { since, limit = 0, sensorId: id = "", after = 0n, idPrefix = "" } = request;
  return firstProblem([
    ["since", since === undefined || isTime(since), "a time from 1970 to 2262"],
    ["limit", limit <= PAGE_MAX, `0 to ${PAGE_MAX}, not ${limit}`],
    ["after", after < 2n ** 63n, "a cursor from an answer of this portal"],
    id === "" ? ["sensor_id", true, ""] : sensorId("sensor_id", id),
    ["id_prefix", idPrefix === "" || DETECTION_ID_PREFIX.test(idPrefix), "4 to 32 hex digits in lower case"],
  ]);
}
