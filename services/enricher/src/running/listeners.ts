// Reads the tables of /proc/net: the sockets that take connections or datagrams. Pure: net/ipv4/tcp_ipv4.c, udp.c.

export interface Listener {
  /** IPPROTO_*. */
  protocol: number;
  /** In network byte order. */
  address: Uint8Array;
  port: number;
}

export interface SocketTable {
  /** The file's name below /proc/PID/net. */
  name: string;
  protocol: number;
  /** The state of those that take something, as the table has it: TCP_LISTEN; of UDP, not connected. */
  state: string;
}

export const IPPROTO_TCP = 6;
const IPPROTO_UDP = 17;

export const SOCKET_TABLES: readonly SocketTable[] = [
  { name: "tcp", protocol: IPPROTO_TCP, state: "0A" },
  { name: "tcp6", protocol: IPPROTO_TCP, state: "0A" },
  { name: "udp", protocol: IPPROTO_UDP, state: "07" },
  { name: "udp6", protocol: IPPROTO_UDP, state: "07" },
];

/** sl local_address rem_address st tx_queue:rx_queue tr:tm->when retrnsmt uid timeout inode */
const LINE = /^ *\d+: ([0-9A-F]+):([0-9A-F]{4}) [0-9A-F]+:[0-9A-F]{4} ([0-9A-F]{2}) \S+ \S+ \S+ +\d+ +\d+ (\d+)/;

/** By the sockets' inodes, as /proc/PID/fd names them; into `found`. */
export function parseListeners(text: string, { protocol, state }: SocketTable, found: Map<string, Listener>): void {
  for (const line of text.split("\n")) {
    const match = LINE.exec(line);
    if (!match || match[3] !== state) continue;
    const [, address = "", port = "", , inode = ""] = match;
    found.set(inode, { protocol, address: addressOf(address), port: Number.parseInt(port, 16) });
  }
}

/** Addresses are written as words of 32 bits in the machine's byte order, which is little on all that are supported. */
function addressOf(text: string): Uint8Array {
  const bytes = new Uint8Array(Buffer.from(text, "hex"));
  for (let word = 0; word < bytes.length; word += 4) bytes.subarray(word, word + 4).reverse();
  return bytes;
}
