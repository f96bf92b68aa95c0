// The ring of the last minutes: a folder of recordings, of which the oldest goes when time or room is up.
import { mkdirSync, readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { RECORDING_SUFFIX } from "@nightjar/events";
import { CommandError } from "../command.ts";
import { type Beginning, RecordingFile } from "./recording-file.ts";

/** A window is kept in so many parts: what is kept is between the window and one part more. */
const SEGMENTS_PER_WINDOW = 8;
const SEGMENT_SECONDS_MIN = 5;

export interface RingLimits {
  /** How far back the ring reaches at least, in seconds. */
  seconds: number;
  /** All of it together takes no more, except for the segment that is being written. */
  bytes: number;
}

export class SegmentRing {
  readonly #folder: string;
  readonly #limits: RingLimits;
  readonly #beginning: () => Promise<Beginning>;
  #kept: { path: string; endedAtMs: number; bytes: number; batches: number }[] = [];
  #current: RecordingFile | undefined;
  #opened = 0;

  /** `beginning` tells what a segment begins with. @throws CommandError USAGE where the folder is not empty. */
  constructor(folder: string, limits: RingLimits, beginning: () => Promise<Beginning>) {
    this.#folder = folder;
    this.#limits = limits;
    this.#beginning = beginning;
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      if (!statSync(folder).isDirectory() || readdirSync(folder).length > 0)
        throw new CommandError("USAGE", `${folder} is not an empty folder`);
    } catch (error) {
      if (error instanceof CommandError) throw error;
      throw new CommandError("USAGE", `${folder} cannot be written: ${(error as Error).message}`);
    }
  }

  get segments(): number {
    return this.#kept.length + (this.#current ? 1 : 0);
  }

  get bytes(): number {
    return this.#kept.reduce((sum, { bytes }) => sum + bytes, this.#current?.bytes ?? 0);
  }

  get batches(): number {
    return this.#kept.reduce((sum, { batches }) => sum + batches, this.#current?.batches ?? 0);
  }

  /** Adds a batch to the segment of now, and lets go of what is older than the window. */
  async add(batch: Uint8Array): Promise<void> {
    const { seconds, bytes } = this.#limits;
    const segmentMs = Math.max(seconds / SEGMENTS_PER_WINDOW, SEGMENT_SECONDS_MIN) * 1_000;
    const current = this.#current;
    const isFull = current && current.bytes >= bytes / SEGMENTS_PER_WINDOW;
    if (current && (isFull || Date.now() - current.startedAtMs >= segmentMs)) await this.#end(current);
    this.#current ??= await RecordingFile.create(join(this.#folder, this.#nextName()), await this.#beginning());
    await this.#current.add(batch);
  }

  async close(): Promise<void> {
    if (this.#current) await this.#end(this.#current);
  }

  async #end(segment: RecordingFile): Promise<void> {
    await segment.close();
    const { path, bytes, batches } = segment;
    this.#kept.push({ path, bytes, batches, endedAtMs: Date.now() });
    this.#current = undefined;
    for (;;) {
      const [oldest] = this.#kept;
      const isOld = oldest && Date.now() - oldest.endedAtMs > this.#limits.seconds * 1_000;
      if (oldest === undefined || !(isOld || (this.#kept.length > 1 && this.bytes > this.#limits.bytes))) break;
      rmSync(oldest.path, { force: true });
      this.#kept = this.#kept.slice(1);
    }
  }

  /** Names sort by time; the number tells apart what began within a second. */
  #nextName(): string {
    const time = new Date()
      .toISOString()
      .replace(/\.\d+Z$/, "Z")
      .replaceAll(":", "");
    return `${time}-${String(this.#opened++).padStart(6, "0")}${RECORDING_SUFFIX}`;
  }
}
