// Starts the outputs that the settings switch on, keeps each detection for all of them, and tries one when asked.
import type { OutputStatus } from "@nightjar/proto";
import { readHost, SENSOR_VERSION, type Stage } from "@nightjar/stage";
import type { Encoded } from "../encoded.ts";
import { makeOutput } from "./kinds.ts";
import { OutputFailure, type OutputName } from "./output.ts";
import { RunningOutput } from "./running.ts";
import { testDetection } from "./test-detection.ts";
import type { Outputs } from "./wanted.ts";

/** Opens each output's queue and sends what an earlier process left there, with or without a bus. */
export async function startOutputs(stage: Stage, sensorId: string, names: readonly OutputName[]): Promise<Outputs> {
  const origin = { host: readHost(), sensorId, sensorVersion: SENSOR_VERSION };
  const events = {
    failing: issueOf(stage, "OUTPUT_FAILING"),
    losing: issueOf(stage, "OUTPUT_LOSING"),
  };
  const running = await Promise.all(
    names.map((name) => RunningOutput.start(stage, makeOutput(name, stage.settings.outputs, origin), events)),
  );
  return {
    keep: async (detections: readonly Encoded[]) => {
      await Promise.all(running.map((one) => one.keep(detections)));
    },
    statuses: (): OutputStatus[] => running.map((one) => one.status),
    test: async (name) => {
      const known = running.map(({ output }) => output.name);
      const output = running.find((one) => one.output.name === name)?.output;
      if (!output) return { error: `there is no output ${name}`, known };
      const detection = testDetection();
      const told = { known, target: output.target, detectionId: detection.id };
      try {
        await output.send([detection], stage.signal);
        return { ...told, error: "" };
      } catch (error) {
        if (!(error instanceof OutputFailure)) throw error;
        return { ...told, error: error.message };
      }
    },
  };
}

/** One health issue for all outputs, since a stage has one of each code. */
function issueOf(stage: Stage, code: "OUTPUT_FAILING" | "OUTPUT_LOSING") {
  const open = new Map<string, string>();
  return (name: string, why: string | undefined) => {
    if (why === undefined) {
      if (!open.delete(name)) return;
    } else {
      open.set(name, why);
    }
    if (open.size === 0) stage.health.resolve(code);
    else stage.health.raise(code, [...open].map(([output, reason]) => `${output}: ${reason}`).join("; "));
  };
}
