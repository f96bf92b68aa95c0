// The life of every health issue of the host until the portal has been told of all of it; survives the uplink.
import { clone } from "@bufbuild/protobuf";
import { timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import { type HealthIssue, HealthIssueSchema, HealthResolution, type StageStatus } from "@nightjar/proto";
import { Bell } from "../turns.ts";
import { COUNT_TOLD_MS_MIN, JOURNAL_ISSUES_MAX, STAGE_GONE_MS } from "./limits.ts";

/** An issue as it was seen last, and how much of it the portal knows. */
export interface Entry {
  /** Its revision grows with each change that is to be told. */
  issue: HealthIssue;
  /** The process of the stage that has it. */
  instance: string;
  /** The highest revision that the portal has answered; 0 for none. */
  confirmed: bigint;
  /** When a change was last found worth telling, in milliseconds since 1970. */
  revisedAtMs: number;
}

export interface JournalOptions {
  /** What an earlier process left. */
  entries: readonly Entry[];
  /** Takes the secrets out of a message, before it is kept. */
  redact: (issue: HealthIssue) => HealthIssue;
  /** Keeps the entries on the disk; called when something changed that a crash must not undo. */
  save: (entries: readonly Entry[]) => void;
  /** Told of issues that were given up because there were too many. */
  dropped: (count: number) => void;
}

export class HealthJournal {
  readonly #options: JournalOptions;
  readonly #entries = new Map<string, Entry>();
  /** Since when a stage does not answer, in milliseconds since 1970. */
  readonly #silentSince = new Map<string, number>();
  readonly #bell = new Bell();

  constructor(options: JournalOptions) {
    this.#options = options;
    for (const entry of options.entries) this.#entries.set(entry.issue.id, entry);
  }

  /** What the portal does not know yet, the oldest first; copies, since the issues go on. */
  pending(max: number): HealthIssue[] {
    return [...this.#entries.values()]
      .filter(isPending)
      .slice(0, max)
      .map(({ issue }) => ({ ...issue }));
  }

  get openIds(): string[] {
    return [...this.#entries.values()].filter(({ issue }) => isOpen(issue)).map(({ issue }) => issue.id);
  }

  get pendingCount(): number {
    return [...this.#entries.values()].filter(isPending).length;
  }

  /** Takes in what the stages that answered said just now. */
  observe(statuses: readonly StageStatus[], nowMs: number): void {
    let changed = false;
    const listed = new Set<string>();
    for (const { instance, healthIssues, pastHealthIssues } of statuses) {
      for (const issue of [...pastHealthIssues, ...healthIssues]) {
        // A stage of before issues had ids, during an upgrade.
        if (issue.id === "") continue;
        listed.add(issue.id);
        if (this.#see(issue, instance, nowMs)) changed = true;
      }
    }
    if (this.#endLeftBehind(statuses, listed, nowMs)) changed = true;
    this.#forget(listed);
    if (!changed) return;
    this.#options.save([...this.#entries.values()]);
    this.#bell.ring();
  }

  /** The portal has stored these in these revisions. */
  confirm(issues: readonly Pick<HealthIssue, "id" | "revision">[]): void {
    for (const { id, revision } of issues) {
      const entry = this.#entries.get(id);
      if (entry && entry.confirmed < revision) entry.confirmed = revision;
    }
    this.#options.save([...this.#entries.values()]);
  }

  /** Resolves when there is something to tell, or when `signal` is aborted. For one waiter at a time. */
  waitForPending(signal: AbortSignal): Promise<void> {
    return this.#bell.wait(() => this.pendingCount > 0, signal);
  }

  /** Returns whether something is new that the portal should know. */
  #see(seen: HealthIssue, instance: string, nowMs: number): boolean {
    const issue = this.#options.redact(clone(HealthIssueSchema, seen));
    const known = this.#entries.get(issue.id);
    if (!known) {
      issue.revision = BigInt(nowMs);
      this.#entries.set(issue.id, { issue, instance, confirmed: 0n, revisedAtMs: nowMs });
      return true;
    }
    const isTurn = known.issue.message !== issue.message || isOpen(known.issue) !== isOpen(issue);
    const counts = known.issue.count !== issue.count && nowMs - known.revisedAtMs >= COUNT_TOLD_MS_MIN;
    if (!isTurn && !counts) return false;
    issue.revision = nextRevision(known.issue, nowMs);
    Object.assign(known, { issue, instance, revisedAtMs: nowMs });
    return true;
  }

  /** Ends issues that nobody has any more: of a process that was replaced, or of a stage that does not answer. */
  #endLeftBehind(statuses: readonly StageStatus[], listed: ReadonlySet<string>, nowMs: number): boolean {
    const instances = new Map(statuses.map(({ stage, instance }) => [stage, instance]));
    for (const stage of instances.keys()) this.#silentSince.delete(stage);
    let changed = false;
    for (const entry of this.#entries.values()) {
      if (!isOpen(entry.issue) || listed.has(entry.issue.id)) continue;
      const instance = instances.get(entry.issue.stage);
      if (instance === undefined) {
        const since = this.#silentSince.get(entry.issue.stage) ?? nowMs;
        this.#silentSince.set(entry.issue.stage, since);
        if (nowMs - since < STAGE_GONE_MS) continue;
      }
      // The process that had it still runs: it was resolved so long ago that the stage tells of it no more.
      const isOver = instance === entry.instance;
      end(entry, isOver ? HealthResolution.RESOLVED : HealthResolution.STAGE_ENDED, nowMs);
      changed = true;
    }
    return changed;
  }

  /** What is over and told is forgotten once its stage tells of it no more; so is what is too much. */
  #forget(listed: ReadonlySet<string>): void {
    for (const [id, entry] of this.#entries) {
      if (!isOpen(entry.issue) && !isPending(entry) && !listed.has(id)) this.#entries.delete(id);
    }
    const excess = this.#entries.size - JOURNAL_ISSUES_MAX;
    if (excess <= 0) return;
    // What is open goes last: it comes again with the next look.
    const order = [...this.#entries.values()].sort((one, other) => endOf(one) - endOf(other));
    for (const { issue } of order.slice(0, excess)) this.#entries.delete(issue.id);
    this.#options.dropped(excess);
  }
}

function isOpen({ resolvedAt }: HealthIssue): boolean {
  return resolvedAt === undefined;
}

function isPending({ issue, confirmed }: Entry): boolean {
  return issue.revision > confirmed;
}

function endOf({ issue }: Entry): number {
  return issue.resolvedAt ? timestampMs(issue.resolvedAt) : Number.POSITIVE_INFINITY;
}

function end(entry: Entry, resolution: HealthResolution, nowMs: number): void {
  const revision = nextRevision(entry.issue, nowMs);
  entry.issue = { ...entry.issue, resolution, resolvedAt: timestampFromMs(nowMs), revision };
  entry.revisedAtMs = nowMs;
}

/** Goes by the time, so that it grows also when what is kept on the disk was lost. */
function nextRevision({ revision }: HealthIssue, nowMs: number): bigint {
  const now = BigInt(nowMs);
  return now > revision ? now : revision + 1n;
}
