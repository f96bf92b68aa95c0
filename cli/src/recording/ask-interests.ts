// Reads what the holders of interest said last: a recording has no other events than those they want.
import { fromBinary } from "@bufbuild/protobuf";
import { jetstreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import { type Interest, InterestSchema } from "@nightjar/proto";
import { streamOf } from "@nightjar/stage";

/** None where nobody has said anything yet. */
export async function askInterests(connection: NatsConnection): Promise<Interest[]> {
  const { name, subjects, writers } = streamOf("INTEREST");
  const manager = await jetstreamManager(connection, { checkAPI: false });
  const interests: Interest[] = [];
  for (const subject of subjects.flatMap((each) => writers.map((writer) => each.replace("*", writer)))) {
    const last = await manager.direct.getMessage(name, { last_by_subj: subject });
    if (last) interests.push(fromBinary(InterestSchema, last.data));
  }
  return interests;
}
