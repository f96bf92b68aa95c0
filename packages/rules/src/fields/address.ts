// IP addresses and networks: from text and compared; and the ends of a socket as Falco prints them.
import { formatAddress } from "@nightjar/events";
import { EndpointSchema } from "@nightjar/proto";
import type { Message } from "../engine/message.ts";

/** The bytes of an address written as text, or undefined where it is none. */
export function parseAddress(text: string): Uint8Array | undefined {
  return text.includes(":") ? parseAddress6(text) : parseAddress4(text);
}

function parseAddress4(text: string): Uint8Array | undefined {
  const parts = text.split(".");
  if (parts.length !== 4 || !parts.every((part) => /^[0-9]{1,3}$/.test(part) && Number(part) < 256)) return undefined;
  return Uint8Array.from(parts, Number);
}

function parseAddress6(text: string): Uint8Array | undefined {
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const [head, tail] = halves.map((half) => (half === "" ? [] : half.split(":").flatMap(groupOf)));
  if (!head || head.includes(-1) || tail?.includes(-1)) return undefined;
  const missing = 8 - head.length - (tail?.length ?? 0);
  if (tail ? missing < 1 : missing !== 0) return undefined;
  const groups = [...head, ...new Array(missing).fill(0), ...(tail ?? [])];
  return Uint8Array.from(groups.flatMap((group: number) => [group >> 8, group & 0xff]));
}

/** One group of hexadecimal digits, or two for a dotted end; -1 where it is neither. */
function groupOf(text: string): number[] {
  const dotted = text.includes(".") ? parseAddress4(text) : undefined;
  if (dotted)
    return [((dotted[0] as number) << 8) | (dotted[1] as number), ((dotted[2] as number) << 8) | (dotted[3] as number)];
  return /^[0-9a-fA-F]{1,4}$/.test(text) ? [Number.parseInt(text, 16)] : [-1];
}

export interface Network {
  address: Uint8Array;
  prefixBits: number;
}

/** A network in CIDR form; an address alone is a network of one. Undefined where it is neither. */
export function parseNetwork(text: string): Network | undefined {
  const [left = "", right, ...rest] = text.split("/");
  const address = parseAddress(left);
  if (!address || rest.length > 0) return undefined;
  if (right === undefined) return { address, prefixBits: address.length * 8 };
  if (!/^[0-9]{1,3}$/.test(right) || Number(right) > address.length * 8) return undefined;
  return { address, prefixBits: Number(right) };
}

export function sameAddress(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}

/** Whether the address lies in the network; never when one is IPv4 and the other IPv6. */
export function inNetwork(address: Uint8Array, network: Network): boolean {
  if (address.length !== network.address.length) return false;
  const whole = network.prefixBits >> 3;
  for (let at = 0; at < whole; at++) if (address[at] !== network.address[at]) return false;
  const mask = (0xff00 >> (network.prefixBits & 7)) & 0xff;
  return mask === 0 || ((address[whole] as number) & mask) === ((network.address[whole] as number) & mask);
}

const ENDPOINT = EndpointSchema.field;

function formatEnd(end: Message): string | undefined {
  const address = end.view(ENDPOINT.address.number);
  return address && `${formatAddress(address)}:${end.uint(ENDPOINT.port.number)}`;
}

/**
 * The ends of a socket as Falco's fd.name has them: "a:1->b:2", the client first; of a unix socket the path. `listens`
 * says that a server without a client is written alone. Undefined where there is neither.
 */
export function formatEnds(client: Message, server: Message, listens = false): string | undefined {
  const path = server.text(ENDPOINT.path.number) ?? client.text(ENDPOINT.path.number);
  if (path !== undefined) return path;
  const [from, to] = [formatEnd(client), formatEnd(server)];
  if (from === undefined && listens) return to;
  return from === undefined && to === undefined ? undefined : `${from ?? ""}->${to ?? ""}`;
}

/** One end: "a:1", or the path of a unix socket. */
export function formatOneEnd(end: Message): string | undefined {
  return end.text(ENDPOINT.path.number) ?? formatEnd(end);
}
