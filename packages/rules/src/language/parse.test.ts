// The grammar: what parses to what, what is refused with which words and where, and that printing loses nothing.
import test from "ava";
import fc from "fast-check";
import type { Node } from "./ast.ts";
import { parse } from "./parse.ts";
import { NESTING_MAX } from "./parser.ts";
import { print } from "./print.ts";

/** Conditions, and the form they are printed in. */
const FORMS: readonly (readonly [text: string, form: string])[] = [
  ["a", "a"],
  ["evt.type=open", "evt.type = open"],
  ["a and b or not c", "((a and b) or not c)"],
  ["not(a or b) and(c)", "(not (a or b) and c)"],
  ["not not a", "a"],
  ["fd.name in (a,'b c', \"d\")", 'fd.name in (a, "b c", d)'],
  ["fd.name in(a) and proc.name intersects (b)", "(fd.name in (a) and proc.name intersects (b))"],
  ["proc.aname[2] = sshd", "proc.aname[2] = sshd"],
  ["evt.arg['key with space'] exists", 'evt.arg["key with space"] exists'],
  ["tolower(proc.name) = val(proc.pname)", "tolower(proc.name) = val(proc.pname)"],
  ["proc.name startswith oneof (a, b)", "proc.name startswith oneof (a, b)"],
  ["proc.name = oneof or a", "(proc.name = oneof or a)"],
  ["proc.name = notes and a", "(proc.name = notes and a)"],
  ["fd.num >= 0x1f", "fd.num >= 0x1f"],
  ["len(fd.name) = 3", "len(fd.name) = 3"],
  ["join(fd.name, ( tolower( proc.name ) , 42, 0x2a )) = x", "join(fd.name,(tolower(proc.name), 42, 0x2a)) = x"],
  ["getopt(('-n' , fd.name),'n:')[n] exists", "getopt((-n, fd.name),n:)[n] exists"],
  ["len(()) = 0", "len(()) = 0"],
  ['proc.name = "\\t\\\\\\"\\x41"', 'proc.name = "\\t\\\\\\"A"'],
  ["proc.args = 'a\\ b'", 'proc.args = "a\\\\b"'],
];

for (const [text, form] of FORMS) {
  test(`${text} is ${form}`, (t) => {
    const { node, problem } = parse(text);
    t.is(problem, undefined);
    t.is(node && print(node), form);
  });
}

/** Texts that are no conditions, with the offset of the fault and a part of what is said. */
const REFUSED: readonly (readonly [text: string, offset: number, message: string])[] = [
  ["", 0, "filter input string is empty"],
  ["a andb", 5, "expected blank or '(' after 'and'"],
  ["a or", 4, "expected blank or '(' after 'or'"],
  ["a b", 2, "unexpected token after 'a', expecting 'or', 'and'"],
  ["(a or b", 7, "expected a ')' token"],
  ["a)", 1, "unexpected token after 'a'"],
  ["proc.name", 9, "expected a valid check operator: one of 'exists', '<='"],
  ["proc.name containsx", 10, "expected a valid check operator"],
  ["fd.num < x", 9, "expected a number value"],
  ["fd.name in (a,,b)", 14, "expected a string value"],
  ["fd.name in (a", 13, "expected a ')' token"],
  ["evt.arg[] = a", 8, "expected a valid field argument"],
  ["proc.name = 'open", 12, "expected a string value"],
  ["proc.name = '\\q'", 14, "unsupported string escape sequence: \\q"],
  ["proc.name = '\\\"'", 14, "escape in '-quoted string"],
  ["val(val(proc.name)) exists", 3, "unexpected token after 'val'"],
  ["proc.name = val(proc)", 16, "expected a field within 'val' transformer"],
  ["len() = 0", 4, "expected field transformer argument"],
  ["len(name) = 0", 4, "expected field transformer argument"],
  ["len((proc.name,)) = 1", 15, "expected field transformer argument"],
  ["len((proc.name, (proc.pname))) = 1", 16, "expected field transformer argument"],
  ["tolower(proc.name exists", 18, "expected a ')' token closing the transformer"],
];

for (const [text, offset, message] of REFUSED) {
  test(`refused: ${text || "nothing"}`, (t) => {
    const { node, problem } = parse(text);
    t.is(node, undefined);
    t.is(problem?.offset, offset);
    t.true(problem?.message.includes(message), problem?.message);
  });
}

test("nesting has a limit, and what is deeper is refused at once", (t) => {
  const nested = (depth: number, inner: string): string => `${"(".repeat(depth)}${inner}${")".repeat(depth)}`;
  t.truthy(parse(nested(NESTING_MAX - 1, "a")).node);
  t.is(parse(nested(NESTING_MAX, "a")).problem?.message, `exceeded max depth limit of ${NESTING_MAX}`);
  t.is(parse("not(".repeat(100_000)).problem?.offset, 4 * NESTING_MAX);
  t.regex(parse(`${"tolower(".repeat(5000)}a.b`).problem?.message ?? "", /max depth/);
  t.truthy(parse(`${"not ".repeat(100_000)}a`).node, "nots in a row do not nest");
  t.truthy(parse(`a${" or a".repeat(100_000)}`).node);
});

// A quoted string cannot end in a backslash: Falco's lexer takes the quote behind it for escaped.
const text = fc.string({ maxLength: 6 }).filter((each) => !each.endsWith("\\"));
const value = fc.oneof(fc.stringMatching(/^[a-z/.*0-9-]{1,8}$/), text);
const field = fc.constantFrom("proc.name", "fd.name", "evt.arg[x]", "tolower(proc.name)");
const leaf = fc.oneof(
  fc.stringMatching(/^m[a-z_]{1,5}$/),
  fc.tuple(field, fc.constantFrom("=", "!=", "contains", "glob", "regex"), value).map(([name, operator, text]) => {
    return `${name} ${operator} ${JSON.stringify(text).replace(/\\u00(..)/g, "\\x$1")}`;
  }),
  fc
    .tuple(field, fc.array(fc.stringMatching(/^[a-z/]{1,5}$/)))
    .map(([name, list]) => `${name} in (${list.join(", ")})`),
);
const condition: fc.Arbitrary<string> = fc.letrec<{ condition: string }>((tie) => ({
  condition: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    leaf,
    fc.array(tie("condition"), { minLength: 2, maxLength: 3 }).map((parts) => `(${parts.join(" and ")})`),
    fc.array(tie("condition"), { minLength: 2, maxLength: 3 }).map((parts) => `(${parts.join(" or ")})`),
    tie("condition").map((part) => `not (m and ${part})`),
  ),
})).condition;

function bare(node: Node): unknown {
  return JSON.parse(JSON.stringify(node, (key, inner) => (key === "offset" ? undefined : inner)));
}

test("what is printed parses to the same tree", (t) => {
  fc.assert(
    fc.property(condition, (text) => {
      const { node, problem } = parse(text);
      if (!node) throw new Error(`${problem.message} at ${problem.offset} of ${text}`);
      const again = parse(print(node));
      t.deepEqual(again.node && bare(again.node), bare(node));
    }),
    { numRuns: 500 },
  );
  t.pass();
});

test("no text crashes the parser, and it is quick about it", (t) => {
  const token = fc.constantFrom(
    "(",
    ")",
    "and",
    "or",
    "not",
    " ",
    "'",
    '"',
    "\\",
    "in",
    "=",
    "a.b",
    "val(",
    "join(",
    ",",
    "[",
    "]",
    "oneof",
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(token, { maxLength: 60 }).map((parts) => parts.join("")),
      ),
      (text) => {
        const result = parse(text);
        return (result.node === undefined) !== (result.problem === undefined);
      },
    ),
    { numRuns: 2000 },
  );
  t.pass();
});
