// The uplink's way to the outputs: none of their code is in memory where no output is switched on.
import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { type OutputStatus, OutputTestRequestSchema, OutputTestResponseSchema } from "@nightjar/proto";
import { ASK_OUTPUT_TEST_SUBJECT, type Settings, type Stage } from "@nightjar/stage";
import type { Encoded } from "../encoded.ts";
import type { OutputName } from "./output.ts";

export interface Outputs {
  /** Resolves when every output's queue has the detections on disk. They are redacted already. */
  keep: (detections: readonly Encoded[]) => Promise<void>;
  statuses: () => OutputStatus[];
  /** Sends a test detection past the queue. */
  test: (name: string) => Promise<MessageInitShape<typeof OutputTestResponseSchema>>;
}

/** The setting that switches an output on. */
const addresses: Readonly<Record<OutputName, keyof Settings["outputs"]>> = {
  file: "file_path",
  syslog: "syslog_address",
  webhook: "webhook_url",
  otlp: "otlp_url",
};

const NONE: Outputs = {
  keep: async () => {},
  statuses: () => [],
  test: async () => ({ error: "no output is switched on: see docs/outputs.md" }),
};

export async function openOutputs(stage: Stage, sensorId: string): Promise<Outputs> {
  const names = (Object.keys(addresses) as OutputName[]).filter((name) => {
    return stage.settings.outputs[addresses[name]] !== "";
  });
  if (names.length === 0) return NONE;
  const { startOutputs } = await import("./start.ts");
  return startOutputs(stage, sensorId, names);
}

/** Answers the command line's `outputs test`; call it when the bus is connected. */
export function serveOutputTests(stage: Stage, outputs: Outputs): void {
  stage.bus.serve(ASK_OUTPUT_TEST_SUBJECT, async (question) => {
    const answer = await outputs.test(nameIn(question));
    return toBinary(OutputTestResponseSchema, create(OutputTestResponseSchema, answer));
  });
}

function nameIn(question: Uint8Array): string {
  try {
    return fromBinary(OutputTestRequestSchema, question).name;
  } catch {
    return "";
  }
}
