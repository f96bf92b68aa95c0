// The labels of an object, as many as may travel with events.
import { mapAt } from "../formats/json.ts";

/** More labels than this are left out, those last in the alphabet first; Kubernetes itself has no limit. */
export const LABELS_MAX = 128;
/** Kubernetes allows a prefix of 253 characters, a slash and a name of 63. */
const KEY_CHARACTERS_MAX = 317;
const VALUE_CHARACTERS_MAX = 63;

/** Keys in their order, so that equal labels give equal bytes. */
export function labelsOf(value: unknown): Record<string, string> {
  const rows = Object.entries(mapAt(value)).filter(
    ([key, label]) => key.length <= KEY_CHARACTERS_MAX && label.length <= VALUE_CHARACTERS_MAX,
  );
  rows.sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(rows.slice(0, LABELS_MAX));
}
