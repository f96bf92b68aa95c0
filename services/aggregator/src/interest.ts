// What the aggregator wants of the kernel: the event types that show the kinds of indicators it is to collect.
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

/** For each kind the types that show it, and how much of them. */
const TYPES: Readonly<Record<Kind, readonly TypeInterest[]>> = {
  // Of files mapped, the kernel tells one of a cgroup in the window by itself.
  file_indicators: [wholeType(EVENT.exec.number), wholeType(EVENT.library.number)],
  // Who connects to the same again and again says nothing new.
  address_indicators: [create(TypeInterestSchema, { eventType: EVENT.connect.number, folded: INTERNET_CLASSES })],
  domain_indicators: [wholeType(EVENT.dns.number)],
};
const KINDS = Object.keys(TYPES) as Kind[];

/** What is wanted for the kinds of indicators that are collected. */
export function interestOf(settings: Pick<AggregatorSettings, Kind>): Interest {
  const types = KINDS.filter((kind) => settings[kind]).flatMap((kind) => TYPES[kind]);
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
