// The health issues of a stage: opened, counted while they go on, resolved, and told of for a while after that.
import { randomBytes } from "node:crypto";
import { create } from "@bufbuild/protobuf";
import { timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import { type HealthIssue, HealthIssueSchema, HealthResolution } from "@nightjar/proto";
import { type HealthCodeName, healthCodes } from "./codes.ts";
import type { Logger } from "./log.ts";

/** What comes again so soon after it was resolved is the same issue, so that one that flickers is told as one. */
export const REOPEN_MS_MAX = 10_000;
/** Resolved issues are told of for so long: more than who asks ever leaves between two questions. */
export const PAST_ISSUE_MS_MAX = 10 * 60_000;
/** At most this many of them; then the one resolved first goes. */
export const PAST_ISSUES_MAX = 32;

const ID_BYTES = 16;

export class Health {
  readonly #stage: string;
  readonly #log: Pick<Logger, "error" | "info">;
  readonly #clock: () => number;
  readonly #open = new Map<string, HealthIssue>();
  /** In the order in which they were resolved. */
  #past: HealthIssue[] = [];

  /** `clock` gives milliseconds since 1970. */
  constructor(stage: string, log: Pick<Logger, "error" | "info">, clock: () => number = Date.now) {
    this.#stage = stage;
    this.#log = log;
    this.#clock = clock;
  }

  /** Opens the issue, or counts it once more; it is logged when it opens and when its message changes. */
  raise(code: HealthCodeName, message: string): void {
    const now = timestampFromMs(this.#clock());
    const known = this.#open.get(code) ?? this.#reopen(code);
    if (known) {
      known.count += 1n;
      known.lastSeen = now;
      const isSaid = known.message === message && known.resolvedAt === undefined;
      delete known.resolvedAt;
      known.resolution = HealthResolution.UNSPECIFIED;
      known.message = message;
      if (isSaid) return;
    } else {
      const { severity } = healthCodes[code];
      const id = randomBytes(ID_BYTES).toString("hex");
      const times = { since: now, lastSeen: now };
      this.#open.set(
        code,
        create(HealthIssueSchema, { id, code, severity, message, count: 1n, stage: this.#stage, ...times }),
      );
    }
    this.#log.error(message, { code });
  }

  /** Ends the issue, if it is open. */
  resolve(code: HealthCodeName): void {
    const issue = this.#open.get(code);
    if (!issue) return;
    this.#open.delete(code);
    issue.resolvedAt = timestampFromMs(this.#clock());
    issue.resolution = HealthResolution.RESOLVED;
    this.#past.push(issue);
    this.#log.info("resolved", { code });
  }

  /** Those that are open, the oldest first. */
  get issues(): HealthIssue[] {
    return [...this.#open.values()];
  }

  /** Those that were resolved lately. */
  get past(): HealthIssue[] {
    this.#past = this.#past.filter((issue) => this.#resolvedForMs(issue) < PAST_ISSUE_MS_MAX).slice(-PAST_ISSUES_MAX);
    return this.#past;
  }

  #reopen(code: HealthCodeName): HealthIssue | undefined {
    const issue = this.past.find((one) => one.code === code && this.#resolvedForMs(one) < REOPEN_MS_MAX);
    if (!issue) return undefined;
    this.#past = this.#past.filter((one) => one !== issue);
    this.#open.set(code, issue);
    return issue;
  }

  #resolvedForMs({ resolvedAt }: HealthIssue): number {
    return this.#clock() - (resolvedAt ? timestampMs(resolvedAt) : 0);
  }
}
