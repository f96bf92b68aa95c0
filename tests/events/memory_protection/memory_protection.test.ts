// Memory becomes executable: by mapping it so or by mprotect, with a file behind it and without.
import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { Call, DescriptorType } from "@nightjar/proto";
import { temporaryFolder } from "@nightjar/test-support";
import type { ExecutionContext } from "ava";
import { compileDeed } from "../support/deed.ts";
import { balances, kernelTest, text, watchKernel } from "../support/kernel.ts";

const READ = 1;
const WRITE = 2;
const EXECUTE = 4;
const PRIVATE = 2;
const ANONYMOUS = 0x20;
const LEAVE_PROTECTION = -1;
const MAPPED_BYTES = 16384n;
const PIECE_BYTES = 4096n;
const EBADF = 9n;
const EINVAL = 22n;

interface Act {
  protection: number;
  flags?: number;
  file?: string;
  write?: boolean;
  /** What mprotect asks for; it is not called by default. */
  protectAs?: number;
  /** Of pkey_mprotect, which is called instead. */
  key?: number;
}

/** Does it, and gives what the calls returned with all events of the process. */
async function act(
  t: ExecutionContext,
  { protection, flags = PRIVATE, file = "", write = false, protectAs, key }: Act,
) {
  const watch = watchKernel(t, { types: ["memoryProtection", "library", "exit"] });
  const done = compileDeed(t, import.meta.dirname).do([
    ...[String(protection), String(flags), file, write ? "write" : "leave", String(protectAs ?? LEAVE_PROTECTION)],
    ...(key === undefined ? [] : [String(key)]),
  ]);
  await watch.ended(done.pid);
  await watch.probe.stop();
  t.true(balances(watch.ledger("memoryProtection")), watch.explain());
  const [mapped = 0n, piece = 0n, result = 0n] = done.stdout.split(" ").map(BigInt);
  const of = <Name extends "memoryProtection" | "library">(name: Name) => watch.of(name, ({ pid }) => pid === done.pid);
  return { mapped, piece, result, protections: of("memoryProtection"), libraries: of("library") };
}

function copiedFile(t: ExecutionContext): string {
  const path = join(temporaryFolder(t), "code");
  copyFileSync("/bin/true", path);
  return path;
}

for (const protection of [READ | WRITE | EXECUTE, READ | EXECUTE]) {
  kernelTest(`anonymous memory is mapped with protection ${protection}`, async (t) => {
    const flags = PRIVATE | ANONYMOUS;
    const { mapped, protections } = await act(t, { protection, flags });
    t.is(protections.length, 1);
    const [event] = protections;
    t.like(event, { call: Call.MMAP, result: mapped });
    t.like(event?.data, { address: 0n, sizeBytes: MAPPED_BYTES, protection, flags, fd: -1, protectionKey: -1 });
    t.like(event?.data, { mappingKnown: true, anonymous: true, written: false });
  });
}

kernelTest("a file mapped writable and executable is told as that and as a library", async (t) => {
  const file = copiedFile(t);
  const { mapped, protections, libraries } = await act(t, { protection: READ | WRITE | EXECUTE, file });
  t.is(protections.length, 1);
  const [event] = protections;
  t.like(event, { call: Call.MMAP, result: mapped });
  t.like(event?.data, { mappingKnown: true, anonymous: false, written: false, flags: PRIVATE });
  t.is(event?.data.descriptor?.type, DescriptorType.FILE);
  t.is(text(event?.data.descriptor?.path ?? new Uint8Array()), file);
  const library = libraries.filter(({ data }) => text(data.path) === file);
  t.deepEqual(
    library.map(({ result, data }) => ({ result, fd: data.fd })),
    [{ result: mapped, fd: event?.data.fd ?? -1 }],
    "each call's types have their turn, one behind the other",
  );
});

kernelTest("what is not executable, and a library that is not writable, is no such event", async (t) => {
  const file = copiedFile(t);
  const { result, protections } = await act(t, { protection: READ | EXECUTE, file, protectAs: READ });
  t.is(result, 0n);
  t.deepEqual(protections, []);
  const data = await act(t, { protection: READ, flags: PRIVATE | ANONYMOUS, protectAs: READ | WRITE });
  t.deepEqual(data.protections, []);
});

for (const { what, file, write, anonymous, written } of [
  { what: "anonymous memory", file: false, write: true, anonymous: true, written: false },
  { what: "a file's memory", file: true, write: false, anonymous: false, written: false },
  { what: "a file's memory that was written to", file: true, write: true, anonymous: false, written: true },
]) {
  kernelTest(`${what} is made executable afterwards`, async (t) => {
    const path = file ? copiedFile(t) : "";
    const flags = file ? PRIVATE : PRIVATE | ANONYMOUS;
    const changed = { protection: READ | WRITE, flags, file: path, write, protectAs: READ | EXECUTE };
    const { piece, result, protections } = await act(t, changed);
    t.is(result, 0n);
    t.is(protections.length, 1);
    const [event] = protections;
    t.like(event, { call: Call.MPROTECT, result });
    t.like(event?.data, { address: piece, sizeBytes: PIECE_BYTES, protection: READ | EXECUTE, fd: -1, flags: 0 });
    t.like(event?.data, { mappingKnown: true, anonymous, written, protectionKey: -1 });
    t.is(text(event?.data.descriptor?.path ?? new Uint8Array()), path);
  });
}

for (const { key, expected } of [
  { key: -1, expected: 0n },
  { key: 99, expected: -EINVAL },
]) {
  kernelTest(`pkey_mprotect with key ${key}`, async (t) => {
    const protectAs = READ | WRITE | EXECUTE;
    const { piece, result, protections } = await act(t, {
      protection: READ,
      flags: PRIVATE | ANONYMOUS,
      protectAs,
      key,
    });
    t.is(result, expected);
    const [event, ...more] = protections;
    t.deepEqual(more, []);
    t.like(event, { call: Call.PKEY_MPROTECT, result });
    t.like(event?.data, {
      address: piece,
      protection: protectAs,
      protectionKey: key,
      mappingKnown: true,
      anonymous: true,
    });
  });
}

kernelTest("a mapping that fails is told, with no mapping behind it", async (t) => {
  const { mapped, protections } = await act(t, { protection: READ | WRITE | EXECUTE, file: "/nightjar/missing" });
  t.is(mapped, -EBADF);
  t.is(protections.length, 1);
  t.like(protections[0], { call: Call.MMAP, result: -EBADF });
  t.like(protections[0]?.data, { fd: -1, mappingKnown: false, anonymous: false, written: false });
});
