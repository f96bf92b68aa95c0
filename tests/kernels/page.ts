// Writes what was found under each kernel into docs/kernels.md, between the marks of its generated part.
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Attachment, Offer } from "@nightjar/native-probe";
import type { Kernel } from "./kernels.ts";

const page = join(dirname(dirname(import.meta.dirname)), "docs/kernels.md");
const BEGIN = "<!-- begin: written by tests/kernels/run.ts --page -->";
const END = "<!-- end -->";

export interface Result {
  kernel: Kernel;
  release: string;
  passed: number;
  /** The titles of the tests that failed. */
  failures: string[];
  skipped: number;
  offers: Offer[];
  attachments: Attachment[];
  /** Why nothing could be loaded. */
  error?: string;
  cause?: string;
}

const rowOf = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;

function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  return [rowOf(header), rowOf(header.map(() => "---")), ...rows.map(rowOf)].join("\n");
}

const answerOf = (found: { yes: boolean; code?: string } | undefined) =>
  found ? (found.yes ? "yes" : (found.code ?? "refused")) : "–";

/** What each kernel said to each thing that it was asked for. */
function offerRows(results: readonly Result[]): string[][] {
  const names = [...new Set(results.flatMap(({ offers }) => offers.map(({ name }) => name)))];
  const answer = ({ offers }: Result, name: string) => {
    const found = offers.find((one) => one.name === name);
    return answerOf(found && { ...found, yes: found.offered });
  };
  return names.map((name) => [name, ...results.map((result) => answer(result, name))]);
}

/** Each place, with what each kernel said to it. */
function attachedRows(results: readonly Result[]): string[][] {
  const points = [...new Set(results.flatMap(({ attachments }) => attachments.map(({ point }) => point)))].sort();
  const answer = ({ attachments }: Result, point: string) => {
    const found = attachments.find((one) => one.point === point);
    return answerOf(found && { ...found, yes: found.attached });
  };
  return points.map((point) => [`\`${point}\``, ...results.map((result) => answer(result, point))]);
}

/** Replaces the page's generated part; `names` are the event types that were run, none for all. Returns its path. */
export function writePage(results: readonly Result[], names: readonly string[]): string {
  const tests = names.length > 0 ? `tests of ${names.join(", ")}` : "tests of `tests/events`";
  const summary = results.map(({ kernel, release, passed, failures, skipped }) => [
    kernel.version,
    `\`${release}\``,
    `Debian, ${kernel.suite}`,
    `${passed} passed, ${failures.length} failed, ${skipped} skipped`,
  ]);
  const failures = results.flatMap(({ kernel, failures }) => failures.map((title) => `- ${kernel.version}: ${title}`));
  const text = [
    BEGIN,
    table(["kernel", "release", "from", tests], summary),
    ...(failures.length > 0 ? [`What failed:\n\n${failures.join("\n")}`] : []),
    table(["offered", ...results.map(({ kernel }) => kernel.version)], offerRows(results)),
    table(["attached", ...results.map(({ kernel }) => kernel.version)], attachedRows(results)),
    END,
  ].join("\n\n");
  const before = readFileSync(page, "utf8");
  const [from, to] = [before.indexOf(BEGIN), before.indexOf(END)];
  if (from < 0 || to < from) throw new Error(`${page} has lost the marks of its generated part`);
  writeFileSync(page, before.slice(0, from) + text + before.slice(to + END.length));
  return page;
}
