// The errors of logs, each once: what was said, what the other side answered, who said it, how often, when.
import type { LogEntry } from "./entry.ts";

/** Beyond it an error that was not met before is only counted. */
export const DISTINCT_ERRORS_MAX = 1_000;

export interface DistinctError {
  message: string;
  /** What the portal, the kernel or whoever refused it said. */
  resp?: string;
  code?: string;
  /** The cause that was logged with it last. */
  error?: string;
  targets: string[];
  count: number;
  /** ISO 8601. */
  first: string;
  last: string;
}

export class ErrorSummary {
  readonly #errors = new Map<string, DistinctError>();
  /** Errors that were left out because there were too many distinct ones. */
  omitted = 0;

  add({ level, timeMs, target, fields }: LogEntry): void {
    if (level !== "ERROR") return;
    const { message, resp, code, error } = fields;
    const key = JSON.stringify([message, resp, code]);
    const known = this.#errors.get(key);
    const last = new Date(timeMs).toISOString();
    const texts = { ...textOf("resp", resp), ...textOf("code", code), ...textOf("error", error) };
    if (known) {
      known.count++;
      known.last = last;
      Object.assign(known, texts);
      if (!known.targets.includes(target)) known.targets.push(target);
    } else if (this.#errors.size >= DISTINCT_ERRORS_MAX) this.omitted++;
    else this.#errors.set(key, { message: String(message), ...texts, targets: [target], count: 1, first: last, last });
  }

  /** Those met last first. */
  get errors(): DistinctError[] {
    return [...this.#errors.values()].sort((a, b) => b.last.localeCompare(a.last));
  }
}

function textOf<Name extends string>(name: Name, value: unknown): Partial<Record<Name, string>> {
  if (value === undefined) return {};
  return { [name]: typeof value === "string" ? value : JSON.stringify(value) } as Record<Name, string>;
}
