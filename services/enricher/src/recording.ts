// Enriches a recording from standard input to standard output, for commands that hold rules against one.
import { once } from "node:events";
import { encodeRecordingHeader, encodeRecordingPart, RecordingError, readRecording, WireError } from "@nightjar/events";
import { MESSAGE_BYTES_MAX } from "@nightjar/stage";
import { CONTAINERS_ELSEWHERE } from "./context/containers.ts";
import { NO_CONTEXT } from "./context/nothing.ts";
import { Enricher } from "./enricher.ts";
import { TREE_LIMITS } from "./tree.ts";
import type { UserNames } from "./users.ts";

/** No boot has it, so nothing of a recording is taken for this machine's. */
const NO_BOOT_ID = "0".repeat(32);
const NO_NAME = new Uint8Array(0);
const NO_NAMES: UserNames = { generation: 0, user: () => NO_NAME, group: () => NO_NAME, of: () => NO_NAMES };

/** Resolves with the exit code: 1 where the input is no recording, which is said on standard error. */
export async function enrichRecording(): Promise<number> {
  const enricher = new Enricher({
    bootId: NO_BOOT_ID,
    lookup: () => undefined,
    users: NO_NAMES,
    elsewhere: { ...NO_CONTEXT, containers: CONTAINERS_ELSEWHERE },
    outputBytesMax: MESSAGE_BYTES_MAX,
    limits: TREE_LIMITS,
  });
  enricher.setAddressesNamed(true);
  try {
    await write(encodeRecordingHeader({}));
    for await (const batch of readRecording(process.stdin)) {
      const { outputs } = enricher.take(batch);
      if (outputs !== "repeated") for (const { bytes } of outputs) await write(encodeRecordingPart(bytes));
    }
    return 0;
  } catch (error) {
    if (!(error instanceof RecordingError || error instanceof WireError)) throw error;
    process.stderr.write(`${error.message}\n`);
    return 1;
  }
}

async function write(bytes: Uint8Array): Promise<void> {
  if (!process.stdout.write(bytes)) await once(process.stdout, "drain");
}
