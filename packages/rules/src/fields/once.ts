// Keeps what was worked out of an event while the event is looked at.
import type { EventView } from "../engine/event-view.ts";

/** Works something out once for an event, however many fields are made of it. */
export function once<T>(work: (view: EventView) => T): (view: EventView) => T {
  let last: EventView | undefined;
  let serial = -1;
  let value: T;
  return (view) => {
    if (view !== last || view.serial !== serial) {
      value = work(view);
      last = view;
      serial = view.serial;
    }
    return value;
  };
}
