// Asks the stages how they are, remembers each health issue until the portal knows it, keeps account of outages.
import { hostname } from "node:os";
import { join } from "node:path";
import { HealthIssueSchema, HealthService, type StageStatus } from "@nightjar/proto";
import { redactMessage } from "@nightjar/redact";
import { Backoff, type Stage, stageNames } from "@nightjar/stage";
import type { Parts } from "../detections.ts";
import { backoffOptions, crash } from "../retries.ts";
import { accountFromJson, OutageAccount } from "./account.ts";
import { HealthJournal } from "./journal.ts";
import { LOOK_INTERVAL_MS } from "./limits.ts";
import { runReporter } from "./reporter.ts";
import { SilentStages } from "./silent-stages.ts";
import { entriesFromJson, entriesToJson, readState, writeState } from "./state-file.ts";

export interface HostHealth {
  readonly account: OutageAccount;
  /** Asks the stages, and takes in what they say; never rejects. */
  look: () => Promise<StageStatus[]>;
  /** Keeps the account on the disk. */
  saveAccount: () => void;
}

/** The bus must be connected. */
export function startHealth(stage: Stage, parts: Parts): HostHealth {
  const journalFile = join(stage.folder, "health.json");
  const accountFile = join(stage.folder, "account.json");
  const journal = new HealthJournal({
    entries: read(stage, journalFile, entriesFromJson) ?? [],
    redact: (issue) => redactMessage(stage.redactor, HealthIssueSchema, issue),
    save: (entries) => write(stage, journalFile, entriesToJson(entries)),
    dropped: (count) => stage.counters.add("health_issues_dropped", count),
  });
  const account = new OutageAccount(read(stage, accountFile, accountFromJson));
  const silent = new SilentStages(stageNames, performance.now());
  const lookOnce = async () => {
    const statuses = await stage.bus.askStatuses().catch((): StageStatus[] => []);
    sayWhoIsSilent(stage, silent.look(statuses, performance.now()));
    journal.observe(statuses, Date.now());
    account.look(statuses, (name) => stage.counters.get(name), Date.now());
    return statuses;
  };
  // One at a time: what was asked for first must not be taken for what is newer.
  let looking: Promise<StageStatus[]> | undefined;
  const look = () => (looking ??= lookOnce().finally(() => (looking = undefined)));
  lookNowAndThen(stage, look);
  report(stage, parts, journal);
  return { account, look, saveAccount: () => write(stage, accountFile, account.state) };
}

function lookNowAndThen(stage: Stage, look: () => Promise<unknown>): void {
  const timer = setInterval(() => void look().catch(crash), LOOK_INTERVAL_MS);
  stage.onStop(() => clearInterval(timer));
}

function sayWhoIsSilent({ health }: Stage, names: readonly string[]): void {
  if (names.length === 0) health.resolve("STAGE_SILENT");
  else health.raise("STAGE_SILENT", `no answer from ${names.join(", ")}`);
}

function report(stage: Stage, { id, client, link }: Parts, journal: HealthJournal): void {
  const { settings, signal, counters, log } = stage;
  const reporting = runReporter(
    {
      journal,
      sensorId: id,
      hostName: hostname,
      send: (request) =>
        client.call(HealthService, async (portal, options) => void (await portal.reportHealth(request, options))),
      backoff: new Backoff(backoffOptions(settings.uplink)),
      wait: (ms) => link.wait(ms, signal),
      sent: (count) => {
        counters.add("health_issues_told", count);
        link.up();
      },
      failed: (failure) => link.down(failure),
      refused: (count, why) => {
        counters.add("health_issues_refused", count);
        log.error("the portal refused health issues", { resp: why, count });
      },
    },
    signal,
  );
  reporting.catch(crash);
  stage.onStop(() => reporting);
}

function read<State>({ log }: Stage, file: string, parse: (value: unknown) => State): State | undefined {
  return readState(file, parse, (movedTo, error) =>
    log.error("what was known of the host's health cannot be read; it is begun anew", {
      movedTo,
      error: error as Error,
    }),
  );
}

/** A disk that is full is a health issue already; what is in memory goes on and is written with the next change. */
function write({ log }: Stage, file: string, state: unknown): void {
  try {
    writeState(file, state);
  } catch (error) {
    log.error("what is known of the host's health cannot be written", { file, error: error as Error });
  }
}
