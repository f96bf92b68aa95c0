// A detection in the JSON that Falco prints for an alert, for what is made to read Falco's.
import type { Detection } from "@nightjar/proto";
import { findField } from "@nightjar/rules";
import { rfc3339, unixNs, uuidOf } from "./evidence.ts";
import type { Origin } from "./format.ts";
import type { Json, JsonObject } from "./json.ts";
import { severityOf } from "./severity.ts";

/** The only source of events there is. */
const SOURCE = "syscall";
const WHOLE = /^-?(0|[1-9]\d*)$/;
const DECIMAL = /^-?(0|[1-9]\d*)\.\d+$/;

/**
 * The keys in Falco's order. Times are in UTC; `output` begins with the time and the priority, as in Falco's text. A
 * field without a value is left out of `output_fields`, where Falco says null. `uuid` is the detection's id: a
 * detection that goes out again, because it repeats, has the same.
 */
export function falco(detection: Detection, { host }: Pick<Origin, "host">): JsonObject {
  const time = rfc3339(detection.time);
  const clock = time.slice(time.indexOf("T") + 1, -1);
  const priority = severityOf(detection.priority).falco;
  const fields = Object.entries(detection.fields).sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    hostname: host.name,
    output: `${clock}: ${priority} ${detection.output}`,
    output_fields: {
      "evt.time": unixNs(detection.time),
      ...Object.fromEntries(fields.map(([name, value]) => [name, fieldValue(name, value)])),
      ...(detection.count > 1n && { "nightjar.count": detection.count }),
    },
    priority,
    rule: detection.rule,
    source: SOURCE,
    tags: [...detection.tags].sort(),
    time,
    uuid: uuidOf(detection),
  };
}

/** A number or a boolean where the field is one, else text. */
function fieldValue(name: string, value: string): Json {
  const [, field = "", argument] = /^([\w.]+)(?:\[(.*)\])?$/s.exec(name) ?? [];
  const type = findField(field, argument)?.field.type;
  if (type === undefined || type === "string") return value;
  if (type === "bool") return value === "true" || value === "false" ? value === "true" : value;
  if (WHOLE.test(value)) return BigInt(value);
  return DECIMAL.test(value) ? Number(value) : value;
}
