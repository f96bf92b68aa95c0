// Which operator may stand with which type of field, and the test and operand each pair comes down to.
import { RE2JS, RE2JSException } from "re2js";
import { parseAddress, parseNetwork } from "../fields/address.ts";
import type { ValueType } from "../fields/known.ts";
import { compileGlob } from "./glob.ts";
import { lowerAscii } from "./letters.ts";
import { PathPrefixes, type TestName } from "./tests.ts";

/** A literal as its type has it, or what is wrong with it. */
export type Prepared = { operand: unknown } | { message: string };

type Prepare = (text: string) => Prepared;

interface Pair {
  test: TestName;
  prepare: Prepare;
  /** Takes all values of a list at once, instead of one test for each. */
  prepareAll?: (texts: readonly string[]) => Prepared;
}

/** Longer patterns are refused: RE2JS's program grows with them. */
const PATTERN_CHARACTERS_MAX = 4096;

// https://www.iana.org/assignments/service-names-port-numbers: the names that rules use.
const SERVICES: ReadonlyMap<string, number> = new Map([
  ["ftp", 21],
  ["ssh", 22],
  ["telnet", 23],
  ["smtp", 25],
  ["domain", 53],
  ["http", 80],
  ["pop3", 110],
  ["ntp", 123],
  ["imap", 143],
  ["snmp", 161],
  ["ldap", 389],
  ["https", 443],
  ["ldaps", 636],
  ["mysql", 3306],
  ["postgresql", 5432],
]);

const text: Prepare = (value) => {
  return value.includes("\0") ? { message: "a string value cannot contain a NUL character" } : { operand: value };
};

const integer: Prepare = (value) => {
  if (!/^(?:[+-]?[0-9]{1,20}|0[xX][0-9a-fA-F]{1,16})$/.test(value))
    return { message: `'${value}' is not a valid number` };
  const exact = value.startsWith("-") ? -BigInt(value.slice(1)) : BigInt(value.replace("+", ""));
  const rough = Number(exact);
  return { operand: Number.isSafeInteger(rough) ? rough : exact };
};

const port: Prepare = (value) => {
  const known = SERVICES.get(value);
  return known === undefined ? integer(value) : { operand: known };
};

const boolean: Prepare = (value) => {
  if (value === "true" || value === "false") return { operand: value === "true" };
  return { message: `filter error: unrecognized boolean value '${value}'` };
};

const address: Prepare = (value) => {
  const operand = parseAddress(value);
  return operand ? { operand } : { message: `unrecognized IP address ${value}` };
};

const network: Prepare = (value) => {
  const operand = parseNetwork(value);
  return operand ? { operand } : { message: `unrecognized IP network ${value}` };
};

const utf8 = new TextEncoder();

/** Bytes as a string of code points 0 to 255. */
const bytes: Prepare = (value) => ({ operand: String.fromCharCode(...utf8.encode(value)) });

const hexBytes: Prepare = (value) => {
  if (value.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(value))
    return { message: `filter error: '${value}' is not a hex string` };
  const pairs = value.match(/../g) ?? [];
  return { operand: String.fromCharCode(...pairs.map((pair) => Number.parseInt(pair, 16))) };
};

const LOOK_AROUND = /\(\?(?:<?[=!])/;

const pattern: Prepare = (value) => {
  if (value.length > PATTERN_CHARACTERS_MAX)
    return { message: `a pattern may have ${PATTERN_CHARACTERS_MAX} characters` };
  if (LOOK_AROUND.test(value)) return { message: `invalid regex '${value}': RE2 has no look-around` };
  try {
    return { operand: RE2JS.compile(value) };
  } catch (error) {
    if (!(error instanceof RE2JSException)) throw error;
    return { message: `invalid regex '${value}': ${error.message}` };
  }
};

const glob =
  (ignoreCase: boolean): Prepare =>
  (value) => {
    const checked = text(value);
    return "message" in checked ? checked : { operand: { testExact: compileGlob(value, ignoreCase) } };
  };

const paths = (values: readonly string[]): Prepared => {
  const bad = values.map(text).find((value) => "message" in value);
  return bad ?? { operand: new PathPrefixes(values, (component) => compileGlob(component)) };
};

/** All values of `in` in one set, once each has been prepared by itself. */
const setOf =
  (prepare: Prepare) =>
  (values: readonly string[]): Prepared => {
    const set = new Set<unknown>();
    for (const value of values) {
      const prepared = prepare(value);
      if ("message" in prepared) return prepared;
      set.add(prepared.operand);
    }
    return { operand: set };
  };

const lowered: Prepare = (value) => {
  const prepared = text(value);
  return "message" in prepared ? prepared : { operand: lowerAscii(value) };
};

type Table = Readonly<Record<string, Pair>>;

const equality = (prepare: Prepare): Table => ({
  "=": { test: "equals", prepare },
  "!=": { test: "differs", prepare },
  in: { test: "in", prepare, prepareAll: setOf(prepare) },
  intersects: { test: "in", prepare, prepareAll: setOf(prepare) },
});

const order = (prepare: Prepare): Table => ({
  "<": { test: "less", prepare },
  "<=": { test: "less-or-equal", prepare },
  ">": { test: "greater", prepare },
  ">=": { test: "greater-or-equal", prepare },
});

const places = (same: TestName, other: TestName, prepare: Prepare): Table => ({
  "=": { test: same, prepare },
  "!=": { test: other, prepare },
  in: { test: same, prepare },
  intersects: { test: same, prepare },
});

const parts = (prepare: Prepare): Table => ({
  contains: { test: "contains", prepare },
  startswith: { test: "starts-with", prepare },
  endswith: { test: "ends-with", prepare },
});

const integers = { ...equality(integer), ...order(integer) };

const STRINGS: Table = {
  ...equality(text),
  ...order(text),
  ...parts(text),
  icontains: { test: "contains-ignoring-case", prepare: lowered },
  glob: { test: "matches", prepare: glob(false) },
  iglob: { test: "matches", prepare: glob(true) },
  regex: { test: "matches", prepare: pattern },
  pmatch: { test: "path-starts-with", prepare: text, prepareAll: paths },
};

const OPERATORS_BY_TYPE: Readonly<Record<ValueType, { family: string; table: Table }>> = {
  string: { family: "string", table: STRINGS },
  int: { family: "numeric", table: integers },
  reltime: { family: "numeric", table: integers },
  abstime: { family: "numeric", table: integers },
  // Falco takes whole numbers only where it compares doubles.
  double: { family: "numeric", table: integers },
  port: { family: "numeric", table: { ...equality(port), ...order(port) } },
  bool: { family: "numeric", table: equality(boolean) },
  ip: { family: "ip address and network", table: places("is-address", "is-not-address", address) },
  net: { family: "ip address and network", table: places("in-network", "not-in-network", network) },
  bytes: {
    family: "buffer",
    table: {
      ...equality(bytes),
      ...parts(bytes),
      bcontains: { test: "contains", prepare: hexBytes },
      bstartswith: { test: "starts-with", prepare: hexBytes },
    },
  },
  // Takes the type of what it is compared with: an integer where it is one, else a string.
  dynamic: { family: "numeric", table: { ...STRINGS, ...integers } },
};

/** The operators for fields of several values, and those that may have such a field on the right. */
export const LIST_OPERATORS: ReadonlySet<string> = new Set(["in", "intersects"]);

/** The test for an operator on a type, or what Falco says where there is none. */
export function pairOf(operator: string, type: ValueType, list: boolean): Pair | { message: string } {
  const word = operator === "==" ? "=" : operator;
  const { family, table } = OPERATORS_BY_TYPE[type];
  if (list && !LIST_OPERATORS.has(word)) return { message: `'${word}' operator not supported list filters` };
  return table[word] ?? { message: `'${word}' operator not supported for ${family} filters` };
}
