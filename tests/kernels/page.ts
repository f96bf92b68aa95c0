// Writes what was found under each kernel into docs/kernels.md, between the marks of its generated part.
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Attachment } from "@nightjar/native-probe";
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
  attachments: Attachment[];
  /** Why nothing could be loaded. */
  error?: string;
  cause?: string;
}

const rowOf = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;

function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  return [rowOf(header), rowOf(header.map(() => "---")), ...rows.map(rowOf)].join("\n");
}

/** Each place, with what each kernel said to it. */
function attachedRows(results: readonly Result[]): string[][] {
  const points = [...new Set(results.flatMap(({ attachments }) => attachments.map(({ point }) => point)))].sort();
  const cell = ({ attachments }: Result, point: string) => {
    const found = attachments.find((one) => one.point === point);
    if (!found) return "–";
    return found.attached ? "yes" : (found.code ?? "refused");
  };
  return points.map((point) => [`\`${point}\``, ...results.map((result) => cell(result, point))]);
}

/** Replaces the page's generated part; returns the page's path. */
export function writePage(results: readonly Result[]): string {
  const summary = results.map(({ kernel, release, passed, failures, skipped }) => [
    kernel.version,
    `\`${release}\``,
    `Debian, ${kernel.suite}`,
    `${passed} passed, ${failures.length} failed, ${skipped} skipped`,
  ]);
  const failures = results.flatMap(({ kernel, failures }) => failures.map((title) => `- ${kernel.version}: ${title}`));
  const text = [
    BEGIN,
    table(["kernel", "release", "from", "tests of `tests/events`"], summary),
    ...(failures.length > 0 ? [`What failed:\n\n${failures.join("\n")}`] : []),
    table(["attached", ...results.map(({ kernel }) => kernel.version)], attachedRows(results)),
    END,
  ].join("\n\n");
  const before = readFileSync(page, "utf8");
  const [from, to] = [before.indexOf(BEGIN), before.indexOf(END)];
  if (from < 0 || to < from) throw new Error(`${page} has lost the marks of its generated part`);
  writeFileSync(page, before.slice(0, from) + text + before.slice(to + END.length));
  return page;
}
