// How numbers of Linux become the words that rules compare: tables of names, and how a number is written with one.

/** Names and what they stand for: bits in a table of flags, a whole number in a table of values. */
export type Names = readonly (readonly [name: string, number: number])[];

/** What a table does with a number; a number it knows nothing of stays a number. */
export type Write = (number: number) => string;

/** How many different numbers a table remembers; programs use a few dozen. */
const REMEMBERED_MAX = 1024;

function remembering(write: Write): Write {
  const known = new Map<number, string>();
  return (number) => {
    let text = known.get(number);
    if (text === undefined) {
      text = write(number);
      if (known.size < REMEMBERED_MAX) known.set(number, text);
    }
    return text;
  };
}

/** The names of the flags that are set, in the table's order, joined by a bar; `none` where no named one is. */
export function flagNames(table: Names, none = "0"): Write {
  return remembering((number) => {
    const set = table.filter(([, bits]) => hasBits(number, bits)).map(([name]) => name);
    return set.length > 0 ? set.join("|") : none;
  });
}

/** Also beyond 32 bits, where JavaScript's operators on bits end. */
function hasBits(number: number, bits: number): boolean {
  const low = bits >>> 0;
  const high = Math.floor(bits / 2 ** 32);
  return (number & low) >>> 0 === low && (Math.floor(number / 2 ** 32) & high) === high;
}

/** The name of a number, or the number itself where it has none. */
export function valueNames(table: Names): Write {
  const names = new Map(table.map(([name, number]) => [number, name]));
  return (number) => names.get(number) ?? String(number);
}
