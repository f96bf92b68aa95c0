// Which way connections go and where to, and the words for addresses at the edges of their networks.
import { Call, DescriptorType } from "@nightjar/proto";
import test from "ava";
import { batchOf, type EventInit } from "../engine/batch.fixture.ts";
import { compileRules } from "../engine/engine.ts";
import { loadRules } from "../files/load.ts";
import { parseAddress } from "./address.ts";
import { rangeOf } from "./address-range.ts";

const ADDRESSES: readonly (readonly [address: string, range: string])[] = [
  ["127.255.255.255", "loopback"],
  ["128.0.0.0", "public"],
  ["::1", "loopback"],
  ["::2", "public"],
  ["::", "unspecified"],
  ["10.0.0.0", "private"],
  ["11.0.0.0", "public"],
  ["172.15.255.255", "public"],
  ["172.31.255.255", "private"],
  ["192.168.1.1", "private"],
  ["fd00::1", "private"],
  ["100.127.255.255", "shared"],
  ["169.254.169.254", "link-local"],
  ["fe80::1", "link-local"],
  ["239.255.255.250", "multicast"],
  ["ff02::1", "multicast"],
  ["255.255.255.255", "broadcast"],
  ["8.8.8.8", "public"],
  ["2001:4860:4860::8888", "public"],
];

for (const [address, range] of ADDRESSES) {
  test(`${address} is ${range}`, (t) => {
    t.is(rangeOf(parseAddress(address) ?? new Uint8Array()), range);
  });
}

/** A message sent through a socket with these ends. */
function sends(local: string, remote: string, isServer: boolean): EventInit {
  const end = (text: string) => ({ address: parseAddress(text) as Uint8Array<ArrayBuffer>, port: 1 });
  const ends = { local: end(local), ...(remote && { remote: end(remote) }) };
  const descriptor = { type: DescriptorType.IPV4, family: 2, socketType: 1, ...ends, isServer };
  return { call: Call.SENDTO, result: 1n, data: { case: "send", value: { fd: 3, descriptor } } };
}

const NETWORK = "nightjar.network";
const CASES: readonly (readonly [event: EventInit, text: string])[] = [
  [sends("10.0.0.1", "8.8.8.8", false), "outbound to public from private"],
  [sends("10.0.0.1", "8.8.8.8", true), "inbound to public from private"],
  [sends("127.0.0.1", "127.0.0.1", false), "outbound to loopback from loopback"],
  [sends("0.0.0.0", "", true), "<NA> to <NA> from unspecified"],
];

for (const [at, [event, text]] of CASES.entries()) {
  test(`${text} (${at})`, (t) => {
    const output = `%${NETWORK}.direction to %${NETWORK}.remote_range from %${NETWORK}.local_range`;
    const rule = { rule: "R", desc: "d", condition: "evt.type = sendto", output, priority: "INFO" };
    const { rules, problems } = loadRules([{ name: "r.yaml", text: JSON.stringify([rule]) }]);
    t.deepEqual(problems, []);
    const matches = compileRules(rules).matchBatch(batchOf(event, [["x", "/bin/x"]]));
    t.deepEqual(
      matches.map((match) => match.output),
      [text],
    );
  });
}
