// `nightjar record FILE`: what the collector publishes, kept in a file that `nightjar run --replay` plays again.
import { once } from "node:events";
import { createWriteStream, type WriteStream } from "node:fs";
import { release } from "node:os";
import { timestampNow } from "@bufbuild/protobuf/wkt";
import { encodeRecordingHeader, encodeRecordingPart } from "@nightjar/events";
import { SENSOR_VERSION, streamOf } from "@nightjar/stage";
import { type Command, Option } from "commander";
import { CommandError, type Context, define, type Environment } from "../command.ts";
import { connectAs } from "../connect/bus.ts";

const SECONDS_DEFAULT = 60;
const MIB = 1024 * 1024;
const MEBIBYTES_DEFAULT = 256;
/** Contents are personal: arguments, paths. */
const FILE_MODE = 0o600;

interface RecordOptions {
  seconds: number;
  mebibytes: number;
}

export function recordCommand(environment: Environment): Command {
  return define<RecordOptions>(environment, {
    name: "record",
    description: "Record what the kernel shows into a file, until a limit or Ctrl-C. Disturbs no stage.",
    argument: { name: "<file>", description: "the recording; it must not exist" },
    options: [
      new Option("--seconds <seconds>", "end after this time").argParser(Number).default(SECONDS_DEFAULT),
      new Option("--mebibytes <mebibytes>", "end at this size").argParser(Number).default(MEBIBYTES_DEFAULT),
    ],
    examples: ["nightjar record incident.njr --seconds 30", "nightjar run --replay incident.njr"],
    action: (context, options, [file]) => record(context, options, file as string),
  });
}

async function record(context: Context, { seconds, mebibytes }: RecordOptions, file: string): Promise<"OK"> {
  if (!(seconds > 0)) throw new CommandError("USAGE", "--seconds: a number above 0 is allowed");
  if (!(mebibytes > 0)) throw new CommandError("USAGE", "--mebibytes: a number above 0 is allowed");
  const connection = await connectAs(context.stateDir, "listener");
  const output = await openNew(file);
  const subscription = connection.subscribe(streamOf("RAW").subjects[0] as string);
  const stop = () => subscription.unsubscribe();
  const late = setTimeout(stop, seconds * 1_000);
  context.signal.addEventListener("abort", stop, { once: true });
  // The server knows the subscription when it has answered: only then is it said that recording has begun.
  await connection.flush();
  context.output.note(`nightjar: recording into ${file}`);
  const header = {
    recordedAt: timestampNow(),
    sensorVersion: SENSOR_VERSION,
    kernelRelease: release(),
    machine: process.arch,
  };
  let bytes = await write(output, encodeRecordingHeader(header));
  let batches = 0;
  for await (const message of subscription) {
    bytes += await write(output, encodeRecordingPart(message.data));
    batches++;
    if (bytes >= mebibytes * MIB) break;
  }
  clearTimeout(late);
  output.end();
  await once(output, "close");
  await connection.close();
  context.output.line(`${file}: ${batches} batches, ${bytes} bytes`);
  context.output.json({ file, batches, bytes });
  return "OK";
}

async function openNew(file: string): Promise<WriteStream> {
  const output = createWriteStream(file, { flags: "wx", mode: FILE_MODE });
  try {
    await once(output, "open");
  } catch (error) {
    throw new CommandError("USAGE", `${file} cannot be written: ${(error as Error).message}`);
  }
  return output;
}

async function write(output: WriteStream, bytes: Uint8Array): Promise<number> {
  if (!output.write(bytes)) await once(output, "drain");
  return bytes.length;
}
