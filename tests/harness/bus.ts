// A bus for a test: the stage with its nats-server on a folder of its own, and connections to it with any stage's key.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { NatsConnection } from "@nats-io/transport-node";
import type { StageStatus } from "@nightjar/proto";
import { askStatuses, busCredentials, connectOnce, type StageName, statePaths } from "@nightjar/stage";
import { startProcess, type TestProcess, temporaryFolder, waitFor } from "@nightjar/test-support";

const BUS = fileURLToPath(new URL("../../services/bus/src/main.ts", import.meta.url));
const START_TIMEOUT_MS = 20_000;

type Test = Parameters<typeof startProcess>[0];
type KeyName = Parameters<typeof busCredentials>[1];

export class TestBus {
  readonly stateDir: string;
  readonly process: TestProcess;
  readonly #test: Test;
  readonly #env: Record<string, string>;
  #operator: Promise<NatsConnection> | undefined;

  constructor(test: Test, env: Record<string, string>) {
    this.#test = test;
    this.stateDir = temporaryFolder(test);
    this.#env = { ...env, NIGHTJAR_STATE_DIR: this.stateDir };
    this.process = startProcess(test, process.execPath, [BUS], { env: this.#env, group: true });
  }

  /** A connection with this name's key; it is closed with the test. */
  async connect(name: KeyName): Promise<NatsConnection> {
    const { address, seed } = await waitFor(() => busCredentials(this.stateDir, name), { what: `${name} has a key` });
    const connection = await connectOnce(address, seed, name);
    this.#test.teardown(() => connection.close());
    return connection;
  }

  /** What a stage says of itself, undefined when it does not answer. */
  async status(name: StageName): Promise<StageStatus | undefined> {
    this.#operator ??= this.connect("operator");
    const statuses = await askStatuses(await this.#operator, 300);
    return statuses.find(({ stage }) => stage === name);
  }

  /** Starts a program as a stage of this bus's sensor; it is stopped with the test. */
  startStage(program: string, env: Record<string, string> = {}): TestProcess {
    return startProcess(this.#test, process.execPath, [program], { env: { ...this.#env, ...env } });
  }

  /** Kills nats-server without a warning; false when it is away at the moment. */
  killServer(): boolean {
    try {
      const pid = Number(readFileSync(join(statePaths.folder(this.stateDir, "bus"), "nats-server.pid"), "utf8"));
      return pid > 0 && process.kill(pid, "SIGKILL");
    } catch {
      return false;
    }
  }
}

/** Starts a bus and waits until it is ready. */
export async function startBus(test: Test, env: Record<string, string> = {}): Promise<TestBus> {
  const bus = new TestBus(test, env);
  await bus.process.line(/"message":"bus is ready"/, { timeoutMs: START_TIMEOUT_MS });
  return bus;
}
