// Finds the packages of Python and Node that files belong to, in folders as pip, setuptools and npm leave them.
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { temporaryFolder } from "@nightjar/test-support";
import test from "ava";
import { installedModules, moduleOf } from "./modules.ts";

const SITE = "usr/lib/python3/dist-packages";
const FILES = {
  [`${SITE}/PyYAML-6.0.dist-info/METADATA`]: "Metadata-Version: 2.1\nName: PyYAML\nVersion: 6.0\n\nVersion: of text\n",
  [`${SITE}/PyYAML-6.0.dist-info/top_level.txt`]: "_yaml\nyaml\n",
  // As wheels are by now: without top_level.txt.
  [`${SITE}/six-1.16.0.dist-info/METADATA`]: "Name: six\nVersion: 1.16.0\n",
  [`${SITE}/six-1.16.0.dist-info/RECORD`]:
    "../../../bin/six,,\nsix-1.16.0.dist-info/METADATA,sha256=x,1\nsix.py,sha256=x,9\n",
  // Two that share a namespace.
  [`${SITE}/google_auth-2.0.dist-info/METADATA`]: "Name: google-auth\nVersion: 2.0\n",
  [`${SITE}/google_auth-2.0.dist-info/RECORD`]: "google/auth/__init__.py,,\n",
  [`${SITE}/google_api-3.0.dist-info/METADATA`]: "Name: google-api\nVersion: 3.0\n",
  [`${SITE}/google_api-3.0.dist-info/RECORD`]: '"google/api/a,b.py",,\ngoogle/api/__init__.py,,\n',
  // As setuptools installed them, with a folder or a file.
  [`${SITE}/python_apt-2.6.0.egg-info/PKG-INFO`]: "Name: python-apt\r\nVersion: 2.6.0\r\n",
  [`${SITE}/old-1.0.egg-info`]: "Name: old.one\nVersion: 1.0\n",
  [`${SITE}/broken-1.0.dist-info/METADATA`]: "no metadata",
  "app/node_modules/left-pad/package.json": '{"name":"left-pad","version":"1.3.0"}',
  "app/node_modules/@babel/core/package.json": '{"name":"@babel/core","version":"7.24.0"}',
  "app/node_modules/@babel/core/node_modules/semver/package.json": '{"name":"semver","version":"6.3.1"}',
  "app/node_modules/broken/package.json": "{",
  "app/node_modules/odd/package.json": '{"name":5,"version":"1"}',
  "usr/lib/node_modules/npm/package.json": '{"name":"npm","version":"10.9.0"}',
  "usr/lib/node_modules/npm/node_modules/@npmcli/fs/package.json": '{"name":"@npmcli/fs","version":"4.0.0"}',
};

function plant(root: string): string {
  for (const [path, contents] of Object.entries(FILES)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), contents);
  }
  return root;
}

test("a file of an interpreted program belongs to the package whose metadata is beside it", (t) => {
  const root = plant(temporaryFolder(t));
  const owners = {
    [`/${SITE}/yaml/__init__.py`]: "pypi PyYAML 6.0",
    [`/${SITE}/_yaml/__init__.py`]: "pypi PyYAML 6.0",
    [`/${SITE}/six.py`]: "pypi six 1.16.0",
    [`/${SITE}/google/auth/__init__.py`]: "pypi google-auth 2.0",
    [`/${SITE}/google/api/a,b.py`]: "pypi google-api 3.0",
    [`/${SITE}/google/other.py`]: undefined,
    [`/${SITE}/python_apt.py`]: "pypi python-apt 2.6.0",
    [`/${SITE}/old_one/x.cpython-311-x86_64-linux-gnu.so`]: "pypi old.one 1.0",
    [`/${SITE}/unknown.py`]: undefined,
    "/app/node_modules/left-pad/index.js": "npm left-pad 1.3.0",
    "/app/node_modules/@babel/core/lib/index.js": "npm @babel/core 7.24.0",
    "/app/node_modules/@babel/core/node_modules/semver/semver.js": "npm semver 6.3.1",
    "/app/node_modules/broken/index.js": undefined,
    "/app/node_modules/odd/index.js": undefined,
    "/app/index.js": undefined,
    "/usr/bin/python3": undefined,
  };
  for (const [path, expected] of Object.entries(owners)) {
    const component = moduleOf(root, path)?.component;
    t.is(component && Object.values(component).join(" "), expected, path);
  }
  t.like(moduleOf(root, "/app/node_modules/@babel/core/lib/index.js"), {
    language: "node",
    path: "/app/node_modules/@babel/core",
  });
});

test("those that are installed for all programs are listed", (t) => {
  const found = installedModules(plant(temporaryFolder(t))).map(({ component }) => component.name);
  t.deepEqual(found.sort(), [
    ...["@npmcli/fs", "PyYAML", "google-api", "google-auth", "npm", "old.one", "python-apt", "six"],
  ]);
});

test("a package that is upgraded is another one", (t) => {
  const root = plant(temporaryFolder(t));
  t.is(moduleOf(root, `/${SITE}/six.py`)?.component.version, "1.16.0");
  const info = join(root, SITE, "six-1.17.0.dist-info");
  mkdirSync(info);
  writeFileSync(join(info, "METADATA"), "Name: six\nVersion: 1.17.0\n");
  writeFileSync(join(info, "RECORD"), "six.py,,\n");
  const versions = installedModules(root).filter(({ component }) => component.name === "six");
  t.deepEqual(versions.map(({ component }) => component.version).sort(), ["1.16.0", "1.17.0"]);
});
