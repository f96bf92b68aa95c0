// Random rules over a vocabulary of paths, modes, ports and commands: what filters are tried with.
import fc from "fast-check";

export interface Vocabulary {
  /** Absolute paths that deeds are done with, and some that nothing is done with. */
  paths: readonly string[];
  commands: readonly string[];
  ports: readonly number[];
}

const quote = (text: string) => `"${text.replace(/["\\]/g, "\\$&")}"`;
const listOf = (texts: readonly string[]) => `(${texts.map(quote).join(", ")})`;

/** Conditions that stand for themselves: each about one field. */
function atoms({ paths, commands, ports }: Vocabulary): fc.Arbitrary<string> {
  const path = fc.constantFrom(...paths);
  const several = fc.uniqueArray(path, { minLength: 1, maxLength: 4 });
  const cut = fc.tuple(path, fc.nat({ max: 1000 }));
  const begin = cut.map(([text, at]) => text.slice(0, 1 + (at % text.length)));
  const end = cut.map(([text, at]) => text.slice(at % text.length));
  const directory = path.map((text) => text.slice(0, Math.max(text.lastIndexOf("/"), 1)));
  const leaf = path.map((text) => text.slice(text.lastIndexOf("/") + 1) || "x");
  const port = fc.constantFrom(...ports);
  const portField = fc.constantFrom("fd.sport", "fd.rport", "fd.lport", "fd.cport", "fd.port");
  const isTrue = fc.constantFrom("true", "false");
  const compare = fc.constantFrom("=", "!=", "<", "<=", ">", ">=");
  return fc.oneof(
    { weight: 3, arbitrary: path.map((text) => `fd.name = ${quote(text)}`) },
    { weight: 3, arbitrary: several.map((texts) => `fd.name in ${listOf(texts)}`) },
    { weight: 3, arbitrary: begin.map((text) => `fd.name startswith ${quote(text)}`) },
    { weight: 3, arbitrary: end.map((text) => `fd.name endswith ${quote(text)}`) },
    fc.tuple(begin, end).map(([first, last]) => `fd.name glob ${quote(`${first}*${last}`)}`),
    several.map((texts) => `fd.name pmatch ${listOf(texts)}`),
    directory.map((text) => `fd.name pmatch ${listOf([text])}`),
    end.map((text) => `fd.name contains ${quote(text)}`),
    directory.map((text) => `fd.directory = ${quote(text)}`),
    begin.map((text) => `fd.directory startswith ${quote(text)}`),
    leaf.map((text) => `fd.filename = ${quote(text)}`),
    leaf.map((text) => `fd.filename startswith ${quote(text.slice(0, 3))}`),
    leaf.map((text) => `fd.filename endswith ${quote(text.slice(-3))}`),
    path.map((text) => `fd.nameraw = ${quote(text)}`),
    isTrue.map((answer) => `evt.is_open_read = ${answer}`),
    isTrue.map((answer) => `evt.is_open_write = ${answer}`),
    isTrue.map((answer) => `evt.failed = ${answer}`),
    fc.constantFrom("fd.num >= 0", "evt.rawres < 0", "evt.res = SUCCESS", "evt.res != SUCCESS", "evt.res = ENOENT"),
    fc.constantFrom("fd.typechar = f", "fd.typechar = 4", "fd.type in (ipv4, ipv6)", "fd.sockfamily = ip"),
    {
      weight: 3,
      arbitrary: fc
        .uniqueArray(fc.constantFrom(...commands), { minLength: 1, maxLength: 2 })
        .map((names) => `proc.name in ${listOf(names)}`),
    },
    fc.constantFrom(...commands).map((name) => `proc.name startswith ${quote(name.slice(0, 2))}`),
    {
      weight: 3,
      arbitrary: fc
        .tuple(portField, fc.uniqueArray(port, { minLength: 1, maxLength: 3 }))
        .map(([field, list]) => `${field} in (${list.join(", ")})`),
    },
    {
      weight: 2,
      arbitrary: fc.tuple(portField, compare, port).map(([field, operator, value]) => `${field} ${operator} ${value}`),
    },
    fc.constantFrom("user.uid = 0", "fd.name exists", "fd.sport exists", "proc.name exists"),
  );
}

/** Conditions put together with and, or and not. */
export function conditions(vocabulary: Vocabulary): fc.Arbitrary<string> {
  return fc.letrec<{ condition: string }>((tie) => ({
    condition: fc.oneof(
      { maxDepth: 4, depthSize: "small" },
      { weight: 4, arbitrary: atoms(vocabulary) },
      tie("condition").map((inner) => `not (${inner})`),
      fc.array(tie("condition"), { minLength: 2, maxLength: 3 }).map((parts) => `(${parts.join(" and ")})`),
      fc.array(tie("condition"), { minLength: 2, maxLength: 3 }).map((parts) => `(${parts.join(" or ")})`),
    ),
  })).condition;
}

const CALLS = [
  "evt.type in (open, openat, openat2, creat)",
  "evt.type = connect",
  "evt.type in (accept, accept4)",
  "evt.type = first_write",
  "evt.type in (openat, connect, accept)",
];

/** A rules file with some rules in it. */
export function rulesFiles(vocabulary: Vocabulary, rulesMax: number): fc.Arbitrary<string> {
  const rule = fc.tuple(fc.constantFrom(...CALLS), conditions(vocabulary));
  return fc.array(rule, { minLength: 1, maxLength: rulesMax }).map((rules) => {
    const items = rules.map(([calls, condition], at) => ({
      rule: `rule ${at}`,
      desc: "one of many",
      condition: `${calls} and ${condition}`,
      output: "matched",
      priority: "INFO",
    }));
    // YAML takes JSON.
    return JSON.stringify(items);
  });
}
