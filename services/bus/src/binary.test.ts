// Tests which server is found, how its version is read, and which are refused or faulty.
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { temporaryFolder } from "@nightjar/test-support";
import test from "ava";
import { atLeast, findServer, parseVersion, VERSION_WITHOUT_FAULT } from "./binary.ts";
import { BusError } from "./errors.ts";

/** A program at `path` that prints `said` when it is asked for its version. */
function makeServer(path: string, said: string): string {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `#!/bin/sh\n[ "$1" = --version ] && echo "${said}"\n`);
  chmodSync(path, 0o755);
  return path;
}

test("the setting comes first, then what the product brought, then the PATH, then the checkout's tools", async (t) => {
  const folder = temporaryFolder(t);
  const named = makeServer(join(folder, "named"), "nats-server: v2.12.1");
  const brought = makeServer(join(folder, "product/bin/nats-server"), "nats-server: v2.15.1");
  const onPath = makeServer(join(folder, "bin/nats-server"), "nats-server: v2.11.0-RC.2");
  const inTools = makeServer(join(folder, "checkout/.tools/nats-server/nats-server"), "nats-server version 2.10.27");
  const searchPath = `${folder}/none:${folder}/bin`;
  t.deepEqual(await findServer(named, searchPath, folder), {
    path: named,
    version: [2, 12, 1],
    versionText: "2.12.1",
  });
  t.is((await findServer("", searchPath, join(folder, "product"))).path, brought);
  t.is((await findServer("", searchPath, join(folder, "checkout"))).path, onPath);
  t.is((await findServer("", "", join(folder, "checkout"))).path, inTools);
});

test("what cannot run is refused with its code", async (t) => {
  const folder = temporaryFolder(t);
  const old = makeServer(join(folder, "old"), "nats-server: v2.9.3");
  const odd = makeServer(join(folder, "odd"), "something else");
  const missing = await t.throwsAsync(findServer("", "", folder), { instanceOf: BusError });
  t.is(missing.code, "BUS_SERVER_MISSING");
  t.is((await t.throwsAsync(findServer(folder, "", folder), { instanceOf: BusError })).code, "BUS_SERVER_MISSING");
  t.is((await t.throwsAsync(findServer(odd, "", folder), { instanceOf: BusError })).code, "BUS_SERVER_UNUSABLE");
  const tooOld = await t.throwsAsync(findServer(old, "", folder), { instanceOf: BusError });
  t.is(tooOld.code, "BUS_SERVER_TOO_OLD");
  t.regex(tooOld.message, /is 2\.9\.3, 2\.9\.4 is needed/);
});

test("versions with the known fault are told from those without", (t) => {
  const faulty = (text: string) => !atLeast(parseVersion(text) ?? [0, 0, 0], VERSION_WITHOUT_FAULT);
  t.deepEqual(["v2.9.10", "2.10.27", "2.11.3"].map(faulty), [true, true, true]);
  t.deepEqual(["2.11.4", "2.12.0", "v2.15.1", "3.0.0"].map(faulty), [false, false, false, false]);
});
