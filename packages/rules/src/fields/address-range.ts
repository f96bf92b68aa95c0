// What kind of network an address lies in, by IANA's registries of special purposes (RFC 6890, RFC 4193, RFC 6598).
import { inNetwork, type Network, parseNetwork } from "./address.ts";

const PUBLIC = "public";

/** A word and its networks; the first that holds the address counts. */
const RANGES: readonly (readonly [word: string, networks: readonly string[]])[] = [
  ["loopback", ["127.0.0.0/8", "::1"]],
  ["private", ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"]],
  ["shared", ["100.64.0.0/10"]],
  ["link-local", ["169.254.0.0/16", "fe80::/10"]],
  ["multicast", ["224.0.0.0/4", "ff00::/8"]],
  ["broadcast", ["255.255.255.255"]],
  ["unspecified", ["0.0.0.0/8", "::"]],
];

const networks: readonly (readonly [word: string, network: Network])[] = RANGES.flatMap(([word, texts]) =>
  texts.flatMap((text) => {
    const network = parseNetwork(text);
    return network ? [[word, network] as const] : [];
  }),
);

/** Every word there is. */
export const RANGE_WORDS: readonly string[] = [...RANGES.map(([word]) => word), PUBLIC];

/** The word for an address of 4 or 16 bytes. */
export function rangeOf(address: Uint8Array): string {
  return networks.find(([, network]) => inNetwork(address, network))?.[0] ?? PUBLIC;
}
