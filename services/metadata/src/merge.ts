// Makes one Container of what several runtimes tell of the same.
import { clone } from "@bufbuild/protobuf";
import { reflect } from "@bufbuild/protobuf/reflect";
import { type Container, ContainerSchema } from "@nightjar/proto";

/** The first one's fields, and of those that it leaves out the next one's. Undefined of none. */
export function mergeContainers(told: readonly Container[]): Container | undefined {
  const [first, ...others] = told;
  if (!first) return undefined;
  const merged = clone(ContainerSchema, first);
  const into = reflect(ContainerSchema, merged);
  for (const other of others) {
    const from = reflect(ContainerSchema, other);
    for (const field of from.fields) {
      if (from.isSet(field) && !into.isSet(field)) into.set(field, from.get(field));
    }
  }
  return merged;
}
