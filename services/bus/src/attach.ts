// Answers nightjar.ask.attach: a stage that comes back has its durables made anew before it reads.
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import type { Msg, NatsConnection } from "@nats-io/transport-node";
import { AttachRequestSchema, AttachResponseSchema } from "@nightjar/proto";
import { ASK_ATTACH_SUBJECT, describeError, type StageName, type Stage, stageNames, streams } from "@nightjar/stage";
import type { Durables } from "./durables.ts";
import { inboxPrefix } from "./grants.ts";
import { isQueue } from "./provision.ts";

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
  // Without this check whoever may ask could have the bus, which may do all, publish an empty message to any subject,
  // such as the one that deletes a stream: NATS lets a reply subject be anything.
  if (!request || !message.reply?.startsWith(`${inboxPrefix(request.stage)}.`)) {
    host.counters.add("asks_refused");
    host.log.warn("refused a request to attach", { subject: message.subject, reply: message.reply ?? "" });
    return;
  }
  const { stage, instance } = request;
  let error = "";
  try {
    const own = streams.filter((stream) => isQueue(stream) && stream.readers.includes(stage));
    for (const stream of own) await durables.anew(stream);
    host.counters.add("attaches");
    host.log.info("made a stage's consumers anew", { stage, instance, streams: own.map(({ name }) => name) });
  } catch (cause) {
    error = describeError(cause);
    host.log.warn("could not make a stage's consumers anew", { stage, instance, error });
  }
  if (!message.respond(toBinary(AttachResponseSchema, create(AttachResponseSchema, { error })))) {
    host.log.debug("nobody waits for the answer any more", { stage, instance });
  }
}

function readRequest(data: Uint8Array): { stage: StageName; instance: string } | undefined {
  try {
    const { stage, instance } = fromBinary(AttachRequestSchema, data);
    const name = stageNames.find((one) => one === stage);
    return name && { stage: name, instance };
  } catch {
    return undefined;
  }
}
