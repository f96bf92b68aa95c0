// Watches the running kernel with the real probe, for a test that does a deed and then reads its record.
import { readFileSync } from "node:fs";
import { fromBinary } from "@bufbuild/protobuf";
import {
  type Ledger,
  type OwnProcess,
  openProbe,
  type Probe,
  ProbeError,
  type ProbeOptions,
} from "@nightjar/native-probe";
import { type Batch, BatchSchema, type Event, eventTypes } from "@nightjar/proto";
import { type Teardown, waitFor } from "@nightjar/test-support";
import test, { type ExecutionContext } from "ava";

type Data = Exclude<Event["data"], { case: undefined }>;
export type TypeName = Data["case"];
type DataOf<Name extends TypeName> = Extract<Data, { case: Name }>["value"];

/** An event of a known type, its data unwrapped. */
export type Seen<Name extends TypeName> = Omit<Event, "data"> & { data: DataOf<Name> };

/** Errors that say that this machine lets nobody load eBPF, as opposed to a mistake of ours. */
const REFUSALS = new Set(["EPERM", "ENOSYS", "ESRCH", "EOPNOTSUPP"]);

async function whyNot(): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return "it needs root";
  try {
    await openProbe({ onBatch: () => undefined, types: [] }).stop();
    return undefined;
  } catch (error) {
    if (error instanceof ProbeError && REFUSALS.has(error.code)) return `${error.message} (${error.hints.join("; ")})`;
    throw error;
  }
}

/** Wanted together with exec and fork, what threads were before a change is known. */
export const THREAD_TYPES = ["setId", "capset", "prctl", "setNamespace"] as const;

/** A process that runs, as the probe knows the sensor's own. */
export function identityOf(pid: number): OwnProcess {
  // Behind the name in parentheses; field 22 is the start.
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)?.split(" ");
  return { pid, startTicks: BigInt(fields?.[19] ?? 0) };
}

const reason = await whyNot();
const { serial, skip } = test;

/** Under other kernels all test files run as one, in which no two tests may share a title. */
let titlePrefix = "";

/** The tests that follow are of this file. */
export function beginFile(name: string): void {
  titlePrefix = `${name}: `;
}

/** A test that needs the kernel's eBPF; where there is none it is reported as skipped, with the reason. */
export function kernelTest(title: string, body: (t: ExecutionContext) => Promise<void>): void {
  if (reason === undefined) serial(`${titlePrefix}${title}`, body);
  else skip(`${titlePrefix}${title}: ${reason}`, body);
}

/** Says what of a test the running kernel cannot give, and why; tests/kernels puts it into docs/kernels.md. */
export function notHere(t: ExecutionContext, why: string): void {
  t.log(`not here: ${why}`);
  t.pass();
}

export interface WatchOptions extends Omit<Partial<ProbeOptions>, "types"> {
  /** Releases each batch as it comes, as a collector would after its PubAck; true by default. */
  release?: boolean;
  /**
   * The event types wanted, and the only ones that can be; all by default. What else the machine does then cannot crowd
   * them out, and the kernel need not check the other programs.
   */
  types?: readonly TypeName[];
  /** Given each batch as it comes, to keep. */
  onEncoded?: (bytes: Uint8Array) => void;
}

export function idsOf(names: readonly string[]): number[] {
  return eventTypes.filter(({ member }) => names.includes(member)).map(({ id }) => id);
}

/** Where system calls are seen: a run under another kernel says so. */
export const callsSeenAt = process.env.NIGHTJAR_COLLECTOR_CALLS_SEEN_AT === "functions" ? "functions" : "tracepoint";

export class Watch {
  readonly probe: Probe;
  readonly batches: Batch[] = [];
  readonly events: Event[] = [];

  constructor({ types, release = true, onEncoded, ...options }: WatchOptions) {
    this.probe = openProbe({
      callsSeenAt,
      ...(types && { wanted: idsOf(types), types: idsOf(types) }),
      onBatch: (bytes, _first, next) => {
        // The probe writes the next batch over these bytes, of which decoded fields would be views.
        const kept = bytes.slice();
        onEncoded?.(kept);
        const batch = fromBinary(BatchSchema, kept);
        this.batches.push(batch);
        this.events.push(...batch.events);
        if (release) this.probe.release(next);
      },
      ...options,
    });
  }

  /** Narrows or widens the event types that are wanted. */
  want(names: readonly TypeName[]): void {
    this.probe.setWanted(idsOf(names));
  }

  /** Those of a type that have come so far. */
  of<Name extends TypeName>(name: Name, matches: (event: Seen<Name>) => boolean = () => true): Seen<Name>[] {
    return this.events
      .filter((event) => event.data.case === name)
      .map((event) => ({ ...event, data: event.data.value }) as Seen<Name>)
      .filter(matches);
  }

  /** Waits for the first event that matches. */
  event<Name extends TypeName>(name: Name, matches: (event: Seen<Name>) => boolean): Promise<Seen<Name>> {
    return waitFor(() => this.of(name, matches)[0], { what: `${name} is seen`, explain: () => this.explain() });
  }

  /** Waits until a process's exit has come: all it did before is there then. */
  async ended(pid: number): Promise<void> {
    await this.event("exit", (event) => event.pid === pid);
  }

  ledger(name: TypeName): Ledger {
    const id = eventTypes.find((type) => type.member === name)?.id;
    const row = this.probe.ledger().find(({ type }) => type === id);
    if (!row) throw new Error(`the ledger has no ${name}`);
    return row;
  }

  explain(): string {
    return JSON.stringify(this.probe.ledger(), (_, value) =>
      value instanceof Map ? [...value] : typeof value === "bigint" ? Number(value) : value,
    );
  }
}

/** Opens the probe for one test. */
export function watchKernel(t: Teardown, options: WatchOptions = {}): Watch {
  const watch = new Watch(options);
  t.teardown(async () => {
    await watch.probe.stop({ timeoutMs: 100 });
  });
  return watch;
}

export const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

/** True when seen = filtered + governed + folded + submitted + the sum of drops. */
export function balances({ seen, filtered, governed, folded, submitted, drops }: Ledger): boolean {
  return (
    seen === filtered + governed + folded + submitted + [...drops.values()].reduce((sum, count) => sum + count, 0n)
  );
}
