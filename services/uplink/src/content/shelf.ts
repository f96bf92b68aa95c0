// The bundles on disk: the one in force, the one before, and what is being downloaded; and what is known of them.
import type { KeyObject } from "node:crypto";
import { copyFileSync, linkSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { toBinary } from "@bufbuild/protobuf";
import {
  type Bundle,
  bundleFiles,
  type ContentProblem,
  etagOf,
  openBundle,
  partPath,
  readPart,
} from "@nightjar/content";
import { type ContentManifest, type ContentPart, type SignedManifest, SignedManifestSchema } from "@nightjar/proto";
import { readSmallFile, writeFileAtomic } from "@nightjar/stage";

/** Under systemd the rule engine, which reads what is in force, is another user, of a group with this one. */
const FOLDER_MODE = 0o750;
const MANIFEST_MODE = 0o640;
const VERSION = /^[1-9]\d{0,18}$/;

/** A bundle that came to an end here: it is in force, or could not be loaded. */
interface Known {
  version: bigint;
  etag: string;
}

/**
 * Paths below the folder come from versions, which are numbers, from digests, and from names of parts that
 * checkManifest let pass; all of them are made anew in folders of our own, so that no link leads elsewhere.
 */
export class Shelf {
  readonly #folder: string;
  /** The newest that was taken, in force or not: nothing older is taken any more. */
  #latest: Known | undefined;
  #inForce: bigint | undefined;

  /** Makes the folder where it is not there. Throws what making it throws. */
  constructor(folder: string) {
    this.#folder = folder;
    mkdirSync(join(folder, "incoming"), { recursive: true, mode: FOLDER_MODE });
    mkdirSync(join(folder, "versions"), { recursive: true, mode: FOLDER_MODE });
    const { latest, inForce } = readState(readSmallFile(this.#stateFile) ?? "");
    this.#latest = latest;
    this.#inForce = inForce;
  }

  get latest(): Known | undefined {
    return this.#latest;
  }

  /** The bundle that was put in force last; undefined where there is none, a problem where it is not whole. */
  inForce(publicKeys: readonly KeyObject[]): Bundle | ContentProblem | undefined {
    if (this.#inForce === undefined) return undefined;
    const bundle = openBundle(this.#folderOf(this.#inForce), publicKeys);
    if ("code" in bundle) return bundle;
    for (const part of bundle.manifest.parts) {
      const bytes = readPart(bundle, part);
      if ("code" in bytes) return bytes;
    }
    return bundle;
  }

  /** Where a part is downloaded to. A part that the bundle in force has too is copied there first. */
  incoming(part: ContentPart, before: Bundle | undefined): string {
    const file = join(this.#folder, "incoming", Buffer.from(part.sha256).toString("hex"));
    const same = before?.manifest.parts.find(({ sha256 }) => Buffer.compare(sha256, part.sha256) === 0);
    if (before && same) copyFileSync(partPath(before.folder, same.name), file);
    return file;
  }

  /** Puts a bundle whose parts have all come together, in a folder of its own. */
  assemble(signed: SignedManifest, manifest: ContentManifest): Bundle {
    const folder = this.#folderOf(manifest.version);
    const fresh = `${folder}.new`;
    for (const one of [fresh, folder]) rmSync(one, { recursive: true, force: true });
    mkdirSync(bundleFiles.parts(fresh), { recursive: true, mode: FOLDER_MODE });
    for (const part of manifest.parts) {
      const file = partPath(fresh, part.name);
      mkdirSync(dirname(file), { recursive: true, mode: FOLDER_MODE });
      linkSync(this.incoming(part, undefined), file);
    }
    writeFileAtomic(bundleFiles.manifest(fresh), toBinary(SignedManifestSchema, signed), MANIFEST_MODE);
    renameSync(fresh, folder);
    return { folder, manifest, etag: etagOf(signed) };
  }

  /** A bundle is what the sensor goes by from now on, also after a crash. */
  enforce({ manifest: { version }, etag }: Bundle): void {
    const before = this.#inForce;
    this.#latest = { version, etag };
    this.#inForce = version;
    this.#save();
    this.#tidy(before);
  }

  /** A bundle could not be loaded: the one before stays, and what is older than this is not taken any more. */
  giveUp({ manifest: { version }, etag }: Bundle): void {
    this.#latest = { version, etag };
    this.#save();
    this.#tidy(undefined);
  }

  get #stateFile(): string {
    return join(this.#folder, "state.json");
  }

  #folderOf(version: bigint): string {
    return join(this.#folder, "versions", String(version));
  }

  #save(): void {
    const { version, etag } = this.#latest!;
    const state = { latest: String(version), etag, in_force: this.#inForce === undefined ? "" : String(this.#inForce) };
    writeFileAtomic(this.#stateFile, `${JSON.stringify(state)}\n`);
  }

  /** The one before stays a while: who is told of the new one may be about to read it. */
  #tidy(before: bigint | undefined): void {
    const kept = new Set([this.#inForce, before].filter((one) => one !== undefined).map(String));
    const versions = join(this.#folder, "versions");
    for (const name of readdirSync(versions)) {
      if (!kept.has(name)) rmSync(join(versions, name), { recursive: true, force: true });
    }
    const incoming = join(this.#folder, "incoming");
    for (const name of readdirSync(incoming)) rmSync(join(incoming, name), { force: true });
  }
}

/** A file that a person or a disk made unreadable says nothing: the portal is asked for what there is. */
function readState(text: string): { latest: Known | undefined; inForce: bigint | undefined } {
  const state = parse(text);
  const number = (value: unknown) => (VERSION.test(String(value)) ? BigInt(String(value)) : undefined);
  const version = number(state.latest);
  return {
    latest: version === undefined ? undefined : { version, etag: String(state.etag) },
    inForce: number(state.in_force),
  };
}

function parse(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
