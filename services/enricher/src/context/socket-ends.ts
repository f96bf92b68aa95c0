// Finds the addresses of both ends of a socket in an encoded event, without decoding the rest.
import { FieldCursor, WIRE_BYTES } from "@nightjar/events";
import { DescriptorSchema, EndpointSchema, eventTypes } from "@nightjar/proto";

const ADDRESS = EndpointSchema.field.address.number;

/** Where a message has its ends: its own fields, or within the descriptor that is the field `within`. */
interface Shape {
  within: number;
  local: number;
  remote: number;
}

const { local, remote } = DescriptorSchema.field;

/** By the event type's id. */
const SHAPES: ReadonlyMap<number, Shape> = new Map(
  eventTypes.flatMap(({ id, field: { message } }): [number, Shape][] => {
    const fields = message?.fields ?? [];
    const within = fields.find((field) => field.message === DescriptorSchema && field.localName === "descriptor");
    if (within) return [[id, { within: within.number, local: local.number, remote: remote.number }]];
    const [here, there] = ["local", "remote"].map((name) => fields.find(({ localName }) => localName === name));
    return here && there ? [[id, { within: 0, local: here.number, remote: there.number }]] : [];
  }),
);

/** Whether events of the type can be about a socket. */
export const hasEnds = (eventType: number): boolean => SHAPES.has(eventType);

const cursor = new FieldCursor();
const inner = new FieldCursor();

/**
 * The addresses in bytes[start, end), which is the message of an event type, as views; none where it has none.
 * @throws WireError where it is no message.
 */
export function addressesOf(eventType: number, bytes: Uint8Array, start: number, end: number): readonly Uint8Array[] {
  const shape = SHAPES.get(eventType);
  if (!shape) return NONE;
  cursor.enter(bytes, start, end);
  if (shape.within !== 0) {
    let isThere = false;
    while (!isThere && cursor.next()) isThere = cursor.number === shape.within && cursor.wireType === WIRE_BYTES;
    if (!isThere) return NONE;
    cursor.enter(bytes, cursor.start, cursor.end);
  }
  let found: Uint8Array[] | undefined;
  while (cursor.next()) {
    if ((cursor.number !== shape.local && cursor.number !== shape.remote) || cursor.wireType !== WIRE_BYTES) continue;
    inner.enter(bytes, cursor.start, cursor.end);
    while (inner.next()) {
      if (inner.number !== ADDRESS || inner.wireType !== WIRE_BYTES || inner.end === inner.start) continue;
      found ??= [];
      found.push(inner.view());
    }
  }
  return found ?? NONE;
}

const NONE: readonly Uint8Array[] = [];
