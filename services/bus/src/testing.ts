// What the bus's tests share: a bus as a process on a folder of its own, and connections to it with any key.
import { join } from "node:path";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { type JetStreamManager, jetstreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import { AttachRequestSchema, AttachResponseSchema, type StageStatus } from "@nightjar/proto";
import { ASK_ATTACH_SUBJECT, askStatuses, connectOnce, readSmallFile } from "@nightjar/stage";
import { startProcess, type TestProcess, temporaryFolder, waitFor } from "@nightjar/test-support";
import type { ExecutionContext } from "ava";
import { busFiles } from "./files.ts";
import type { KeyName } from "./grants.ts";
import { endLeftovers } from "./leftover.ts";

const MAIN = join(import.meta.dirname, "main.ts");
const READY_MS_MAX = 20_000;

export class TestBus {
  readonly stateDir: string;
  process: TestProcess;
  readonly #t: ExecutionContext;
  readonly #env: Record<string, string>;

  constructor(t: ExecutionContext, env: Record<string, string> = {}, stateDir = temporaryFolder(t)) {
    this.#t = t;
    this.#env = env;
    this.stateDir = stateDir;
    // A bus that was killed leaves its server behind.
    t.teardown(async () => void (await endLeftovers(this.files.configuration)));
    this.process = this.#start();
  }

  get files() {
    return busFiles(this.stateDir);
  }

  #start(): TestProcess {
    const env = { ...this.#env, NIGHTJAR_STATE_DIR: this.stateDir };
    return startProcess(this.#t, process.execPath, [MAIN], { env });
  }

  /** Starts another process on the same folder. */
  restart(): void {
    this.process = this.#start();
  }

  async ready(): Promise<void> {
    await this.process.line(/"message":"bus is ready"/, { timeoutMs: READY_MS_MAX });
  }

  connect(name: KeyName): Promise<NatsConnection> {
    return waitFor(
      async () => {
        const address = readSmallFile(this.files.address);
        const seed = readSmallFile(this.files.key(name));
        if (!address || !seed) return undefined;
        const connection = await connectOnce(address, Buffer.from(seed), name);
        this.#t.teardown(() => connection.close());
        return connection;
      },
      { what: `${name} connects` },
    );
  }

  /** The bus's own powers, for making trouble. */
  async manager(): Promise<JetStreamManager> {
    return jetstreamManager(await this.connect("manager"));
  }

  async status(operator: NatsConnection): Promise<StageStatus> {
    return waitFor(async () => (await askStatuses(operator, 300)).find(({ stage }) => stage === "bus"), {
      what: "the bus answers",
    });
  }

  /** Waits until the bus's status is as wanted. */
  async until(operator: NatsConnection, what: string, wanted: (status: StageStatus) => boolean): Promise<StageStatus> {
    let last: StageStatus | undefined;
    return waitFor(
      async () => {
        last = await this.status(operator);
        return wanted(last) ? last : undefined;
      },
      {
        what,
        timeoutMs: READY_MS_MAX,
        explain: () => `${JSON.stringify(last?.counters, (_, v) => String(v))}\n${this.process.stderr}`,
      },
    );
  }
}

/** Starts a bus and waits until it is ready. */
export async function startBus(t: ExecutionContext, env?: Record<string, string>): Promise<TestBus> {
  const bus = new TestBus(t, env);
  await bus.ready();
  return bus;
}

/** Asks the bus as a stage does that comes back; returns the error, empty when all went well. */
export async function attach(connection: NatsConnection, stage: string, timeout = 3_000): Promise<string> {
  const request = toBinary(AttachRequestSchema, create(AttachRequestSchema, { stage, instance: "test" }));
  const answer = await connection.request(ASK_ATTACH_SUBJECT, request, { timeout });
  return fromBinary(AttachResponseSchema, answer.data).error;
}

/** Whether the status has a health issue with this code. */
export function hasIssue(status: StageStatus, code: string): boolean {
  return status.healthIssues.some((issue) => issue.code === code);
}
