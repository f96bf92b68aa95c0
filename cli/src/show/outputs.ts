// The outputs beside the portal as a table for a person, and as JSON.
import { timestampDate } from "@bufbuild/protobuf/wkt";
import { type OutputStatus, OutputStatusSchema } from "@nightjar/proto";
import { type Plain, toPlain } from "./plain.ts";
import { table } from "./table.ts";
import { count, printable } from "./text.ts";

const HEADER = ["OUTPUT", "FORMAT", "SENT", "WAITING", "LOST", "STATE", "TARGET"];
const NUMBERS = [2, 3, 4];

/** Nothing where no output is switched on; below the table why each that fails does. */
export function outputLines(outputs: readonly OutputStatus[]): string[] {
  if (outputs.length === 0) return [];
  const rows = outputs.map((one) => [
    ...[one.name, one.format, count(one.sent), count(one.waiting), count(one.refused + one.evicted + one.stale)],
    one.failure === "" ? "ok" : "failing",
    printable(one.target),
  ]);
  const failures = outputs.filter(({ failure }) => failure !== "");
  return [
    ...table([HEADER, ...rows], NUMBERS),
    ...failures.map(({ name, failure, failingSince }) => {
      const since = failingSince ? ` since ${timestampDate(failingSince).toISOString()}` : "";
      return `${name} fails${since}: ${printable(failure)}`;
    }),
  ];
}

/** All figures, the noughts too, which messages leave out. */
export function outputJson(output: OutputStatus): Record<string, Plain> {
  const { waiting, waitingBytes, sent, refused, evicted, stale } = output;
  const figures = { waiting, waiting_bytes: waitingBytes, sent, refused, evicted, stale };
  const numbers = Object.entries(figures).map(([name, value]) => [name, Number(value)] as const);
  return { ...toPlain(OutputStatusSchema, output), ...Object.fromEntries(numbers) };
}
