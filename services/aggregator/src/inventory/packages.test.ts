// Follows a package database through an installation, an upgrade and a removal.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "@nightjar/test-support";
import test from "ava";
import { Catalogue } from "./catalogue.ts";
import { InstalledPackages, MODULES_MS } from "./packages.ts";

function stanza(name: string, version: string, source = name): string {
  const lines = ["Status: install ok installed", `Version: ${version}`, "Architecture: amd64", `Source: ${source}`];
  return [`Package: ${name}`, ...lines, "", ""].join("\n");
}

test("items of packages follow the database", (t) => {
  const root = temporaryFolder(t);
  const info = join(root, "usr/lib/python3/dist-packages/six-1.16.0.dist-info");
  mkdirSync(join(root, "var/lib/dpkg/info"), { recursive: true });
  mkdirSync(info, { recursive: true });
  writeFileSync(join(info, "METADATA"), "Name: six\nVersion: 1.16.0\n");
  const write = (...stanzas: string[]) => writeFileSync(join(root, "var/lib/dpkg/status"), stanzas.join(""));
  const catalogue = new Catalogue({ itemsMax: 1_000, keptMs: 1 }, { epoch: 1n });
  const packages = new InstalledPackages(catalogue, root);
  const shown = () =>
    [...catalogue]
      .map(({ item: { what } }) => (what.case === "package" ? what.value : undefined))
      .map((one) => `${one?.package?.manager} ${one?.package?.name} ${one?.package?.version} ${one?.sourceName}`.trim())
      .sort();
  const settle = () => catalogue.settle(() => true);

  write(stanza("libc6", "2.36-9", "glibc"), stanza("dash", "0.5"));
  t.deepEqual(packages.look(0), []);
  t.deepEqual(shown(), ["dpkg dash 0.5 dash", "dpkg libc6 2.36-9 glibc", "pypi six 1.16.0"]);
  t.is(settle().changed.length, 3);

  packages.look(1_000);
  packages.look(1_000 + MODULES_MS);
  t.is(settle().changed.length, 0, "nothing changed");

  write(stanza("libc6", "2.36-10", "glibc"), stanza("dash", "0.5"));
  packages.look(2_000);
  t.deepEqual(
    settle().changed.map(({ item: { what } }) => what.case === "package" && what.value.package?.version),
    ["2.36-10"],
  );

  write(stanza("libc6", "2.36-10", "glibc"));
  packages.look(3_000);
  t.deepEqual(shown(), ["dpkg libc6 2.36-10 glibc", "pypi six 1.16.0"]);
  t.is(settle().gone.length, 1);
});
