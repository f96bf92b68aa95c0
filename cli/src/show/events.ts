// A batch as JSON, one object an event, joined with the batch's table of processes.
import { sourceIdOf } from "@nightjar/events";
import {
  type Batch,
  type Event,
  EventSchema,
  eventTypeName,
  eventTypes,
  type Process,
  ProcessSchema,
} from "@nightjar/proto";
import { CommandError } from "../command.ts";
import { type Plain, toPlain } from "./plain.ts";
import { processName } from "./process.ts";
import { utf8 } from "./text.ts";

const NS_PER_MS = 1_000_000n;
/** A parent index that leads in a circle would never end. */
const ANCESTORS_MAX = 64;

export interface EventFilter {
  /** Event types by name; empty lets all pass. */
  types: readonly string[];
  /** The acting process's pid, name, or last component of its executable; empty lets all pass. */
  processes: readonly string[];
}

export const everything: EventFilter = { types: [], processes: [] };

/** The name of an event type by the member of `data` it is. */
const nameByMember = new Map<string | undefined, string>(eventTypes.map(({ member, name }) => [member, name]));

/** The events of a batch that pass the filter. */
export function batchJson(batch: Batch, filter: EventFilter = everything): { [name: string]: Plain }[] {
  return batch.events.flatMap((event, index) => {
    const type = nameByMember.get(event.data.case) ?? "unknown";
    if (filter.types.length > 0 && !filter.types.includes(type)) return [];
    const chain = chainOf(batch, index);
    if (filter.processes.length > 0 && !namesOf(event, chain[0]).some((name) => filter.processes.includes(name)))
      return [];
    return [eventJson(batch, event, type, chain)];
  });
}

/** The names of all event types, for the help and for checking what was asked. */
export const eventTypeNames: readonly string[] = eventTypes.map(({ id }) => eventTypeName(id));

/**
 * The ids of the event types with these names.
 * @throws CommandError USAGE where there is no such type.
 */
export function idsOfTypes(names: readonly string[]): number[] {
  const unknown = names.find((name) => !eventTypeNames.includes(name));
  if (unknown !== undefined) {
    throw new CommandError("USAGE", `there is no event type ${unknown}; there are ${eventTypeNames.join(", ")}`);
  }
  return eventTypes.filter(({ name }) => names.includes(name)).map(({ id }) => id);
}

function eventJson(batch: Batch, event: Event, type: string, chain: readonly Process[]): { [name: string]: Plain } {
  const fields = toPlain(EventSchema, event);
  const unixMs = Number((event.timeNs + batch.bootTimeUnixNs) / NS_PER_MS);
  const [actor, ...ancestors] = chain;
  return {
    type,
    id: `${sourceIdOf(batch.bootId, batch.epoch)}:${event.position}`,
    time: new Date(unixMs).toISOString(),
    ...fields,
    ...(actor && { process: processJson(actor) }),
    ...(ancestors.length > 0 && { ancestors: ancestors.map((one) => ({ pid: one.pid, name: processName(one) })) }),
  };
}

function processJson(process: Process): Plain {
  const { parent: _index, ...fields } = toPlain(ProcessSchema, process);
  return fields;
}

/** The acting process and its ancestors; empty where the enricher has not been, as on RAW. */
function chainOf(batch: Batch, index: number): Process[] {
  const chain: Process[] = [];
  let row = batch.actors[index] ?? 0;
  while (row > 0 && chain.length <= ANCESTORS_MAX) {
    const process = batch.processes[row - 1];
    if (!process) break;
    chain.push(process);
    row = process.parent;
  }
  return chain;
}

function namesOf(event: Event, actor: Process | undefined): string[] {
  const names = [String(event.pid), utf8(event.name)];
  if (actor) names.push(utf8(actor.name), processName(actor));
  return names;
}
