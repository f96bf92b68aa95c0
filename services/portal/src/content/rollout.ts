// Which of a channel's bundles is meant for a sensor.
import { createHash } from "node:crypto";
import { suits } from "@nightjar/content";
import type { Published } from "./store.ts";

const UINT32 = 2 ** 32;
const PERCENT = 100;

export interface Asking {
  sensorId: string;
  format: number;
  sensorVersion: string;
}

/** The newest that the sensor can take and is among the first for; `published` is the newest first. */
export function chooseFor(asking: Asking, published: readonly Published[]): Published | undefined {
  return published.find(
    (one) =>
      one.format === asking.format &&
      suits(one.sensorVersionMin, asking.sensorVersion) &&
      shareOf(asking.sensorId, one.version) < one.rolloutPercent,
  );
}

/**
 * From 0 to 100, always the same for a sensor and a version: who has it at 10 % has it at 20 %, and it is not always
 * the same sensors that go first.
 */
export function shareOf(sensorId: string, version: bigint): number {
  const digest = createHash("sha256").update(`${version} ${sensorId}`).digest();
  return (digest.readUInt32BE() / UINT32) * PERCENT;
}
