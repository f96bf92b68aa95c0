// A crash report: why a stage ended, kept in its folder and told to the portal; nothing of any event is in it.
import { mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { create, fromJsonString, toJsonString } from "@bufbuild/protobuf";
import { timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import { type CrashReport, CrashReportSchema } from "@nightjar/proto";
import type { Redactor } from "@nightjar/redact";
import { redactValue } from "@nightjar/redact";
import { writeFileAtomic } from "./state-folder.ts";
import { SENSOR_VERSION } from "./version.ts";

/** Reports that are kept; the oldest go. */
export const CRASH_REPORTS_MAX = 10;
/** How long the newest is told with the status. */
const TOLD_MS_MAX = 60 * 60_000;
const FRAMES_MAX = 20;
const LOG_LINES_MAX = 30;
const LINE_CHARACTERS_MAX = 300;
/** Of the log's end, enough for the lines. */
const LOG_BYTES_READ = 64 * 1024;
const FOLDER_MODE = 0o700;
/** What an error says of the value it met stands between quotes, or behind a colon in an assertion's lines. */
const QUOTED = /"[^"]*"|'[^']*'|`[^`]*`/g;

/** What ended a stage: an error, or nothing that is known. */
export interface Crash {
  stage: string;
  error: unknown;
  failuresInRow: number;
  uptimeMs: number;
  /** The stage's log file, read for its last lines. */
  logFile: string;
}

export const WITHOUT_A_WORD = "ended without a word";

/** Makes the report of a crash; `nowMs` is since 1970. */
export function crashReport(crash: Crash, redactor: Redactor, nowMs: number): CrashReport {
  const { stage, error, failuresInRow, uptimeMs, logFile } = crash;
  const told = error instanceof Error ? error : undefined;
  const code = (told as { code?: unknown } | undefined)?.code;
  // The first line alone: an assertion's others are the values that differ.
  const message = (told?.message ?? "").split("\n")[0]?.replaceAll(QUOTED, '"…"') ?? "";
  return create(CrashReportSchema, {
    stage,
    version: SENSOR_VERSION,
    noticedAt: timestampFromMs(nowMs),
    error: told ? [told.name, ...(typeof code === "string" ? [code] : [])].join(" ") : WITHOUT_A_WORD,
    message: String(redactValue(redactor, message)).slice(0, LINE_CHARACTERS_MAX),
    frames: framesOf(told?.stack ?? ""),
    logLines: lastLines(logFile),
    failuresInRow,
    uptimeMs: BigInt(Math.round(uptimeMs)),
    nodeVersion: process.version,
  });
}

function framesOf(stack: string): string[] {
  const frames = stack.split("\n").filter((line) => /^\s+at /.test(line));
  return frames.slice(0, FRAMES_MAX).map((line) => line.trim().slice(0, LINE_CHARACTERS_MAX));
}

/** Time, level, message and code alone: other fields may be of events. They were redacted when they were written. */
function lastLines(logFile: string): string[] {
  let text: string;
  try {
    text = readFileSync(logFile).subarray(-LOG_BYTES_READ).toString("utf8");
  } catch {
    return [];
  }
  const lines = text.split("\n").flatMap((line) => {
    try {
      const { timestamp, level, fields } = JSON.parse(line);
      return [[timestamp, level, fields.message, fields.code].filter((part) => typeof part === "string").join(" ")];
    } catch {
      return [];
    }
  });
  return lines.slice(-LOG_LINES_MAX).map((line) => line.slice(0, LINE_CHARACTERS_MAX));
}

/** Keeps a report in the stage's folder; a disk that is full keeps none. */
export function keepCrashReport(folder: string, report: CrashReport): void {
  const place = crashFolder(folder);
  try {
    mkdirSync(place, { recursive: true, mode: FOLDER_MODE });
    const time = new Date(report.noticedAt ? timestampMs(report.noticedAt) : 0).toISOString().replaceAll(":", "-");
    const text = toJsonString(CrashReportSchema, report, { prettySpaces: 2 });
    writeFileAtomic(join(place, `${time}.json`), text);
    for (const old of reportFiles(place).slice(0, -CRASH_REPORTS_MAX)) rmSync(join(place, old), { force: true });
  } catch {
    // The log has said it.
  }
}

/** The newest report, where it is young enough to be told; `nowMs` is since 1970. */
export function newestCrash(folder: string, nowMs: number): CrashReport | undefined {
  const place = crashFolder(folder);
  try {
    const newest = reportFiles(place).at(-1);
    if (newest === undefined) return undefined;
    const report = fromJsonString(CrashReportSchema, readFileSync(join(place, newest), "utf8"));
    return report.noticedAt && nowMs - timestampMs(report.noticedAt) < TOLD_MS_MAX ? report : undefined;
  } catch {
    return undefined;
  }
}

function crashFolder(folder: string): string {
  return join(folder, "crashes");
}

/** The oldest first: their names are times. */
function reportFiles(place: string): string[] {
  return readdirSync(place)
    .filter((name) => name.endsWith(".json"))
    .sort();
}
