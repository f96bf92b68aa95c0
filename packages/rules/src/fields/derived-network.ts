// Fields of connections that are ours, not Falco's: which way they go, and into what kind of network.
import type { EventView } from "../engine/event-view.ts";
import type { Message } from "../engine/message.ts";
import { RANGE_WORDS, rangeOf } from "./address-range.ts";
import type { Value } from "./definition.ts";
import { addressOf, isServer, localEnd, remoteEnd, WITH_ENDS } from "./descriptor.ts";
import type { ServedField } from "./served.ts";

function field(name: string, from: string, get: (view: EventView) => Value): ServedField {
  return { name, type: "string", events: WITH_ENDS, from, getter: () => get };
}

function rangeOfEnd(end: (view: EventView) => Message): (view: EventView) => Value {
  return (view) => {
    const address = addressOf(end(view));
    return address && rangeOf(address);
  };
}

const WORDS = RANGE_WORDS.map((word) => `\`${word}\``).join(", ");

export const NETWORK_FIELDS: readonly ServedField[] = [
  field(
    "nightjar.network.direction",
    "`inbound` where the descriptor's is_server, else `outbound`; where there is a remote address",
    (view) => (addressOf(remoteEnd(view)) ? (isServer(view) ? "inbound" : "outbound") : undefined),
  ),
  field("nightjar.network.remote_range", `of the descriptor's remote end: ${WORDS}`, rangeOfEnd(remoteEnd)),
  field("nightjar.network.local_range", "the same of its local end", rangeOfEnd(localEnd)),
];
