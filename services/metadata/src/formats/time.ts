// Times as runtimes write them: RFC 3339 with up to nine digits behind the second.

const RFC3339 = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$/i;

/** The most that a message's field holds, in the year 2554. */
const NS_MAX = 2n ** 64n - 1n;

/** Unix time in ns; 0 where there is none, or one before 1970, as Go's year 1 stands for "never". */
export function timeNs(text: string): bigint {
  const [, whole, fraction = "", zone] = RFC3339.exec(text) ?? [];
  const ms = whole ? Date.parse(`${whole}${zone}`) : Number.NaN;
  const ns = ms > 0 ? BigInt(ms) * 1_000_000n + BigInt(fraction.padEnd(9, "0")) : 0n;
  return ns > NS_MAX ? 0n : ns;
}

/** The same of a protobuf Timestamp. */
export function timestampNs(time: { seconds: bigint; nanos: number } | undefined): bigint {
  return time && time.seconds > 0n ? time.seconds * 1_000_000_000n + BigInt(time.nanos) : 0n;
}
