// The source of containers: the id is in the path of the cgroup, the rest is asked of the stage metadata.
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { ContainerRequestSchema, ContainerResponseSchema, MissingReason } from "@nightjar/proto";
import { cgroupOf, rowOf, WAITING } from "../containers/facts.ts";
import { type Shape, shapeOf } from "../containers/shape.ts";
import { NO_ROW, type Row } from "./row.ts";
import type { ImageSource, SourceHealth, Subject } from "./source.ts";

/** Paths of cgroups that are remembered; those met longest ago go. */
export const CGROUPS_MAX = 16_384;
/** Containers that are remembered; likewise. */
export const CONTAINERS_MAX = 4_096;
/** After a question that failed, how long it is until the next one; doubled with each, up to the second. */
export const RETRY_MS_MIN = 1_000;
export const RETRY_MS_MAX = 300_000;

/** Why what the runtime knows is not in a row; Container.missing has these words, and the counters. */
const REASONS: Readonly<Record<MissingReason, string>> = {
  [MissingReason.UNSPECIFIED]: "",
  [MissingReason.NO_RUNTIME]: "no_runtime",
  [MissingReason.NOT_FOUND]: "not_found",
  [MissingReason.NO_ANSWER]: "no_answer",
  [MissingReason.BUSY]: "busy",
  [MissingReason.BAD_REQUEST]: "bad_request",
  [MissingReason.NO_POD]: "no_pod",
};
/** Beside those that metadata gives: it did not answer. */
const UNREACHABLE = "unreachable";
/** It is of another host, or another time. */
const ELSEWHERE = "elsewhere";

/** Asks the stage metadata: ContainerRequest, ContainerResponse. Rejects where it does not answer in time. */
export type AskMetadata = (request: Uint8Array) => Promise<Uint8Array>;

/** Calls back after so many ms, unless the process ends before. */
export type Later = (work: () => void, milliseconds: number) => void;

const later: Later = (work, milliseconds) => void setTimeout(work, milliseconds).unref();

interface Known {
  shape: Shape;
  pid: number;
  /** Undefined until a runtime says that it is a container; NO_ROW once they say it is none. */
  row: Row | undefined;
  asking: Promise<void> | undefined;
  /** It was asked: until its time has come, or metadata knows more, it is not asked again. */
  isAsked: boolean;
  failures: number;
  isForgotten: boolean;
}

export class ContainerSource implements ImageSource {
  readonly #ask: AskMetadata;
  readonly #later: Later;
  /** By the path of the cgroup, undefined for one outside of all containers; those of one container share one. */
  readonly #cgroups = new Map<string, Known | undefined>();
  readonly #containers = new Map<string, Known>();
  readonly #counts: Record<string, number> = { container_questions: 0, containers_evicted: 0 };
  #problem = "";

  constructor(ask: AskMetadata, callLater = later) {
    this.#ask = ask;
    this.#later = callLater;
  }

  keyOf(exec: Uint8Array): string {
    return cgroupOf(exec);
  }

  lookup(cgroup: string): Row | undefined {
    const known = this.#of(cgroup);
    return known ? known.row : NO_ROW;
  }

  ask(cgroup: string, { pid }: Subject): Promise<void> {
    const known = this.#of(cgroup);
    if (known === undefined) return Promise.resolve();
    known.pid = pid;
    return this.#question(known);
  }

  /** Metadata says that it knows something else of these containers now: they are asked for again. */
  changed(fullIds: readonly string[]): void {
    for (const id of fullIds) {
      const known = this.#containers.get(id);
      if (known === undefined) continue;
      // What is being answered now may have been found out before the change.
      known.isAsked = false;
      if (known.asking === undefined) void this.#question(known);
    }
  }

  /** Containers that are known now. */
  get size(): number {
    return this.#containers.size;
  }

  health(): SourceHealth {
    return { counts: this.#counts, problems: this.#problem === "" ? [] : [this.#problem] };
  }

  /** What a cgroup belongs to; undefined where its path alone says that it is no container's. */
  #of(cgroup: string): Known | undefined {
    const known = this.#cgroups.get(cgroup);
    if (known !== undefined ? !known.isForgotten : this.#cgroups.has(cgroup)) return known;
    const shape = shapeOf(cgroup);
    const found = shape && this.#container(shape);
    this.#cgroups.set(cgroup, found);
    forgetOldest(this.#cgroups, CGROUPS_MAX);
    return found;
  }

  #container(shape: Shape): Known {
    const known = this.#containers.get(shape.fullId);
    if (known) return known;
    const row = shape.isCertain ? rowOf(shape, {}, WAITING) : undefined;
    const rest = { asking: undefined, isAsked: false, failures: 0, isForgotten: false };
    const added: Known = { shape, pid: 0, row, ...rest };
    this.#containers.set(shape.fullId, added);
    for (const gone of forgetOldest(this.#containers, CONTAINERS_MAX)) {
      this.#count("containers_evicted");
      gone.isForgotten = true;
      if (gone.row && gone.row !== NO_ROW) gone.row.isForgotten = true;
    }
    return added;
  }

  /** Asks, unless it is being asked or was: then it is asked again when its time has come. */
  #question(known: Known): Promise<void> {
    if (known.asking !== undefined || known.isAsked) return known.asking ?? Promise.resolve();
    known.isAsked = true;
    known.asking = this.#answer(known).then((reason) => {
      known.asking = undefined;
      if (!known.isAsked) void this.#question(known);
      else if (reason !== "") this.#retry(known, reason);
      else known.failures = 0;
    });
    return known.asking;
  }

  /** Why not all is known; "" when all is. */
  async #answer(known: Known): Promise<string> {
    const { shape, pid } = known;
    const { fullId: id, runtime, podUid } = shape;
    this.#count("container_questions");
    const request = create(ContainerRequestSchema, { id, runtime, podUid, pid });
    try {
      const answer = fromBinary(ContainerResponseSchema, await this.#ask(toBinary(ContainerRequestSchema, request)));
      const reason = REASONS[answer.missing] ?? UNREACHABLE;
      this.#problem = "";
      if (answer.container) takeIn(known, rowOf(shape, answer.container, reason));
      else if (shape.isCertain) takeIn(known, rowOf(shape, {}, reason));
      else if (answer.missing !== MissingReason.NO_ANSWER && answer.missing !== MissingReason.BUSY) known.row = NO_ROW;
      return reason;
    } catch (error) {
      // Without metadata nothing is known but the id, and a name alone is no container.
      if (shape.isCertain) takeIn(known, rowOf(shape, {}, UNREACHABLE));
      else known.row = NO_ROW;
      this.#problem = `containers are known by their ids alone: ${error instanceof Error ? error.message : error}`;
      return UNREACHABLE;
    }
  }

  #retry(known: Known, reason: string): void {
    this.#count(`containers_${reason}`);
    const wait = Math.min(RETRY_MS_MIN * 2 ** known.failures++, RETRY_MS_MAX);
    this.#later(() => {
      if (known.isForgotten || known.asking !== undefined) return;
      known.isAsked = false;
      void this.#question(known);
    }, wait);
  }

  #count(name: string): void {
    this.#counts[name] = (this.#counts[name] ?? 0) + 1;
  }
}

/** The row stays the same object: whoever has it has the answer. */
function takeIn(known: Known, row: Row): void {
  if (known.row === undefined || known.row === NO_ROW) known.row = row;
  else {
    known.row.bytes = row.bytes;
    known.row.isPartial = row.isPartial;
  }
}

/** Takes out what was put in first until no more than `max` are left. */
function forgetOldest<Value>(map: Map<string, Value>, max: number): Value[] {
  const gone: Value[] = [];
  for (const [key, value] of map) {
    if (map.size <= max) break;
    map.delete(key);
    gone.push(value);
  }
  return gone;
}

/** Containers of another host: what the cgroup's form says, asked of nobody. */
export const CONTAINERS_ELSEWHERE: ImageSource = {
  keyOf: cgroupOf,
  lookup: (cgroup) => {
    const shape = shapeOf(cgroup);
    return shape?.isCertain ? rowOf(shape, {}, ELSEWHERE) : NO_ROW;
  },
  ask: () => Promise.resolve(),
  health: () => ({ counts: {}, problems: [] }),
};
