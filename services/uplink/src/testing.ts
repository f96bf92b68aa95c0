// What the uplink's tests share: folders and detections.
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { type Detection, DetectionSchema, Priority } from "@nightjar/proto";

const ID_BYTES = 16;

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
