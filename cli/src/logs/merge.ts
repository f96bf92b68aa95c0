// Reads several logs as one, in the order of their times, a line of each in memory.
import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import { type LogEntry, readEntry } from "./entry.ts";
import type { Log } from "./files.ts";

interface Head {
  entry: LogEntry;
  rest: AsyncIterator<LogEntry>;
}

/**
 * All entries, the oldest first; each log is in the order of its times by itself. What tells no time stays behind what
 * stands before it. A file that goes while it is read ends its log.
 */
export async function* mergeLogs(logs: readonly Log[]): AsyncGenerator<LogEntry> {
  const heads: Head[] = [];
  for (const log of logs) {
    const rest = entriesOf(log)[Symbol.asyncIterator]();
    const { value, done } = await rest.next();
    if (!done) heads.push({ entry: value, rest });
  }
  while (heads.length > 0) {
    const first = heads.reduce((a, b) => (b.entry.timeMs < a.entry.timeMs ? b : a));
    yield first.entry;
    const { value, done } = await first.rest.next();
    if (done) heads.splice(heads.indexOf(first), 1);
    else first.entry = value;
  }
}

async function* entriesOf({ name, files, bytes }: Log): AsyncGenerator<LogEntry> {
  let lastMs = 0;
  for (const file of files) {
    for await (const line of linesOf(file, file === files.at(-1) ? bytes : undefined)) {
      const entry = readEntry(line, name);
      // A clock that was set back must not hold up the other logs.
      if (entry.timeMs > lastMs) lastMs = entry.timeMs;
      yield Number.isNaN(entry.timeMs) ? { ...entry, timeMs: lastMs } : entry;
    }
  }
}

async function* linesOf(file: string, bytes = Number.POSITIVE_INFINITY): AsyncGenerator<string> {
  if (bytes === 0) return;
  const stream = createReadStream(file, { end: bytes - 1 });
  const lines = createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY });
  try {
    for await (const line of lines) if (line !== "") yield line;
  } catch (error) {
    if (!["ENOENT", "EACCES"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
  } finally {
    stream.destroy();
  }
}
