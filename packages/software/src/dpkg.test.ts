// Holds the reader of dpkg's database against dpkg itself, and against databases made for what this host does not have.
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { temporaryFolder } from "@nightjar/test-support";
import test from "ava";
import { Aliases } from "./aliases.ts";
import { RootFolder } from "./root/root-folder.ts";
import { Software } from "./software.ts";

const SAMPLE = 2_000;

/** Writes files below a folder, by their paths. */
function plant(root: string, files: Readonly<Record<string, string | Uint8Array>>): void {
  for (const [path, contents] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), contents);
  }
}

/** Files that this host's packages have, from all lists alike. */
function sampleOfFiles(): string[] {
  const folder = "/var/lib/dpkg/info";
  const lists = readdirSync(folder).filter((name) => name.endsWith(".list"));
  const paths = lists.flatMap((name) => {
    const lines = readFileSync(join(folder, name), "utf8").trimEnd().split("\n");
    return lines.filter((line, index) => line !== "/." && !lines[index + 1]?.startsWith(`${line}/`));
  });
  const step = Math.max(1, Math.floor(paths.length / SAMPLE));
  return paths.filter((_, index) => index % step === 0);
}

test("owners are those that dpkg -S names", (t) => {
  const sample = sampleOfFiles();
  const answer = execFileSync("dpkg-query", ["--search", ...sample], { encoding: "utf8", maxBuffer: 1 << 28 });
  const diverted = new Set([...answer.matchAll(/^.*diver.* (?:from|to): (.*)$/gm)].map(([, path]) => path));
  const owners = new Map<string, string[]>();
  for (const [, names = "", path = ""] of answer.matchAll(/^((?:[^ /]+, )*[^ /]+): (\/.*)$/gm)) {
    owners.set(path, names.split(", "));
  }
  const aliases = new Aliases(new RootFolder("/"));
  const software = new Software();
  const compared = sample.filter((path) => !diverted.has(path));
  for (const path of compared) {
    const owner = software.owner(aliases.canonical(path), "/");
    if (owner.known !== "package") {
      t.fail(`${path} has no owner`);
      continue;
    }
    const { name, architecture } = owner.package;
    const expected = (owners.get(path) ?? []).flatMap((one) => [one, `${one}:${architecture}`]);
    t.true(expected.includes(`${name}:${architecture}`), `${path}: ${name}, dpkg says ${owners.get(path)}`);
  }
  t.true(compared.length > sample.length / 2);
  const [, version] = execFileSync("dpkg-query", ["--show", "dpkg"], { encoding: "utf8" }).trim().split("\t");
  const dpkg = { manager: "dpkg", name: "dpkg", version } as const;
  t.like(software.owner("/usr/bin/dpkg", "/"), { known: "package", package: dpkg });
  t.deepEqual(software.owner("/usr/bin/no-such-file", "/"), { known: "no_package" });
  t.deepEqual(software.problems, []);
});

test("packages and what they were built from are those that dpkg-query lists", (t) => {
  const fields = ["db:Status-Abbrev", "Package", "Version", "Architecture", "source:Package", "source:Version"];
  const format = `${fields.map((field) => `\${${field}}`).join("\\t")}\\n`;
  const lines = execFileSync("dpkg-query", ["--show", "--showformat", format], { encoding: "utf8" }).trim().split("\n");
  const expected = lines.filter((line) => !/^.[cn]/.test(line)).map((line) => line.slice(line.indexOf("\t") + 1));
  const found = (new Software().installed("/") ?? []).map(({ name, version, architecture, source }) =>
    [name, version, architecture, source?.name ?? name, source?.version ?? version].join("\t"),
  );
  t.deepEqual(found.sort(), expected.sort());
  t.true(found.length > 0);
});

const PACKAGES = `Package: dash
Status: install ok installed
Version: 0.5.12-2
Architecture: amd64

Package: libc6
Version: 2.36-9
Architecture: amd64
Multi-Arch: same
Description: the library
 Package: not this one

Package: libc6
Version: 2.36-10
Architecture: i386
Multi-Arch: same

Package: bash
Version: 5.2
Architecture: amd64
`;

const ROOT = {
  "usr/bin/sh": "",
  "usr/lib/x": "",
  "var/lib/dpkg/status": PACKAGES,
  "var/lib/dpkg/info/dash.list": "/.\n/bin\n/bin/dash\n/bin/sh\n",
  "var/lib/dpkg/info/bash.list": "/.\n/usr\n/usr/bin\n/usr/bin/bash\n/bin/sh\n",
  "var/lib/dpkg/info/libc6:amd64.list": "/lib/x86_64-linux-gnu/libc.so.6\n",
  "var/lib/dpkg/info/libc6:i386.list": "/lib/i386-linux-gnu/libc.so.6\n",
  "var/lib/dpkg/diversions": "/bin/sh\n/bin/sh.distrib\ndash\n",
};

const nameOf = (software: Software, path: string, root: string) => {
  const owner = software.owner(path, root);
  return owner.known === "package" ? `${owner.package.name} ${owner.package.version}` : owner.known;
};

test("merged folders, diversions and architectures count", async (t) => {
  const root = await temporaryFolder(t);
  plant(root, ROOT);
  symlinkSync("usr/bin", join(root, "bin"));
  symlinkSync("/usr/lib", join(root, "lib"));
  const software = new Software();
  const owners = {
    "/usr/bin/dash": "dash 0.5.12-2",
    "/usr/bin/sh": "dash 0.5.12-2",
    "/usr/bin/sh.distrib": "bash 5.2",
    "/usr/bin/bash": "bash 5.2",
    "/usr/lib/x86_64-linux-gnu/libc.so.6": "libc6 2.36-9",
    "/usr/lib/i386-linux-gnu/libc.so.6": "libc6 2.36-10",
    "/usr/bin": "no_package",
    "/usr/bin/other": "no_package",
  };
  for (const [path, owner] of Object.entries(owners)) t.is(nameOf(software, path, root), owner, path);
});

test("what dpkg has not merged into its status counts, and images made without dpkg are read", async (t) => {
  const root = await temporaryFolder(t);
  plant(root, {
    "var/lib/dpkg/status": PACKAGES,
    "var/lib/dpkg/updates/0001": "Package: bash\nVersion: 5.3\nArchitecture: amd64\n",
    "var/lib/dpkg/updates/0002": "Package: bash\nVersion: 5.4\nArchitecture: amd64\n",
    "var/lib/dpkg/info/bash.list": "/usr/bin/bash\n",
    "var/lib/dpkg/status.d/openssl": "Package: openssl\nVersion: 3.0.15\nArchitecture: amd64\n",
    "var/lib/dpkg/status.d/openssl.md5sums": "0123456789abcdef0123456789abcdef  usr/bin/openssl\n",
  });
  const software = new Software();
  t.is(nameOf(software, "/usr/bin/bash", root), "bash 5.4");
  t.is(nameOf(software, "/usr/bin/openssl", root), "openssl 3.0.15");
});
