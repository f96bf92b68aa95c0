// `nightjar tap`: what passes on the bus, decoded, as JSON lines. A core subscription: no consumer notices.
import { mkdirSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import type { NatsConnection } from "@nats-io/transport-node";
import { type Lease, leaseInterest, statePaths, streamOf, TAPPED_SUBJECT, writeFileAtomic } from "@nightjar/stage";
import { type Command, Option } from "commander";
import { CommandError, type Context, define, type Environment } from "../command.ts";
import { connectAs } from "../connect/bus.ts";
import { eventTypeNames, idsOfTypes } from "../show/events.ts";
import { messageRows } from "../show/message.ts";

/** What rules want, and what only taps do. */
const SUBJECTS_DEFAULT = [...streamOf("EVENTS").subjects, TAPPED_SUBJECT];

interface TapOptions {
  type?: string[];
  process?: string[];
  count?: number;
  natsContext?: boolean;
  output?: string;
}

export function tapCommand(environment: Environment): Command {
  return define<TapOptions>(environment, {
    name: "tap",
    description: "Print what passes on the bus as JSON lines, until Ctrl-C. Disturbs no stage.",
    arguments: [
      {
        name: "[subject]",
        description: `what to listen to, wildcards allowed (default: "${SUBJECTS_DEFAULT.join('" and "')}")`,
      },
    ],
    options: [
      new Option(
        "--type <type...>",
        `only events of these types, which come for as long as the tap runs: ${eventTypeNames.join(", ")}`,
      ),
      new Option("--process <process...>", "only events of these processes: a name, or a pid"),
      new Option("--count <count>", "end after so many lines").argParser(Number),
      new Option("--nats-context", "write a context for the `nats` command line (a key that may only listen), and end"),
      new Option("--output <file>", "where --nats-context goes (default: nats/context/nightjar.json in ~/.config)"),
    ],
    examples: [
      "nightjar tap --type exec",
      "nightjar tap --type unlink rename --process bash",
      "nightjar tap nightjar.raw --type open --process cat",
      "nightjar tap 'nightjar.>' --count 10",
      "nightjar tap --nats-context && nats --context nightjar stream ls",
    ],
    action: (context, options, [subject]) =>
      options.natsContext
        ? writeContext(context, options.output)
        : tap(context, options, subject === undefined ? SUBJECTS_DEFAULT : [subject]),
  });
}

async function tap(context: Context, options: TapOptions, subjects: readonly string[]): Promise<"OK"> {
  const { type: types = [], process: processes = [], count = Number.POSITIVE_INFINITY } = options;
  const eventTypes = idsOfTypes(types);
  if (!(count > 0)) throw new CommandError("USAGE", "--count: a number above 0 is allowed");
  const wants = eventTypes.length > 0;
  // Only the operator's key may want something.
  const connection = await connectAs(context.stateDir, wants ? "operator" : "listener");
  const stop = new AbortController();
  context.signal.addEventListener("abort", () => stop.abort(), { once: true });
  let printed = 0;
  const print = (bytes: Uint8Array, subject: string) => {
    const rows = messageRows(bytes, subject, { types, processes });
    if (!rows) context.output.note(`nightjar: ${bytes.length} bytes on ${subject} are no message of ours`);
    for (const row of rows ?? []) {
      if (printed++ < count) context.output.raw(`${JSON.stringify({ subject, ...row })}\n`);
    }
    if (printed >= count) stop.abort();
  };
  const listening = subjects.map((subject) => listen(connection, subject, stop.signal, print));
  const lease: Lease | undefined = wants ? await leaseInterest(connection, "tap", eventTypes) : undefined;
  await Promise.all(listening);
  await lease?.end();
  await connection.close();
  return "OK";
}

async function listen(
  connection: NatsConnection,
  subject: string,
  signal: AbortSignal,
  print: (bytes: Uint8Array, subject: string) => void,
): Promise<void> {
  const subscription = connection.subscribe(subject);
  const stop = () => subscription.unsubscribe();
  signal.addEventListener("abort", stop, { once: true });
  for await (const message of subscription) {
    if (!signal.aborted) print(message.data, message.subject);
  }
  signal.removeEventListener("abort", stop);
}

/** The context holds the address of now: the bus keeps its port over restarts unless it is taken. */
async function writeContext({ stateDir, output, streams }: Context, file: string | undefined): Promise<"OK"> {
  const connection = await connectAs(stateDir, "listener");
  const url = `nats://${connection.getServer()}`;
  await connection.close();
  const folder = join(streams.env.XDG_CONFIG_HOME || join(homedir(), ".config"), "nats", "context");
  const path = resolve(file ?? join(folder, "nightjar.json"));
  const contents = {
    description: "Nightjar's bus: a key that may only listen",
    url,
    nkey: resolve(statePaths.key(stateDir, "listener")),
    inbox_prefix: "_INBOX.listener",
  };
  try {
    if (!file) mkdirSync(folder, { recursive: true });
    writeFileAtomic(path, `${JSON.stringify(contents, null, 2)}\n`);
  } catch (error) {
    throw new CommandError("USAGE", `${path} cannot be written: ${(error as Error).message}`);
  }
  output.line(`${path} is written; now: nats --context nightjar sub 'nightjar.events' --translate 'nightjar decode'`);
  output.json({ file: path, ...contents });
  return "OK";
}
