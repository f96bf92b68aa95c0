// Texts of stanzas, with an empty line between them, and of fields "Name: value", as dpkg writes them.

/** The stanzas of a text. */
export function* stanzas(text: string): Generator<string> {
  for (let start = 0; start < text.length; ) {
    const found = text.indexOf("\n\n", start);
    const end = found < 0 ? text.length : found;
    if (end > start) yield text.slice(start, end);
    start = end + 1;
    while (text[start] === "\n") start++;
  }
}

/** The first line of a field; "" where there is none. */
export function field(stanza: string, name: string): string {
  const key = `${name}:`;
  const start = stanza.startsWith(key) ? 0 : stanza.indexOf(`\n${key}`) + 1;
  if (!stanza.startsWith(key, start)) return "";
  const end = stanza.indexOf("\n", start);
  return stanza.slice(start + key.length, end < 0 ? undefined : end).trim();
}
