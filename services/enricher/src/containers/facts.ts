// A container's row, of what its cgroup says and of what a runtime answered; and the cgroup of an encoded Exec.
import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { FieldCursor, WIRE_BYTES } from "@nightjar/events";
import { ContainerSchema, ExecSchema, PodSchema, shortContainerId } from "@nightjar/proto";
import { Row } from "../context/row.ts";
import type { Shape } from "./shape.ts";

/** Container.missing of one whose runtime was not asked yet. */
export const WAITING = "waiting";

const cursor = new FieldCursor();
const utf8 = new TextDecoder();

/** The path of the cgroup that the process of an encoded Exec is in. */
export function cgroupOf(exec: Uint8Array): string {
  cursor.enter(exec, 0, exec.length);
  while (cursor.next()) {
    if (cursor.number === ExecSchema.field.cgroup.number && cursor.wireType === WIRE_BYTES)
      return utf8.decode(cursor.view());
  }
  return "";
}

/** `missing` says why `facts` are not all there are, as Container.missing has it; "" where they are. */
export function rowOf(shape: Shape, facts: MessageInitShape<typeof ContainerSchema>, missing: string): Row {
  const container = create(ContainerSchema, facts);
  container.fullId ||= shape.fullId;
  container.id = shortContainerId(container.fullId);
  container.runtime ||= shape.runtime;
  container.missing = missing;
  if (shape.podUid !== "") {
    container.pod ??= create(PodSchema);
    container.pod.uid ||= shape.podUid;
  }
  const row = new Row(toBinary(ContainerSchema, container));
  row.isPartial = missing === WAITING;
  return row;
}
