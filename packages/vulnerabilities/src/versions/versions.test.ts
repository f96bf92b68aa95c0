// Holds the orders of versions against the package managers' own cases, and against dpkg and rpm themselves.
import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "@nightjar/test-support";
import test from "ava";
import fc from "fast-check";
import { orderOf, type VersionOrder } from "./order.ts";
import { APK_CASES, DPKG_CASES, PEP_440_CASES, RPM_CASES, SEMANTIC_CASES } from "./published-cases.fixture.ts";

const PAIRS = 10_000;
/** dpkg is asked for each pair of neighbours in the order; what it says of all others follows. */
const VERSIONS = 300;

const order = (ecosystem: string): VersionOrder => orderOf(ecosystem) as VersionOrder;
const signOf = (difference: number): string => (difference < 0 ? "<" : difference > 0 ? ">" : "=");

/** "a < b > c" as [a, "<", b], [b, ">", c]. */
function comparisonsOf(chains: string): [one: string, sign: string, other: string][] {
  return chains
    .trim()
    .split("\n")
    .flatMap((chain) => {
      const words = chain.split(" ");
      return Array.from({ length: (words.length - 1) / 2 }, (_, index): [string, string, string] => {
        const [one = "", sign = "", other = ""] = words.slice(2 * index, 2 * index + 3);
        return [one, sign, other];
      });
    });
}

const PUBLISHED = {
  Debian: DPKG_CASES,
  "Red Hat": RPM_CASES,
  Alpine: APK_CASES,
  PyPI: PEP_440_CASES,
  npm: SEMANTIC_CASES,
};

for (const [ecosystem, chains] of Object.entries(PUBLISHED)) {
  test(`versions of ${ecosystem} have the order of the published cases`, (t) => {
    const { isVersion, compare } = order(ecosystem);
    for (const [one, sign, other] of comparisonsOf(chains)) {
      t.is(`${one} ${signOf(compare(one, other))} ${other}`, `${one} ${sign} ${other}`);
      t.is(signOf(-compare(other, one)), sign, `${other}, ${one}`);
      t.true(isVersion(one), one);
    }
  });
}

/** Short, of few characters: so that many differ in little, which is where an order is hard. */
const part = (characters: string, lengthMax: number) =>
  fc.string({ unit: fc.constantFrom(...characters), minLength: 0, maxLength: lengthMax });
const dpkgVersion = fc
  .tuple(
    fc.constantFrom("", "", "", "0:", "1:", "01:"),
    part("0019a~+.", 6),
    fc.constantFrom("", "-"),
    part("01b~+.", 4),
  )
  .map(([epoch, upstream, hyphen, revision]) => `${epoch}1${upstream}${hyphen}${hyphen && `0${revision}`}`);
const rpmVersion = part("0019ab~^._", 8).map((text) => `1${text}`);

test("dpkg itself has the same order, of random versions and of those installed here", (t) => {
  const { compare } = order("Debian");
  const lines = execFileSync("dpkg-query", ["--show"], { encoding: "utf8" }).trim().split("\n");
  const installed = lines.map((line) => line.split("\t")[1] as string).slice(0, VERSIONS / 2);
  const versions = [...fc.sample(dpkgVersion, VERSIONS / 2), ...installed].sort(compare);
  const ranks = new Map<string, number>();
  let rank = 0;
  for (const [index, version] of versions.entries()) {
    const before = versions[index - 1];
    const relation = before === undefined || compare(before, version) === 0 ? "eq" : "lt";
    const { status, stderr } = spawnSync("dpkg", ["--compare-versions", before ?? version, relation, version]);
    t.is(`${status}${stderr}`, "0", `${before} ${relation} ${version}`);
    if (relation === "lt") rank++;
    ranks.set(version, rank);
  }
  const one = fc.constantFrom(...versions);
  for (const [a, b] of fc.sample(fc.tuple(one, one), PAIRS)) {
    t.is(signOf(compare(a, b)), signOf((ranks.get(a) as number) - (ranks.get(b) as number)), `${a}, ${b}`);
  }
});

test("rpm itself has the same order, of random versions", (t) => {
  const pairs = fc.sample(fc.tuple(rpmVersion, rpmVersion), PAIRS);
  const folder = temporaryFolder(t);
  const [given, answers] = [join(folder, "pairs"), join(folder, "answers")];
  writeFileSync(given, pairs.map((pair) => `${pair.join(" ")}\n`).join(""));
  // To a file: rpm 4.18 has no room for so much in the result of a macro.
  const script = `local out = io.open("${answers}", "w")
    for line in io.lines("${given}") do out:write(rpm.vercmp(line:match("(%S+) (%S+)")), "\\n") end
    out:close()`;
  execFileSync("rpm", ["--eval", `%{lua: ${script}}`]);
  const expected = readFileSync(answers, "utf8").trim().split("\n").map(Number);
  t.is(expected.length, PAIRS);
  const { compare } = order("Red Hat");
  for (const [index, [one, other]] of pairs.entries()) {
    t.is(signOf(compare(one, other)), signOf(expected[index] as number), `${one}, ${other}`);
  }
});

test("rpm's releases and epochs count, and a version without a release is all of its releases", (t) => {
  const { compare } = order("AlmaLinux:9");
  const cases = "1:1.0-1 > 2.0-1 = 0:2.0-1 < 2.0-1.el9_2 < 2.0-2\n2.0-7 = 2.0 = 2.0-1";
  for (const [one, sign, other] of comparisonsOf(cases)) t.is(signOf(compare(one, other)), sign, `${one}, ${other}`);
});

test("what is no version is told, and ecosystems that have no order here", (t) => {
  for (const [ecosystem, text] of [
    ["Debian:12", "1.0 1"],
    ["Alpine:v3.20", "latest"],
    ["PyPI", "french toast"],
    ["npm", "not.a.version"],
    ["Rocky Linux:9", "a b"],
  ] as const) {
    t.false(order(ecosystem).isVersion(text), text);
  }
  t.is(orderOf("Maven"), undefined);
  t.is(orderOf("toString"), undefined);
});
