// A recording as it is written: its header, the processes that were there before, then batches.
import { once } from "node:events";
import { createWriteStream, type WriteStream } from "node:fs";
import { release } from "node:os";
import { timestampNow } from "@bufbuild/protobuf/wkt";
import { BatchReader, encodeRecordingHeader, encodeRecordingPart } from "@nightjar/events";
import type { Interest } from "@nightjar/proto";
import { SENSOR_VERSION } from "@nightjar/stage";
import { CommandError } from "../command.ts";

/** Contents are personal: arguments, paths. */
const FILE_MODE = 0o600;

/** What a recording begins with. */
export interface Beginning {
  /** Batches as the enricher answers with them. */
  processes: readonly Uint8Array[];
  /** What the holders of interest want: other events are not in the recording though they happened. */
  interests: readonly Interest[];
}

export class RecordingFile {
  readonly path: string;
  readonly startedAtMs = Date.now();
  batches = 0;
  bytes = 0;
  readonly #output: WriteStream;
  /** Up to which position the processes know the events already, and of which source. */
  #known = { source: "", next: 0 };

  private constructor(path: string, output: WriteStream) {
    this.path = path;
    this.#output = output;
  }

  /**
   * Begins a recording.
   * @throws CommandError USAGE where the file is there already or cannot be written.
   */
  static async create(path: string, { processes, interests }: Beginning): Promise<RecordingFile> {
    const output = createWriteStream(path, { flags: "wx", mode: FILE_MODE });
    try {
      await once(output, "open");
    } catch (error) {
      throw new CommandError("USAGE", `${path} cannot be written: ${(error as Error).message}`);
    }
    const file = new RecordingFile(path, output);
    const header = { recordedAt: timestampNow(), sensorVersion: SENSOR_VERSION, machine: process.arch };
    await file.#write(encodeRecordingHeader({ ...header, kernelRelease: release(), interests: [...interests] }));
    for (const part of processes) {
      const { sourceId, nextPosition } = new BatchReader(part);
      file.#known = { source: sourceId, next: nextPosition };
      await file.#write(encodeRecordingPart(part));
    }
    return file;
  }

  /** Adds a batch, unless the processes at the beginning are as they were after it. */
  async add(batch: Uint8Array): Promise<void> {
    const { sourceId, firstPosition, nextPosition } = new BatchReader(batch);
    const isKnown = sourceId === this.#known.source && firstPosition < nextPosition && nextPosition <= this.#known.next;
    if (isKnown) return;
    await this.#write(encodeRecordingPart(batch));
    this.batches++;
  }

  async close(): Promise<void> {
    this.#output.end();
    await once(this.#output, "close");
  }

  async #write(bytes: Uint8Array): Promise<void> {
    if (!this.#output.write(bytes)) await once(this.#output, "drain");
    this.bytes += bytes.length;
  }
}
