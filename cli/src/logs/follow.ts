// Goes on with logs as they grow, through rotations.
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { pause } from "@nightjar/stage";
import { type LogEntry, readEntry } from "./entry.ts";
import type { Log } from "./files.ts";

const LOOK_INTERVAL_MS = 250;
const CHUNK_BYTES = 64 * 1024;

/** One log's file as it was seen last. */
class Tail {
  readonly #name: string;
  readonly #file: string;
  #inode: number;
  #offset: number;
  #partial = "";

  /** Begins at the end of what was there when the log was found. */
  constructor({ name, files, inode, bytes }: Log) {
    this.#name = name;
    this.#file = files.at(-1) ?? "";
    this.#inode = inode;
    this.#offset = bytes;
  }

  /** What has been written since. */
  read(): LogEntry[] {
    const lines: string[] = [];
    this.#withFile((fd, { ino, size }) => {
      // Another file in its place, or one that was cut, begins at its beginning.
      if (ino !== this.#inode || size < this.#offset) [this.#inode, this.#offset, this.#partial] = [ino, 0, ""];
      const chunk = Buffer.alloc(CHUNK_BYTES);
      for (let got = readSync(fd, chunk, 0, CHUNK_BYTES, this.#offset); got > 0; ) {
        this.#offset += got;
        const parts = (this.#partial + chunk.toString("latin1", 0, got)).split("\n");
        this.#partial = parts.pop() ?? "";
        lines.push(...parts);
        got = readSync(fd, chunk, 0, CHUNK_BYTES, this.#offset);
      }
    });
    // Latin-1 until a line is whole: a character may lie on both sides of a chunk's end.
    const texts = lines.map((line) => Buffer.from(line, "latin1").toString("utf8"));
    return texts.filter((text) => text !== "").map((text) => readEntry(text, this.#name));
  }

  #withFile(use: (fd: number, stat: { ino: number; size: number }) => void): void {
    let fd: number;
    try {
      fd = openSync(this.#file, "r");
    } catch {
      return;
    }
    try {
      use(fd, fstatSync(fd));
    } finally {
      closeSync(fd);
    }
  }
}

/** Gives what is logged after the logs were found, until `signal` is aborted. */
export async function* followLogs(logs: readonly Log[], signal: AbortSignal): AsyncGenerator<LogEntry> {
  const tails = logs.map((log) => new Tail(log));
  while (!signal.aborted) {
    const entries = tails.flatMap((tail) => tail.read());
    yield* entries.sort((a, b) => a.timeMs - b.timeMs);
    await pause(LOOK_INTERVAL_MS, signal);
  }
}
