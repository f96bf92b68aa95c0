// The domain names of addresses, as DNS answers seen on this host gave them: which process asked, and for how long.
import { create, toBinary } from "@bufbuild/protobuf";
import { tagOf, varintSize, WIRE_BYTES, writeVarint } from "@nightjar/events";
import { AddressNameSchema, BatchSchema, EventSchema } from "@nightjar/proto";
import { type EventHeader, isSameMoment, type Moment, toNanoseconds } from "../scan.ts";
import { type Resolution, resolutionsOf } from "./dns-answer.ts";
import { addressesOf, hasEnds } from "./socket-ends.ts";

export const TYPE_DNS = EventSchema.field.dns.number;

/**
 * Programs go on using an address when its time to live is over (they connect again without asking), and a time of a
 * week is a mistake: an answer holds at least and at most so long after it came, or was last used by who asked.
 */
export const NAME_KEPT_S_MIN = 600;
export const NAME_KEPT_S_MAX = 86_400;
/** Answers about one address that are kept; the oldest goes. */
export const ANSWERS_PER_ADDRESS_MAX = 16;
/** Answers in all, at about 300 B: beyond, the addresses go that were resolved longest ago. */
export const ANSWERS_MAX = 32_768;
/** Names that a row gives. */
export const NAMES_PER_ROW_MAX = 16;

const ROW_TAG = tagOf(BatchSchema.field.addressNames.number, WIRE_BYTES);
const NS_PER_S = 1e9;
const NOTHING = new Uint8Array(0);

/** What one process was told of an address. */
interface Answer {
  names: readonly string[];
  pid: number;
  start: Moment;
  /** ns of the events' clock. */
  until: number;
}

/** Who acts: only of who asked it is known that it meant this name. */
export interface Asker {
  pid: number;
  start: Moment;
}

/** What is known of an address. */
export interface Names {
  names: readonly string[];
  /** It was the process itself that asked; otherwise others on this host. */
  isOwn: boolean;
}

/** What names one source of events gave its addresses; a batch's rows of them. */
export class AddressNames {
  readonly counts = {
    /** Answers that went before their time because there were too many. */
    evicted: 0,
    /** Answers that could not be read. */
    malformed: 0,
  };
  /** Answers that are kept. */
  size = 0;
  /** The latest answer of an address last; the address resolved longest ago first. */
  readonly #answers = new Map<string, Answer[]>();
  /** The rows of the batch, by address and process, and after how many answers each was made. */
  readonly #rows = new Map<string, { field: Uint8Array; learned: number }>();
  #learned = 0;

  /** Empties the batch's rows. */
  begin(): void {
    this.#rows.clear();
  }

  /** Learns from an event of the type dns; `bytes` is what `event` was scanned from. */
  learn(event: EventHeader, bytes: Uint8Array): void {
    let found: readonly Resolution[];
    try {
      found = resolutionsOf(bytes, event.dataStart, event.dataEnd);
    } catch {
      this.counts.malformed++;
      return;
    }
    const now = toNanoseconds(event.time);
    for (const resolution of found) this.#keep(resolution, event, now);
    this.#learned += found.length;
    this.#evict();
  }

  #keep({ address, names, timeToLiveS }: Resolution, asker: Asker, now: number): void {
    const key = keyOf(address);
    const before = (this.#answers.get(key) ?? []).filter((answer) => answer.until > now);
    const others = before.filter((answer) => !isOf(answer, asker) || answer.names[0] !== names[0]);
    const dropped = others.splice(0, Math.max(others.length + 1 - ANSWERS_PER_ADDRESS_MAX, 0));
    this.counts.evicted += dropped.length;
    const { low, high } = asker.start;
    const keptS = Math.min(Math.max(timeToLiveS, NAME_KEPT_S_MIN), NAME_KEPT_S_MAX);
    others.push({ names, pid: asker.pid, start: { low, high }, until: now + keptS * NS_PER_S });
    this.size += others.length - (this.#answers.get(key)?.length ?? 0);
    this.#answers.delete(key);
    this.#answers.set(key, others);
  }

  #evict(): void {
    for (const [key, answers] of this.#answers) {
      if (this.size <= ANSWERS_MAX) return;
      this.#answers.delete(key);
      this.size -= answers.length;
      this.counts.evicted += answers.length;
    }
  }

  /** The names of an address for a process at a time (ns of the events' clock): those it asked for, or else others'. */
  lookup(address: Uint8Array, asker: Asker, now: number): Names | undefined {
    const answers = this.#answers.get(keyOf(address));
    const valid = answers?.filter(({ until }) => until > now);
    if (!valid || valid.length === 0) return undefined;
    const own = valid.filter((answer) => isOf(answer, asker));
    for (const answer of own) answer.until = Math.max(answer.until, now + NAME_KEPT_S_MIN * NS_PER_S);
    const names = new Set((own.length > 0 ? own : valid).reverse().flatMap((answer) => answer.names));
    return { names: [...names].slice(0, NAMES_PER_ROW_MAX), isOwn: own.length > 0 };
  }

  /** Adds the names of an event's addresses to the batch's rows. */
  add(event: EventHeader, bytes: Uint8Array): void {
    if (this.#answers.size === 0 || !hasEnds(event.type)) return;
    for (const address of addressesOf(event.type, bytes, event.dataStart, event.dataEnd)) {
      const key = `${keyOf(address)} ${event.pid} ${event.start.high} ${event.start.low}`;
      if (this.#rows.get(key)?.learned === this.#learned) continue;
      const found = this.lookup(address, event, toNanoseconds(event.time));
      this.#rows.set(key, { field: found ? rowOf(address, found, event) : NOTHING, learned: this.#learned });
    }
  }

  /** The batch's rows as fields of it; empty where there are none. */
  encode(): Uint8Array {
    // What others asked for is the same row for all who did not: it is written once.
    const rows = new Map([...this.#rows.values()].map(({ field }) => [Buffer.from(field).toString("latin1"), field]));
    return rows.size === 0 ? NOTHING : Buffer.concat([...rows.values()]);
  }
}

/** One form for equal addresses: an IPv4 address may be written as an IPv6 one (RFC 4291, 2.5.5.2). */
function keyOf(address: Uint8Array): string {
  const { buffer, byteOffset, length } = address;
  const text = Buffer.from(buffer, byteOffset, length).toString("latin1");
  return text.startsWith(MAPPED) ? text.slice(MAPPED.length) : text;
}

const MAPPED = "\0\0\0\0\0\0\0\0\0\0\xff\xff";

function isOf(answer: Answer, { pid, start }: Asker): boolean {
  return answer.pid === pid && isSameMoment(answer.start, start);
}

function rowOf(address: Uint8Array, { names, isOwn }: Names, { pid, start }: Asker): Uint8Array {
  const startTimeNs = (BigInt(start.high) << 32n) | BigInt(start.low);
  const whose = isOwn ? { pid, startTimeNs } : {};
  const row = toBinary(AddressNameSchema, create(AddressNameSchema, { address, names: [...names], ...whose }));
  const field = new Uint8Array(varintSize(ROW_TAG) + varintSize(row.length) + row.length);
  field.set(row, writeVarint(field, writeVarint(field, 0, ROW_TAG), row.length));
  return field;
}
