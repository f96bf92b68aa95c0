// The name of a source of events: positions of one source are in one order.

const EPOCH_HEX_DIGITS = 16;

/** Boot id and epoch in hexadecimal, as `BOOTID:EPOCH`. */
export function sourceIdOf(bootId: Uint8Array, epoch: bigint): string {
  return `${hexOf(bootId)}:${epoch.toString(16).padStart(EPOCH_HEX_DIGITS, "0")}`;
}

/** Two hex digits a byte. Uint8Array's own toHex is not everywhere yet, and Buffer is Node's alone. */
export function hexOf(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += byte.toString(16).padStart(2, "0");
  return text;
}
