// Reads an indicator list of any format that is known; the text itself tells which.
import { isCsv, readCsv } from "./csv.ts";
import { parseJson } from "./json.ts";
import { type List, ListBuilder, type ListDefaults, type ListFormat, unreadable } from "./list.ts";
import { isMisp, readMisp } from "./misp.ts";
import { readPlain } from "./plain.ts";
import { isStix, readStix } from "./stix.ts";

/** Parsed once: the text and, where it is JSON, its document. */
interface Source {
  text: string;
  document: unknown;
}

interface Format {
  format: ListFormat;
  is: (source: Source) => boolean;
  /** Returns what is wrong with the file as a whole. */
  read: (source: Source, list: ListBuilder) => string | undefined;
}

/** The first that takes a text is its format. */
const formats: readonly Format[] = [
  { format: "stix", is: ({ document }) => isStix(document), read: ({ document }, list) => readStix(document, list) },
  { format: "misp", is: ({ document }) => isMisp(document), read: ({ document }, list) => readMisp(document, list) },
  { format: "csv", is: ({ text }) => isCsv(text), read: ({ text }, list) => readCsv(text, list) },
  {
    format: "plain",
    is: ({ document, text }) => document === undefined && !text.includes("\u0000"),
    read: ({ text }, list) => void readPlain(text, list),
  },
];

export const listFormats: readonly ListFormat[] = formats.map(({ format }) => format);

/** Never throws: what cannot be taken is a problem. `format` undefined for that of its looks. */
export function readList(text: string, defaults: ListDefaults, format?: ListFormat): List {
  const source: Source = { text, document: /^\s*[[{]/.test(text) ? parseJson(text) : undefined };
  const reader = formats.find((one) => (format === undefined ? one.is(source) : one.format === format));
  if (!reader) return unreadable(undefined, "LIST_UNREADABLE", "it is neither STIX nor MISP, CSV or plain text");
  const list = new ListBuilder(defaults);
  const wrong = reader.read(source, list);
  return wrong === undefined ? list.finish(reader.format) : unreadable(reader.format, "LIST_UNREADABLE", wrong);
}
