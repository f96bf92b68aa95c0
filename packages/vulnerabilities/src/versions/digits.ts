// Compares numbers of any length as they are written, since versions hold dates and hashes that no number holds.

/** Below 0, 0 or above, as the numbers that two texts of digits stand for; an empty text stands for 0. */
export function compareDigits(one: string, other: string): number {
  const [a, b] = [withoutZeros(one), withoutZeros(other)];
  return a.length - b.length || compareTexts(a, b);
}

/** By code units, as C's strcmp does for ASCII. */
export function compareTexts(one: string, other: string): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}

function withoutZeros(digits: string): string {
  return digits.replace(/^0+/, "");
}
