// Keeps up with a collection of the API: lists it, watches it, resumes where the watch ended, lists it anew after 410.
import { type Backoff, pause } from "@nightjar/stage";
import { integerAt, type Json, listAt, objectAt, textAt } from "../formats/json.ts";
import { GarbledError, type Server, StatusError, type WatchEvent } from "./api-server.ts";

/** Objects a page; the server gives all at once where it answers from its memory. */
export const PAGE_OBJECTS_MAX = 250;
/** A watch is ended by the server after 5 to 10 minutes, at random, so that a fleet's do not end together. */
const WATCH_S_MIN = 300;
/** So long after it should have ended a watch is taken for dead. */
const WATCH_LATE_S = 30;
/** A watch that ends sooner, without an event, ended at once. */
const WATCH_MS_MIN = 1_000;
const MS_PER_S = 1_000;

/** Gone: the server does not remember what happened since the version that was asked for. */
const GONE = 410;
/** How a server answers that was set back to an older copy of its store, and so has not come to that version yet. */
const TOO_LARGE = /too large resource version/i;

export interface ReflectorOptions {
  server: Server;
  /** E.g. "/api/v1/pods". */
  path: string;
  fieldSelector: string;
  /** All objects there are; of those given before, what is not among them is gone. */
  replace: (objects: readonly unknown[]) => void;
  put: (object: Json) => void;
  remove: (object: Json) => void;
  /** After each list, and when a watch is open. */
  reached: () => void;
  /** After each failure; a watch that breaks is none. */
  failed: (error: unknown) => void;
  backoff: Backoff;
  random: () => number;
  clock: () => number;
}

/** Whatever is asked of that version, no answer will come: all has to be listed anew. */
function isVersionUnknown(error: unknown): boolean {
  return error instanceof StatusError && (error.status === GONE || TOO_LARGE.test(error.message));
}

export class Reflector {
  readonly counts = { lists: 0, watches: 0, events: 0, bookmarks: 0, expired: 0, broken: 0, failures: 0 };
  readonly #options: ReflectorOptions;
  /** Where to watch from; undefined before the first list and when it is too old. */
  #version: string | undefined;
  /** What a list may be as old as: "0" for whatever the server has in memory, empty for the newest. */
  #listVersion = "0";

  constructor(options: ReflectorOptions) {
    this.#options = options;
  }

  /** Runs until `signal` is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    const { backoff, failed } = this.#options;
    while (!signal.aborted) {
      try {
        if (this.#version === undefined) await this.#list(signal);
        if (await this.#watch(signal)) backoff.reset();
        else await pause(backoff.next(), signal);
      } catch (error) {
        if (signal.aborted) return;
        if (isVersionUnknown(error)) this.#expire();
        else {
          this.counts.failures++;
          // Watched again from here, the same line would come again.
          if (error instanceof GarbledError) this.#version = undefined;
          failed(error);
        }
        const retryAfterMs = error instanceof StatusError ? error.retryAfterMs : 0;
        await pause(Math.max(backoff.next(), retryAfterMs), signal);
      }
    }
  }

  /** The next list has to be as new as the store itself: what the server has in memory is too old, or not there. */
  #expire(): void {
    this.counts.expired++;
    this.#version = undefined;
    this.#listVersion = "";
  }

  async #list(signal: AbortSignal): Promise<void> {
    const { server, path, fieldSelector, replace, reached } = this.#options;
    this.counts.lists++;
    const objects: unknown[] = [];
    let continued = "";
    let version = "";
    do {
      // A page that goes on has its version in the token.
      const where = continued
        ? { continue: continued }
        : this.#listVersion
          ? { resourceVersion: this.#listVersion }
          : {};
      const query = { fieldSelector, limit: `${PAGE_OBJECTS_MAX}`, ...where };
      const page = objectAt(await server.get(path, query, signal));
      const metadata = objectAt(page.metadata);
      version = textAt(metadata.resourceVersion);
      if (version === "") throw new Error(`what ${path} answered is no list`);
      for (const one of listAt(page.items)) objects.push(one);
      continued = textAt(metadata.continue);
    } while (continued !== "");
    replace(objects);
    this.#version = version;
    // From now on no list may be older than what was seen, whichever of several servers answers.
    this.#listVersion = version;
    reached();
  }

  /** Watches until the watch ends; false where that was at once: asking again without a wait would be a busy loop. */
  async #watch(signal: AbortSignal): Promise<boolean> {
    const { server, path, fieldSelector, random, clock, reached } = this.#options;
    this.counts.watches++;
    const seconds = Math.round(WATCH_S_MIN * (1 + random()));
    const query = {
      fieldSelector,
      resourceVersion: this.#version as string,
      allowWatchBookmarks: "true",
      timeoutSeconds: `${seconds}`,
    };
    const begun = clock();
    let events = 0;
    const bounded = AbortSignal.any([signal, AbortSignal.timeout((seconds + WATCH_LATE_S) * MS_PER_S)]);
    const watch = await server.watch(path, query, bounded);
    reached();
    try {
      for await (const event of watch) {
        if (events++ === 0) this.#options.backoff.reset();
        this.#take(event);
      }
    } catch (error) {
      if (error instanceof StatusError || error instanceof GarbledError) throw error;
      // The connection broke, as it does when the server is started again: it goes on with the next watch.
      this.counts.broken++;
    }
    return events > 0 || clock() - begun >= WATCH_MS_MIN;
  }

  #take({ type, object }: WatchEvent): void {
    const { put, remove } = this.#options;
    if (type === "ERROR") throw new StatusError(Number(integerAt(object.code) ?? 0n), textAt(object.message));
    const version = textAt(object, "metadata", "resourceVersion");
    if (type === "ADDED" || type === "MODIFIED") put(object);
    else if (type === "DELETED") remove(object);
    else if (type !== "BOOKMARK") return;
    this.counts[type === "BOOKMARK" ? "bookmarks" : "events"]++;
    if (version !== "") this.#version = version;
  }
}
