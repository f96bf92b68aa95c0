// The values of an event's fields that correlations group by and count.
import type { BatchReader } from "@nightjar/events";
import { EventView } from "../engine/event-view.ts";
import { formatValue } from "../engine/format.ts";
import { getterOf } from "../engine/interpret.ts";
import type { Term } from "../language/expression.ts";

/** Reads fields of the batch's events, as text; those an event does not have are left out. */
export function valuesOf(
  batch: BatchReader,
): (fields: ReadonlyMap<string, readonly Term[]>, eventIndex: number) => Record<string, string> {
  const view = new EventView();
  view.open(batch);
  return (fields, eventIndex) => {
    const values: Record<string, string> = {};
    if (fields.size === 0) return values;
    view.select(eventIndex);
    for (const [name, terms] of fields) {
      const value = terms.map((term) => getterOf(term)(view)).find((one) => one !== undefined);
      if (value !== undefined) values[name] = formatValue(value);
    }
    return values;
  };
}
