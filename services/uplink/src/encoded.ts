// Detections as bytes: encoded once when they come, and neither decoded nor encoded again on their way to the portal.
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { BinaryReader, BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import {
  type Detection,
  DetectionSchema,
  type Priority,
  type SendDetectionsRequest,
  SendDetectionsRequestSchema,
} from "@nightjar/proto";

/** What the outbox has to know of a detection, and the detection. */
export interface Encoded {
  id: string;
  revision: number;
  priority: Priority;
  /** The whole Detection. */
  encoded: Uint8Array;
}

export function encodedDetection(detection: Detection): Encoded {
  const { id, revision, priority } = detection;
  return { id, revision, priority, encoded: toBinary(DetectionSchema, detection) };
}

/** The whole of it, for the few that somebody has to look into. */
export function detectionIn({ encoded }: Pick<Encoded, "encoded">): Detection {
  return fromBinary(DetectionSchema, encoded);
}

/** The id alone, which our encoder writes first. */
export function idOf(encoded: Uint8Array): string {
  const reader = new BinaryReader(encoded);
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (field === DetectionSchema.field.id.number) return reader.string();
    reader.skip(wireType, field);
  }
  return "";
}

/** The request with the detections as they are: the encoder writes what stands in `$unknown` byte by byte. */
export function requestWith(
  detections: readonly Uint8Array[],
  sender: { sensorId: string; hostName: string },
): SendDetectionsRequest {
  const request = create(SendDetectionsRequestSchema, sender);
  const { number: no } = SendDetectionsRequestSchema.field.detections;
  request.$unknown = detections.map((one) => {
    return { no, wireType: WireType.LengthDelimited, data: new BinaryWriter().bytes(one).finish() };
  });
  return request;
}
