// The detection that `nightjar outputs test` sends: one that nobody takes for a real one.
import { randomBytes } from "node:crypto";
import { create } from "@bufbuild/protobuf";
import { timestampNow } from "@bufbuild/protobuf/wkt";
import { type Detection, DetectionSchema, Priority } from "@nightjar/proto";

const ID_BYTES = 16;

/** Each has an id of its own. */
export function testDetection(): Detection {
  return create(DetectionSchema, {
    id: randomBytes(ID_BYTES).toString("hex"),
    revision: 1,
    rule: "Nightjar output test",
    priority: Priority.INFORMATIONAL,
    output: "This is a test of an output. Nothing happened on this host.",
    time: timestampNow(),
    tags: ["test"],
    count: 1n,
  });
}
