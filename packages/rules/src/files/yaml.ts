// Reads YAML so that every value keeps its place in the file. Scalars stay text: what they mean depends on the key.
import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseAllDocuments,
  type Scalar,
} from "yaml";
import { type Place, type Problem, problem } from "../problem.ts";
import { MappedText } from "./mapped-text.ts";

/** A value in a file. */
export type Value = TextValue | SequenceValue | MappingValue;

interface Placed {
  place: Place;
}

export interface TextValue extends Placed {
  kind: "text";
  text: string;
  /** Written as nothing, ~ or null. */
  isNull: boolean;
  /** Written without quotes and not as a block, so that it may stand for a number or a boolean. */
  plain: boolean;
  /** The text with the place of each of its characters. */
  mapped: () => MappedText;
}

export interface SequenceValue extends Placed {
  kind: "sequence";
  items: Value[];
}

export interface MappingValue extends Placed {
  kind: "mapping";
  entries: Map<string, { key: Place; value: Value }>;
}

export interface YamlFile {
  documents: Value[];
  problems: Problem[];
}

/** How deep sequences and mappings may stand in one another; rules need five. */
const YAML_NESTING_MAX = 32;
const NULL_WORDS = new Set(["", "~", "null", "Null", "NULL"]);

/** Reads all documents of a file. One that is not YAML gives a problem and nothing else. */
export function readYaml(file: string, text: string): YamlFile {
  const lines = new LineCounter();
  const place = placer(file, lines);
  const failed = (message: string, offset: number): YamlFile => ({
    documents: [],
    problems: [problem("LOAD_ERR_YAML_PARSE", message, place(offset), { type: "rules content", name: "" })],
  });
  let documents: Document.Parsed[];
  try {
    const parsed = parseAllDocuments(text, {
      lineCounter: lines,
      schema: "failsafe",
      uniqueKeys: false,
      logLevel: "silent",
    });
    documents = Array.isArray(parsed) ? parsed : [];
  } catch (error) {
    // The yaml package recurses over nested values and has no limit of its own.
    if (!(error instanceof RangeError)) throw error;
    return failed("nested too deeply", 0);
  }
  const error = documents.flatMap((document) => document.errors)[0];
  if (error) return failed(error.message.split(" at line ")[0] as string, error.pos[0]);
  const reader = new Reader(text, place);
  try {
    return { documents: documents.flatMap((document) => reader.document(document)), problems: [] };
  } catch (problemFound) {
    if (!(problemFound instanceof ShapeError)) throw problemFound;
    return failed(problemFound.message, problemFound.offset);
  }
}

/** By itself, so that what rules keep of their places holds on to the beginnings of lines and not to the documents. */
function placer(file: string, lines: LineCounter): (offset: number) => Place {
  return (offset) => {
    const { line, col } = lines.linePos(offset);
    return { file, line: Math.max(1, line), column: Math.max(1, col) };
  };
}

class ShapeError extends Error {
  readonly offset: number;
  constructor(message: string, offset: number) {
    super(message);
    this.offset = offset;
  }
}

class Reader {
  readonly #text: string;
  readonly #place: (offset: number) => Place;
  #document: Document.Parsed | undefined;

  constructor(text: string, place: (offset: number) => Place) {
    this.#text = text;
    this.#place = place;
  }

  document(document: Document.Parsed): Value[] {
    this.#document = document;
    const { contents } = document;
    if (!contents) return [];
    const value = this.#value(contents as Node, 0);
    return value.kind === "text" && value.isNull ? [] : [value];
  }

  #value(node: Node | null, depth: number): Value {
    const offset = node?.range?.[0] ?? 0;
    if (depth > YAML_NESTING_MAX) throw new ShapeError("nested too deeply", offset);
    const place = this.#place(offset);
    if (isAlias(node)) {
      const target = (node as Alias).resolve(this.#document as Document.Parsed);
      return this.#value((target as Node | undefined) ?? null, depth + 1);
    }
    if (isSeq(node))
      return { kind: "sequence", place, items: node.items.map((item) => this.#value(item as Node, depth + 1)) };
    if (isMap(node)) {
      const entries: MappingValue["entries"] = new Map();
      for (const { key, value } of node.items) {
        const name = isScalar(key) ? textOf(key) : "";
        const keyOffset = (key as Node | null)?.range?.[0] ?? offset;
        // Of a key that is there twice the first counts, as with yaml-cpp, which Falco reads with.
        if (entries.has(name)) continue;
        const read = value === null ? this.#missing(keyOffset) : this.#value(value as Node, depth + 1);
        entries.set(name, { key: this.#place(keyOffset), value: read });
      }
      return { kind: "mapping", place, entries };
    }
    return isScalar(node) ? this.#scalar(node, offset) : this.#missing(offset);
  }

  #missing(offset: number): TextValue {
    const place = this.#place(offset);
    return { kind: "text", place, text: "", isNull: true, plain: true, mapped: () => MappedText.of("", () => place) };
  }

  #scalar(node: Scalar, offset: number): TextValue {
    const text = textOf(node);
    const end = node.range?.[1] ?? offset;
    const isNull = node.type === "PLAIN" && NULL_WORDS.has(text);
    const block = node.type === "BLOCK_FOLDED" || node.type === "BLOCK_LITERAL";
    const begin = block ? this.#text.indexOf("\n", offset) + 1 : offset;
    const [whole, placeAt] = [this.#text, this.#place];
    const mapped = (): MappedText => {
      let offsets: number[] | undefined;
      return MappedText.of(text, (at) => {
        offsets ??= offsetsOf(text, whole.slice(begin, end), begin);
        return placeAt(offsets[Math.min(at, offsets.length - 1)] ?? begin);
      });
    };
    return { kind: "text", place: this.#place(offset), text, isNull, plain: node.type === "PLAIN", mapped };
  }
}

function textOf(node: Scalar): string {
  return typeof node.value === "string" ? node.value : (node.source ?? "");
}

/**
 * Where each character of a scalar's value stands in the file. Folding and indentation change blanks only, so the other
 * characters are found again in their order; behind an escape in quotes the place may be off by the escape.
 */
function offsetsOf(value: string, raw: string, begin: number): number[] {
  const offsets: number[] = [];
  let at = raw.startsWith('"') || raw.startsWith("'") ? 1 : 0;
  for (const character of value) {
    if (/\s/.test(character)) {
      for (let unit = 0; unit < character.length; unit++) offsets.push(begin + at);
      if (/\s/.test(raw[at] ?? "")) at++;
      continue;
    }
    const found = raw.indexOf(character, at);
    if (found >= 0) at = found;
    for (let unit = 0; unit < character.length; unit++) offsets.push(begin + at + unit);
    if (found >= 0) at += character.length;
  }
  offsets.push(begin + at);
  return offsets;
}
