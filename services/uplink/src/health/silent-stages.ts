// Which stages have not answered for so long that it is no start and no restart.
import type { StageStatus } from "@nightjar/proto";
import { STAGE_SILENT_MS } from "./limits.ts";

export class SilentStages {
  readonly #answeredAtMs: Map<string, number>;

  /** Times are milliseconds that never go back. */
  constructor(names: readonly string[], nowMs: number) {
    this.#answeredAtMs = new Map(names.map((name) => [name, nowMs]));
  }

  /** Takes in who answered just now; returns the names of those who are silent. */
  look(statuses: readonly Pick<StageStatus, "stage">[], nowMs: number): string[] {
    for (const { stage } of statuses) this.#answeredAtMs.set(stage, nowMs);
    return [...this.#answeredAtMs].filter(([, atMs]) => nowMs - atMs >= STAGE_SILENT_MS).map(([name]) => name);
  }
}
