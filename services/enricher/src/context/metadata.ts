// The enricher's questions to the stage metadata, over the bus, and what it says by itself.
import { fromBinary } from "@bufbuild/protobuf";
import { ChangedSchema } from "@nightjar/proto";
import { ASK_CONTAINER_SUBJECT, METADATA_CHANGED_SUBJECT, type Stage } from "@nightjar/stage";
import { ContainerSource } from "./containers.ts";

/** A runtime that takes longer than this is asked again later; no event waits for so long. */
export const METADATA_TIMEOUT_MS = 3_000;

/** The source of containers, which asks once the stage is connected. */
export function askContainers({ bus }: Stage): ContainerSource {
  return new ContainerSource(async (request) => {
    const { data } = await bus.connection.request(ASK_CONTAINER_SUBJECT, request, { timeout: METADATA_TIMEOUT_MS });
    return data;
  });
}

/** From now on what metadata says has changed is asked for again. */
export function followChanges({ bus, log }: Stage, containers: ContainerSource): void {
  bus.connection.subscribe(METADATA_CHANGED_SUBJECT, {
    callback: (error, message) => {
      if (error) return;
      try {
        containers.changed(fromBinary(ChangedSchema, message.data).containerIds);
      } catch (cause) {
        log.warn("metadata said what is no message", { error: cause as Error });
      }
    },
  });
}
