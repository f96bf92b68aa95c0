// Knows which runtimes are on this host, asks those that can know a container, and remembers what they said.
import { equals } from "@bufbuild/protobuf";
import { ContainerSchema, MissingReason } from "@nightjar/proto";
import { pause } from "@nightjar/stage";
import type { Found } from "./answer.ts";
import { mergeContainers } from "./merge.ts";
import type { Peer, Told } from "./peer.ts";
import type { ContainerQuery } from "./runtime.ts";

/** Containers that are remembered, ended ones included: events of theirs may still be under way. Some 4 KB each. */
const KNOWN_MAX = 4_096;
/** Questions that may wait for runtimes at a time. */
const WAITING_MAX = 1_024;
/** Containers that are looked at because a runtime spoke of them, at a time. */
const NOTICED_MAX = 256;
/** For so long a name that another container may get, or that nothing is known of, is not asked for again. */
const BRIEFLY_MS = 1_000;
/** What has one name for ever: 64 digits, or 32 of a machine's id. */
const UNIQUE_ID = /^(?:[0-9a-f]{32}){1,2}$/;
/** A runtime speaks of a container, or makes its folder, some time before it can tell what it is. */
const LOOK_AGAIN_MS = [0, 10, 30, 60, 150, 400, 1_000];

export interface DirectoryOptions {
  /** The runtimes that are there now, in the order in which they count. */
  peers: () => readonly Peer[];
  /** Told ids that were asked for, and of which something else is known now. */
  changed: (ids: readonly string[]) => void;
  clock: () => number;
  signal: AbortSignal;
}

interface Known {
  found: Found;
  query: ContainerQuery;
  atMs: number;
  /** Somebody was told. */
  told: boolean;
}

export class Directory {
  readonly counts = { looks: 0, noticed: 0, noticesDropped: 0, forgotten: 0, refused: 0 };
  readonly #options: DirectoryOptions;
  readonly #known = new Map<string, Known>();
  readonly #looking = new Map<string, Promise<Found>>();
  /** Those that are looked at because a runtime spoke of them, and what has the next look come at once. */
  readonly #noticed = new Map<string, AbortController>();

  constructor(options: DirectoryOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#known.size;
  }

  /** What was answered without all that there is to know, with why. What may be no container does not count. */
  get unanswered(): Found[] {
    const silent = this.#silent().filter(({ query }) => query.runtime !== "");
    return silent.map(({ found }) => found);
  }

  /** What a container is; resolves within the time that runtimes have for an answer, and never rejects. */
  async find(query: ContainerQuery): Promise<Found> {
    const known = this.#known.get(query.id);
    if (known && this.#isFresh(known)) {
      known.told = true;
      return known.found;
    }
    const earlier = this.#looking.get(query.id);
    if (this.#looking.size >= WAITING_MAX) {
      this.counts.refused++;
      return { missing: MissingReason.BUSY, explanation: `${WAITING_MAX} questions wait for runtimes` };
    }
    let found = await this.#look(query);
    // A look that began before the question may have come too early.
    if (earlier && found.missing !== undefined) found = await this.#look(query);
    const now = this.#known.get(query.id);
    if (now) now.told = true;
    return found;
  }

  /** A runtime speaks of a container: what it is will be known before somebody asks. */
  notice(id: string, runtime: string): void {
    const waiting = this.#noticed.get(id);
    if (waiting) {
      waiting.abort();
      return;
    }
    if (this.#noticed.size >= NOTICED_MAX) {
      this.counts.noticesDropped++;
      return;
    }
    this.counts.noticed++;
    this.#noticed.set(id, new AbortController());
    void this.#lookUntilThere(id, runtime).finally(() => this.#noticed.delete(id));
  }

  /** Asks again what no runtime had answered; to be called now and then. */
  async retry(): Promise<void> {
    const silent = this.#silent();
    await Promise.all(silent.slice(0, NOTICED_MAX).map(({ query }) => this.#look(query)));
  }

  #silent(): Known[] {
    return [...this.#known.values()].filter(({ found, told }) => told && isSilent(found));
  }

  #isFresh({ found, query, atMs, told }: Known): boolean {
    const complete = found.missing === undefined;
    if (complete && UNIQUE_ID.test(query.id)) return true;
    // That a look found nothing because it came early says nothing to who asks now.
    return (complete || told) && this.#options.clock() - atMs < BRIEFLY_MS;
  }

  async #lookUntilThere(id: string, runtime: string): Promise<void> {
    const { signal } = this.#options;
    const query = this.#known.get(id)?.query ?? { id, runtime, podUid: "", pid: 0 };
    let wake = this.#noticed.get(id) as AbortController;
    for (let looks = 0; looks < LOOK_AGAIN_MS.length; ) {
      const waitMs = LOOK_AGAIN_MS[looks] as number;
      // The first look is at once: what lives for some milliseconds has none to spare for a timer.
      if (waitMs > 0) await pause(waitMs, AbortSignal.any([signal, wake.signal]));
      if (signal.aborted) return;
      // What the runtime has just said does not use up a look.
      if (!wake.signal.aborted) looks++;
      // What it says during the look counts for the next one.
      wake = new AbortController();
      this.#noticed.set(id, wake);
      const { missing } = await this.#look(query);
      if (missing === undefined) return;
    }
  }

  /** One look at a time for each container; who comes meanwhile gets the same answer. */
  #look(query: ContainerQuery): Promise<Found> {
    const under = this.#looking.get(query.id);
    if (under) return under;
    const looking = this.#askAll(query).then((found) => this.#remember(query, found));
    this.#looking.set(query.id, looking);
    return looking.finally(() => this.#looking.delete(query.id));
  }

  async #askAll(query: ContainerQuery): Promise<Found> {
    this.counts.looks++;
    const peers = this.#options.peers().filter((peer) => peer.serves(query.runtime));
    const answers = await Promise.all(peers.map(async (peer) => ({ peer, told: await peer.ask(query) })));
    const of = (standsIn: boolean) => answers.filter(({ peer }) => (peer.kind.standsIn ?? false) === standsIn);
    const container = mergeContainers(containersOf(of(false)));
    if (container) return { container };
    const standIn = mergeContainers(containersOf(of(true)));
    const silent = answers.flatMap(({ told }) => (told.is === "silent" ? [told.why] : []));
    if (silent.length > 0) {
      const missing = { missing: MissingReason.NO_ANSWER, explanation: silent.join("; ") };
      return standIn ? { container: standIn, ...missing } : missing;
    }
    if (standIn) return { container: standIn };
    const asked = peers.map(({ name }) => name).join(", ");
    return peers.length === 0
      ? { missing: MissingReason.NO_RUNTIME, explanation: `no ${query.runtime || "runtime"} was found on this host` }
      : { missing: MissingReason.NOT_FOUND, explanation: `not known to ${asked}` };
  }

  /** What was known of a container that is gone since stays. */
  #remember(query: ContainerQuery, found: Found): Found {
    const before = this.#known.get(query.id);
    const worse = before?.found.container !== undefined && found.container === undefined;
    const kept = worse ? before.found : found;
    this.#known.delete(query.id);
    this.#known.set(query.id, {
      found: kept,
      query: query.runtime === "" && before ? before.query : query,
      atMs: this.#options.clock(),
      told: before?.told ?? false,
    });
    if (this.#known.size > KNOWN_MAX) {
      this.#known.delete(this.#known.keys().next().value ?? "");
      this.counts.forgotten++;
    }
    if (before?.told && !isSame(before.found, kept)) this.#options.changed([query.id]);
    return kept;
  }
}

function containersOf(answers: readonly { told: Told }[]) {
  return answers.flatMap(({ told }) => (told.is === "told" ? [told.container] : []));
}

function isSilent({ missing }: Found): boolean {
  return missing === MissingReason.NO_ANSWER || missing === MissingReason.NO_RUNTIME;
}

function isSame(one: Found, other: Found): boolean {
  if (one.missing !== other.missing) return false;
  if (!one.container || !other.container) return one.container === other.container;
  return equals(ContainerSchema, one.container, other.container);
}
