// Tests where runtimes are looked for.
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "@nightjar/test-support";
import test from "ava";
import { homesOfUsers, ofUsers, present } from "./places.ts";

test("a socket under two names is one", (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, "a.sock"), "");
  symlinkSync(folder, join(folder, "run"));
  t.is(present([join(folder, "a.sock"), join(folder, "run/a.sock"), join(folder, "gone.sock")]).length, 1);
});

test("users who run containers have theirs", (t) => {
  const folder = temporaryFolder(t);
  mkdirSync(join(folder, "1000"));
  const passwd = join(folder, "passwd");
  writeFileSync(passwd, "root:x:0:0::/root:/bin/sh\nann:x:1000:1000::/home/ann:/bin/sh\n");
  t.deepEqual(ofUsers("docker.sock", folder).includes(join(folder, "1000/docker.sock")), true);
  t.deepEqual(homesOfUsers(folder, passwd), ["/home/ann"]);
  t.deepEqual(ofUsers("docker.sock", join(folder, "gone")), []);
  t.deepEqual(homesOfUsers(folder, join(folder, "gone")), []);
});
