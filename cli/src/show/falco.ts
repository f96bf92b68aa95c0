// A detection in the JSON that Falco prints, for what is made to read Falco's.
import { create } from "@bufbuild/protobuf";
import { DetectionSchema, PrioritySchema, type StoredDetection } from "@nightjar/proto";
import { findField } from "@nightjar/rules";
import { enumWord } from "./plain.ts";

const NS_PER_SECOND = 1_000_000_000n;
const NS_DIGITS = 9;
/** The only source of events there is. */
const SOURCE = "syscall";

/**
 * One line, its keys in Falco's order. Times are in UTC; `output` begins with the time and the priority, as in Falco's
 * text. A field without a value is left out of `output_fields`, where Falco says null.
 */
export function falcoJson({ detection = create(DetectionSchema), hostName }: StoredDetection): string {
  const { seconds = 0n, nanos = 0 } = detection.time ?? {};
  const time = new Date(Number(seconds) * 1000).toISOString().slice(0, -".000Z".length);
  const fraction = String(nanos).padStart(NS_DIGITS, "0");
  const priority = inFalcosSpelling(enumWord(PrioritySchema, detection.priority));
  const clock = `${time.slice(time.indexOf("T") + 1)}.${fraction}`;
  const fields = Object.entries(detection.fields).sort(([a], [b]) => (a < b ? -1 : 1));
  return object([
    ["hostname", JSON.stringify(hostName)],
    ["output", JSON.stringify(`${clock}: ${priority} ${detection.output}`)],
    [
      "output_fields",
      object([
        ["evt.time", String(seconds * NS_PER_SECOND + BigInt(nanos))],
        ...fields.map(([name, value]) => [name, fieldJson(name, value)] as const),
      ]),
    ],
    ["priority", JSON.stringify(priority)],
    ["rule", JSON.stringify(detection.rule)],
    ["source", JSON.stringify(SOURCE)],
    ["tags", JSON.stringify([...detection.tags].sort())],
    ["time", JSON.stringify(`${time}.${fraction}Z`)],
  ]);
}

/** Written by hand, since times in ns are beyond what JSON.stringify takes for a number. */
function object(entries: readonly (readonly [name: string, json: string])[]): string {
  return `{${entries.map(([name, json]) => `${JSON.stringify(name)}:${json}`).join(",")}}`;
}

/** "Warning" of WARNING. */
function inFalcosSpelling(word: string): string {
  return word.slice(0, 1) + word.slice(1).toLowerCase();
}

/** A number or a boolean where the field is one, else text. */
function fieldJson(name: string, value: string): string {
  const [, field = "", argument] = /^([\w.]+)(?:\[(.*)\])?$/s.exec(name) ?? [];
  const type = findField(field, argument)?.field.type;
  const isNumber = type !== undefined && type !== "string" && /^-?(0|[1-9]\d*)(\.\d+)?$/.test(value);
  const isBoolean = type === "bool" && (value === "true" || value === "false");
  return isNumber || isBoolean ? value : JSON.stringify(value);
}
