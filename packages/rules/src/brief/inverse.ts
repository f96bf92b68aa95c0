// From the text that rules compare back to the value in a message: the other way round of renderings and words.
import { type DescField, getOption, ScalarType } from "@bufbuild/protobuf";
import { render, wordsOf } from "@nightjar/proto";
import type { EventView } from "../engine/event-view.ts";
import { parseAddress } from "../fields/address.ts";
import { renderingNamed } from "../fields/renderings.ts";

const utf8 = new TextEncoder();

/** What a field of a message is set to; undefined where the text is no value of it. */
export function valueOfText(field: DescField, given: string | readonly string[]): unknown {
  const text = typeof given === "string" ? given : given.join(" ");
  if (field.message) return endpointOf(text);
  if (field.fieldKind === "list") return wordsIn(given).map((word) => utf8.encode(word));
  if (field.fieldKind === "enum") {
    return [...wordsOf(field.enum)].find(([, word]) => word === text)?.[0] ?? wholeNumber(text);
  }
  switch (field.scalar) {
    case ScalarType.STRING:
      return text;
    case ScalarType.BYTES:
      return utf8.encode(text);
    case ScalarType.BOOL:
      return text === "true" ? true : text === "false" ? false : undefined;
    default:
      return numberFor(field, text);
  }
}

/** Words between blanks, or one each where they are given as a list. */
export function wordsIn(given: string | readonly string[]): readonly string[] {
  return typeof given === "string" ? given.split(/\s+/).filter((word) => word !== "") : given;
}

/** "10.0.0.1:80", "::1:80" or the path of a unix socket. */
export function endpointOf(text: string): { address: Uint8Array; port: number } | { path: Uint8Array } | undefined {
  if (text.startsWith("/") || text.startsWith("@")) return { path: utf8.encode(text) };
  const colon = text.lastIndexOf(":");
  const address = parseAddress(text.slice(0, colon));
  const port = wholeNumber(text.slice(colon + 1));
  return address && port !== undefined ? { address, port } : undefined;
}

export function wholeNumber(text: string): number | undefined {
  return /^(-?[0-9]{1,16}|0x[0-9a-fA-F]{1,13})$/.test(text) ? Number(text) : undefined;
}

const WIDE: ReadonlySet<ScalarType> = new Set([ScalarType.UINT64, ScalarType.INT64, ScalarType.FIXED64]);

function numberFor(field: DescField, text: string): number | bigint | undefined {
  const number = numberOf(text, getOption(field, render), field);
  if (number === undefined) return undefined;
  if (number < 0 && [ScalarType.UINT32, ScalarType.UINT64].includes(field.scalar as ScalarType)) return undefined;
  return WIDE.has(field.scalar as ScalarType) ? BigInt(number) : number;
}

const RADIXES: Readonly<Record<string, number>> = { octal: 8, hex: 16 };

function numberOf(text: string, rendering: string, field: DescField): number | undefined {
  const radix = RADIXES[rendering];
  if (radix !== undefined && !text.startsWith("0x")) {
    const number = Number.parseInt(text, radix);
    return Number.isNaN(number) ? undefined : number;
  }
  return wholeNumber(text) ?? (rendering === "" ? undefined : numberOfWords(text, rendering, field));
}

const known = new Map<string, ReadonlyMap<string, number>>();

/** A number that a rendering wrote: the sum of what each of its words stands for. */
function numberOfWords(text: string, rendering: string, field: DescField): number | undefined {
  const numbers = known.get(rendering) ?? wordNumbers(rendering, field);
  known.set(rendering, numbers);
  let sum = 0;
  for (const word of new Set(text.split(/[|\s]+/))) {
    const number = numbers.get(word);
    if (number === undefined) return undefined;
    sum += number;
  }
  return sum;
}

/** Above all numbers that tables of values have, save a few that are tried beside them. */
const VALUES_TRIED_MAX = 0x5000;
const BITS_TRIED_MAX = 48;
const AT_FDCWD = -100;

/**
 * What each word of a rendering stands for. The rendering is asked, so that its table is in one place: a word is what
 * a number adds to the text of 0.
 */
function wordNumbers(rendering: string, field: DescField): ReadonlyMap<string, number> {
  const write = renderingNamed(rendering, field);
  const noView = { batch: { userNames: new Map(), groupNames: new Map() } } as unknown as EventView;
  const numbers = new Map<string, number>();
  if (!write) return numbers;
  const wordsFor = (number: number): string[] => write(number, noView).split(/[|\s]+/);
  const none = wordsFor(0);
  for (const word of none) numbers.set(word, 0);
  const bits = Array.from({ length: BITS_TRIED_MAX }, (_, bit) => 2 ** bit);
  const values = Array.from({ length: VALUES_TRIED_MAX }, (_, value) => value);
  for (const number of [...bits, AT_FDCWD, ...values]) {
    const words = wordsFor(number).filter((word) => !none.includes(word) && !/^-?[0-9]+$/.test(word));
    if (words.length === 1 && !numbers.has(words[0] as string)) numbers.set(words[0] as string, number);
  }
  return numbers;
}
