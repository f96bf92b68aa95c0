// Content against a hostile portal: what is replayed, cut, stretched or swapped is not taken, and the last good stays.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { create } from "@bufbuild/protobuf";
import {
  type Bundle,
  CONTENT_FORMAT,
  etagOf,
  makeKeyPair,
  partPath,
  readPrivateKey,
  readPublicKeys,
  signManifest,
} from "@nightjar/content";
import {
  ContentManifestSchema,
  type PollContentResponse,
  PollContentResponseSchema,
  type SignedManifest,
} from "@nightjar/proto";
import { temporaryFolder } from "@nightjar/test-support";
import test, { type ExecutionContext } from "ava";
import { PortalFailure } from "../failure.ts";
import type { RestBody } from "../transport/rest.ts";
import type { Get } from "./download.ts";
import { Shelf } from "./shelf.ts";
import { type Asked, ContentUpdate, type Outcome } from "./update.ts";

const pair = makeKeyPair();
const privateKey = readPrivateKey(pair.privateKey)!;
const sha256 = (text: string | Buffer) => createHash("sha256").update(text).digest();

type Files = Readonly<Record<string, string>>;

interface Published {
  signed: SignedManifest;
  files: Files;
}

function publish(version: bigint, files: Files, channel = "stable"): Published {
  const parts = Object.entries(files).map(([name, text]) => {
    return { name, size: BigInt(Buffer.byteLength(text)), sha256: sha256(text) };
  });
  const manifest = create(ContentManifestSchema, { format: CONTENT_FORMAT, version, channel, parts });
  return { signed: signManifest(manifest, privateKey), files };
}

/** A portal that gives whatever a test says, and a host that has a shelf and a rule engine. */
class World {
  readonly folder: string;
  publicKeys = readPublicKeys(pair.publicKey);
  /** What is given whatever was asked; undefined: nothing new. */
  offered: Published | undefined;
  /** What a download is answered with; by default what was asked for. */
  answer: (bytes: Buffer, range: string | undefined) => { status: number; body: Buffer[]; breaks?: boolean } = whole;
  /** What the rule engine says of a bundle. */
  engine: string | undefined = "";
  readonly enforced: bigint[] = [];
  readonly asked: Asked[] = [];
  readonly downloads: (string | undefined)[] = [];
  update: ContentUpdate;

  constructor(t: ExecutionContext) {
    this.folder = join(temporaryFolder(t), "content");
    this.update = this.start();
  }

  /** The uplink is started anew. */
  start(): ContentUpdate {
    this.update = new ContentUpdate({
      sensorId: "s",
      channel: "stable",
      shelf: new Shelf(this.folder),
      publicKeys: () => this.publicKeys,
      poll: async (asked) => this.#poll(asked),
      get: this.#get,
      tryOut: async () => this.engine,
      enforce: async ({ manifest }: Bundle) => void this.enforced.push(manifest.version),
    });
    return this.update;
  }

  offer(published: Published): Promise<Outcome> {
    this.offered = published;
    return this.update.run();
  }

  /** The texts of the bundle that was put in force last. */
  read(name: string): string {
    return readFileSync(partPath(join(this.folder, "versions", String(this.enforced.at(-1))), name), "utf8");
  }

  #poll(asked: Asked): PollContentResponse {
    this.asked.push(asked);
    if (!this.offered) return create(PollContentResponseSchema, { notModified: true });
    return create(PollContentResponseSchema, {
      signedManifest: this.offered.signed,
      etag: etagOf(this.offered.signed),
    });
  }

  #get: Get = async (path, { range }, take) => {
    this.downloads.push(range);
    const text = Object.values(this.offered?.files ?? {}).find((one) => path.endsWith(sha256(one).toString("hex")));
    const bytes = Buffer.from(text ?? "");
    const { status, body, breaks } = this.answer(bytes, range);
    const first = /^bytes=(\d+)-$/.exec(range ?? "")?.[1] ?? "0";
    const headers = status === 206 ? { "content-range": `bytes ${first}-${bytes.length - 1}/${bytes.length}` } : {};
    return await take({ status, headers }, stream(body, breaks));
  };
}

async function* stream(body: readonly Buffer[], breaks = false): RestBody & AsyncGenerator<Buffer> {
  yield* body;
  if (breaks) throw new PortalFailure("reset", "Connection Failed: connection reset", "");
}

function whole(bytes: Buffer, range: string | undefined) {
  const first = Number(/^bytes=(\d+)-$/.exec(range ?? "")?.[1] ?? 0);
  return { status: range === undefined ? 200 : 206, body: [bytes.subarray(first)] };
}

function codeOf(outcome: Outcome): string {
  return outcome.is === "refused" ? outcome.problem.code : outcome.is;
}

const good = publish(5n, { "rules/a.yaml": "- rule: A", "indicators/filter.bin": "filter" });

/** A host on which version 5 is in force. */
async function hostWithGood(t: ExecutionContext): Promise<World> {
  const world = new World(t);
  t.is((await world.offer(good)).is, "in force");
  return world;
}

test("content comes into force, and is so again after a restart", async (t) => {
  const world = await hostWithGood(t);
  t.deepEqual(world.enforced, [5n]);
  t.is(world.read("rules/a.yaml"), "- rule: A");
  const again = world.start();
  t.is(await again.begin(), undefined);
  t.deepEqual(world.enforced, [5n, 5n]);
  world.offered = undefined;
  t.is((await again.run()).is, "nothing new");
  t.like(world.asked.at(-1), { version: 5n, etag: etagOf(good.signed), format: CONTENT_FORMAT });
});

test("what is in force is readable to the group, in which the rule engine is, and to nobody else", async (t) => {
  const { folder } = await hostWithGood(t);
  const entries = readdirSync(join(folder, "versions"), { recursive: true, withFileTypes: true });
  const modes = entries.map((entry) => statSync(join(entry.parentPath, entry.name)).mode & 0o077);
  t.deepEqual([...new Set(modes)].sort(), [0o040, 0o050]);
});

test("an older bundle of the same signer is a replay, also after a restart", async (t) => {
  const world = await hostWithGood(t);
  const older = publish(4n, { "rules/a.yaml": "- rule: Old" });
  t.is(codeOf(await world.offer(older)), "CONTENT_OLDER");
  await world.start().begin();
  t.is(codeOf(await world.offer(older)), "CONTENT_OLDER");
  t.is(
    codeOf(await world.offer(publish(5n, { "rules/a.yaml": "- rule: Other" }))),
    "CONTENT_OLDER",
    "of the same version",
  );
  t.is(world.read("rules/a.yaml"), "- rule: A");
  t.is(world.downloads.length, 2, "nothing of it was so much as downloaded");
});

test("what was refused is not asked for again, until the host's key is another", async (t) => {
  const world = new World(t);
  world.publicKeys = [];
  t.is(codeOf(await world.offer(good)), "CONTENT_NO_KEY");
  await world.update.run();
  t.is(world.asked.at(-1)?.etag, etagOf(good.signed));
  world.publicKeys = readPublicKeys(pair.publicKey);
  t.is((await world.update.run()).is, "in force");
  t.is(world.asked.at(-1)?.etag, "");
});

test("what the rule engine cannot load is rolled back, and what is older than that is not taken either", async (t) => {
  const world = await hostWithGood(t);
  world.engine = "a.yaml:1: no condition";
  t.is(codeOf(await world.offer(publish(7n, { "rules/a.yaml": "- rule: Wrong" }))), "CONTENT_NOT_LOADED");
  world.engine = "";
  t.is(codeOf(await world.offer(publish(6n, { "rules/a.yaml": "- rule: Between" }))), "CONTENT_OLDER");
  await world.start().begin();
  t.deepEqual(world.enforced, [5n, 5n]);
  t.is(world.read("rules/a.yaml"), "- rule: A");
  t.is((await world.offer(publish(8n, { "rules/a.yaml": "- rule: Right" }))).is, "in force");
});

test("while the rule engine does not answer nothing changes, and nothing is downloaded twice", async (t) => {
  const world = new World(t);
  world.engine = undefined;
  t.is((await world.offer(good)).is, "not tried");
  t.deepEqual(world.enforced, []);
  const downloads = world.downloads.length;
  world.engine = "";
  t.is((await world.offer(good)).is, "in force");
  t.is(world.downloads.length, downloads);
});

test("a download that is cut off goes on where it was, also in the next life", async (t) => {
  const world = new World(t);
  const text = "0123456789".repeat(1_000);
  const long = publish(6n, { "indicators/list": text });
  world.answer = (bytes, range) => {
    const { status, body } = whole(bytes, range);
    return { status, body: [body[0]!.subarray(0, 4_000)], breaks: true };
  };
  await t.throwsAsync(world.offer(long), { instanceOf: PortalFailure });
  world.start();
  await t.throwsAsync(world.offer(long), { instanceOf: PortalFailure });
  world.answer = whole;
  t.is((await world.offer(long)).is, "in force");
  t.deepEqual(world.downloads, [undefined, "bytes=4000-", "bytes=8000-"]);
  t.is(world.read("indicators/list"), text);
});

/** [what the portal does, its answer] */
const tampered: [string, World["answer"]][] = [
  ["gives other bytes", (bytes) => ({ status: 200, body: [Buffer.alloc(bytes.length, "x")] })],
  ["gives more than was signed", (bytes) => ({ status: 200, body: [bytes, Buffer.alloc(1)] })],
  ["never ends", () => ({ status: 200, body: Array.from({ length: 10_000 }, () => Buffer.alloc(64 * 1024)) })],
];
for (const [what, answer] of tampered) {
  test(`a portal that ${what}: tampered`, async (t) => {
    const world = await hostWithGood(t);
    world.answer = answer;
    t.is(codeOf(await world.offer(publish(6n, { "rules/a.yaml": "- rule: B" }))), "CONTENT_TAMPERED");
    t.deepEqual(world.enforced, [5n]);
    t.deepEqual(readdirSync(join(world.folder, "incoming")), [], "nothing of it is kept");
  });
}

for (const status of [301, 302, 307, 404, 416, 500]) {
  test(`a download that is answered ${status} is a failed call, and leads nowhere else`, async (t) => {
    const world = await hostWithGood(t);
    world.answer = () => ({ status, body: [Buffer.from("<html>")] });
    const failure = await t.throwsAsync(world.offer(publish(6n, { "rules/a.yaml": "- rule: B" })), {
      instanceOf: PortalFailure,
    });
    t.is(failure?.message, `comm error (${status})`);
    t.deepEqual(world.enforced, [5n]);
  });
}

test("a part that the bundle before has too is not downloaded", async (t) => {
  const world = await hostWithGood(t);
  const before = world.downloads.length;
  t.is((await world.offer(publish(6n, { ...good.files, "rules/b.yaml": "- rule: B" }))).is, "in force");
  t.is(world.downloads.length, before + 1);
  t.is(world.read("indicators/filter.bin"), "filter");
});

test("of bundles the one in force and the one before are kept, of downloads none", async (t) => {
  const world = await hostWithGood(t);
  for (const version of [6n, 7n, 8n]) await world.offer(publish(version, { "rules/a.yaml": `- rule: R${version}` }));
  t.deepEqual(readdirSync(join(world.folder, "versions")).sort(), ["7", "8"]);
  t.deepEqual(readdirSync(join(world.folder, "incoming")), []);
});

test("what was changed on the disk is downloaded anew after a restart", async (t) => {
  const world = await hostWithGood(t);
  writeFileSync(partPath(join(world.folder, "versions", "5"), "rules/a.yaml"), "- rule: Z");
  t.is((await world.start().begin())?.code, "CONTENT_TAMPERED");
  t.is((await world.offer(good)).is, "in force");
  t.is(world.read("rules/a.yaml"), "- rule: A");
});

test("without the key nothing is in force after a restart", async (t) => {
  const world = await hostWithGood(t);
  world.publicKeys = [];
  t.is((await world.start().begin())?.code, "CONTENT_NO_KEY");
  t.deepEqual(world.enforced, [5n]);
});

test("a disk that refuses is told, and tried again", async (t) => {
  const world = await hostWithGood(t);
  const incoming = join(world.folder, "incoming");
  rmSync(incoming, { recursive: true });
  writeFileSync(incoming, "no folder");
  const next = publish(6n, { "rules/a.yaml": "- rule: B" });
  const outcome = await world.offer(next);
  t.is(codeOf(outcome), "CONTENT_UNREADABLE");
  t.like(outcome, { seen: false });
  rmSync(incoming);
  mkdirSync(incoming);
  t.is((await world.offer(next)).is, "in force");
});

test("what a state file says that is none of ours leads nowhere", (t) => {
  const world = new World(t);
  const state = { latest: "../../etc", etag: "e", in_force: "../../../etc" };
  writeFileSync(join(world.folder, "state.json"), JSON.stringify(state));
  const shelf = new Shelf(world.folder);
  t.is(shelf.latest, undefined);
  t.is(shelf.inForce(world.publicKeys), undefined);
  t.false(existsSync(join(world.folder, "..", "etc")));
});
