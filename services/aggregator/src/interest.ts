// What the aggregator wants of the kernel: the event types that the inventory is made of, and that show indicators.
import { create, toBinary } from "@bufbuild/protobuf";
import {
  EVERY_CLASS,
  EventSchema,
  type Interest,
  InterestSchema,
  type TypeInterest,
  TypeInterestSchema,
  wholeType,
} from "@nightjar/proto";
import type { Settings, Stage } from "@nightjar/stage";

const SUBJECT = "nightjar.interest.aggregator";
const EVENT = EventSchema.field;

/** Classes of sockets (TypeInterest): IPv4 and IPv6, connected or not. */
const INTERNET_CLASSES = (1 << 2) | (1 << 3) | (1 << 6) | (1 << 7);

type AggregatorSettings = Settings["aggregator"];
type Kind = "file_indicators" | "address_indicators" | "domain_indicators";

/** What the inventory is made of: what is executed, mapped, listened on, connected to, and enters the kernel. */
const INVENTORY_TYPES: readonly TypeInterest[] = [
  wholeType(EVENT.exec.number),
  // Of files mapped, the kernel tells one of a cgroup in the window by itself.
  wholeType(EVENT.library.number),
  // Who connects to the same again and again says nothing new.
  create(TypeInterestSchema, { eventType: EVENT.connect.number, folded: INTERNET_CLASSES }),
  wholeType(EVENT.listen.number),
  wholeType(EVENT.bind.number),
  wholeType(EVENT.moduleLoad.number),
  wholeType(EVENT.moduleUnload.number),
  wholeType(EVENT.bpf.number),
];

/** For each kind of indicators the types that show it; the inventory wants most of them, too. */
const SHOWING: Readonly<Record<Kind, readonly number[]>> = {
  file_indicators: [EVENT.exec.number, EVENT.library.number],
  address_indicators: [EVENT.connect.number],
  domain_indicators: [EVENT.dns.number],
};
const KINDS = Object.keys(SHOWING) as Kind[];

/** The event types that show the kinds of indicators that are collected. */
export function showingTypes(settings: Pick<AggregatorSettings, Kind>): Set<number> {
  return new Set(KINDS.filter((kind) => settings[kind]).flatMap((kind) => SHOWING[kind]));
}

/** What is wanted for the inventory and the kinds of indicators that are collected. */
export function interestOf(settings: Pick<AggregatorSettings, Kind>): Interest {
  const known = new Set(INVENTORY_TYPES.map(({ eventType }) => eventType));
  const more = [...showingTypes(settings)].filter((type) => !known.has(type)).map((type) => wholeType(type));
  const types = [...INVENTORY_TYPES, ...more];
  const narrow = types.filter(({ everything }) => everything !== EVERY_CLASS);
  return create(InterestSchema, {
    stage: "aggregator",
    eventTypes: types.map(({ eventType }) => eventType),
    types: narrow,
    revision: BigInt(Date.now()),
  });
}

/** Resolves when the interest is stored; it stands until the next start. */
export async function publishInterest(stage: Stage): Promise<void> {
  const interest = interestOf(stage.settings.aggregator);
  const messageId = `${stage.instance}:${interest.revision}`;
  await stage.bus.publish("INTEREST", SUBJECT, toBinary(InterestSchema, interest), messageId);
}
