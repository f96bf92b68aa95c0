// Reads records of OSV's form, and asks of versions whether they are affected.
import test from "ava";
import fc from "fast-check";
import { type Distribution, type NamedPackage, subjectOf } from "../ecosystems.ts";
import { orderOf, type VersionOrder } from "../versions/order.ts";
import { fixedVersionOf, isAffected } from "./judge.ts";
import { readAdvisories } from "./read.ts";
import { SAMPLE } from "./sample.fixture.ts";

const all = JSON.stringify(Object.values(SAMPLE));

/** The affected versions among those asked, with the version that mends each. */
function judged(record: unknown, versions: readonly string[], place = 0): Record<string, string> {
  const affected = readAdvisories(JSON.stringify(record)).advisories[0]?.affected[place];
  if (!affected) return {};
  const order = orderOf(affected.ecosystem) as VersionOrder;
  const hit = versions.filter((version) => isAffected(affected, version, order));
  return Object.fromEntries(hit.map((version) => [version, fixedVersionOf(affected, version, order)]));
}

test("records of five feeds are read", (t) => {
  const { advisories, problems, withdrawn } = readAdvisories(all);
  t.deepEqual([problems, withdrawn], [[], 0]);
  t.deepEqual(
    advisories.map(({ id, severityScore, aliases }) => [id, Math.round(severityScore * 10) / 10, aliases]),
    [
      ["DEBIAN-CVE-2030-0001", 9.8, ["CVE-2030-0001"]],
      ["UBUNTU-CVE-2030-0001", 0, ["CVE-2030-0001"]],
      ["ALPINE-CVE-2030-0002", 0, []],
      ["GHSA-aaaa-bbbb-cccc", 4, ["CVE-2030-0003"]],
      ["PYSEC-2030-4", 0, ["CVE-2030-0004", "GHSA-dddd-eeee-ffff"]],
    ],
  );
  t.is(advisories[0]?.summary, "The library reads beyond a buffer.");
  t.deepEqual(advisories[0]?.affected[0]?.versions, [], "what the range says is not kept twice");
  t.deepEqual(advisories[4]?.affected[0]?.versions, ["0.9rc1"]);
  const lines = Object.values(SAMPLE).map((record) => JSON.stringify(record));
  t.deepEqual(readAdvisories(lines.join("\n")), readAdvisories(all));
});

test("versions are affected from the one on until the other", (t) => {
  const debian = ["3.0.11-1", "3.0.15-1~deb12u1", "3.0.15-1~deb12u0", "1:0"];
  const fixed = "3.0.15-1~deb12u1";
  t.deepEqual(judged(SAMPLE.debian, debian), { "3.0.11-1": fixed, "3.0.15-1~deb12u0": fixed });
  t.deepEqual(judged(SAMPLE.debian, ["9"], 1), { 9: "" });
  t.deepEqual(judged(SAMPLE.alpine, ["1.36.1-r28", "1.36.1-r29"]), { "1.36.1-r28": "1.36.1-r29" });
  const npm = ["0.0.1", "1.3.1", "1.9.9", "2.0.0-rc.1", "2.0.0", "2.0.4", "2.0.5", "latest"];
  t.deepEqual(judged(SAMPLE.npm, npm), { "0.0.1": "1.3.1", "2.0.0": "2.0.5", "2.0.4": "2.0.5" });
  t.deepEqual(judged(SAMPLE.pypi, ["0.9rc1", "0.9", "1.0", "1.4.post1", "1.4.post2"]), {
    "0.9rc1": "",
    "1.0": "",
    "1.4.post1": "",
  });
});

test("what cannot be used is told, and the rest is read", (t) => {
  const debian = (affected: unknown[]) => ({ ...SAMPLE.debian, affected });
  const [good] = SAMPLE.debian.affected;
  const cases: [unknown, string[]][] = [
    ["text", ["ADVISORY_UNREADABLE"]],
    [[1], ["ADVISORY_UNREADABLE"]],
    [{ affected: [] }, ["ADVISORY_INVALID"]],
    [debian([{ package: { ecosystem: "Maven", name: "x:y" } }]), ["ADVISORY_ECOSYSTEM_UNKNOWN"]],
    [debian([{ package: { ecosystem: "npm" } }, good]), ["ADVISORY_INVALID"]],
    [debian([{ package: { ecosystem: "npm", name: "x" } }]), ["ADVISORY_INVALID"]],
    [
      debian([{ ...good, ranges: [{ type: "ECOSYSTEM", events: [{ introduced: "no version" }] }], versions: ["1"] }]),
      ["ADVISORY_VERSION_INVALID"],
    ],
    [debian(Array.from({ length: 501 }, () => good)), ["ADVISORY_TOO_LARGE"]],
    [{ ...SAMPLE.debian, modified: "yesterday" }, ["ADVISORY_INVALID"]],
    [{ ...SAMPLE.debian, withdrawn: "2030-03-01T00:00:00Z" }, []],
  ];
  for (const [record, expected] of cases) {
    const { problems } = readAdvisories(typeof record === "string" ? record : JSON.stringify(record));
    t.deepEqual(
      problems.map(({ code }) => code),
      expected,
      JSON.stringify(record).slice(0, 80),
    );
  }
  t.is(readAdvisories(JSON.stringify({ ...SAMPLE.debian, withdrawn: "2030-03-01T00:00:00Z" })).withdrawn, 1);
});

test("no text and no JSON makes the reader throw", (t) => {
  const record = fc.record(
    {
      id: fc.anything(),
      affected: fc.array(
        fc.object({ key: fc.constantFrom("package", "ranges", "events", "versions", "name", "ecosystem") }),
      ),
      severity: fc.anything(),
      aliases: fc.anything(),
    },
    { requiredKeys: [] },
  );
  const text = fc.oneof(
    fc.string(),
    fc.json(),
    record.map((one) => JSON.stringify(one)),
  );
  t.notThrows(() => fc.assert(fc.property(text, (given) => Array.isArray(readAdvisories(given).problems))));
});

test("a package is looked for where its distribution or its language has its advisories", (t) => {
  const named = (manager: string, name: string, fields: Partial<NamedPackage> = {}): NamedPackage => ({
    ...{ manager, name, version: "1", sourceName: "", sourceVersion: "", ...fields },
  });
  const bookworm = { id: "debian", version: "12" };
  const cases: [NamedPackage, Distribution | undefined, string | undefined][] = [
    [named("dpkg", "libssl3", { sourceName: "openssl", sourceVersion: "2" }), bookworm, "Debian:12 openssl 2"],
    [named("dpkg", "dash"), { id: "ubuntu", version: "22.04" }, "Ubuntu:22.04 dash 1"],
    [
      named("apk", "ssl_client", { sourceName: "busybox" }),
      { id: "alpine", version: "3.20.1" },
      "Alpine:v3.20 busybox 1",
    ],
    [
      named("rpm", "openssl-libs", { sourceName: "openssl" }),
      { id: "rocky", version: "9.3" },
      "Rocky Linux:9 openssl-libs 1",
    ],
    [named("dpkg", "dash"), { id: "debian", version: "" }, undefined],
    [named("dpkg", "dash"), { id: "devuan", version: "5" }, undefined],
    [named("dpkg", "dash"), undefined, undefined],
    [named("pypi", "Foo.Bar_baz"), undefined, "PyPI foo-bar-baz 1"],
    [named("go", "stdlib"), bookworm, "Go stdlib 1"],
    [named("gem", "rails"), bookworm, undefined],
  ];
  for (const [found, distribution, expected] of cases) {
    const subject = subjectOf(found, distribution);
    t.is(subject && `${subject.ecosystem} ${subject.name} ${subject.version}`, expected);
  }
});
