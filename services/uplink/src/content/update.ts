// One look for new content: asked for, judged, downloaded, tried, put in force; or refused, and the last good stays.
import type { KeyObject } from "node:crypto";
import { type Bundle, CONTENT_FORMAT, type ContentProblem, judgeContent } from "@nightjar/content";
import type { ContentManifest, PollContentResponse, SignedManifest } from "@nightjar/proto";
import { describeError, SENSOR_VERSION } from "@nightjar/stage";
import { downloadPart, type Get } from "./download.ts";
import type { Shelf } from "./shelf.ts";

/** What the sensor tells the portal that it is and has. */
export interface Asked {
  sensorId: string;
  channel: string;
  format: number;
  sensorVersion: string;
  version: bigint;
  etag: string;
}

export interface UpdateOptions {
  sensorId: string;
  channel: string;
  shelf: Shelf;
  publicKeys: () => KeyObject[];
  /** Rejects with a PortalFailure. */
  poll: (asked: Asked) => Promise<PollContentResponse>;
  get: Get;
  /** Whether the sensor can work with it: why not, "" where it can; undefined where nobody answers. */
  tryOut: (bundle: Bundle) => Promise<string | undefined>;
  /** A bundle is in force from now on. */
  enforce: (bundle: Bundle) => Promise<void>;
}

export type Outcome =
  | { is: "nothing new" }
  | { is: "in force"; version: bigint }
  /** Nobody could say whether it can be loaded; it is asked for again. */
  | { is: "not tried" }
  /** `seen`: it will not become better by itself, so that it is not asked for again. */
  | { is: "refused"; problem: ContentProblem; seen: boolean };

/** Refusals that only another bundle, or another key, can end. */
type Refusal = { etag: string; keys: string };

export class ContentUpdate {
  readonly #options: UpdateOptions;
  #inForce: Bundle | undefined;
  #refused: Refusal | undefined;

  constructor(options: UpdateOptions) {
    this.#options = options;
  }

  /** Puts the last good bundle in force as it lies on disk; returns why it cannot be. */
  async begin(): Promise<ContentProblem | undefined> {
    const { shelf, publicKeys, enforce } = this.#options;
    const bundle = shelf.inForce(publicKeys());
    if (bundle && "code" in bundle) return bundle;
    this.#inForce = bundle;
    if (bundle) await enforce(bundle);
    return undefined;
  }

  /** Rejects with a PortalFailure when the portal cannot be asked. */
  async run(): Promise<Outcome> {
    const { sensorId, channel, poll } = this.#options;
    const keys = this.#keys();
    const etag = this.#refused?.keys === keys ? this.#refused.etag : (this.#inForce?.etag ?? "");
    const version = this.#inForce?.manifest.version ?? 0n;
    const asked = { sensorId, channel, format: CONTENT_FORMAT, sensorVersion: SENSOR_VERSION, version, etag };
    const { notModified, signedManifest, etag: offered } = await poll(asked);
    if (notModified || !signedManifest) return { is: "nothing new" };
    const outcome = await this.#take(signedManifest);
    if (outcome.is === "refused" && outcome.seen) this.#refused = { etag: offered, keys };
    if (outcome.is === "in force") this.#refused = undefined;
    return outcome;
  }

  async #take(signed: SignedManifest): Promise<Outcome> {
    const { channel, shelf, publicKeys } = this.#options;
    const { latest } = shelf;
    const verdict = judgeContent(signed, { publicKeys: publicKeys(), channel, sensorVersion: SENSOR_VERSION, latest });
    if (!verdict.ok) return { is: "refused", problem: verdict.problem, seen: true };
    try {
      return (await this.#download(verdict.manifest)) ?? (await this.#apply(shelf.assemble(signed, verdict.manifest)));
    } catch (error) {
      if (!isOfDisk(error)) throw error;
      // Full, or it refuses: that may be mended meanwhile, so the next look tries again.
      const problem: ContentProblem = { code: "CONTENT_UNREADABLE", message: describeError(error) };
      return { is: "refused", problem, seen: false };
    }
  }

  async #download({ parts }: ContentManifest): Promise<Outcome | undefined> {
    const { shelf, get } = this.#options;
    for (const part of parts) {
      const problem = await downloadPart(get, part, shelf.incoming(part, this.#inForce));
      if (problem) return { is: "refused", problem, seen: true };
    }
    return undefined;
  }

  async #apply(bundle: Bundle): Promise<Outcome> {
    const { shelf, tryOut, enforce } = this.#options;
    const message = await tryOut(bundle);
    if (message === undefined) return { is: "not tried" };
    if (message !== "") {
      shelf.giveUp(bundle);
      return { is: "refused", problem: { code: "CONTENT_NOT_LOADED", message }, seen: true };
    }
    shelf.enforce(bundle);
    this.#inForce = bundle;
    await enforce(bundle);
    return { is: "in force", version: bundle.manifest.version };
  }

  /** Changes when the host's keys do. */
  #keys(): string {
    const pems = this.#options.publicKeys().map((key) => key.export({ type: "spki", format: "pem" }));
    return pems.join("");
  }
}

/** What calls of the file system throw names the call; failures of the portal's and bugs do not. */
function isOfDisk(error: unknown): boolean {
  return error instanceof Error && "syscall" in error && "code" in error;
}
