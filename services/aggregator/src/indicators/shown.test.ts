// What events show, in the one form that lists have, too.
import { BatchReader } from "@nightjar/events";
import { IndicatorKind } from "@nightjar/proto";
import test from "ava";
import { addressForm, domainForm, indicatorOf, keyOf, ShownIndicators } from "./shown.ts";
import { connect, DIGEST, dns, exec, factsOf, library, text } from "./testing.ts";

const { FILE_SHA256, ADDRESS, DOMAIN } = IndicatorKind;

test("files by their digests, peers by their addresses, names by what was asked and answered", (t) => {
  const events = [exec(20), library(20), connect(21, [192, 0, 2, 7]), dns(22, "www.example.test", ["cdn.example.net"])];
  const batch = new BatchReader(factsOf(events));
  const shown = new ShownIndicators(batch);
  const found = events.map((_, index) => [...shown.of(index), shown.process]);
  t.deepEqual(found, [
    [`${FILE_SHA256}:${DIGEST}`, "20:20"],
    [`${FILE_SHA256}:${"ef".repeat(32)}`, "20:20"],
    [`${ADDRESS}:192.0.2.7`, "21:21"],
    [`${DOMAIN}:www.example.test`, `${DOMAIN}:cdn.example.net`, "22:22"],
  ]);
});

test("a key is its indicator", (t) => {
  const indicator = indicatorOf(`${ADDRESS}:2001:db8::1`);
  t.is(indicator.value, "2001:db8::1");
  t.is(keyOf(indicator), `${ADDRESS}:2001:db8::1`);
});

const zeros = (count: number) => new Array<number>(count).fill(0);
const addresses: readonly [string, readonly number[], string][] = [
  ["an address", [203, 0, 113, 9], "203.0.113.9"],
  ["one of a private network", [10, 1, 2, 3], "10.1.2.3"],
  ["one of IPv6", [0x20, 1, 0x0d, 0xb8, ...zeros(11), 1], "2001:db8::1"],
  ["one of IPv4 as IPv6 has it", [...zeros(10), 255, 255, 192, 0, 2, 7], "192.0.2.7"],
  ["loopback", [127, 0, 0, 53], ""],
  ["loopback of IPv6", [...zeros(15), 1], ""],
  ["loopback as IPv6 has it", [...zeros(10), 255, 255, 127, 0, 0, 1], ""],
  ["none", zeros(16), ""],
  ["link-local", [169, 254, 169, 254], ""],
  ["link-local of IPv6", [0xfe, 0x80, ...zeros(13), 1], ""],
  ["multicast", [224, 0, 0, 251], ""],
  ["multicast of IPv6", [0xff, 2, ...zeros(13), 0xfb], ""],
  ["of no length that there is", [1, 2, 3], ""],
];
for (const [what, bytes, form] of addresses) {
  test(`${what} is ${form || "no indicator"}`, (t) => t.is(addressForm(Uint8Array.from(bytes)), form));
}

const domains = [
  ["evil.example", "evil.example"],
  ["_dmarc.evil.example", "_dmarc.evil.example"],
  ["xn--bcher-kva.example", "xn--bcher-kva.example"],
  ["localhost", ""],
  [".", ""],
  ["", ""],
  ["printer.local", ""],
  ["9.113.0.203.in-addr.arpa", ""],
  ["a\\032b.example", ""],
  [`${"a.".repeat(130)}example`, ""],
] as const;
for (const [name, form] of domains) {
  test(`the name ${name.slice(0, 30)} is ${form || "no domain"}`, (t) => t.is(domainForm(text(name)), form));
}
