// What a DNS answer says of addresses: the name that was asked for, and the aliases that led to each (RFC 1034, 3.6.2).
import { fromBinary } from "@bufbuild/protobuf";
import { type DnsAnswer, DnsSchema } from "@nightjar/proto";

const TYPE_CNAME = 5;
/** A longer line of aliases is not followed: resolvers give up before. */
const ALIASES_MAX = 16;

/** An address, and as what it was resolved. */
export interface Resolution {
  /** 4 or 16 bytes. */
  address: Uint8Array;
  /** The name asked for, then its aliases in order. */
  names: readonly string[];
  /** The least of those on the way. */
  timeToLiveS: number;
}

/**
 * What the encoded Dns in bytes[start, end) resolves. Nothing of a question, of a failure, and of records that do not
 * belong to the name that was asked for: whoever answers may add what it likes.
 * @throws Error where it is no message.
 */
export function resolutionsOf(bytes: Uint8Array, start: number, end: number): Resolution[] {
  const dns = fromBinary(DnsSchema, bytes.subarray(start, end));
  if (!dns.isResponse || dns.responseCode !== 0 || dns.questionName.length === 0) return [];
  const line = aliasesOf(textOf(dns.questionName), dns.answers);
  return dns.answers.flatMap(({ name, address, timeToLiveS }) => {
    const at = address.length > 0 ? line.findIndex((alias) => alias.name === textOf(name)) : -1;
    if (at < 0) return [];
    const way = line.slice(0, at + 1);
    return {
      address,
      names: way.map((alias) => alias.name),
      timeToLiveS: Math.min(timeToLiveS, ...way.map((alias) => alias.timeToLiveS)),
    };
  });
}

interface Alias {
  name: string;
  /** Of the record that led here; without end for the name asked for. */
  timeToLiveS: number;
}

/** The name asked for and its aliases, in the order in which each leads to the next. */
function aliasesOf(question: string, answers: readonly DnsAnswer[]): Alias[] {
  const next = new Map<string, Alias>();
  for (const { type, name, target, timeToLiveS } of answers)
    if (type === TYPE_CNAME) next.set(textOf(name), { name: textOf(target), timeToLiveS });
  const line: Alias[] = [{ name: question, timeToLiveS: Number.POSITIVE_INFINITY }];
  for (let alias = next.get(question); alias && line.length <= ALIASES_MAX; alias = next.get(alias.name)) {
    if (line.some(({ name }) => name === alias?.name)) break;
    line.push(alias);
  }
  return line;
}

/** Names are ASCII: the probe writes what is not as \DDD. */
function textOf(name: Uint8Array): string {
  return Buffer.from(name.buffer, name.byteOffset, name.length).toString("latin1");
}
