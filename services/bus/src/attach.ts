// Answers nightjar.ask.attach: a stage that comes back has its durables made anew before it reads.
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import type { Msg, NatsConnection } from "@nats-io/transport-node";
import { AttachRequestSchema, AttachResponseSchema } from "@nightjar/proto";
import { ASK_ATTACH_SUBJECT, describeError, type Stage, type StageName, stageNames, streams } from "@nightjar/stage";
import type { Durables } from "./durables.ts";
import { inboxPrefix } from "./grants.ts";
import { hasDurable } from "./provision.ts";

/** Where a log's reader does not say how long it needs what it wrote. */
const KEEP_S_DEFAULT = 3_600;
const MS_PER_S = 1_000;

type Host = Pick<Stage, "log" | "counters">;

/** Serves until the connection closes. */
export function serveAttach(connection: NatsConnection, durables: Durables, host: Host): void {
  connection.subscribe(ASK_ATTACH_SUBJECT, {
    callback: (error, message) => {
      if (!error) void answer(message, durables, host);
    },
  });
}

async function answer(message: Msg, durables: Durables, host: Host): Promise<void> {
  const request = readRequest(message.data);
  // A stage asks for itself, so the answer goes to an inbox of its own; the bus's grants hold it to inboxes anyway.
  if (!request || !message.reply?.startsWith(`${inboxPrefix(request.stage)}.`)) {
    host.counters.add("asks_refused");
    host.log.warn("refused a request to attach", { subject: message.subject, reply: message.reply ?? "" });
    return;
  }
  const { stage, instance, keepMs } = request;
  let error = "";
  try {
    const own = streams.filter((stream) => hasDurable(stream) && stream.readers.includes(stage));
    for (const stream of own) {
      if (stream.retention === "log") await durables.keep(stream, keepMs);
      await durables.anew(stream);
    }
    host.counters.add("attaches");
    host.log.info("made a stage's consumers anew", { stage, instance, streams: own.map(({ name }) => name) });
  } catch (cause) {
    error = describeError(cause);
    host.log.warn("could not make a stage's consumers anew", { stage, instance, error });
  }
  try {
    message.respond(toBinary(AttachResponseSchema, create(AttachResponseSchema, { error })));
  } catch (cause) {
    host.log.debug("the server went away before the answer", { stage, error: cause as Error });
  }
}

function readRequest(data: Uint8Array): { stage: StageName; instance: string; keepMs: number } | undefined {
  try {
    const { stage, instance, keepS } = fromBinary(AttachRequestSchema, data);
    const name = stageNames.find((one) => one === stage);
    return name && { stage: name, instance, keepMs: (keepS || KEEP_S_DEFAULT) * MS_PER_S };
  } catch {
    return undefined;
  }
}
