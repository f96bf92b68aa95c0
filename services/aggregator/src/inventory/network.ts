// The inventory's ports and peers: what listens, and where programs connect to.
import { create } from "@bufbuild/protobuf";
import { PeerItemSchema, PortItemSchema } from "@nightjar/proto";
import type { Catalogue, Entry, When } from "./catalogue.ts";
import { itemId, latin1 } from "./identity.ts";

/** Addresses of a program's peers that are told one by one; others by their networks. */
export const ADDRESSES_MAX = 64;
const IPV4_BYTES = 4;
const IPV4_PREFIX_BITS = 16;
const IPV6_PREFIX_BITS = 48;
/** ::ffff:0:0/96, the addresses of IPv4 as a socket of IPv6 has them. */
const MAPPED_PREFIX = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff);

export interface SeenPort {
  protocol: number;
  address: Uint8Array;
  port: number;
  networkNamespace: number;
  containerId: string;
}

export function seePort(catalogue: Catalogue, seen: SeenPort, at: When): Entry {
  const address = plain(seen.address);
  const { protocol, port, networkNamespace, containerId } = seen;
  const id = itemId("port", protocol, latin1(address), port, networkNamespace, containerId);
  return catalogue.see(id, at, () => ({
    case: "port",
    value: create(PortItemSchema, { protocol, address, port, networkNamespace, containerId, closed: true }),
  }));
}

export interface SeenPeer {
  protocol: number;
  address: Uint8Array;
  port: number;
  name: string;
}

/** Where programs connect to; it counts the addresses of each. */
export class Peers {
  readonly #catalogue: Catalogue;
  readonly #counts = new Map<bigint, number>();

  constructor(catalogue: Catalogue) {
    this.#catalogue = catalogue;
    for (const { item } of catalogue) if (item.what.case === "peer") this.#count(item.what.value.program);
  }

  see(program: Entry, seen: SeenPeer, at: When): void {
    const address = plain(seen.address);
    const whole = 8 * address.length;
    const known = this.#catalogue.get(peerId(program, address, whole, seen));
    if (known) {
      this.#catalogue.touch(known, at);
      return;
    }
    const isFolded = (this.#counts.get(program.id) ?? 0) >= ADDRESSES_MAX;
    const prefixBits = isFolded ? (address.length === IPV4_BYTES ? IPV4_PREFIX_BITS : IPV6_PREFIX_BITS) : whole;
    const told = address.map((byte, at) => (8 * at < prefixBits ? byte : 0));
    this.#catalogue.see(peerId(program, told, prefixBits, seen), at, () => {
      this.#count(program.id);
      const { protocol, port, name } = seen;
      const more = isFolded ? {} : { name };
      const value = create(PeerItemSchema, { program: program.id, protocol, address: told, prefixBits, port, ...more });
      return { case: "peer", value };
    });
  }

  #count(program: bigint): void {
    this.#counts.set(program, (this.#counts.get(program) ?? 0) + 1);
  }
}

function peerId({ id }: Entry, address: Uint8Array, prefixBits: number, { protocol, port }: SeenPeer): bigint {
  return itemId("peer", id, protocol, latin1(address), prefixBits, port);
}

function plain(address: Uint8Array): Uint8Array<ArrayBuffer> {
  const isMapped = address.length === 16 && MAPPED_PREFIX.every((byte, at) => address[at] === byte);
  return new Uint8Array(isMapped ? address.subarray(MAPPED_PREFIX.length) : address);
}
