// What the rules want, said on INTEREST so that no moment is without what the rules before or those now can match.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { unionOfInterests } from "@nightjar/events";
import { type Interest, InterestSchema } from "@nightjar/proto";
import { type Stage, writeFileAtomic } from "@nightjar/stage";

const SUBJECT = "nightjar.interest.rule-engine";
/** In the stage's folder: what was said last, by this process or the one before. */
const FILE = "interest";

/** Before rules go live their interest is joined to the one before; when they have, only theirs is left. */
export class PublishedInterest {
  readonly #stage: Stage;
  readonly #file: string;
  readonly #next: Interest;
  #before: Interest | undefined;

  /** `encoded` is the Interest of the rules that are to go live. */
  constructor(stage: Stage, encoded: Uint8Array, contentVersion: string) {
    this.#stage = stage;
    this.#file = join(stage.folder, FILE);
    this.#before = readInterest(this.#file);
    this.#next = { ...fromBinary(InterestSchema, encoded), contentVersion };
  }

  /** Resolves when the union is stored. */
  async widen(): Promise<void> {
    const { stage, contentVersion } = this.#next;
    const union = unionOfInterests([this.#next, ...(this.#before ? [this.#before] : [])]);
    const types = [...union.values()];
    const eventTypes = [...union.keys()];
    await this.#say(create(InterestSchema, { stage, contentVersion, eventTypes, types }));
  }

  async narrow(): Promise<void> {
    await this.#say(this.#next);
  }

  async #say(interest: Interest): Promise<void> {
    const revision = max(BigInt(Date.now()), (this.#before?.revision ?? 0n) + 1n);
    const said = { ...interest, revision };
    const bytes = toBinary(InterestSchema, said);
    await this.#stage.bus.publish("INTEREST", SUBJECT, bytes, `${this.#stage.instance}:${revision}`);
    this.#before = said;
    writeFileAtomic(this.#file, bytes);
  }
}

function max(left: bigint, right: bigint): bigint {
  return left > right ? left : right;
}

/** Undefined where there is none, or none that can be read: then the rules before are not known. */
function readInterest(file: string): Interest | undefined {
  try {
    return fromBinary(InterestSchema, readFileSync(file));
  } catch {
    return undefined;
  }
}
