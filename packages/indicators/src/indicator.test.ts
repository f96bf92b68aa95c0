// Indicators in their written form, however a list writes them.
import { IndicatorKind } from "@nightjar/proto";
import test from "ava";
import { hashOf } from "./hash.ts";
import { parseIndicator, readIndicator } from "./indicator.ts";

const { FILE_SHA256, ADDRESS, DOMAIN } = IndicatorKind;
const SHA256 = "E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855";

/** [as written in a list, its kind, its form] */
const taken: readonly [string, IndicatorKind, string][] = [
  [SHA256, FILE_SHA256, SHA256.toLowerCase()],
  ["192.0.2.7", ADDRESS, "192.0.2.7"],
  ["192.0.2.7/32", ADDRESS, "192.0.2.7"],
  ["192[.]0[.]2[.]7", ADDRESS, "192.0.2.7"],
  ["192.0.2.7:443", ADDRESS, "192.0.2.7"],
  ["2001:DB8:0:0:1:0:0:1", ADDRESS, "2001:db8::1:0:0:1"],
  ["[2001:db8::1]:443", ADDRESS, "2001:db8::1"],
  ["2001:db8::1/128", ADDRESS, "2001:db8::1"],
  ["::ffff:192.0.2.7", ADDRESS, "192.0.2.7"],
  ["Evil.Example.", DOMAIN, "evil.example"],
  ["evil[.]example", DOMAIN, "evil.example"],
  ["hxxps://evil[.]example/", DOMAIN, "evil.example"],
  ["evil.example:8443", DOMAIN, "evil.example"],
  ["bücher.example", DOMAIN, "xn--bcher-kva.example"],
  ["_srv._tcp.evil.example", DOMAIN, "_srv._tcp.evil.example"],
];

for (const [text, kind, value] of taken) {
  test(`${text} is ${value}`, (t) => {
    const indicator = readIndicator(text);
    t.deepEqual([indicator?.kind, indicator?.value], [kind, value]);
    t.is(parseIndicator(kind, value)?.value, value, "its form is that of itself");
  });
}

const refused = [
  "",
  "localhost",
  "192.0.2.0/24",
  "2001:db8::/32",
  "1.2.3",
  "0x7f.1",
  "http://evil.example/path",
  "d41d8cd98f00b204e9800998ecf8427e",
  "fe80::1%eth0",
  "evil example",
  "-evil.example",
  `${"a".repeat(64)}.example`,
  "a.".repeat(2_000),
];

for (const text of refused) {
  test(`${text.slice(0, 40) || "nothing"} is no indicator`, (t) => t.is(readIndicator(text), undefined));
}

test("kinds are apart: the same text of two kinds has two hashes", (t) => {
  const hashes = [ADDRESS, DOMAIN].map((kind) =>
    hashOf({ $typeName: "nightjar.indicator.v1.Indicator", kind, value: "a" }),
  );
  t.not(hashes[0], hashes[1]);
  t.is(parseIndicator(DOMAIN, "192.0.2.7"), undefined);
  t.is(parseIndicator(ADDRESS, "evil.example"), undefined);
});
