// Writes what was found under each kernel into docs/kernels.md, between the marks of its generated part.
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { countOf, type Result } from "./result.ts";

const page = join(dirname(dirname(import.meta.dirname)), "docs/kernels.md");
const BEGIN = "<!-- begin: written by tests/kernels/run.ts --page -->";
const END = "<!-- end -->";

const rowOf = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;

function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  return [rowOf(header), rowOf(header.map(() => "---")), ...rows.map(rowOf)].join("\n");
}

const answerOf = (found: { yes: boolean; code?: string } | undefined) =>
  found ? (found.yes ? "yes" : (found.code ?? "refused")) : "–";

const labelOf = ({ version, place }: Result) => (place === "functions" ? `${version}, functions` : version);

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

/** What failed, by test, and what a kernel cannot give, by file; with the kernels it was so on. */
function exceptionRows(results: readonly Result[]): string[][] {
  const rows = new Map<string, Set<string>>();
  for (const result of results) {
    for (const { file, title, outcome, notHere } of result.tests) {
      if (outcome === "passed" && notHere === undefined) continue;
      const cells = outcome === "passed" ? [file, notHere ?? ""] : [`${file}: ${title}`, outcome];
      const row = cells.join(" | ");
      rows.set(row, (rows.get(row) ?? new Set()).add(labelOf(result)));
    }
  }
  return [...rows].map(([row, labels]) => [...row.split(" | "), [...labels].join(", ")]);
}

/** What was run on each kernel, and what came of it. */
function summaryRows(results: readonly Result[]): string[][] {
  return results.map((result) => [
    result.version,
    `\`${result.release}\``,
    `Debian, ${result.suite}`,
    result.place,
    result.events.length > 0 ? result.events.join(", ") : "all",
    ...(["passed", "failed", "skipped"] as const).map((outcome) => String(countOf([result], outcome))),
  ]);
}

/**
 * Replaces the page's generated part with what is known of each kernel: where calls were seen at the tracepoint, and
 * where at the ends of their functions. Returns its path.
 */
export function writePage(atTracepoint: readonly Result[], atFunctions: readonly Result[]): string {
  const results = [...atTracepoint, ...atFunctions];
  const exceptions = exceptionRows(results);
  const summary = ["kernel", "release", "from", "calls seen at the", "tests of", "passed", "failed", "skipped"];
  const text = [
    BEGIN,
    table(summary, summaryRows(results)),
    ...(exceptions.length > 0 ? [table(["test", "what is not so, and why", "kernels"], exceptions)] : []),
    table(["offered", ...atTracepoint.map(labelOf)], offerRows(atTracepoint)),
    table(["attached", ...results.map(labelOf)], attachedRows(results)),
    END,
  ].join("\n\n");
  const before = readFileSync(page, "utf8");
  const [from, to] = [before.indexOf(BEGIN), before.indexOf(END)];
  if (from < 0 || to < from) throw new Error(`${page} has lost the marks of its generated part`);
  writeFileSync(page, before.slice(0, from) + text + before.slice(to + END.length));
  return page;
}
