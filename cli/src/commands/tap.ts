// `nightjar tap`: what passes on the bus, decoded, as JSON lines. A core subscription: no consumer notices.
import { mkdirSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { statePaths, writeFileAtomic } from "@nightjar/stage";
import { type Command, Option } from "commander";
import { CommandError, type Context, define, type Environment } from "../command.ts";
import { connectAs } from "../connect/bus.ts";
import { eventTypeNames } from "../show/events.ts";
import { messageRows } from "../show/message.ts";

const SUBJECT_DEFAULT = "nightjar.events";

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
    argument: {
      name: "[subject]",
      description: `what to listen to, wildcards allowed (default: "${SUBJECT_DEFAULT}")`,
    },
    options: [
      new Option("--type <type...>", `only events of these types: ${eventTypeNames.join(", ")}`),
      new Option("--process <process...>", "only events of these processes: a name, or a pid"),
      new Option("--count <count>", "end after so many lines").argParser(Number),
      new Option("--nats-context", "write a context for the `nats` command line (a key that may only listen), and end"),
      new Option("--output <file>", "where --nats-context goes (default: nats/context/nightjar.json in ~/.config)"),
    ],
    examples: [
      "nightjar tap --type exec",
      "nightjar tap nightjar.raw --type open --process cat",
      "nightjar tap 'nightjar.>' --count 10",
      "nightjar tap --nats-context && nats --context nightjar stream ls",
    ],
    action: (context, options, [subject]) =>
      options.natsContext ? writeContext(context, options.output) : tap(context, options, subject ?? SUBJECT_DEFAULT),
  });
}

async function tap(context: Context, options: TapOptions, subject: string): Promise<"OK"> {
  const { type: types = [], process: processes = [], count = Number.POSITIVE_INFINITY } = options;
  const unknown = types.find((type) => !eventTypeNames.includes(type));
  if (unknown !== undefined) {
    throw new CommandError("USAGE", `there is no event type ${unknown}; there are ${eventTypeNames.join(", ")}`);
  }
  if (!(count > 0)) throw new CommandError("USAGE", "--count: a number above 0 is allowed");
  const connection = await connectAs(context.stateDir, "listener");
  const subscription = connection.subscribe(subject);
  context.signal.addEventListener("abort", () => subscription.unsubscribe(), { once: true });
  let printed = 0;
  for await (const message of subscription) {
    const rows = messageRows(message.data, message.subject, { types, processes });
    if (!rows)
      context.output.note(`nightjar: ${message.data.length} bytes on ${message.subject} are no message of ours`);
    for (const row of rows ?? []) {
      if (printed++ >= count) break;
      context.output.raw(`${JSON.stringify({ subject: message.subject, ...row })}\n`);
    }
    if (printed >= count) break;
  }
  await connection.close();
  return "OK";
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
