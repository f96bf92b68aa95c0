// Runs a stage: everything a process of the pipeline needs, given to its `main`.
import { randomBytes } from "node:crypto";
import { mkdirSync } from "node:fs";
import { create, toBinary } from "@bufbuild/protobuf";
import { timestampNow } from "@bufbuild/protobuf/wkt";
import { findServiceManager } from "@nightjar/notify";
import {
  type CloudInstance,
  type CrashReport,
  type Host,
  type LedgerEntry,
  type OutputStatus,
  type StageStatus,
  StageStatusSchema,
} from "@nightjar/proto";
import type { Redactor } from "@nightjar/redact";
import { Bus } from "./bus.ts";
import { EXIT_BUG, EXIT_BUS_MOVED, EXIT_GIVEN_UP, EXIT_OK, EXIT_REFUSED, EXIT_SETTINGS } from "./codes.ts";
import { Counters } from "./counters.ts";
import { crashReport, keepCrashReport, newestCrash } from "./crash-report.ts";
import { Health } from "./health.ts";
import { FAILURES_MAX, Life } from "./lives.ts";
import { createLogger, type Logger } from "./log.ts";
import type { FactName } from "./metrics.ts";
import { Progress } from "./progress.ts";
import { openRedactor } from "./redact-key.ts";
import { resolveSettings } from "./resolve-settings.ts";
import { clearCaches } from "./safe-mode.ts";
import type { Settings } from "./settings/index.ts";
import { startSparingMemory } from "./spare-memory.ts";
import { statePaths } from "./state-folder.ts";
import { StatusLine } from "./status-line.ts";
import type { StageName } from "./streams.ts";
import { ManagerNotifier } from "./tell-manager.ts";
import { SENSOR_VERSION } from "./version.ts";

const STOP_MS_MAX = 8_000;
const INSTANCE_BYTES = 8;
const US_PER_MS = 1_000;
const MS_PER_S = 1_000;

export interface Stage {
  readonly name: StageName;
  /** Random, new with each start. */
  readonly instance: string;
  readonly settings: Settings;
  readonly stateDir: string;
  /** This stage's own folder in the state folder; it exists. */
  readonly folder: string;
  readonly log: Logger;
  /** What leaves the host passes it; the log does already. */
  readonly redactor: Redactor;
  readonly health: Health;
  /** It has failed again and again, and is to do with as little as it can. */
  readonly isSafeMode: boolean;
  readonly counters: Counters;
  readonly bus: Bus;
  /** By which the watchdog is fed; what the bus gives and takes is counted already. */
  readonly progress: Progress;
  /** Aborted when the stage shall stop. */
  readonly signal: AbortSignal;
  /** One line for a person: what the stage does now. */
  summary: string;
  /** Facts that are no numbers, by name. */
  readonly facts: Map<FactName, string>;
  /** The collector's. */
  ledger: LedgerEntry[];
  /** The rule engine's. */
  activity: Pick<StageStatus, "rules" | "rulesOmitted" | "suppressions">;
  /** The uplink's: the outputs beside the portal. */
  outputs: OutputStatus[];
  /** The collector's: the host it runs on. */
  host: Host | undefined;
  /** The metadata's: the instance of a cloud that the host is. */
  cloud: CloudInstance | undefined;
  /** Processes of other programs that belong to the stage. */
  childPids: number[];
  /** Called just before the stage answers a question for its status: bring summary, counters and facts up to date. */
  beforeStatus: () => void;
  /** From now on the stage does its work. */
  ready(): void;
  /** Called when the stage stops, the last given first. */
  onStop(stop: () => Promise<void> | void): void;
  /** Stops the stage and ends the process with this code. */
  stop(exitCode: number): Promise<void>;
  /** The status as an encoded StageStatus. */
  status(): Uint8Array;
}

/** What `main` throws when the stage cannot start until a person changes something: said without a stack. */
export class RefusedError extends Error {
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/**
 * Runs `main` as the stage `name` of the sensor whose settings the environment gives. `main` sets things up and
 * resolves; the process goes on until SIGTERM, SIGINT, or the end of its supervisor. It exits with EXIT_SETTINGS
 * when a setting is not allowed, with EXIT_REFUSED when `main` throws a RefusedError, with EXIT_BUG when `main`, a
 * handler or anything else throws.
 */
export async function runStage(name: StageName, main: (stage: Stage) => Promise<void>): Promise<void> {
  const { values: settings, problems } = resolveSettings({ env: process.env });
  const stateDir = settings.common.state_dir;
  // Where a setting is wrong nothing is begun, not even the key.
  const redactor = openRedactor(problems.length > 0 ? "" : stateDir, settings);
  const log = createLogger({
    target: name,
    level: settings.common.log_level,
    redactor,
    ...(stateDir && { file: statePaths.log(stateDir, name, settings.common.log_dir) }),
  });
  for (const { code, message } of problems) log.error(message, { code });
  if (!stateDir) log.error("NIGHTJAR_STATE_DIR is not set", { code: "SETTING_INVALID" });
  if (problems.length > 0 || !stateDir) return end(log, EXIT_SETTINGS);
  const stopping = new AbortController();
  const stage = new RunningStage({ name, settings, log, redactor, stopping });
  process.title = `nightjar-${name}`;
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => void stage.stop(EXIT_OK));
  process.on("uncaughtException", (error) => stage.crash(error));
  process.on("unhandledRejection", (error) => stage.crash(error));
  endWithSupervisor(() => void stage.stop(EXIT_OK));
  startSparingMemory(stopping.signal);
  log.info(`${name} starts`, { version: SENSOR_VERSION, pid: process.pid, instance: stage.instance });
  if (stage.hasGivenUp()) return end(log, EXIT_GIVEN_UP);
  try {
    await main(stage);
  } catch (error) {
    if (error instanceof RefusedError) await stage.refuse(error);
    else if (!stopping.signal.aborted) stage.crash(error);
  }
}

/** Under `nightjar run` a stage's standard input is a pipe that closes when the supervisor dies. */
export function endWithSupervisor(stop: () => void): void {
  if (process.env.NIGHTJAR_SUPERVISED !== "1") return;
  process.stdin.on("close", stop);
  process.stdin.on("error", stop);
  process.stdin.resume();
}

class RunningStage implements Stage {
  readonly name: StageName;
  readonly instance = randomBytes(INSTANCE_BYTES).toString("hex");
  readonly settings: Settings;
  readonly stateDir: string;
  readonly folder: string;
  readonly log: Logger;
  readonly redactor: Redactor;
  readonly health: Health;
  readonly isSafeMode: boolean;
  readonly counters = new Counters();
  readonly progress = new Progress();
  readonly bus: Bus;
  readonly signal: AbortSignal;
  readonly facts = new Map<FactName, string>();
  summary = "starting";
  ledger: LedgerEntry[] = [];
  activity: Stage["activity"] = { rules: [], rulesOmitted: 0, suppressions: [] };
  outputs: OutputStatus[] = [];
  host: Host | undefined;
  cloud: CloudInstance | undefined;
  childPids: number[] = [];
  beforeStatus: () => void = () => {};
  readonly #startedAt = timestampNow();
  readonly #life: Life;
  #crash: CrashReport | undefined;
  readonly #stopping: AbortController;
  readonly #notifier: ManagerNotifier | undefined;
  readonly #stops: (() => Promise<void> | void)[] = [];
  #ready = false;
  #exitCode: number | undefined;

  constructor(given: Pick<Stage, "name" | "settings" | "log" | "redactor"> & { stopping: AbortController }) {
    const { name, settings, log, redactor, stopping } = given;
    this.name = name;
    this.settings = settings;
    this.stateDir = settings.common.state_dir;
    this.folder = statePaths.folder(this.stateDir, name);
    mkdirSync(this.folder, { recursive: true, mode: 0o700 });
    this.log = log;
    this.redactor = redactor;
    this.health = new Health(name, log);
    this.#life = new Life(this.folder);
    this.isSafeMode = this.#life.plan === "safe";
    this.#stopping = stopping;
    this.signal = stopping.signal;
    const manager = findServiceManager(process.env, process.pid);
    const { progress, signal } = this;
    const line = new StatusLine(this);
    if (manager)
      this.#notifier = new ManagerNotifier({ manager, progress, log, signal, describe: () => line.describe() });
    this.bus = new Bus(this, {
      crash: (error) => this.crash(error),
      moved: () => {
        log.info("the bus has moved; starting anew");
        void this.stop(EXIT_BUS_MOVED);
      },
      cured: () => this.#life.cured(),
    });
  }

  ready(): void {
    this.#ready = true;
    this.#notifier?.ready();
    this.#life.ready(() => this.health.resolve("STAGE_CRASHED"));
    this.log.info(`${this.name} is ready`);
  }

  onStop(stop: () => Promise<void> | void): void {
    this.#stops.push(stop);
  }

  status(): Uint8Array {
    this.beforeStatus();
    return toBinary(
      StageStatusSchema,
      create(StageStatusSchema, {
        stage: this.name,
        version: SENSOR_VERSION,
        pid: process.pid,
        instance: this.instance,
        startedAt: this.#startedAt,
        ready: this.#ready,
        summary: this.summary,
        counters: this.counters.toRecord(),
        healthIssues: this.health.issues,
        pastHealthIssues: this.health.past,
        resources: resourceUse(),
        ledger: this.ledger,
        childPids: this.childPids,
        ...(this.#crash && { crash: this.#crash }),
        outputs: this.outputs,
        facts: Object.fromEntries(this.facts),
        ...(this.host && { host: this.host }),
        ...(this.cloud && { cloud: this.cloud }),
        ...this.activity,
      }),
    );
  }

  crash(error: unknown): void {
    if (this.#exitCode === EXIT_BUG) return;
    this.#exitCode = EXIT_BUG;
    const stack = error instanceof Error ? error.stack : undefined;
    this.log.error(`${this.name} crashed`, { error: error instanceof Error ? error : String(error), stack });
    this.#life.failed();
    this.#report(error instanceof Error ? error : new Error("what was thrown is no error"));
    void end(this.log, EXIT_BUG);
  }

  /** Tells of the lives before; true where there shall be no more of them. */
  hasGivenUp(): boolean {
    const { plan, failures, followsSilence } = this.#life;
    if (plan === "stop") {
      const again = "it is not started again until somebody does";
      this.log.error(`${this.name} failed ${FAILURES_MAX + 1} times in a row, the last time in safe mode: ${again}`);
      return true;
    }
    if (followsSilence) this.#report(undefined);
    this.#crash = newestCrash(this.folder, Date.now());
    if (this.#crash && (failures > 0 || followsSilence)) {
      const { error, message } = this.#crash;
      this.health.raise(
        "STAGE_CRASHED",
        `the process before ended: ${message === "" ? error : `${error}: ${message}`}`,
      );
    }
    if (plan !== "safe") return false;
    const cleared = clearCaches(this.name, this.folder);
    const what = cleared.length > 0 ? `; cleared: ${cleared.join(", ")}` : "";
    this.health.raise("STAGE_SAFE_MODE", `it failed ${failures} times in a row and starts in safe mode${what}`);
    return false;
  }

  /** `error` is undefined where the process before ended without a word. */
  #report(error: Error | undefined): void {
    const crash = {
      stage: this.name,
      error,
      failuresInRow: this.#life.failures,
      uptimeMs: error ? process.uptime() * MS_PER_S : 0,
      logFile: statePaths.log(this.stateDir, this.name, this.settings.common.log_dir),
    };
    keepCrashReport(this.folder, crashReport(crash, this.redactor, Date.now()));
  }

  async refuse({ code, message }: RefusedError): Promise<void> {
    this.log.error(message, { code });
    await this.stop(EXIT_REFUSED);
  }

  async stop(exitCode: number): Promise<void> {
    if (this.#exitCode !== undefined) return;
    this.#exitCode = exitCode;
    this.#life.ended(exitCode === EXIT_OK);
    this.log.info(`${this.name} stops`);
    setTimeout(() => process.exit(exitCode), STOP_MS_MAX).unref();
    this.#stopping.abort();
    for (const stop of this.#stops.reverse()) {
      try {
        await stop();
      } catch (error) {
        this.log.error("stopping failed", { error: error as Error });
      }
    }
    await this.bus.close();
    await end(this.log, exitCode);
  }
}

function resourceUse() {
  const { user, system } = process.cpuUsage();
  return { cpuMs: BigInt(Math.round((user + system) / US_PER_MS)), memoryBytes: BigInt(process.memoryUsage.rss()) };
}

async function end(log: Logger, exitCode: number): Promise<void> {
  const late = setTimeout(() => process.exit(exitCode), LOG_CLOSE_MS_MAX);
  await log.close();
  clearTimeout(late);
  process.exit(exitCode);
}

const LOG_CLOSE_MS_MAX = 500;
