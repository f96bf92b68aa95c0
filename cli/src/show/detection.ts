// A detection as a person reads it in a terminal, and as JSON.
import { timestampDate } from "@bufbuild/protobuf/wkt";
import { type Detection, Priority, PrioritySchema, type StoredDetection, StoredDetectionSchema } from "@nightjar/proto";
import type { Output, Style } from "../output.ts";
import { containerLine } from "./container.ts";
import { fileLine } from "./file.ts";
import { enumWord, type Plain, toPlain } from "./plain.ts";
import { processLine } from "./process.ts";
import { count, printable } from "./text.ts";

/** The style of a priority is that of the first row whose number is not below it. */
const PRIORITY_STYLES: readonly [Priority, Style][] = [
  [Priority.ERROR, "red"],
  [Priority.WARNING, "yellow"],
  [Priority.DEBUG, "cyan"],
];

/**
 * Time, severity and rule; the process with its ancestors, and its container; what it did; and of repeats how often
 * and until when, `expanded` with samples of them.
 */
export function showDetection(output: Output, { detection }: StoredDetection, { expanded = false } = {}): void {
  if (!detection) return;
  const time = detection.time ? localTime(timestampDate(detection.time)) : "-";
  const style = PRIORITY_STYLES.find(([worst]) => detection.priority <= worst)?.[1] ?? "cyan";
  const priority = enumWord(PrioritySchema, detection.priority);
  output.line(
    `${output.paint("dim", time)} ${output.paint(style, priority)} ${output.paint("bold", printable(detection.rule))}` +
      output.paint("dim", `  ${[shortId(detection.id), ...detection.techniques].join("  ")}`),
  );
  output.line(`    ${processLine(detection.processes)}`);
  const container = detection.containers[(detection.processes[0]?.container ?? 0) - 1];
  if (container) output.line(`    in ${containerLine(container)}`);
  const file = detection.executables[(detection.processes[0]?.executable ?? 0) - 1];
  if (file) output.line(output.paint("dim", `    ${fileLine(file)}`));
  const mapped = detection.executables[detection.mapped - 1];
  if (mapped) output.line(output.paint("dim", `    mapped: ${fileLine(mapped)}`));
  output.line(`    ${printable(detection.output)}`);
  showCorrelated(output, detection);
  showRepeats(output, detection, expanded);
}

function showRepeats(output: Output, { count: times, lastTime, samples, story }: Detection, expanded: boolean): void {
  if (times <= 1n) return;
  const last = lastTime ? `, the last at ${localTime(timestampDate(lastTime))}` : "";
  output.line(`    ${output.paint("bold", `${count(Number(times))} times`)}${last}`);
  if (!expanded) return;
  if (story?.target) output.line(`    all on ${printable(story.target)}`);
  for (const sample of samples) {
    const time = sample.time ? localTime(timestampDate(sample.time)) : "-";
    output.line(`      ${output.paint("dim", time)} ${printable(sample.output)}`);
  }
}

/** The events of a correlation, in their order. */
function showCorrelated(output: Output, { correlated, correlatedOmitted }: Detection): void {
  for (const { time: at, rule, output: what } of correlated) {
    const when = at ? localTime(timestampDate(at)) : "-";
    output.line(`      ${output.paint("dim", when)} ${printable(rule)}: ${printable(what)}`);
  }
  if (correlatedOmitted > 0) output.line(`      … and ${correlatedOmitted} more events`);
}

/** So many digits tell a host's detections apart, and `nightjar explain` takes them. */
const SHORT_ID_DIGITS = 8;

const shortId = (id: string): string => id.slice(0, SHORT_ID_DIGITS);

/** The detection's own fields with those the portal added beside them. */
export function detectionJson(stored: StoredDetection): { [name: string]: Plain } {
  const { detection, ...added } = toPlain(StoredDetectionSchema, stored);
  return { ...(detection as { [name: string]: Plain }), ...added };
}

/** "2026-07-29 18:04:05.123", in the machine's time zone. */
function localTime(time: Date): string {
  const shifted = new Date(time.getTime() - time.getTimezoneOffset() * 60_000);
  return shifted.toISOString().slice(0, -1).replace("T", " ");
}
