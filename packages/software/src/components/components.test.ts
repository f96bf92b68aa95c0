// Reads what programs and archives say that they are made of: a real Go program, an ELF file with crates, jars.
import { execFileSync } from "node:child_process";
import { closeSync, fstatSync, openSync, readFileSync, readSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { deflateSync } from "node:zlib";
import { temporaryFolder } from "@nightjar/test-support";
import test from "ava";
import fc from "fast-check";
import { strToU8, zipSync } from "fflate";
import type { Component } from "./component.ts";
import { componentsOf } from "./components.ts";

const inBytes = (bytes: Uint8Array): Component[] => {
  const buffer = Buffer.from(bytes);
  return componentsOf((offset, length) => buffer.subarray(offset, offset + length), buffer.length);
};

function inFile(path: string): Component[] {
  const fd = openSync(path, "r");
  try {
    const read = (offset: number, length: number) => {
      const bytes = Buffer.alloc(length);
      return bytes.subarray(0, readSync(fd, bytes, 0, length, offset));
    };
    return componentsOf(read, fstatSync(fd).size);
  } finally {
    closeSync(fd);
  }
}

test("a Go program tells its modules, and the standard library", (t) => {
  // buf, which checks our schemas, is written in Go.
  const ours = createRequire(new URL("../../../../package.json", import.meta.url));
  const buf = createRequire(ours.resolve("@bufbuild/buf/package.json"));
  const found = inFile(
    buf.resolve(`@bufbuild/buf-linux-${process.arch === "arm64" ? "aarch64" : process.arch}/bin/buf`),
  );
  const versionOf = (name: string) => found.find((one) => one.name === name)?.version ?? "";
  t.true(found.every(({ manager }) => manager === "go"));
  t.regex(versionOf("stdlib"), /^1\.\d+/);
  t.regex(versionOf("google.golang.org/protobuf"), /^v1\.\d+\.\d+/);
  t.true(found.length > 20);
});

test("a module that another was taken for is the other", (t) => {
  const info = ["path\tx", "mod\tx\t(devel)\t", "dep\ta.example/b\tv1.0.0\th1:x", "=>\tc.example/b\tv1.0.1\th1:y"];
  const mark = "0".repeat(16);
  const text = (value: string) =>
    Buffer.concat([Buffer.from([(value.length & 0x7f) | 0x80, value.length >> 7]), Buffer.from(value)]);
  const header = Buffer.alloc(32);
  header.write("\xff Go buildinf:", "latin1");
  header[15] = 2;
  const section = Buffer.concat([
    header,
    text("go1.22.1"),
    text(`${mark}${info.join("\n")}\ndep\td.example/e\tv2.0.0\n${mark}`),
  ]);
  const found = inFile(elfWith(temporaryFolder(t), ".go.buildinfo", section));
  t.deepEqual(found, [
    { manager: "go", name: "stdlib", version: "1.22.1" },
    { manager: "go", name: "c.example/b", version: "v1.0.1" },
    { manager: "go", name: "d.example/e", version: "v2.0.0" },
  ]);
});

/** An ELF file that a compiler and objcopy made, with a section more. */
function elfWith(folder: string, section: string, contents: Uint8Array): string {
  const [object, part] = [join(folder, "object"), join(folder, "part")];
  writeFileSync(part, contents);
  execFileSync("gcc", ["-xc", "-c", "-o", object, "-"], { input: "int nothing;" });
  execFileSync("objcopy", ["--add-section", `${section}=${part}`, object]);
  return object;
}

const CRATES = {
  packages: [
    { name: "adler", version: "1.0.2", source: "crates.io" },
    { name: "cc", version: "1.0.90", source: "crates.io", kind: "build" },
    { name: "ours", version: "0.1.0", source: "local", root: true, dependencies: [0] },
    null,
    { name: 5 },
  ],
};

test("a Rust program that was built to be audited tells the crates that run", (t) => {
  const folder = temporaryFolder(t);
  const compressed = deflateSync(JSON.stringify(CRATES));
  t.deepEqual(inFile(elfWith(folder, ".dep-v0", compressed)), [{ manager: "cargo", name: "adler", version: "1.0.2" }]);
  t.deepEqual(inFile(elfWith(folder, ".dep-v0", compressed.subarray(0, 20))), []);
  t.deepEqual(inFile(elfWith(folder, ".dep-v0", deflateSync("null"))), []);
});

const properties = (group: string, artifact: string, version: string) => ({
  [`META-INF/maven/${group}/${artifact}/pom.properties`]: strToU8(
    `#Created\r\ngroupId=${group}\r\nartifactId=${artifact}\r\nversion=${version}\r\n`,
  ),
});
const MANIFEST = {
  "META-INF/MANIFEST.MF": strToU8(
    "Manifest-Version: 1.0\r\nBundle-SymbolicName: org.exam\r\n ple;x=1\r\nBundle-Version: 2.1\r\n",
  ),
};
const inner = zipSync(properties("org.slf4j", "slf4j-api", "2.0.9"));
const JAR = zipSync({
  ...properties("com.example", "app", "1.0"),
  ...MANIFEST,
  "BOOT-INF/lib/slf4j-api-2.0.9.jar": [inner, { level: 0 }],
  "BOOT-INF/lib/named.jar": zipSync(MANIFEST),
  "com/example/App.class": new Uint8Array(5_000),
});

test("a jar tells its own package, and those of the jars in it", (t) => {
  t.deepEqual(inBytes(JAR), [
    { manager: "maven", name: "com.example:app", version: "1.0" },
    { manager: "maven", name: "org.slf4j:slf4j-api", version: "2.0.9" },
    { manager: "maven", name: "org.example", version: "2.1" },
  ]);
});

test("damaged files tell less, and nothing throws", (t) => {
  const elf = readFileSync(elfWith(temporaryFolder(t), ".dep-v0", deflateSync(JSON.stringify(CRATES))));
  for (const whole of [Buffer.from(JAR), elf]) {
    const damage = fc.tuple(fc.nat(whole.length - 1), fc.integer({ min: 0, max: 255 }), fc.nat(whole.length));
    fc.assert(
      fc.property(damage, ([at, value, length]) => {
        const damaged = Buffer.from(whole);
        damaged[at] = value;
        t.true(inBytes(damaged.subarray(0, length)).length <= 3);
      }),
    );
  }
  t.deepEqual(inBytes(Buffer.alloc(0)), []);
  t.deepEqual(inBytes(Buffer.from("#!/bin/sh\n")), []);
});
