// The health issues of a stage: opened, counted while they go on, resolved.
import { create } from "@bufbuild/protobuf";
import { timestampNow } from "@bufbuild/protobuf/wkt";
import { type HealthIssue, HealthIssueSchema } from "@nightjar/proto";
import { type HealthCodeName, healthCodes } from "./codes.ts";
import type { Logger } from "./log.ts";

export class Health {
  readonly #stage: string;
  readonly #log: Logger;
  readonly #issues = new Map<string, HealthIssue>();

  constructor(stage: string, log: Logger) {
    this.#stage = stage;
    this.#log = log;
  }

  /** Opens the issue, or counts it once more; it is logged when it opens and when its message changes. */
  raise(code: HealthCodeName, message: string): void {
    const open = this.#issues.get(code);
    if (open) {
      open.count += 1n;
      if (open.message === message) return;
      open.message = message;
    } else {
      const { severity } = healthCodes[code];
      const since = timestampNow();
      this.#issues.set(
        code,
        create(HealthIssueSchema, { code, severity, message, since, count: 1n, stage: this.#stage }),
      );
    }
    this.#log.error(message, { code });
  }

  /** Ends the issue, if it is open. */
  resolve(code: HealthCodeName): void {
    if (this.#issues.delete(code)) this.#log.info("resolved", { code });
  }

  get issues(): HealthIssue[] {
    return [...this.#issues.values()];
  }
}
