// Events to hold rules against, from a file: a recording, JSON as the command line writes it, or written briefly.
import { spawn } from "node:child_process";
import { createReadStream, openSync, readFileSync, readSync } from "node:fs";
import { Readable } from "node:stream";
import { RecordingError, readRecording } from "@nightjar/events";
import { encodeBrief, readEventFile } from "@nightjar/rules";
import { CommandError } from "../command.ts";
import { entryOf } from "../supervisor/plan.ts";
import { batchesOfJson } from "./event-json.ts";
import { problemLine } from "./load-paths.ts";

const RECORDING_MAGIC = "NIGHTJAR";

/** Whether a file is a recording; throws a CommandError where it cannot be read. */
function isRecording(path: string): boolean {
  try {
    const start = Buffer.alloc(RECORDING_MAGIC.length);
    readSync(openSync(path, "r"), start, 0, start.length, 0);
    return start.toString("latin1") === RECORDING_MAGIC;
  } catch (error) {
    throw new CommandError("USAGE", `${path} cannot be read: ${(error as Error).message}`);
  }
}

/** The events of a file as encoded batches, with their processes. @throws CommandError where it holds none. */
export async function* batchesOfFile(path: string): AsyncGenerator<Uint8Array> {
  if (isRecording(path)) {
    yield* enrichedRecording(path);
    return;
  }
  const text = readFileSync(path, "utf8");
  const written = batchesOfJson(text);
  if (written) {
    yield* written;
    return;
  }
  const { events, problems: unread } = readEventFile(path, text);
  const { bytes, problems } = unread.length > 0 ? { problems: unread } : encodeBrief(events);
  const [first] = problems;
  if (first) throw new CommandError("FAILED", problemLine(first));
  if (bytes) yield bytes;
}

/** A recording is what the collector saw; the enricher's program adds what rules need to know of processes. */
async function* enrichedRecording(path: string): AsyncGenerator<Uint8Array> {
  const child = spawn(process.execPath, [entryOf("enricher"), "--recording"], { stdio: ["pipe", "pipe", "pipe"] });
  let said = "";
  child.stderr.on("data", (chunk) => {
    said += chunk;
  });
  // When the program ends early, the pipe does; the reason is in what it said.
  child.stdin.on("error", () => {});
  createReadStream(path).pipe(child.stdin);
  const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
  try {
    yield* readRecording(Readable.from(child.stdout));
    if ((await ended) !== 0) throw new CommandError("FAILED", `${path}: ${said.trim()}`);
  } catch (error) {
    if (!(error instanceof RecordingError)) throw error;
    await ended;
    throw new CommandError("FAILED", `${path}: ${said.trim() || error.message}`);
  } finally {
    child.kill();
  }
}
