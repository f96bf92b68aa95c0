// One entry of a log: a JSON line of ours, a line of nats-server's, or text that is neither.

/** As the stages name them, the most severe first. */
export const LEVELS = ["ERROR", "WARN", "INFO", "DEBUG"] as const;
export type Level = (typeof LEVELS)[number];

export interface LogEntry {
  /** Milliseconds since 1970; NaN where the line tells no time. */
  timeMs: number;
  level: Level;
  /** Who logged it. */
  target: string;
  fields: Readonly<Record<string, unknown>>;
}

/** nats-server's words for its levels. */
const SERVER_LEVELS: Readonly<Record<string, Level>> = {
  FTL: "ERROR",
  ERR: "ERROR",
  WRN: "WARN",
  INF: "INFO",
  DBG: "DEBUG",
  TRC: "DEBUG",
};
/** "[7468] 2026/11/22 22:05:54.123456 [INF] text", in the host's time zone. */
const SERVER_LINE = /^\[\d+\] (\d{4})\/(\d\d)\/(\d\d) (\d\d:\d\d:\d\d)\.(\d{3})\d* \[([A-Z]{3})\] (.*)$/;

/** `name` is the log's own, for lines that do not say whose they are. */
export function readEntry(line: string, name: string): LogEntry {
  return readJson(line, name) ?? readServerLine(line, name) ?? textEntry(line, name);
}

function readJson(line: string, name: string): LogEntry | undefined {
  if (!line.startsWith("{")) return undefined;
  try {
    const { timestamp, level, target, fields } = JSON.parse(line);
    const known = LEVELS.find((one) => one === level);
    if (!known || typeof fields !== "object" || fields === null) return undefined;
    return {
      timeMs: typeof timestamp === "string" ? Date.parse(timestamp) : Number.NaN,
      level: known,
      target: typeof target === "string" ? target : name,
      fields,
    };
  } catch {
    return undefined;
  }
}

function readServerLine(line: string, name: string): LogEntry | undefined {
  const [, year, month, day, time, ms, word = "", message] = line.match(SERVER_LINE) ?? [];
  const level = SERVER_LEVELS[word];
  if (!level) return undefined;
  return { timeMs: Date.parse(`${year}-${month}-${day}T${time}.${ms}`), level, target: name, fields: { message } };
}

function textEntry(line: string, name: string): LogEntry {
  return { timeMs: Number.NaN, level: "INFO", target: name, fields: { message: line } };
}

/** Whether the level is `least` or more severe. */
export function isAtLeast(level: Level, least: Level): boolean {
  return LEVELS.indexOf(level) <= LEVELS.indexOf(least);
}
