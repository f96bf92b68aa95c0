// CSV lists: columns are known by the names that public feeds give them (abuse.ch, OTX, MISP's export, our own).
import { CsvError, parse } from "csv-parse/sync";
import { readIndicator } from "../indicator.ts";
import { confidenceOf, dispositionOf, type ListBuilder, type Told, timeOf } from "./list.ts";
import { shorten } from "./plain.ts";

type Column = "value" | "type" | "disposition" | "confidence" | "description" | "labels" | "expires";

/** By the name in the header, in lower case; the first of a list's columns that means the same counts. */
const columns: ReadonlyMap<string, Column> = new Map(
  (
    [
      ["value", ["indicator", "value", "ioc", "ioc_value", "dst_ip", "ip", "ip_address", "domain", "host", "hostname"]],
      ["value", ["sha256", "sha256_hash", "sha256sum", "hash"]],
      ["type", ["type", "ioc_type", "indicator_type", "kind"]],
      ["disposition", ["disposition", "verdict"]],
      ["confidence", ["confidence", "confidence_level"]],
      ["description", ["description", "comment", "threat", "threat_type", "malware_printable", "info", "title"]],
      ["labels", ["labels", "tags", "tag", "malware", "signature"]],
      ["expires", ["expires", "expires_at", "expiration", "valid_until"]],
    ] as const
  ).flatMap(([column, names]) => names.map((name) => [name, column] as const)),
);

/** Kinds that lists name and no sensor looks for; said so instead of "no indicator". */
const OTHER_KINDS = /^(md5|sha1|url|uri|email|cidr|cve|mutex|filepath|filehash-(md5|sha1|pehash|imphash)|yara)/i;
const HEADER_LINES_MAX = 100;

type Cells = Partial<Record<Column, string>>;

/** Whether the text has a header with a column of values. */
export function isCsv(text: string): boolean {
  return headerOf(text.split("\n", HEADER_LINES_MAX)) !== undefined;
}

/** Returns what is wrong with the file as a whole, or undefined. */
export function readCsv(text: string, list: ListBuilder): string | undefined {
  const lines = text.split("\n", HEADER_LINES_MAX);
  const header = headerOf(lines);
  if (!header) return "no line names a column of values, such as: indicator,type,confidence,description,expires";
  try {
    const body = text
      .split("\n")
      .slice(header.line + 1)
      .join("\n");
    // With `info` a row comes with where it stood, which the library's types do not say.
    const rows = parse(body, {
      delimiter: header.delimiter,
      comment: "#",
      comment_no_infix: true,
      info: true,
      relax_column_count: true,
      relax_quotes: true,
      skip_empty_lines: true,
      trim: true,
    }) as unknown as { record: string[]; info: { lines: number } }[];
    for (const { record, info } of rows) {
      readRow(cellsOf(header.columns, record), `line ${header.line + 1 + info.lines}`, list);
    }
  } catch (error) {
    if (error instanceof CsvError) return error.message;
    throw error;
  }
  return undefined;
}

interface Header {
  line: number;
  delimiter: string;
  columns: (Column | undefined)[];
}

/** The first line that names values; abuse.ch has it in the last comment before the data. */
function headerOf(lines: readonly string[]): Header | undefined {
  for (const [line, text] of lines.entries()) {
    for (const delimiter of [",", ";", "\t"]) {
      const names = text.replace(/^\uFEFF?#?\s*/, "").split(delimiter);
      const known = names.map((name) => columns.get(name.trim().replaceAll(/^"|"$/g, "").toLowerCase()));
      // One name alone may be any word of a comment.
      const alone = names.length === 1 && text.startsWith("#");
      if (known.includes("value") && !alone) return { line, delimiter, columns: known };
    }
    if (text.trim() !== "" && !text.startsWith("#")) return undefined;
  }
  return undefined;
}

function cellsOf(known: readonly (Column | undefined)[], record: readonly string[]): Cells {
  const cells: Cells = {};
  for (const [index, column] of known.entries()) {
    const cell = record[index]?.trim();
    if (column && cell) cells[column] ??= cell;
  }
  return cells;
}

function readRow(cells: Cells, place: string, list: ListBuilder): void {
  const { value = "", type = "" } = cells;
  if (OTHER_KINDS.test(type)) {
    list.problem("LIST_KIND_UNKNOWN", place, `${type}: ${shorten(value)}`);
    return;
  }
  const indicator = readIndicator(value);
  if (!indicator) {
    list.problem("LIST_VALUE_INVALID", place, shorten(value));
    return;
  }
  const told: Told = { description: cells.description, labels: cells.labels?.split(/[,;|]/) };
  /** A cell that cannot be read leaves the default, and is told. */
  const read = <T>(column: Column, of: (text: string) => T | undefined): T | undefined => {
    const cell = cells[column];
    const result = cell === undefined ? undefined : of(cell);
    if (cell !== undefined && result === undefined) {
      list.problem("LIST_FIELD_INVALID", place, `${column}: ${shorten(cell)}`);
    }
    return result;
  };
  told.disposition = read("disposition", dispositionOf);
  told.confidence = read("confidence", confidenceOf);
  told.expiresAtMs = read("expires", timeOf);
  list.add(indicator, told);
}
