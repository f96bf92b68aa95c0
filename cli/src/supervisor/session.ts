// One run of the sensor at a terminal: tells what runs where, prints detections, says what ends, stops it all.
import type { NatsConnection } from "@nats-io/transport-node";
import type { StageStatus } from "@nightjar/proto";
import {
  askStatuses,
  EXIT_PROBE,
  EXIT_REFUSED,
  EXIT_SETTINGS,
  type FolderName,
  pause,
  SENSOR_VERSION,
  statePaths,
} from "@nightjar/stage";
import type { Context } from "../command.ts";
import { connectAs } from "../connect/bus.ts";
import { followDetections } from "../connect/follow.ts";
import { portalAddress } from "../connect/portal.ts";
import { lastCursor, untilReplayed } from "../connect/replay.ts";
import type { ExitName } from "../exit-codes.ts";
import { detectionJson, showDetection } from "../show/detection.ts";
import { crashReason, logLine } from "../show/log-line.ts";
import { table } from "../show/table.ts";
import { WHAT_TO_CHECK } from "./rights.ts";
import { Supervisor } from "./supervisor.ts";

const ASK_INTERVAL_MS = 200;
const READY_SLOW_MS = 30_000;
/** A stage that ends so often before all are ready will not come up by itself. */
const EARLY_ENDS_MAX = 5;
const PROBE_FAILED = /failed loading ebpf skeleton/;

export class Session {
  readonly #context: Context;
  readonly #supervisor: Supervisor;
  readonly #endsAfterReplay: boolean;
  readonly #stopping = new AbortController();
  readonly #said = new Map<string, string>();
  readonly #earlyEnds = new Map<string, number>();
  #exit: ExitName = "OK";
  #ready = false;
  /** The cursor of the detection printed last. */
  #printed = 0n;

  constructor(context: Context, options: { endsAfterReplay: boolean }) {
    const { output } = context;
    this.#context = context;
    this.#endsAfterReplay = options.endsAfterReplay;
    this.#supervisor = new Supervisor({
      stateDir: context.stateDir,
      resolved: context.resolved,
      env: context.streams.env,
      hopeless: [EXIT_SETTINGS, EXIT_PROBE, EXIT_REFUSED],
      events: {
        line: (name, text) => this.#line(name, text),
        ended: (name, how, lines, delayMs) => this.#ended(name, how, lines, delayMs),
        gaveUp: (name) => output.note(`nightjar: ${name} fails again and again and is stopped; the others go on`),
      },
    });
  }

  /** Asks the session to end; the first reason counts. */
  end(exit: ExitName): void {
    if (this.#stopping.signal.aborted) return;
    this.#exit = exit;
    this.#stopping.abort();
  }

  /** Resolves when everything has been stopped. */
  async run(): Promise<ExitName> {
    const { output, stateDir } = this.#context;
    const startedAt = new Date();
    output.note(`nightjar ${SENSOR_VERSION} starts; its state is in ${stateDir}`);
    this.#supervisor.start();
    const statuses = await this.#waitUntilReady();
    if (statuses) {
      this.#tellReady(statuses);
      const printing = this.#print(startedAt);
      await (this.#endsAfterReplay ? this.#untilReplayed() : aborted(this.#stopping.signal));
      this.end("OK");
      await printing;
    }
    if (this.#ready) output.note("nightjar: stopping");
    const killed = await this.#supervisor.stop();
    if (killed.length > 0) output.note(`nightjar: had to be killed: ${killed.join(", ")}`);
    return this.#exit;
  }

  /** Undefined when the session ends first. */
  async #waitUntilReady(): Promise<StageStatus[] | undefined> {
    const { stateDir, settings, output } = this.#context;
    const logs = statePaths.logs(stateDir, settings.common.log_dir);
    const names = this.#supervisor.stages.map(({ plan }) => plan.name);
    let connection: NatsConnection | undefined;
    let slowAt = performance.now() + READY_SLOW_MS;
    try {
      while (!this.#stopping.signal.aborted) {
        connection ??= await connectAs(stateDir, "operator").catch(() => undefined);
        const statuses = connection ? await askStatuses(connection, ASK_INTERVAL_MS).catch(() => []) : [];
        const ready = statuses.filter((one) => one.ready).map((one) => one.stage);
        if (portalAddress(stateDir)) ready.push("portal");
        const missing = names.filter((name) => !ready.includes(name));
        if (missing.length === 0) return statuses;
        if (performance.now() > slowAt) {
          output.note(`nightjar: still waiting for ${missing.join(", ")}; their logs are in ${logs}`);
          slowAt = Number.POSITIVE_INFINITY;
        }
        await pause(ASK_INTERVAL_MS, this.#stopping.signal);
      }
      return undefined;
    } finally {
      await connection?.close();
    }
  }

  #tellReady(statuses: readonly StageStatus[]): void {
    this.#ready = true;
    const { output, settings, stateDir } = this.#context;
    const portal = settings.uplink.portal_url || portalAddress(stateDir) || "";
    const rows = this.#supervisor.stages.map(({ plan, record }) => {
      const summary = statuses.find(({ stage }) => stage === plan.name)?.summary;
      return {
        stage: plan.name,
        pid: record.pid ?? 0,
        summary: plan.name === "portal" ? portal : summary || plan.work,
      };
    });
    for (const line of table(
      rows.map((row) => ["", row.stage, String(row.pid), row.summary]),
      [2],
    ))
      output.line(line);
    const token = `open it in a browser; its token is in ${statePaths.portalToken(stateDir)}`;
    output.line(settings.uplink.portal_url === "" ? `Portal: ${portal} (${token})` : `Portal: ${portal}`);
    output.line("Detections are printed as they happen; Ctrl-C stops everything.");
    output.json({ type: "ready", version: SENSOR_VERSION, state_dir: stateDir, portal, stages: rows });
  }

  async #print(since: Date): Promise<void> {
    const { output, settings, stateDir } = this.#context;
    if (settings.uplink.portal_url !== "") return;
    // A recording tells of another day.
    const from = settings.collector.replay_file === "" ? { since } : {};
    for await (const one of followDetections({ stateDir, signal: this.#stopping.signal, ...from })) {
      showDetection(output, one);
      output.json({ type: "detection", ...detectionJson(one) });
      this.#printed = one.cursor;
    }
  }

  /** What the portal has stored by then has also been printed. */
  async #untilReplayed(): Promise<void> {
    const { stateDir } = this.#context;
    const { signal } = this.#stopping;
    await untilReplayed(stateDir, signal);
    if (signal.aborted) return;
    const last = await lastCursor(stateDir);
    while (!signal.aborted && this.#printed < last) await pause(ASK_INTERVAL_MS, signal);
  }

  /** A stage's errors are shown once; all else is in its log. */
  #line(name: string, text: string): void {
    const shown = logLine(text);
    if (!shown || this.#stopping.signal.aborted || this.#said.get(name) === shown) return;
    this.#said.set(name, shown);
    this.#context.output.note(`nightjar: ${name}: ${shown}`);
    if (PROBE_FAILED.test(shown) && !this.#ready) {
      this.#context.output.note(WHAT_TO_CHECK);
      this.end("NOT_PERMITTED");
    }
  }

  #ended(name: FolderName, how: string, lines: readonly string[], delayMs: number | undefined): void {
    const { output, settings, stateDir } = this.#context;
    const reason = crashReason(lines);
    const what = `nightjar: ${name} ended (${how}${reason === undefined ? "" : `, ${reason}`})`;
    if (delayMs === undefined) {
      output.note(`${what} and will not start again as things are`);
      this.end("USAGE");
      return;
    }
    output.note(`${what}; it is started again in ${delayMs} ms`);
    if (this.#ready) return;
    const ends = (this.#earlyEnds.get(name) ?? 0) + 1;
    this.#earlyEnds.set(name, ends);
    if (ends < EARLY_ENDS_MAX) return;
    output.note(
      `nightjar: ${name} does not come up; its log is ${statePaths.log(stateDir, name, settings.common.log_dir)}`,
    );
    this.end("FAILED");
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
