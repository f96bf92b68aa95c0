// `nightjar logs`: the logs of all stages as one, filtered, or their distinct errors.
import { statePaths } from "@nightjar/stage";
import { type Command, Option } from "commander";
import { CommandError, type Context, define, type Environment } from "../command.ts";
import { isAtLeast, LEVELS, type Level, type LogEntry } from "../logs/entry.ts";
import { ErrorSummary } from "../logs/errors.ts";
import { findLogs, type Log } from "../logs/files.ts";
import { followLogs } from "../logs/follow.ts";
import { mergeLogs } from "../logs/merge.ts";
import { showErrors, showLogEntry } from "../show/logs.ts";
import { readTime, TIME_FORMS } from "../time.ts";

const LINES_MAX = 1_000_000;

interface LogsOptions {
  errors?: boolean;
  follow?: boolean;
  level: string;
  since?: string;
  grep?: string;
  lines?: string;
}

interface Wanted {
  logs: Log[];
  level: Level;
  sinceMs: number;
  text: string;
  /** Of what is there, the last so many. */
  lines: number;
}

export function logsCommand(environment: Environment): Command {
  return define<LogsOptions>(environment, {
    name: "logs",
    description:
      "Print the logs of all stages as one, in the order of their times; with --errors each distinct error once, " +
      "with how often and when it was last. Needs no running sensor.",
    arguments: [{ name: "[names...]", description: "only of these stages, nats-server or downloader" }],
    options: [
      new Option("--errors", "each distinct error once: message, answer, who, how often, when last"),
      new Option("-f, --follow", "go on with each entry as it comes, until Ctrl-C"),
      new Option("--level <level>", "only entries of this level or more severe ones")
        .choices(LEVELS.map((one) => one.toLowerCase()))
        .default("debug"),
      new Option("--since <time>", `only entries since then: ${TIME_FORMS}`),
      new Option("--grep <text>", "only entries whose message or fields have this text"),
      new Option("-n, --lines <count>", "only the last so many of what is there"),
    ],
    settings: ["log_dir"],
    examples: ["nightjar logs --errors --since 1d", 'nightjar logs uplink --grep "content update"', "nightjar logs -f"],
    action: async (context, options, names) => {
      const wanted = readWanted(context, options, names);
      if (options.errors) await tellErrors(context, wanted);
      else await tell(context, wanted, options.follow === true);
      return "OK";
    },
  });
}

/** @throws CommandError USAGE where an option is not allowed, FAILED where there are no logs. */
function readWanted({ settings, stateDir }: Context, options: LogsOptions, names: readonly string[]): Wanted {
  const { level, since, grep = "", lines = String(LINES_MAX) } = options;
  const from = since === undefined ? new Date(0) : readTime(since, Date.now());
  if (!from) {
    throw new CommandError("USAGE", `--since: ${JSON.stringify(since)} is not allowed; allowed is ${TIME_FORMS}`);
  }
  const count = Number(lines);
  if (!(Number.isInteger(count) && count > 0 && count <= LINES_MAX)) {
    throw new CommandError("USAGE", `--lines: a whole number from 1 to ${LINES_MAX} is allowed`);
  }
  const folder = statePaths.logs(stateDir, settings.common.log_dir);
  const found = findLogs(folder);
  if (found.length === 0) throw new CommandError("FAILED", `there are no logs in ${folder}, or they cannot be read`);
  const unknown = names.find((name) => !found.some((log) => log.name === name));
  if (unknown !== undefined) {
    const known = found.map(({ name }) => name).join(", ");
    throw new CommandError("USAGE", `${folder} has no log of ${JSON.stringify(unknown)}; it has ${known}`);
  }
  return {
    logs: names.length === 0 ? found : found.filter(({ name }) => names.includes(name)),
    level: level.toUpperCase() as Level,
    sinceMs: from.getTime(),
    text: grep,
    lines: count,
  };
}

function fits({ level, sinceMs, text }: Wanted, entry: LogEntry): boolean {
  if (!isAtLeast(entry.level, level) || entry.timeMs < sinceMs) return false;
  return text === "" || JSON.stringify(entry.fields).includes(text) || String(entry.fields.message).includes(text);
}

async function tellErrors({ output, signal }: Context, wanted: Wanted): Promise<void> {
  const summary = new ErrorSummary();
  for await (const entry of mergeLogs(wanted.logs)) {
    if (signal.aborted) return;
    if (fits(wanted, entry)) summary.add(entry);
  }
  showErrors(output, summary.errors);
  for (const error of summary.errors) output.json(error);
  if (summary.omitted > 0) output.note(`${summary.omitted} more errors were of too many different kinds to be told`);
}

async function tell({ output, signal }: Context, wanted: Wanted, follow: boolean): Promise<void> {
  const last: LogEntry[] = [];
  for await (const entry of mergeLogs(wanted.logs)) {
    if (signal.aborted) return;
    if (!fits(wanted, entry)) continue;
    if (wanted.lines === LINES_MAX) showLogEntry(output, entry);
    else if (last.push(entry) > wanted.lines) last.shift();
  }
  for (const entry of last) showLogEntry(output, entry);
  if (!follow) return;
  for await (const entry of followLogs(wanted.logs, signal)) if (fits(wanted, entry)) showLogEntry(output, entry);
}
