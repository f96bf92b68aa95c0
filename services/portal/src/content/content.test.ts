// Content at the portal: published whole, given to those it is meant for, downloaded from where it was cut off.
import { createHash, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { request } from "node:https";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { type Client, Code, ConnectError, createClient } from "@connectrpc/connect";
import { CONTENT_FORMAT, etagOf, makeKeyPair, readPrivateKey, signManifest } from "@nightjar/content";
import { ContentManifestSchema, ContentService } from "@nightjar/proto";
import { statePaths } from "@nightjar/stage";
import test from "ava";
import type { Portal } from "../portal.ts";
import { openStoreFolder } from "../store-folder.ts";
import { freshStateDir, makeTemplate, randomId, remove, startTestPortal, transportOf } from "../testing.ts";
import { rangeOf } from "./parts-route.ts";
import { chooseFor, shareOf } from "./rollout.ts";
import { ContentStore, type Published } from "./store.ts";

const PIECE_BYTES = 256 * 1024;
const DAY_MS = 24 * 60 * 60 * 1_000;
const privateKey = readPrivateKey(makeKeyPair().privateKey)!;

let template: string;
let stateDir: string;
let portal: Portal;

test.before(async () => {
  template = await makeTemplate();
  stateDir = freshStateDir(template);
  portal = await startTestPortal(stateDir);
});

test.after.always(async () => {
  await portal.close();
  remove(stateDir);
  remove(template);
});

let client: Client<typeof ContentService> | undefined;
const content = () => (client ??= createClient(ContentService, transportOf(stateDir)));
const digest = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest();

function signed(version: bigint, channel: string, parts: MessageInitShape<typeof ContentManifestSchema>["parts"] = []) {
  const manifest = { format: CONTENT_FORMAT, version, channel, parts };
  return signManifest(create(ContentManifestSchema, manifest as object), privateKey);
}

async function upload(bytes: Uint8Array): Promise<{ name: string; size: bigint; sha256: Uint8Array }> {
  const sha256 = digest(bytes);
  const size = BigInt(bytes.length);
  for (let at = 0; at === 0 || at < bytes.length; at += PIECE_BYTES) {
    const piece = bytes.subarray(at, at + PIECE_BYTES);
    const { complete } = await content().uploadPart({ sha256, size, offset: BigInt(at), bytes: piece });
    if (complete !== at + PIECE_BYTES >= bytes.length) throw new Error("complete at the wrong piece");
  }
  return { name: "rules/a.yaml", size, sha256 };
}

const poll = (channel: string, more: object = {}) =>
  content().pollContent({ sensorId: "s-1", channel, format: CONTENT_FORMAT, sensorVersion: "0.1.0", ...more });

interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: Buffer;
}

/** Over HTTP/1.1, as curl would. */
function get(path: string, headers: Record<string, string> = {}, method = "GET"): Promise<Answer> {
  const read = (file: string) => readFileSync(file, "utf8").trim();
  const authorization = `Bearer ${read(statePaths.portalToken(stateDir))}`;
  const ca = read(statePaths.portalCertificate(stateDir));
  return new Promise((resolve, reject) => {
    const url = new URL(path, portal.address);
    const call = request(url, { ca, method, headers: { authorization, ...headers } }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () =>
        resolve({ status: response.statusCode!, headers: response.headers, body: Buffer.concat(chunks) }),
      );
    });
    call.on("error", reject).end();
  });
}

test("a bundle is published once all of its parts are there, and given with its ETag", async (t) => {
  const channel = "whole";
  const bytes = randomBytes(PIECE_BYTES + 10);
  const part = { name: "rules/a.yaml", size: BigInt(bytes.length), sha256: digest(bytes) };
  const signedManifest = signed(5n, channel, [part]);
  const first = await content().publishContent({ signedManifest, rolloutPercent: 100 });
  t.deepEqual(
    first.missingSha256.map((one) => Buffer.from(one)),
    [part.sha256],
  );
  t.true((await poll(channel)).notModified, "nothing was published yet");
  await upload(bytes);
  const { etag, missingSha256 } = await content().publishContent({ signedManifest, rolloutPercent: 100 });
  t.deepEqual([etag, missingSha256], [etagOf(signedManifest), []]);
  const offered = await poll(channel);
  t.deepEqual(offered.signedManifest, signedManifest);
  t.true((await poll(channel, { etag })).notModified, "seen");
  t.true((await poll(channel, { version: 6n })).notModified, "the sensor has a later one");
  t.true((await poll(channel, { format: CONTENT_FORMAT + 1 })).notModified, "the sensor takes another format");
});

test("versions of a channel only grow", async (t) => {
  const channel = "growing";
  const publish = (version: bigint, name: string) =>
    content().publishContent({ signedManifest: signed(version, name), rolloutPercent: 100 });
  await publish(5n, channel);
  await t.notThrowsAsync(publish(5n, channel), "the same again");
  await t.throwsAsync(publish(4n, channel), { message: /version 5 already/ });
  await t.notThrowsAsync(publish(6n, channel));
  await t.notThrowsAsync(publish(1n, "another"));
});

test("a roll-out reaches its part of the sensors and leaves the others what they have", async (t) => {
  const channel = "parts";
  await content().publishContent({ signedManifest: signed(1n, channel), rolloutPercent: 100 });
  await content().publishContent({ signedManifest: signed(2n, channel), rolloutPercent: 0 });
  const first = await poll(channel);
  t.is(first.etag, etagOf(signed(1n, channel)));
  t.true((await poll(channel, { version: 1n, etag: first.etag })).notModified);
  await content().setRollout({ channel, version: 2n, rolloutPercent: 100 });
  const second = await poll(channel, { version: 1n, etag: first.etag });
  t.deepEqual(second.signedManifest, signed(2n, channel));
  await content().setRollout({ channel, version: 2n, rolloutPercent: 0 });
  t.true((await poll(channel, { version: 2n, etag: second.etag })).notModified, "who has it is given nothing older");
  const { published } = await content().listContent({});
  t.deepEqual(
    published
      .filter((one) => one.manifest?.channel === channel)
      .map((one) => [one.manifest?.version, one.rolloutPercent]),
    [
      [2n, 0],
      [1n, 100],
    ],
  );
  await t.throwsAsync(content().setRollout({ channel, version: 9n, rolloutPercent: 1 }), { message: /no version 9/ });
});

test("of 10,000 sensors a tenth is among the first tenth, and stays when it is a half", (t) => {
  const published = (rolloutPercent: number): Published[] => [
    { channel: "c", version: 3n, etag: "e", format: 1, sensorVersionMin: "", rolloutPercent, publishedAtNs: 0n },
  ];
  const ids = Array.from({ length: 10_000 }, () => randomId());
  const chosen = (percent: number) =>
    ids.filter((sensorId) => chooseFor({ sensorId, format: 1, sensorVersion: "0.1.0" }, published(percent)));
  const tenth = chosen(10);
  t.true(tenth.length > 800 && tenth.length < 1_200, String(tenth.length));
  const half = new Set(chosen(50));
  t.true(tenth.every((id) => half.has(id)));
  t.is(chosen(0).length, 0);
  t.is(chosen(100).length, ids.length);
  const later = tenth.filter((id) => shareOf(id, 4n) < 10);
  t.true(later.length < tenth.length / 2, "others go first the next time");
});

test("a sensor that is too old for the newest is given the newest that it can take", (t) => {
  const one = (version: bigint, sensorVersionMin: string): Published => {
    return { channel: "c", version, etag: "e", format: 1, sensorVersionMin, rolloutPercent: 100, publishedAtNs: 0n };
  };
  const asking = { sensorId: "s", format: 1, sensorVersion: "0.9.0" };
  t.is(chooseFor(asking, [one(3n, "0.10.0"), one(2n, "0.9.0"), one(1n, "")])?.version, 2n);
});

test("a part is downloaded whole, by ranges, and not again", async (t) => {
  const bytes = randomBytes(3 * PIECE_BYTES + 100);
  const sha256 = Buffer.from((await upload(bytes)).sha256).toString("hex");
  const path = `/content/v1/parts/${sha256}`;
  const whole = await get(path);
  t.is(whole.status, 200);
  t.deepEqual(whole.body, bytes);
  t.is(whole.headers.etag, `"${sha256}"`);
  const from = PIECE_BYTES - 5;
  const rest = await get(path, { range: `bytes=${from}-`, "if-range": `"${sha256}"` });
  t.is(rest.status, 206);
  t.deepEqual(rest.body, bytes.subarray(from));
  t.is(rest.headers["content-range"], `bytes ${from}-${bytes.length - 1}/${bytes.length}`);
  t.deepEqual((await get(path, { range: `bytes=${from}-${from + 9}` })).body, bytes.subarray(from, from + 10));
  t.deepEqual((await get(path, { range: "bytes=-7" })).body, bytes.subarray(-7));
  t.is((await get(path, { range: `bytes=${bytes.length}-` })).status, 416);
  t.is((await get(path, { range: "bytes=0-", "if-range": '"other"' })).status, 200, "of something else: all of it");
  t.is((await get(path, { "if-none-match": `"${sha256}"` })).status, 304);
});

test("who has no token gets no part, and no other path leads anywhere", async (t) => {
  const bytes = randomBytes(10);
  const sha256 = Buffer.from((await upload(bytes)).sha256).toString("hex");
  t.is((await get(`/content/v1/parts/${sha256}`, { authorization: "Bearer wrong" })).status, 401);
  t.is((await get(`/content/v1/parts/${"0".repeat(64)}`)).status, 404);
  t.is((await get("/content/v1/parts/../../../etc/passwd")).status, 404);
  t.is((await get("/content/v1/parts/%2e%2e%2fetc")).status, 404);
  t.is((await get(`/content/v1/parts/${sha256}`, {}, "DELETE")).status, 404);
});

test("pieces that make another digest are thrown away, and the part can be uploaded again", async (t) => {
  const bytes = randomBytes(20);
  const [sha256, size] = [digest(bytes), 20n];
  const send = (piece: Uint8Array) => content().uploadPart({ sha256, size, offset: 0n, bytes: piece });
  t.false((await send(randomBytes(20))).complete);
  t.is((await get(`/content/v1/parts/${sha256.toString("hex")}`)).status, 404);
  t.true((await send(bytes)).complete);
  t.true((await send(randomBytes(20))).complete, "what is whole stays as it is");
  t.deepEqual((await get(`/content/v1/parts/${sha256.toString("hex")}`)).body, bytes);
});

test("an empty part is a part", async (t) => {
  const { sha256 } = await upload(new Uint8Array());
  const answer = await get(`/content/v1/parts/${Buffer.from(sha256).toString("hex")}`);
  t.deepEqual([answer.status, answer.body.length], [200, 0]);
});

const hash = new Uint8Array(32);
const nonsense: [string, () => Promise<unknown>][] = [
  ["no manifest", () => content().publishContent({ rolloutPercent: 1 })],
  ["garbage", () => content().publishContent({ signedManifest: { manifest: Uint8Array.of(255) }, rolloutPercent: 1 })],
  ["101 percent", () => content().publishContent({ signedManifest: signed(1n, "c"), rolloutPercent: 101 })],
  ["another way out of the folder", () => publishNamed("rules/../../x")],
  ["a channel that is none", () => poll("Not A Channel")],
  [
    "a piece that is too short",
    () => content().uploadPart({ sha256: hash, size: 10n, offset: 0n, bytes: hash.subarray(9) }),
  ],
  ["a piece behind the end", () => content().uploadPart({ sha256: hash, size: 10n, offset: 262_144n })],
  ["a giant", () => content().uploadPart({ sha256: hash, size: 2n ** 40n, offset: 0n })],
  ["half a digest", () => content().uploadPart({ sha256: hash.subarray(16), size: 0n })],
];

function publishNamed(name: string) {
  const signedManifest = signed(1n, "named", [{ name, size: 1n, sha256: hash }]);
  return content().publishContent({ signedManifest, rolloutPercent: 1 });
}
for (const [what, call] of nonsense) {
  test(`refused: ${what}`, async (t) => {
    const error = await t.throwsAsync(call, { instanceOf: ConnectError });
    t.is(error?.code, Code.InvalidArgument);
  });
}

test("ranges as RFC 9110 has them", (t) => {
  t.deepEqual(rangeOf("bytes=0-0", 10n), { first: 0n, last: 0n });
  t.deepEqual(rangeOf("bytes=2-99", 10n), { first: 2n, last: 9n });
  t.deepEqual(rangeOf("bytes=-99", 10n), { first: 0n, last: 9n });
  for (const none of [undefined, "bytes=-", "bytes=5-2", "bytes=0-1,3-4", "items=0-1", "bytes=a-b"]) {
    t.is(rangeOf(none, 10n), undefined);
  }
  for (const beyond of ["bytes=10-", "bytes=-0"]) t.is(rangeOf(beyond, 10n), "unsatisfiable");
  t.is(rangeOf("bytes=0-", 0n), "unsatisfiable");
});

test("parts that nothing uses go after a day; of versions those that somebody may still be given stay", async (t) => {
  const folder = freshStateDir();
  const database = await openStoreFolder(folder);
  t.teardown(async () => {
    await database.close();
    remove(folder);
  });
  const store = new ContentStore(database, () => {});
  const save = async (text: string) => {
    const bytes = Buffer.from(text);
    const sha256 = digest(bytes).toString("hex");
    await store.savePiece({ sha256, size: BigInt(bytes.length), offset: 0n, bytes }, 0);
    return { name: "rules/a.yaml", size: BigInt(bytes.length), sha256: digest(bytes) };
  };
  const publish = async (version: bigint, rolloutPercent: number, text: string) => {
    const parts = [await save(text)];
    const manifest = create(ContentManifestSchema, { format: 1, version, channel: "c", parts });
    const signedManifest = signManifest(manifest, privateKey);
    const etag = etagOf(signedManifest);
    t.is(await store.publish({ manifest, signed: signedManifest, etag, rolloutPercent }, 0), undefined);
  };
  await save("unused");
  for (let version = 1n; version <= 15n; version++)
    await publish(version, version === 3n ? 100 : 10, `text ${version}`);
  const there = async (text: string) => (await store.sizeOf(digest(Buffer.from(text)).toString("hex"))) !== undefined;
  await store.sweep(DAY_MS - 1);
  t.true(await there("unused"));
  await store.sweep(DAY_MS + 1);
  t.false(await there("unused"));
  t.deepEqual(
    (await store.list("c")).map(({ version }) => Number(version)),
    Array.from({ length: 13 }, (_, index) => 15 - index),
    "version 3 is what most are given; what came before it nobody is",
  );
  t.true(await there("text 3"));
  t.false(await there("text 2"));
});
