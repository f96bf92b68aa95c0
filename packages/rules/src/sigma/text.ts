// Sigma's strings: text with the wildcards * and ?, escapes, and placeholders %name% where `expand` asks for them.

/** A part of a string: plain text, any number of characters, exactly one, or what a placeholder will stand for. */
export type Part = { text: string } | { wildcard: "many" | "one" } | { placeholder: string };
export type Pattern = readonly Part[];

export const MANY: Part = { wildcard: "many" };

/**
 * Reads a value as written. A backslash before *, ? or another backslash takes their meaning away; before anything else
 * it stands for itself (specification, "Escaping").
 */
export function readPattern(written: string): Pattern {
  const parts: Part[] = [];
  let text = "";
  const flush = (): void => {
    if (text !== "") parts.push({ text });
    text = "";
  };
  for (let at = 0; at < written.length; at++) {
    const character = written[at] as string;
    const next = written[at + 1];
    if (character === "\\" && (next === "*" || next === "?" || next === "\\")) {
      text += next;
      at++;
    } else if (character === "*" || character === "?") {
      flush();
      parts.push({ wildcard: character === "*" ? "many" : "one" });
    } else text += character;
  }
  flush();
  return parts;
}

const PLACEHOLDER = /%([\w.-]+)%/g;

/** Puts placeholders where the text says %name%. */
export function withPlaceholders(pattern: Pattern): Pattern {
  return pattern.flatMap((part): Part[] => {
    if (!("text" in part)) return [part];
    const found: Part[] = [];
    let end = 0;
    for (const match of part.text.matchAll(PLACEHOLDER)) {
      found.push({ text: part.text.slice(end, match.index) }, { placeholder: match[1] as string });
      end = match.index + match[0].length;
    }
    found.push({ text: part.text.slice(end) });
    return joined(found);
  });
}

/** The names of the placeholders in a pattern. */
export function placeholdersOf(pattern: Pattern): string[] {
  return pattern.flatMap((part) => ("placeholder" in part ? [part.placeholder] : []));
}

/** Neighbouring texts as one, and no empty ones. */
export function joined(parts: readonly Part[]): Part[] {
  const result: Part[] = [];
  for (const part of parts) {
    const last = result.at(-1);
    if ("text" in part && part.text === "") continue;
    if ("text" in part && last && "text" in last) result[result.length - 1] = { text: last.text + part.text };
    else result.push(part);
  }
  return result;
}

/** The text of a pattern without wildcards and placeholders; undefined where it has some. */
export function plainText(pattern: Pattern): string | undefined {
  let text = "";
  for (const part of pattern) {
    if (!("text" in part)) return undefined;
    text += part.text;
  }
  return text;
}

export function isMany(part: Part | undefined): boolean {
  return part !== undefined && "wildcard" in part && part.wildcard === "many";
}

/** A pattern as it is written, in one form. */
export function writePattern(pattern: Pattern): string {
  return pattern
    .map((part) => {
      if ("text" in part) return part.text.replace(/[*?]|\\(?=[*?\\]|$)/g, "\\$&");
      if ("wildcard" in part) return part.wildcard === "many" ? "*" : "?";
      return `%${part.placeholder}%`;
    })
    .join("");
}

/** Changes each text of a pattern; wildcards and placeholders stay. */
export function mapText(pattern: Pattern, change: (text: string) => string): Pattern {
  return pattern.map((part) => ("text" in part ? { text: change(part.text) } : part));
}
