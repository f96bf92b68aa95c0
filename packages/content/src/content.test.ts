// What a hostile portal or network may try with a bundle, and what comes of it.
import { sign } from "node:crypto";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { ContentManifestSchema, type ContentPart, type SignedManifest, SignedManifestSchema } from "@nightjar/proto";
import { temporaryFolder } from "@nightjar/test-support";
import test from "ava";
import {
  bundleFiles,
  CONTENT_FORMAT,
  type ContentCode,
  etagOf,
  type Held,
  isOfPair,
  judgeContent,
  makeKeyPair,
  openBundle,
  packFolder,
  partPath,
  readPart,
  readPrivateKey,
  readPublicKeys,
  signManifest,
} from "./index.ts";
import { signedBytes } from "./judge.ts";

const pair = makeKeyPair();
const stranger = makeKeyPair();
const privateKey = readPrivateKey(pair.privateKey)!;
const publicKeys = readPublicKeys(pair.publicKey);
const SHA256 = new Uint8Array(32);

type Fields = MessageInitShape<typeof ContentManifestSchema>;

function manifest(fields: Fields = {}) {
  return create(ContentManifestSchema, {
    format: CONTENT_FORMAT,
    version: 7n,
    channel: "stable",
    parts: [{ name: "rules/a.yaml", size: 1n, sha256: SHA256 }],
    ...(fields as object),
  });
}

function signed(fields: Fields = {}, key = privateKey): SignedManifest {
  return signManifest(manifest(fields), key);
}

const held: Held = { publicKeys, channel: "stable", sensorVersion: "0.1.0", latest: undefined };

function codeOf(content: SignedManifest, host: Partial<Held> = {}): ContentCode | "taken" {
  const verdict = judgeContent(content, { ...held, ...host });
  return verdict.ok ? "taken" : verdict.problem.code;
}

/** Another byte at a place, in a copy. */
function changed(bytes: Uint8Array, at: number): Uint8Array {
  const copy = Uint8Array.from(bytes);
  copy[at]! ^= 1;
  return copy;
}

test("what is signed by a key of the host, of its channel and format, and newer, is taken", (t) => {
  t.is(codeOf(signed()), "taken");
  t.is(codeOf(signed(), { latest: { version: 6n, etag: "e" } }), "taken");
  t.is(codeOf(signed(), { latest: { version: 7n, etag: etagOf(signed()) } }), "taken", "the same once more");
  t.is(codeOf(signed({ sensorVersionMin: "0.1.0" })), "taken");
  const both = [...readPublicKeys(`${stranger.publicKey}\n${pair.publicKey}`)];
  t.is(codeOf(signed(), { publicKeys: both }), "taken", "while keys are changed, both count");
});

test("any bit of the manifest or the signature changed: not signed", (t) => {
  const good = signed();
  for (let at = 0; at < good.manifest.length; at++) {
    t.is(codeOf({ ...good, manifest: changed(good.manifest, at) }), "CONTENT_UNSIGNED");
  }
  for (let at = 0; at < good.signature.length; at++) {
    t.is(codeOf({ ...good, signature: changed(good.signature, at) }), "CONTENT_UNSIGNED");
  }
});

const notSigned: [string, SignedManifest][] = [
  ["no signature", create(SignedManifestSchema, { manifest: signed().manifest })],
  ["another key", signed({}, readPrivateKey(stranger.privateKey)!)],
  ["another bundle's signature", { ...signed(), signature: signed({ version: 8n }).signature }],
  ["nothing", create(SignedManifestSchema)],
  ["a manifest without end", { ...signed(), manifest: new Uint8Array(2 ** 20) }],
];
for (const [what, content] of notSigned) {
  test(`not signed: ${what}`, (t) => t.is(codeOf(content), "CONTENT_UNSIGNED"));
}

const refused: [string, SignedManifest, Partial<Held>, ContentCode][] = [
  ["a host without a key takes nothing", signed(), { publicKeys: [] }, "CONTENT_NO_KEY"],
  ["older", signed(), { latest: { version: 8n, etag: "e" } }, "CONTENT_OLDER"],
  ["as old, with other contents", signed(), { latest: { version: 7n, etag: "e" } }, "CONTENT_OLDER"],
  ["a later format", signed({ format: CONTENT_FORMAT + 1 }), {}, "CONTENT_OTHER_FORMAT"],
  ["no format", signed({ format: 0 }), {}, "CONTENT_OTHER_FORMAT"],
  ["another channel", signed({ channel: "early" }), {}, "CONTENT_OTHER_CHANNEL"],
  ["a later sensor", signed({ sensorVersionMin: "0.1.1" }), {}, "CONTENT_OTHER_SENSOR"],
  ["a much later sensor", signed({ sensorVersionMin: "0.10.0" }), { sensorVersion: "0.9.9" }, "CONTENT_OTHER_SENSOR"],
  ["version 0", signed({ version: 0n }), {}, "CONTENT_MALFORMED"],
  ["a version that is no number to come", signed({ version: 2n ** 64n - 1n }), {}, "CONTENT_MALFORMED"],
];
for (const [what, content, host, code] of refused) {
  test(`refused: ${what}`, (t) => t.is(codeOf(content, host), code));
}

test("signed bytes that are no manifest", (t) => {
  const garbage = Uint8Array.of(0xff);
  t.is(codeOf({ ...signed(), manifest: garbage }), "CONTENT_UNSIGNED", "is not even decoded");
  const signature = sign(null, signedBytes(garbage), privateKey);
  t.is(codeOf({ ...signed(), manifest: garbage, signature }), "CONTENT_MALFORMED");
});

const badNames = [
  "../rules/a.yaml",
  "rules/../../etc/passwd",
  "/etc/passwd",
  "rules//a.yaml",
  "rules/",
  "rules",
  "rules/.hidden",
  "rules/-rf",
  "rules/a\0.yaml",
  "rules/a\n.yaml",
  "rules\\a.yaml",
  "rules/ä.yaml",
  "./rules/a.yaml",
  `rules/${"a".repeat(200)}`,
  "settings.yaml/a",
  "manifest.bin",
  "",
];
for (const name of badNames) {
  test(`no part may be called ${JSON.stringify(name).slice(0, 40)}`, (t) => {
    const content = signed({ parts: [{ name, size: 1n, sha256: SHA256 }] });
    t.is(codeOf(content), "CONTENT_MALFORMED");
  });
}

const part = (name: string, size = 1n, sha256 = SHA256) => ({ name, size, sha256 });
const badParts: [string, ReturnType<typeof part>[]][] = [
  ["twice the same name", [part("rules/a.yaml"), part("rules/a.yaml")]],
  ["a file that is a folder too", [part("rules/a/b.yaml"), part("rules/a")]],
  ["a giant of rules", [part("rules/a.yaml", 2n ** 32n)]],
  ["too much in all", [part("indicators/a", 2n ** 28n), part("indicators/b", 2n ** 28n), part("indicators/c", 1n)]],
  ["half a digest", [part("rules/a.yaml", 1n, SHA256.subarray(16))]],
  ["too many", Array.from({ length: 2_001 }, (_, index) => part(`rules/${index}.yaml`))],
];
for (const [what, parts] of badParts) {
  test(`parts: ${what}`, (t) => t.is(codeOf(signed({ parts })), "CONTENT_MALFORMED"));
}

test("a private key is no public one, nor are other keys and garbage", (t) => {
  t.deepEqual(readPublicKeys(pair.privateKey), []);
  t.deepEqual(readPublicKeys("-----BEGIN PUBLIC KEY-----\nMAA=\n-----END PUBLIC KEY-----"), []);
  t.is(readPrivateKey(pair.publicKey), undefined);
  t.true(isOfPair(privateKey, publicKeys));
  t.false(isOfPair(privateKey, readPublicKeys(stranger.publicKey)));
});

/** A bundle on disk with one part. */
function onDisk(t: Parameters<typeof temporaryFolder>[0]) {
  const source = temporaryFolder(t);
  mkdirSync(join(source, "rules", "web"), { recursive: true });
  writeFileSync(join(source, "rules", "web", "a.yaml"), "- rule: A\n");
  writeFileSync(join(source, "rules", ".a.yaml.swp"), "hidden");
  const parts = packFolder(source);
  const folder = temporaryFolder(t);
  const content = signManifest(manifest({ parts }), privateKey);
  writeFileSync(bundleFiles.manifest(folder), toBinary(SignedManifestSchema, content));
  mkdirSync(join(bundleFiles.parts(folder), "rules", "web"), { recursive: true });
  writeFileSync(partPath(folder, "rules/web/a.yaml"), "- rule: A\n");
  return { folder, parts, source };
}

test("a bundle on disk is read for what was signed", (t) => {
  const { folder, parts } = onDisk(t);
  const bundle = openBundle(folder, publicKeys);
  t.deepEqual(
    parts.map(({ name }) => name),
    ["rules/web/a.yaml"],
  );
  if ("code" in bundle) return t.fail(bundle.message);
  t.is(readPart(bundle, bundle.manifest.parts[0] as ContentPart).toString(), "- rule: A\n");
});

test("what was changed on the disk afterwards is not read", (t) => {
  const { folder, source } = onDisk(t);
  const bundle = openBundle(folder, publicKeys);
  if ("code" in bundle) return t.fail(bundle.message);
  const [one] = bundle.manifest.parts as [ContentPart];
  const read = () => readPart(bundle, one) as { code?: string };
  writeFileSync(partPath(folder, one.name), "- rule: B\n");
  t.is(read().code, "CONTENT_TAMPERED", "of the same size");
  writeFileSync(partPath(folder, one.name), "- rule: A\n\n");
  t.is(read().code, "CONTENT_TAMPERED", "longer");
  t.is((readPart(bundle, { ...one, name: "rules/none.yaml" }) as { code?: string }).code, "CONTENT_UNREADABLE");
  symlinkSync(join(source, "rules", "web", "a.yaml"), partPath(folder, "rules/link.yaml"));
  t.is((readPart(bundle, { ...one, name: "rules/link.yaml" }) as { code?: string }).code, "CONTENT_UNREADABLE");
  const none = openBundle(folder, readPublicKeys(stranger.publicKey)) as { code?: string };
  t.is(none.code, "CONTENT_UNSIGNED");
  writeFileSync(bundleFiles.manifest(folder), "garbage");
  t.is((openBundle(folder, publicKeys) as { code?: string }).code, "CONTENT_UNREADABLE");
});
