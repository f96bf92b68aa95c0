// What a list of indicators gives, whatever its format, and how entries get into it.
import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { Disposition, type Indicator, type Verdict, VerdictSchema } from "@nightjar/proto";
import type { ListProblemCode } from "./problems.ts";

export type ListFormat = "csv" | "stix" | "misp" | "plain";

/** What holds for entries of which the list does not say it. */
export interface ListDefaults {
  /** Whose list it is; each verdict names it. */
  source: string;
  disposition: Disposition;
  /** 0 to 100. */
  confidence: number;
  /** Milliseconds since 1970; undefined for no end. */
  expiresAtMs?: number | undefined;
  /** Milliseconds since 1970: what is over is passed over. */
  nowMs: number;
}

export interface ListProblem {
  code: ListProblemCode;
  /** Where in the list: "line 3", "indicator--…", "attribute …". */
  place: string;
  message: string;
}

export interface List {
  format: ListFormat | undefined;
  /** Each indicator once. */
  verdicts: Verdict[];
  problems: ListProblem[];
  /** Problems beyond those that are told. */
  problemsOmitted: number;
  /** Entries that are over, revoked, or not meant for detection by who made the list. */
  passedOver: number;
}

/** What a list says of an entry; what it leaves out is the list's default. */
export interface Told {
  disposition?: Disposition | undefined;
  confidence?: number | undefined;
  description?: string | undefined;
  labels?: readonly string[] | undefined;
  expiresAtMs?: number | undefined;
}

/** Indicators of one list; more are refused together, since half a list would be taken for the whole. */
const LIST_INDICATORS_MAX = 2_000_000;
const PROBLEMS_TOLD_MAX = 1_000;
const DESCRIPTION_CHARS_MAX = 512;
const LABELS_MAX = 32;
const LABEL_CHARS_MAX = 128;
const CONFIDENCE_MAX = 100;

/** Gathers entries; the readers of formats fill it. */
export class ListBuilder {
  readonly #defaults: ListDefaults;
  readonly #verdicts = new Map<string, Verdict>();
  readonly #problems: ListProblem[] = [];
  #problemsOmitted = 0;
  #passedOver = 0;

  constructor(defaults: ListDefaults) {
    this.#defaults = defaults;
  }

  /** Of an indicator that comes twice, the entry with the worse disposition counts, then the surer one. */
  add(indicator: Indicator, told: Told): void {
    const { source, disposition, confidence, expiresAtMs, nowMs } = this.#defaults;
    const endsMs = told.expiresAtMs ?? expiresAtMs;
    if (endsMs !== undefined && endsMs <= nowMs) {
      this.passOver();
      return;
    }
    const verdict = create(VerdictSchema, {
      indicator,
      disposition: told.disposition ?? disposition,
      source,
      description: (told.description ?? "").slice(0, DESCRIPTION_CHARS_MAX),
      confidence: told.confidence ?? confidence,
      labels: labelsOf(told.labels ?? []),
      ...(endsMs !== undefined && { expiresAt: timestampFromMs(endsMs) }),
    });
    const key = `${indicator.kind}:${indicator.value}`;
    const known = this.#verdicts.get(key);
    if (!known || rankOf(verdict) > rankOf(known)) this.#verdicts.set(key, verdict);
  }

  passOver(): void {
    this.#passedOver++;
  }

  problem(code: ListProblemCode, place: string, message: string): void {
    if (this.#problems.length < PROBLEMS_TOLD_MAX) this.#problems.push({ code, place, message });
    else this.#problemsOmitted++;
  }

  finish(format: ListFormat): List {
    const verdicts = [...this.#verdicts.values()];
    if (verdicts.length > LIST_INDICATORS_MAX) {
      return unreadable(format, "LIST_TOO_LARGE", `${verdicts.length} indicators, at most ${LIST_INDICATORS_MAX}`);
    }
    const problems = this.#problems;
    return { format, verdicts, problems, problemsOmitted: this.#problemsOmitted, passedOver: this.#passedOver };
  }
}

function rankOf({ disposition, confidence }: Verdict): number {
  return disposition * (CONFIDENCE_MAX + 1) + confidence;
}

function labelsOf(labels: readonly string[]): string[] {
  const kept = labels.map((label) => label.trim().slice(0, LABEL_CHARS_MAX)).filter((label) => label !== "");
  return [...new Set(kept)].slice(0, LABELS_MAX);
}

/** The list of a file of which nothing is taken. */
export function unreadable(format: ListFormat | undefined, code: ListProblemCode, message: string): List {
  return { format, verdicts: [], problems: [{ code, place: "", message }], problemsOmitted: 0, passedOver: 0 };
}

/** By the word that people and lists write. */
const dispositions: ReadonlyMap<string, Disposition> = new Map([
  ["malicious", Disposition.MALICIOUS],
  ["suspicious", Disposition.SUSPICIOUS],
  ["benign", Disposition.BENIGN],
]);

export function dispositionOf(word: string): Disposition | undefined {
  return dispositions.get(word.trim().toLowerCase());
}

/** A whole number from 0 to 100 as text or number; undefined where it is none. */
export function confidenceOf(value: unknown): number | undefined {
  const number = typeof value === "string" && /^[0-9]{1,3}$/.test(value.trim()) ? Number(value) : value;
  if (typeof number !== "number" || !Number.isInteger(number)) return undefined;
  return number >= 0 && number <= CONFIDENCE_MAX ? number : undefined;
}

const HAS_ZONE = /(?:Z|UTC|GMT|[+-][0-9]{2}:?[0-9]{2})$/i;

/** A time as lists write it (RFC 3339, "2026-01-31 12:00:00" as UTC, a date); undefined where it is none. */
export function timeOf(text: string): number | undefined {
  const trimmed = text.trim();
  const dateOnly = /^[0-9]{4}-[0-9]{2}-[0-9]{2}$/.test(trimmed);
  const ms = Date.parse(dateOnly || HAS_ZONE.test(trimmed) ? trimmed : `${trimmed.replace(" ", "T")}Z`);
  return Number.isNaN(ms) || ms < 0 ? undefined : ms;
}
