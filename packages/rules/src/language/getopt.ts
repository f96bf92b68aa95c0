// Finds the options among a command's words as getopt(3) does: what the transformer of that name gives.

/** An option that was found: what it adds to a list of all, and what is given where its letter is asked for. */
interface Found {
  letter?: string;
  all: readonly string[];
  value: string;
}

/** A letter that is no option, as getopt(3) tells it. */
const UNKNOWN: Found = { all: ["?"], value: "?" };

/** Which letters are options, and which of those take a value: of "nt:" n takes none, t does. */
function readSpecification(specification: string): ReadonlyMap<string, boolean> {
  const letters = [...specification];
  const options = letters.map((letter, at) => [letter, letters[at + 1] === ":"] as const);
  return new Map(options.filter(([letter]) => letter !== ":"));
}

/**
 * The letters of all options in order, each followed by its value if it takes one. Where one is asked for, the value it
 * has last, or its letter if it takes none; undefined where it is not there. A value that should be there and is not is
 * "". As in getopt(3) the options end at "--" and before the first word that is none; long ones are passed over.
 */
export function optionsOf(
  words: readonly string[],
  specification: string,
  wanted: string | undefined,
): string[] | string | undefined {
  const options = readSpecification(specification);
  const found: Found[] = [];
  for (let at = 0; at < words.length; at++) {
    const word = words[at] as string;
    if (word === "--" || word === "-" || !word.startsWith("-")) break;
    if (word.startsWith("--")) continue;
    const letters = [...word];
    for (let place = 1; place < letters.length; place++) {
      const letter = letters[place] as string;
      const takesValue = options.get(letter);
      if (takesValue) {
        const value = letters.slice(place + 1).join("") || words[++at];
        found.push(value === undefined ? { letter, all: [""], value: "" } : { letter, all: [letter, value], value });
        break;
      }
      found.push(takesValue === undefined ? UNKNOWN : { letter, all: [letter], value: letter });
    }
  }
  if (wanted === undefined) return found.flatMap(({ all }) => all);
  return found.findLast(({ letter }) => letter === wanted)?.value;
}
