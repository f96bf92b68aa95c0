// Bytes and numbers from events as text that is safe on a terminal.
import { isIPv4, isIPv6 } from "node:net";

// C0 and C1 controls and DEL: what a program under watch calls itself must not steer the watcher's terminal.
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROLS = /[\u0000-\u001f\u007f-\u009f]/g;
const IPV4_BYTES = 4;
const IPV6_BYTES = 16;
const IPV6_GROUPS = 8;
const decoder = new TextDecoder("utf-8");

/** Bytes as UTF-8; what is no UTF-8 becomes U+FFFD. */
export function utf8(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}

/** The text with its control characters written as \xNN. */
export function printable(text: string): string {
  return text.replaceAll(CONTROLS, (one) => `\\x${one.charCodeAt(0).toString(16).padStart(2, "0")}`);
}

/** An address in network order as people write it; hexadecimal when it is neither IPv4 nor IPv6. */
export function ipAddress(bytes: Uint8Array): string {
  if (bytes.length === IPV4_BYTES) return bytes.join(".");
  if (bytes.length !== IPV6_BYTES) return hex(bytes);
  const groups = Array.from({ length: 8 }, (_, index) =>
    (((bytes[2 * index] ?? 0) << 8) | (bytes[2 * index + 1] ?? 0)).toString(16),
  );
  const full = groups.join(":");
  // The URL parser writes it as RFC 5952 asks.
  return isIPv6(full) ? new URL(`http://[${full}]/`).hostname.slice(1, -1) : full;
}

/** What ipAddress() wrote, as bytes. */
export function addressBytes(text: string): Uint8Array {
  if (isIPv4(text)) return Uint8Array.from(text.split("."), Number);
  if (!isIPv6(text)) return Buffer.from(text, "hex");
  const [head = "", tail] = text.split("::");
  const groups = (part: string) => (part === "" ? [] : part.split(":").map((group) => Number.parseInt(group, 16)));
  const [before, after] = [groups(head), groups(tail ?? "")];
  const zeros = new Array(IPV6_GROUPS - before.length - after.length).fill(0);
  return Uint8Array.from([...before, ...zeros, ...after].flatMap((group) => [group >> 8, group & 0xff]));
}

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

/** A count with its thousands apart: 12345678 is "12,345,678". */
export function count(value: bigint | number): string {
  return value.toLocaleString("en-US");
}
