// Facts and what runs, as the enricher tells it, for tests and measurements of the inventory.
import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { BatchSchema, Ownership, type ProcessSchema, RunningSchema } from "@nightjar/proto";
import type { Settled } from "./catalogue.ts";
import { Inventory, type InventoryOptions, type InventoryWorld } from "./inventory.ts";

const BOOT_TIME_UNIX_NS = 1_700_000_000_000_000_000n;
const STEP = 64;
/** When the host booted, ms since 1970. */
export const BOOT_MS = 1_700_000_000_000;

const text = (value: string) => Buffer.from(value, "latin1");

export interface TestProcess {
  pid: number;
  path: string;
  uid?: number;
  unit?: string;
  args?: readonly string[];
}

/** Of nobody who logged in. */
const FILE = { inode: 7n, modifiedTimeNs: 1_000_000n, loginUid: 0xffff_ffff };

function processOf({ pid, path, uid = 0, unit = "", args = [] }: TestProcess): MessageInitShape<typeof ProcessSchema> {
  const image = { executable: text(path), args: [path, ...args].map(text), ...FILE };
  return { pid, startTimeNs: BigInt(pid) * 1_000_000_000n, uid, unit, name: text("p"), image, executable: 1 };
}

const executables = [
  {
    sha256: new Uint8Array(32).fill(1),
    ownership: Ownership.PACKAGE,
    package: { manager: "dpkg", name: "tools", version: "1-1", architecture: "amd64" },
  },
];

const headOf = (first = 0, next = first) => ({
  bootId: new Uint8Array(16).fill(0xab),
  epoch: 7n,
  bootTimeUnixNs: BOOT_TIME_UNIX_NS,
  firstPosition: BigInt(first),
  nextPosition: BigInt(next),
});

type Data = MessageInitShape<typeof BatchSchema>["events"] extends (infer One)[] | undefined ? One : never;

/** An encoded batch in which processes do something each. */
export function factsOf(
  deeds: readonly { process: TestProcess; data: NonNullable<Data>["data"] }[],
  atS = 100,
): Uint8Array {
  const events = deeds.map(({ process, data }, at) => ({
    pid: process.pid,
    startTimeNs: BigInt(process.pid) * 1_000_000_000n,
    timeNs: BigInt(atS) * 1_000_000_000n + BigInt(at),
    position: BigInt(at * STEP),
    ...(data && { data }),
  }));
  const processes = deeds.map(({ process }) => processOf(process));
  const actors = deeds.map((_, at) => at + 1);
  const mapped = deeds.map(({ data }) => (data?.case === "library" ? 1 : 0));
  const batch = { ...headOf(0, deeds.length * STEP), events, processes, actors, mapped, executables };
  return toBinary(BatchSchema, create(BatchSchema, batch));
}

export const execOf = (process: TestProcess) => ({
  process,
  data: { case: "exec" as const, value: { executable: text(process.path) } },
});

export const libraryOf = (process: TestProcess, path: string) => ({
  process,
  data: { case: "library" as const, value: { path: text(path), inode: 9n, modifiedTimeNs: 5n } },
});

/** What the enricher answers of processes that run, each with these libraries and ports. */
export function runningOf(
  processes: readonly (TestProcess & { libraries?: readonly string[]; ports?: readonly number[] })[],
  more: MessageInitShape<typeof RunningSchema> = {},
): Uint8Array {
  const paths = [...new Set(processes.flatMap(({ libraries = [] }) => libraries))];
  const batch = create(BatchSchema, { ...headOf(), processes: processes.map(processOf), executables });
  const running: MessageInitShape<typeof RunningSchema> = {
    batch: toBinary(BatchSchema, batch),
    files: paths.map((path) => ({ path: text(path), inode: 9n, modifiedTimeNs: 5n, executable: 1 })),
    processes: processes.map(({ libraries = [], ports = [] }, at) => ({
      process: at + 1,
      files: libraries.map((path) => paths.indexOf(path)),
      ports: ports.map((port) => ({ protocol: 6, address: new Uint8Array(4), port })),
    })),
    livingPids: processes.map(({ pid }) => pid),
    livingStartsNs: processes.map(({ pid }) => BigInt(pid) * 1_000_000_000n),
    isComplete: true,
    ...more,
  };
  return toBinary(RunningSchema, create(RunningSchema, running));
}

/** An inventory whose enricher answers what it is given, and whose clock stands until it is moved. */
export class TestHost {
  nowMs = BOOT_MS + 1_000_000;
  elapsedMs = 0;
  answer: Uint8Array[] = [];
  readonly committed: Settled[] = [];
  readonly inventory: Inventory;

  constructor(options: Partial<InventoryOptions> = {}, commit?: InventoryWorld["commit"]) {
    const world: InventoryWorld = {
      ask: () => this.#answer(),
      commit: async (settled, meta) => {
        await commit?.(settled, meta);
        this.committed.push(settled);
      },
      stored: () => undefined,
      unanswered: (error) => {
        if (error !== undefined) throw error;
      },
      now: () => this.nowMs,
      elapsed: () => this.elapsedMs,
    };
    const limits = { itemsMax: 1_000, keptMs: 86_400_000, sweepMs: 300_000, settledMs: 60_000 };
    this.inventory = new Inventory(world, { ...limits, hostNetworkNamespace: 1, ...options }, { epoch: 5n });
  }

  /** Time passes, and what is due happens. */
  async pass(seconds: number): Promise<void> {
    this.nowMs += seconds * 1_000;
    this.elapsedMs += seconds * 1_000;
    await this.inventory.watch.tick();
    await this.inventory.settle();
  }

  async *#answer(): AsyncGenerator<Uint8Array> {
    yield* this.answer;
  }
}
