// The bundle of content in force: one more source of rules and suppressions, tried before it is, and read as signed.
import { readdirSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { type ContentProblem, openBundle, partPath, readPart } from "@nightjar/content";
import {
  ContentInForceSchema,
  TryContentRequestSchema,
  type TryContentResponse,
  TryContentResponseSchema,
} from "@nightjar/proto";
import {
  ASK_CONTENT_SUBJECT,
  describeError,
  isRulesFile,
  type RuleFile,
  readContentKeys,
  readSmallBytes,
  type Stage,
  writeFileAtomic,
} from "@nightjar/stage";
import type { LiveRules } from "./live-rules.ts";

/** What of a bundle is the rule engine's. */
export interface BundleRules {
  version: bigint;
  /** Undefined where there is no bundle. */
  folder: string | undefined;
  rules: readonly RuleFile[];
  suppressions: readonly RuleFile[];
}

const NO_BUNDLE: BundleRules = { version: 0n, folder: undefined, rules: [], suppressions: [] };
/** In the stage's folder: the bundle that was in force last, which is so again at the next start. */
const FILE = "content";

export class Content {
  readonly #stage: Stage;
  #current = NO_BUNDLE;
  /** In safe mode the bundle with which it failed: not taken again in this life. */
  #rolledBack: bigint | undefined;

  constructor(stage: Stage) {
    this.#stage = stage;
    const last = readSmallBytes(this.#file);
    if (last) this.#take(last);
    if (stage.isSafeMode && this.#current.folder !== undefined) this.#rollBack(this.#current.folder);
  }

  /** It never changes by itself: what was read stays, whatever becomes of the files. */
  get current(): BundleRules {
    return this.#current;
  }

  /** From now on says whether a bundle could be in force, and has `rules` look when another is. */
  follow(rules: LiveRules): void {
    const { bus } = this.#stage;
    bus.serve(ASK_CONTENT_SUBJECT, async (question) =>
      toBinary(TryContentResponseSchema, await this.#answer(question, rules)),
    );
    bus.follow("CONTENT", (bytes) => {
      if (!this.#take(bytes)) return;
      writeFileAtomic(this.#file, bytes);
      void rules.look();
    });
  }

  get #file(): string {
    return join(this.#stage.folder, FILE);
  }

  /** What CONTENT says need not be believed: the bundle itself is signed, and none older takes its place. */
  #take(bytes: Uint8Array): boolean {
    const { health, log } = this.#stage;
    let said: { version: bigint; folder: string };
    try {
      said = fromBinary(ContentInForceSchema, bytes);
    } catch (error) {
      log.error("no ContentInForce", { error: error as Error });
      return false;
    }
    if (said.version === this.#current.version || said.version === this.#rolledBack) return false;
    const bundle = this.#read(said.folder);
    if ("code" in bundle) {
      health.raise("CONTENT_UNUSABLE", `${bundle.code}: ${bundle.message}`);
      return false;
    }
    if (bundle.version <= this.#current.version) return false;
    health.resolve("CONTENT_UNUSABLE");
    this.#current = bundle;
    return true;
  }

  /** Takes the newest bundle before this one that is still there and can be read; none where there is no such. */
  #rollBack(folder: string): void {
    this.#rolledBack = this.#current.version;
    this.#current = NO_BUNDLE;
    for (const version of versionsBefore(folder)) {
      const bundle = this.#read(join(dirname(folder), version));
      if ("code" in bundle) continue;
      this.#current = bundle;
      break;
    }
    this.#stage.log.warn("the bundle of content is rolled back", {
      from: String(this.#rolledBack),
      to: String(this.#current.version),
    });
  }

  async #answer(question: Uint8Array, rules: LiveRules): Promise<TryContentResponse> {
    try {
      const { folder } = fromBinary(TryContentRequestSchema, question);
      const bundle = this.#read(folder);
      const problem = "code" in bundle ? bundle.message : await rules.problemWith(bundle);
      return create(TryContentResponseSchema, { problem: problem ?? "" });
    } catch (error) {
      return create(TryContentResponseSchema, { problem: describeError(error) });
    }
  }

  #read(folder: string): BundleRules | ContentProblem {
    const { stateDir, settings } = this.#stage;
    const bundle = openBundle(folder, readContentKeys(stateDir, settings));
    if ("code" in bundle) return bundle;
    const files: RuleFile[] = [];
    for (const part of bundle.manifest.parts) {
      if (!isRulesFile(part.name)) continue;
      const bytes = readPart(bundle, part);
      if ("code" in bytes) return bytes;
      files.push({ name: partPath(folder, part.name), text: bytes.toString("utf8") });
    }
    const within = (place: string) => files.filter(({ name }) => name.startsWith(partPath(folder, place)));
    const { version } = bundle.manifest;
    return { version, folder, rules: within("rules/"), suppressions: within("suppressions/") };
  }
}

/** The versions that lie beside a bundle's folder, which is named by its own, and are older; the newest first. */
function versionsBefore(folder: string): string[] {
  const own = Number(basename(folder));
  const names = readdirSync(dirname(folder)).filter((name) => /^\d+$/.test(name) && Number(name) < own);
  return names.sort((left, right) => Number(right) - Number(left));
}
