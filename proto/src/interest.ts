// The interest that narrows nothing.
import { create } from "@bufbuild/protobuf";
import { type TypeInterest, TypeInterestSchema } from "../gen/nightjar/event/v1/interest_pb.ts";

/** All classes of an event type. */
export const EVERY_CLASS = 0xff;

/** Everything of a type. */
export function wholeType(eventType: number): TypeInterest {
  return create(TypeInterestSchema, { eventType, everything: EVERY_CLASS });
}
