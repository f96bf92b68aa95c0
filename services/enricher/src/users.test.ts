// Names of users: read, read again when the files change, kept when they cannot be read.
import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import { parseIds, USER_FILES_CHECK_MS, UserFiles } from "./users.ts";

const decode = (name: Uint8Array) => Buffer.from(name).toString();

test("the first line of an id names it; what is no line is passed over", (t) => {
  const ids = parseIds(
    "root:x:0:0::/root:/bin/sh\ntoor:x:0:0::/:\n# comment\n\n:x:5:\nbad:x:y:\n+::::\nmüller:x:1000:100::/:\n",
  );
  t.deepEqual(
    [...ids].map(([id, name]) => [id, decode(name)]),
    [
      [0, "root"],
      [1000, "müller"],
    ],
  );
});

test("a new user is seen after a second, and nothing is lost while the file is away", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "nightjar-users-"));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const passwd = join(folder, "passwd");
  const group = join(folder, "group");
  writeFileSync(passwd, "root:x:0:0::/root:/bin/sh\n");
  writeFileSync(group, "wheel:x:0:\n");
  const users = new UserFiles(passwd, group);
  users.refresh(0);
  t.is(decode(users.user(0)), "root");
  t.is(decode(users.group(0)), "wheel");
  t.is(users.user(1000).length, 0);
  const { generation } = users;

  writeFileSync(`${passwd}+`, "root:x:0:0::/root:/bin/sh\nada:x:1000:1000::/home/ada:/bin/sh\n");
  renameSync(`${passwd}+`, passwd);
  users.refresh(USER_FILES_CHECK_MS - 1);
  t.is(users.user(1000).length, 0, "looked at once a second only");
  users.refresh(USER_FILES_CHECK_MS);
  t.is(decode(users.user(1000)), "ada");
  t.is(users.generation, generation + 1);
  users.refresh(2 * USER_FILES_CHECK_MS);
  t.is(users.generation, generation + 1, "unchanged files change nothing");

  rmSync(passwd);
  users.refresh(3 * USER_FILES_CHECK_MS);
  t.is(decode(users.user(1000)), "ada");
  t.regex(users.problems.join(), /ENOENT/);
});

test("this machine's own files name root", (t) => {
  const users = new UserFiles();
  users.refresh(0);
  t.is(decode(users.user(0)), "root");
  t.is(decode(users.group(0)), "root");
  t.deepEqual(users.problems, []);
});
