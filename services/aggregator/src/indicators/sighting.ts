// The evidence that a process showed an indicator: the event, the process and its ancestors, in one encoded message.
import { create, toBinary } from "@bufbuild/protobuf";
import { type BatchReader, eventOf, evidenceOf, formatAddress } from "@nightjar/events";
import { type CorrelatedEvent, CorrelatedEventSchema, type Event } from "@nightjar/proto";

const NS_PER_S = 1_000_000_000n;
/** Larger ones go without the event, then without the farther ancestors. */
export const SIGHTING_BYTES_MAX = 32 * 1024;

/** An encoded CorrelatedEvent of an event; throws a WireError where a part of it is no message. */
export function sightingOf(batch: BatchReader, index: number): Uint8Array {
  const event = eventOf(batch, index);
  const unixNs = event.timeNs + batch.bootTimeUnixNs;
  const evidence = evidenceOf(batch, index);
  const [actor] = evidence.processes;
  const name = Buffer.from(actor?.name ?? event.name).toString();
  return encode(
    create(CorrelatedEventSchema, {
      eventId: batch.eventId(index),
      output: `${name} (${event.pid}) ${deedOf(event)}`,
      time: { seconds: unixNs / NS_PER_S, nanos: Number(unixNs % NS_PER_S) },
      event,
      ...evidence,
    }),
  );
}

function encode(sighting: CorrelatedEvent): Uint8Array {
  const bytes = toBinary(CorrelatedEventSchema, sighting);
  if (bytes.length <= SIGHTING_BYTES_MAX) return bytes;
  const { event, processes, ...rest } = sighting;
  if (event) return encode({ ...rest, processes });
  // What a single process has is bounded by the probe.
  if (processes.length > 1) return encode({ ...rest, processes: processes.slice(0, Math.ceil(processes.length / 2)) });
  return toBinary(CorrelatedEventSchema, { ...rest, processes: [] });
}

const text = (bytes: Uint8Array | undefined) => Buffer.from(bytes ?? []).toString();

/** What it did, in words. */
function deedOf({ data, result }: Event): string {
  if (data.case === "exec") return `executed ${text(data.value.executable)}`;
  if (data.case === "library") return `mapped ${text(data.value.path)}`;
  if (data.case === "dns") {
    const name = text(data.value.questionName);
    return data.value.isResponse ? `was answered about ${name}` : `asked for ${name}`;
  }
  if (data.case !== "connect") return `did ${data.case ?? "nothing"}`;
  const { address = new Uint8Array(0), port = 0 } = data.value.remote ?? {};
  const peer = `${formatAddress(address)} port ${port}`;
  return result < 0n ? `tried to connect to ${peer}` : `connected to ${peer}`;
}
