// What the uplink's tests share: folders, detections, conditions with a deadline.
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { type Detection, DetectionSchema, Priority } from "@nightjar/proto";

const ID_BYTES = 16;
const DEADLINE_MS = 20_000;
const LOOK_MS = 10;

export function freshFolder(): string {
  return mkdtempSync(join(tmpdir(), "nightjar-uplink-"));
}

export function remove(folder: string): void {
  rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
}

export function detection(fields: Partial<Omit<Detection, "$typeName">> = {}): Detection {
  return create(DetectionSchema, {
    id: randomBytes(ID_BYTES).toString("hex"),
    rule: "Read sensitive file untrusted",
    priority: Priority.WARNING,
    output: "a file was read",
    time: timestampFromMs(Date.now()),
    ...fields,
  });
}

/** Resolves when `holds` does; rejects with `what` when it does not in time. */
export async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + DEADLINE_MS;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`not in time: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}
