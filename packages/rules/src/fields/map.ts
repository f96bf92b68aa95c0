// Reads a message's field of the type map<string, string>, such as labels.
import type { DescField } from "@bufbuild/protobuf";
import { decodeText, Message } from "../engine/message.ts";

/** In an entry of a map, key and value are its fields 1 and 2 (protobuf's documentation, "Maps"). */
const KEY = 1;
const VALUE = 2;

/** What begins so came from annotations or is the kubelet's own; Falco leaves it out of lists of labels. */
const INTERNAL_LABELS = ["annotation.", "io.kubernetes."];

export type ReadMap = (message: Message) => ReadonlyMap<string, string>;

/** In the order of the wire; of a key that occurs twice the last value counts. */
export function mapReader({ number }: DescField): ReadMap {
  const entry = new Message(VALUE);
  const textAt = (field: number) => {
    const start = entry.start(field);
    return start === 0 ? "" : decodeText(entry.bytes, start, entry.stop(field));
  };
  return (message) => {
    const bounds = message.occurrences(number);
    const found = new Map<string, string>();
    for (let at = 0; at < bounds.length; at += 2) {
      entry.load(message.bytes, bounds[at] as number, bounds[at + 1] as number);
      found.set(textAt(KEY), textAt(VALUE));
    }
    return found;
  };
}

/** As Falco lists labels: "app:shop, canary", by name; undefined where there are none. */
export function listLabels(labels: ReadonlyMap<string, string>): string | undefined {
  const shown = [...labels].filter(([key]) => !INTERNAL_LABELS.some((prefix) => key.startsWith(prefix)));
  shown.sort(([a], [b]) => (a < b ? -1 : 1));
  return shown.map(([key, value]) => (value === "" ? key : `${key}:${value}`)).join(", ") || undefined;
}
