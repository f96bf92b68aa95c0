// Runs all stages of a sensor: starts each, starts again what ends, stops all in their order.
import { identify, type ResolvedSettings, SENSOR_VERSION } from "@nightjar/stage";
import { planStages, STOP_ORDER } from "./plan.ts";
import { writeRecord } from "./record.ts";
import { stageEnvironment } from "./stage-environment.ts";
import { type StageEvents, StageProcess } from "./stage-process.ts";

export interface SupervisorOptions {
  stateDir: string;
  resolved: ResolvedSettings;
  env: Readonly<Record<string, string | undefined>>;
  /** Exit codes of a stage after which starting it again is no use. */
  hopeless: readonly number[];
  events: Omit<StageEvents, "changed">;
}

export class Supervisor {
  readonly stages: readonly StageProcess[];
  readonly #options: SupervisorOptions;
  readonly #startedAt = new Date().toISOString();

  constructor(options: SupervisorOptions) {
    this.#options = options;
    const { stateDir, resolved, events, hopeless } = options;
    const env = { ...options.env, NIGHTJAR_SUPERVISED: "1" };
    const restartDelayMaxMs = resolved.values.cli.restart_delay_max_ms;
    const withRecord: StageEvents = { ...events, changed: () => this.#writeRecord() };
    this.stages = planStages(resolved.values).map(
      (plan) =>
        new StageProcess({
          plan,
          env: stageEnvironment(plan.name, env, { resolved, stateDir }),
          ...{ restartDelayMaxMs, hopeless, events: withRecord },
        }),
    );
  }

  start(): void {
    for (const stage of this.stages) stage.start();
  }

  /** One after the other, each given the same time. Resolves with the names of those that had to be killed. */
  async stop(): Promise<string[]> {
    const killed: string[] = [];
    for (const name of STOP_ORDER) {
      const stage = this.stages.find(({ plan }) => plan.name === name);
      if (await stage?.stop(this.#options.resolved.values.cli.stop_timeout_ms)) killed.push(name);
    }
    return killed;
  }

  #writeRecord(): void {
    const self = identify(process.pid);
    if (!self) throw new Error("/proc does not show this process");
    const stages = Object.fromEntries(this.stages.map(({ plan, record }) => [plan.name, record]));
    writeRecord(this.#options.stateDir, { ...self, version: SENSOR_VERSION, started_at: this.#startedAt, stages });
  }
}
