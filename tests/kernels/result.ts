// What a kernel's machine told, as data: read from the lines it prints, kept as JSON from one run to the next.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Attachment, Offer } from "@nightjar/native-probe";
import type { Kernel } from "./kernels.ts";

const folderOf = (file: string) => file.split("/")[0] ?? "";
const folder = join(dirname(dirname(import.meta.dirname)), ".tools/kernels/results");

/** Where system calls are seen. */
export type Place = "tracepoint" | "functions";

export interface TestResult {
  /** Of tests/events, without its ending: "unlink/unlink". */
  file: string;
  title: string;
  outcome: "passed" | "failed" | "skipped";
  /** Since the line before: what it took, as tests run one after the other. */
  seconds?: number;
  /** What of the test this kernel cannot give, and why it cannot. */
  notHere?: string;
}

export interface Result {
  version: string;
  suite: string;
  release: string;
  place: Place;
  /** The folders of tests/events that were run; none for all. */
  events: readonly string[];
  tests: TestResult[];
  offers: Offer[];
  attachments: Attachment[];
  /** Why nothing could be loaded, or the machine did not come to its end. */
  error?: string;
  cause?: string;
}

/** As tests/events/support/kernel.ts says it of a test that passed. */
const NOT_HERE = /^#\s+not here: (.*)$/;
const TEST = /^(not )?ok \d+ - (?:(\S+?): )?(.*?)( # (?:SKIP|TODO).*)?$/;

export function emptyResult({ version, suite }: Kernel, release: string, place: Place, events: string[]): Result {
  return { version, suite, release, place, events, tests: [], offers: [], attachments: [] };
}

/** Takes in a line of what attached.ts or ava's TAP reporter print, so many seconds after the last test's. */
export function readLine(line: string, result: Result, seconds?: number): TestResult | undefined {
  if (line.startsWith("{")) {
    Object.assign(result, JSON.parse(line));
    return undefined;
  }
  const [, missing] = line.match(NOT_HERE) ?? [];
  const last = result.tests.at(-1);
  if (missing !== undefined && last) last.notHere = last.notHere ? `${last.notHere}; ${missing}` : missing;
  const [whole, isNot, file = "", title = "", skipped] = line.match(TEST) ?? [];
  if (whole === undefined) return undefined;
  const outcome = skipped ? "skipped" : isNot ? "failed" : "passed";
  const test: TestResult = { file, title, outcome, ...(seconds !== undefined && { seconds }) };
  result.tests.push(test);
  return test;
}

/** Counts what of `files` told nothing as failed: the machine ended before. */
export function addMissing(files: readonly string[], result: Result): void {
  const told = new Set(result.tests.map(({ file }) => file));
  for (const file of files) if (!told.has(file)) result.tests.push({ file, title: "did not run", outcome: "failed" });
}

/** Of a run that was interrupted: leaves what it told of whole folders. */
export function cutShort(result: Result): void {
  const last = result.tests.at(-1);
  result.tests = result.tests.filter(({ file }) => last && folderOf(file) !== folderOf(last.file));
  result.events = [...new Set(result.tests.map(({ file }) => folderOf(file)))];
}

export function countOf(results: readonly Result[], wanted: TestResult["outcome"]): number {
  return results.flatMap(({ tests }) => tests).filter(({ outcome }) => outcome === wanted).length;
}

const pathOf = (version: string, place: Place) => join(folder, `${version}-${place}.json`);

/**
 * Keeps the result for the page. Of a run of some of the folders of tests/events, `all` of them, what was kept of the
 * others stays, where it is of the same release.
 */
export function keep(result: Result, all: readonly string[]): void {
  const path = pathOf(result.version, result.place);
  const before = existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as Result) : undefined;
  const isPart = result.events.length > 0 && before?.release === result.release;
  const others = isPart ? before.tests.filter(({ file }) => !result.events.includes(folderOf(file))) : [];
  const tests = [...others, ...result.tests].sort((a, b) => (a.file < b.file ? -1 : a.file > b.file ? 1 : 0));
  const folders = [...new Set(tests.map(({ file }) => folderOf(file)))];
  const events = all.every((folder) => folders.includes(folder)) ? [] : folders;
  mkdirSync(folder, { recursive: true });
  writeFileSync(path, `${JSON.stringify({ ...result, tests, events }, null, 2)}\n`);
}

/** What is kept of each kernel, in the order of the kernels. */
export function kept(kernels: readonly Kernel[], place: Place): Result[] {
  const paths = kernels.map(({ version }) => pathOf(version, place)).filter((path) => existsSync(path));
  return paths.map((path) => JSON.parse(readFileSync(path, "utf8")) as Result);
}
