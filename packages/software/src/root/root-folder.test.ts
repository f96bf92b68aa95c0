// A root folder's files are read as the root means them, also where links lead elsewhere and names are no text.
import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "@nightjar/test-support";
import test from "ava";
import { RootFolder } from "./root-folder.ts";

const BYTES_MAX = 1_024;

test("a file is read by way of links within the root, and no further", (t) => {
  const folder = temporaryFolder(t);
  const root = join(folder, "root");
  mkdirSync(join(root, "data"), { recursive: true });
  writeFileSync(join(root, "data/file"), "inside");
  writeFileSync(join(folder, "file"), "outside");
  symlinkSync("/data", join(root, "absolute"));
  symlinkSync("../../../data", join(root, "upward"));
  symlinkSync(folder, join(root, "out"));
  const files = new RootFolder(root);
  for (const path of ["/data/file", "/absolute/file", "/upward/file", "/data/../../data/file"]) {
    t.is(files.readText(path, BYTES_MAX), "inside", path);
    t.not(files.version(path), "");
  }
  for (const path of ["/out/file", "/../file", "/data/file/x", "/data/none"]) {
    t.is(files.readText(path, BYTES_MAX), undefined, path);
    t.is(files.version(path), "");
  }
  t.deepEqual([files.link("/absolute"), files.link("/data"), files.link("/none")], ["/data", undefined, undefined]);
  t.deepEqual([files.names("/upward"), files.names("/data/file")], [["file"], []]);
});

test("names are bytes", (t) => {
  const root = temporaryFolder(t);
  const name = Buffer.from([0x66, 0xff, 0xc3, 0x28]);
  writeFileSync(Buffer.concat([Buffer.from(`${root}/`), name]), "bytes");
  const files = new RootFolder(root);
  const [found] = files.names("/");
  t.is(found, name.toString("latin1"));
  t.is(files.readText(`/${found}`, BYTES_MAX), "bytes");
});

test("what is too large or no file is an error, and no descriptor stays open", (t) => {
  const root = temporaryFolder(t);
  writeFileSync(join(root, "large"), Buffer.alloc(BYTES_MAX + 1));
  const files = new RootFolder(root);
  const before = readdirSync("/proc/self/fd").length;
  t.throws(() => files.read("/large", BYTES_MAX), { instanceOf: RangeError, message: /at most 1024 are read/ });
  t.throws(() => files.read("/", BYTES_MAX), { instanceOf: RangeError, message: "/ is no regular file" });
  t.is(files.read("/none/x", BYTES_MAX), undefined);
  t.is(readdirSync("/proc/self/fd").length, before);
});
