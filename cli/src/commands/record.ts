// `nightjar record FILE`: what the collector publishes, kept in a file that `nightjar run --replay` plays again.
import type { NatsConnection } from "@nats-io/transport-node";
import { leaseInterest, pause, streamOf } from "@nightjar/stage";
import { type Command, Option } from "commander";
import { CommandError, type Context, define, type Environment } from "../command.ts";
import { connectAs } from "../connect/bus.ts";
import { askInterests } from "../recording/ask-interests.ts";
import { askProcesses } from "../recording/ask-processes.ts";
import { RecordingFile } from "../recording/recording-file.ts";
import { SegmentRing } from "../recording/segments.ts";
import { eventTypeNames, idsOfTypes } from "../show/events.ts";

const SECONDS_DEFAULT = 60;
const MIB = 1024 * 1024;
const MEBIBYTES_DEFAULT = 256;
const PROGRESS_INTERVAL_MS = 10_000;

interface RecordOptions {
  seconds?: number;
  mebibytes: number;
  last?: number;
  type?: string[];
}

export function recordCommand(environment: Environment): Command {
  return define<RecordOptions>(environment, {
    name: "record",
    description:
      "Record what the kernel shows into a file, until a limit or Ctrl-C, secrets included. Disturbs no stage.",
    arguments: [{ name: "<file>", description: "the recording, which must not exist; with --last, an empty folder" }],
    options: [
      new Option(
        "--seconds <seconds>",
        `end after this time (default: ${SECONDS_DEFAULT}, with --last: never)`,
      ).argParser(Number),
      new Option("--mebibytes <mebibytes>", "end at this size; with --last, let the oldest go")
        .argParser(Number)
        .default(MEBIBYTES_DEFAULT),
      new Option("--last <minutes>", "keep only the last minutes, as a folder of recordings").argParser(Number),
      new Option(
        "--type <type...>",
        `events of these types too, though no rule wants them: ${eventTypeNames.join(", ")}`,
      ),
    ],
    examples: [
      "nightjar record incident.njr --seconds 30",
      "nightjar run --replay incident.njr",
      "nightjar record incident.njr --type unlink rename",
      "nightjar record --last 10 flight-recorder",
      "nightjar run --replay flight-recorder",
    ],
    action: (context, options, [file]) => record(context, options, file as string),
  });
}

/** Where batches go. */
interface Sink {
  batches: number;
  bytes: number;
  add(batch: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

async function record(context: Context, options: RecordOptions, file: string): Promise<"OK"> {
  const { mebibytes, last } = options;
  const seconds = options.seconds ?? (last === undefined ? SECONDS_DEFAULT : Number.POSITIVE_INFINITY);
  for (const [name, value] of Object.entries({ seconds, mebibytes, last: last ?? 1 })) {
    if (!(value > 0)) throw new CommandError("USAGE", `--${name}: a number above 0 is allowed`);
  }
  const eventTypes = idsOfTypes(options.type ?? []);
  const connection = await connectAs(context.stateDir, "operator");
  const subscription = connection.subscribe(streamOf("RAW").subjects[0] as string);
  const stop = new AbortController();
  context.signal.addEventListener("abort", () => stop.abort(), { once: true });
  const late = Number.isFinite(seconds) ? setTimeout(() => stop.abort(), seconds * 1_000) : undefined;
  stop.signal.addEventListener("abort", () => subscription.unsubscribe(), { once: true });
  const lease = eventTypes.length > 0 ? await leaseInterest(connection, "record", eventTypes) : undefined;
  const beginning = async () => ({
    processes: await processesOf(connection, context),
    interests: [...(await askInterests(connection)), ...(lease ? [lease.interest] : [])],
  });
  const bytesMax = mebibytes * MIB;
  const sink: Sink =
    last === undefined
      ? await RecordingFile.create(file, await beginning())
      : new SegmentRing(file, { seconds: last * 60, bytes: bytesMax }, beginning);
  // The server knows the subscription when it has answered: only then is it said that recording has begun.
  await connection.flush();
  context.output.note(`nightjar: recording into ${file}; it is not redacted: passwords in arguments are in it`);
  const progress = reportProgress(context, sink, stop.signal);
  for await (const message of subscription) {
    await sink.add(message.data);
    if (last === undefined && sink.bytes >= bytesMax) break;
  }
  stop.abort();
  clearTimeout(late);
  await progress;
  await lease?.end();
  await sink.close();
  await connection.close();
  const { batches, bytes } = sink;
  context.output.line(`${file}: ${batches} batches, ${bytes} bytes`);
  context.output.json({ file, batches, bytes });
  return "OK";
}

/** Who was there before: without an enricher, the recording only knows what happens in it. */
async function processesOf(connection: NatsConnection, { output }: Context): Promise<readonly Uint8Array[]> {
  const processes = await askProcesses(connection);
  if (processes.length === 0) output.note("nightjar: no enricher answers; processes that run already will be unknown");
  return processes;
}

async function reportProgress({ output }: Context, sink: Sink, signal: AbortSignal): Promise<void> {
  for (;;) {
    await pause(PROGRESS_INTERVAL_MS, signal);
    if (signal.aborted) return;
    output.note(`nightjar: ${sink.batches} batches, ${(sink.bytes / MIB).toFixed(1)} MiB`);
  }
}
