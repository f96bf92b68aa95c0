// What the holders of interest want, made the probe's filters, and told to a person.
import type { Probe } from "@nightjar/native-probe";
import { EVERY_CLASS, eventTypeName, eventTypes, type Interest, type TypeInterest } from "@nightjar/proto";
import { type Holder, haveStagesSpoken, type Stage, wantedBy } from "@nightjar/stage";

const EVERY_MESSAGE = { tcp: true, datagram: true, unix: true, other: true };
/** Of a message, where a rule asks for its data: as much as Falco gives without further settings. */
const DATA_BYTES = 80;

/** What nobody wants is at most counted in the kernel. All passes until each stage with an interest has spoken. */
export function applyInterest(stage: Stage, probe: Probe, holders: readonly Holder[]): void {
  tellHolders(stage, holders);
  if (!haveStagesSpoken(holders)) return;
  const interests = holders.map(({ interest }) => interest);
  probe.setEnvironmentWanted(interests.some(({ environment }) => environment));
  const hasData = interests.some(({ data }) => data);
  probe.setMessageInterest({ ...EVERY_MESSAGE, dataBytes: hasData ? DATA_BYTES : 0 });
  const wanted = new Map([...wantedBy(holders)].filter(([id]) => eventTypes.some((type) => type.id === id)));
  const { widened } = probe.setInterest(wanted);
  const narrowed = [...wanted.values()].filter((each) => isNarrow(each) && !widened.includes(each.eventType));
  stage.facts.set("wanted", [...wanted.keys()].map(eventTypeName).join(", "));
  stage.facts.set("narrowed", narrowed.map(({ eventType }) => eventTypeName(eventType)).join(", "));
  const names = widened.map(eventTypeName).join(", ");
  if (widened.length === 0) stage.health.resolve("FILTERS_WIDENED");
  else
    stage.health.raise("FILTERS_WIDENED", `everything is taken of ${names}: the kernel has no room for their filters`);
}

function isNarrow({ everything }: TypeInterest): boolean {
  return everything !== EVERY_CLASS;
}

function tellHolders({ facts }: Stage, holders: readonly Holder[]): void {
  for (const name of facts.keys()) if (name.startsWith("interest.")) facts.delete(name);
  for (const { name, isLeased, interest } of holders) {
    facts.set(`interest.${name}`, `${isLeased ? `${interest.stage}: ` : ""}${describe(interest)}`);
  }
}

/** As `open (narrowed), connect (folded), exec`. */
function describe({ eventTypes: ids, types }: Interest): string {
  const entries = new Map(types.map((entry) => [entry.eventType, entry]));
  return ids.map((id) => `${eventTypeName(id)}${howMuch(entries.get(id))}`).join(", ") || "nothing";
}

function howMuch(entry: TypeInterest | undefined): string {
  if (!entry || !isNarrow(entry)) return "";
  return entry.folded === 0 ? " (narrowed)" : " (folded)";
}
