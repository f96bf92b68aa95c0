// nats-server as a child: started, watched, ended.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readSync, statSync } from "node:fs";
import { pause } from "@nightjar/stage";
import type { BusFiles } from "./files.ts";

const STOP_MS_MAX = 4_000;
/** Of its output, how much is read from the end, and how much of the complaints in it is told. */
const TAIL_BYTES_MAX = 16_384;
const SAID_CHARACTERS_MAX = 2_048;
const FILE_MODE = 0o600;
/** Go's soft limit: below it the collector of garbage is in no hurry. Most of the heap is messages written already. */
const GO_ENV = { GOMEMLIMIT: "64MiB" };

export interface ServerProcess {
  readonly pid: number;
  /** Resolves with what is known of the end, for a person, when the process is gone. */
  readonly exited: Promise<string>;
  /** SIGTERM, after a bound SIGKILL; resolves when it is gone. */
  end(): Promise<void>;
  /** The last complaints it wrote to its log and to standard error since it was started. */
  said(): string;
  /** Whether it wrote that it no longer stores: a full disk leaves it so until it is started anew. */
  gaveUp(): boolean;
}

const GAVE_UP = /critical write error|no space left on device|JetStream out of .*resources/i;

/** Starts `binary` with the configuration in `files`. Rejects when there is no such program any more. */
export async function startServer(binary: string, files: BusFiles): Promise<ServerProcess> {
  const stderr = openSync(files.standardError, "w", FILE_MODE);
  const logBytes = sizeOf(files.log);
  // A session of its own: a Ctrl-C in the terminal reaches the stages first, and they still need the bus to end well.
  const child = spawn(binary, ["-c", files.configuration], {
    stdio: ["ignore", "ignore", stderr],
    detached: true,
    env: GO_ENV,
  });
  closeSync(stderr);
  await once(child, "spawn");
  const state = { gone: false };
  const exited = once(child, "exit").then(([code, signal]) => {
    state.gone = true;
    return signal ? `ended by ${signal}` : `exit code ${code}`;
  });
  // However this process ends, but for SIGKILL: its own stop may run out of time while it waits for answers.
  const endWithUs = () => void child.kill("SIGTERM");
  process.once("exit", endWithUs);
  void exited.then(() => process.off("exit", endWithUs));
  const { pid } = child;
  if (pid === undefined) throw new Error("a started process has a pid");
  const looked = { size: logBytes, gaveUp: false };
  const said = () => {
    const lines = `${tail(files.standardError, 0)}${tail(files.log, logBytes)}`.split("\n");
    return lines.filter(isComplaint).join("\n").slice(-SAID_CHARACTERS_MAX);
  };
  return {
    pid,
    exited,
    async end() {
      child.kill("SIGTERM");
      const late = new AbortController();
      await Promise.race([exited, pause(STOP_MS_MAX, late.signal)]);
      late.abort();
      if (!state.gone) child.kill("SIGKILL");
      await exited;
    },
    said,
    gaveUp() {
      const size = sizeOf(files.log);
      if (size !== looked.size) {
        looked.size = size;
        looked.gaveUp ||= GAVE_UP.test(said());
      }
      return looked.gaveUp;
    },
  };
}

function isComplaint(line: string): boolean {
  return line.trim() !== "" && !/ \[(INF|DBG|TRC)\] /.test(line);
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}

/** The end of what was appended to `file` after `start`; from the beginning where it was rotated in between. */
function tail(file: string, start: number): string {
  const size = sizeOf(file);
  const from = Math.max(size < start ? 0 : start, size - TAIL_BYTES_MAX);
  if (from >= size) return "";
  const fd = openSync(file, "r");
  try {
    const bytes = Buffer.alloc(size - from);
    return bytes.toString("utf8", 0, readSync(fd, bytes, 0, bytes.length, from));
  } finally {
    closeSync(fd);
  }
}
