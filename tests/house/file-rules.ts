// The rules that hold for each file by itself, as a table; each row has samples that prove that it can fail.
import { nativeFunctions, shellFunctions } from "./functions.ts";
import { commentBlocks, lineAt, type TakenApart, takeApart } from "./text.ts";
import { commentsOf, isNative, isScript, isTest, root, type TreeFile } from "./tree.ts";

export const FILE_LINES_MAX = 500;
export const LINE_CHARACTERS_MAX = 120;
export const FUNCTION_LINES_MAX = 70;
/** A first comment of fewer words says nothing that the file's name does not. */
const PURPOSE_WORDS_MIN = 3;

export interface Finding {
  line: number;
  what: string;
}

interface Source extends TreeFile, TakenApart {}

interface FileRule {
  name: string;
  /** What a person should do instead. */
  advice: string;
  applies: (path: string) => boolean;
  find: (source: Source) => Finding[];
  /** Paths and texts in which the rule finds something, and in which it does not. */
  bad: readonly (readonly [path: string, text: string])[];
  good: readonly (readonly [path: string, text: string])[];
}

const everywhere = () => true;
/** These files name what they forbid. */
const outsideThisFolder = (path: string) => !path.startsWith("tests/house/");

/** Finds each match of a pattern in one of a source's texts. */
function matches(of: "text" | "code" | "bare", pattern: RegExp): FileRule["find"] {
  return (source) =>
    [...source[of].matchAll(pattern)].map((match) => ({
      line: lineAt(source[of], match.index),
      what: match[0].trim(),
    }));
}

function purpose({ comments, code }: Source): Finding[] {
  const firstCodeLine = code.split("\n").findIndex((line) => line.trim() !== "") + 1;
  const opening = comments.filter(({ line }) => firstCodeLine === 0 || line < firstCodeLine);
  const blocks = commentBlocks(opening).map(({ lines }) =>
    lines.join(" ").replace(/SPDX-License-Identifier: \S+( OR \S+)?/, ""),
  );
  const first = blocks.find((block) => block.trim() !== "") ?? "";
  if (first === "") return [{ line: 1, what: "no comment before the first line of code" }];
  const words = first.split(/\s+/).filter((word) => /[a-z]/i.test(word)).length;
  if (words >= PURPOSE_WORDS_MIN && /[.!?]["'`)]?(\s|$)/.test(first)) return [];
  return [{ line: 1, what: `no sentence: "${first.slice(0, 60)}"` }];
}

const UNFINISHED = /\b(TODO|FIXME|XXX|HACK)\b/;

// What code looks like: a statement's beginning and a statement's end.
const CODE_LINE = new RegExp(
  [
    /^(const|let|var|return|await|throw|static|if \(|for \(|while \(|struct|#include|#define)\b.*[;{}]$/,
    /^(import|export)\b.*(["'];|[{])$/,
    /^[\w.[\]>-]+\(.*\);$/,
    /^[\w.[\]>-]+ [-+|&]?= .*;$/,
    /^\}( else.*)?;?$/,
  ]
    .map((pattern) => pattern.source)
    .join("|"),
);

function commentedOutCode({ comments }: Source): Finding[] {
  return comments.flatMap(({ line, lines }) =>
    lines.flatMap((text, index) => (CODE_LINE.test(text.trim()) ? [{ line: line + index, what: text.trim() }] : [])),
  );
}

function longFunctions(source: Source): Finding[] {
  const measured = isNative(source.path) ? nativeFunctions(source.bare) : shellFunctions(source.text);
  return measured
    .filter(({ lines }) => lines > FUNCTION_LINES_MAX)
    .map(({ line, lines, head }) => ({ line, what: `${lines} lines: ${head.split("\n").at(-1)}` }));
}

function longLines({ text }: Source): Finding[] {
  const long = (line: string) => [...line].length > LINE_CHARACTERS_MAX && !/^\W*https?:\S+$/.test(line);
  return text
    .split("\n")
    .flatMap((line, index) => (long(line) ? [{ line: index + 1, what: `${[...line].length} characters` }] : []));
}

function longFile({ text }: Source): Finding[] {
  const lines = text.trimEnd().split("\n").length;
  return lines > FILE_LINES_MAX ? [{ line: FILE_LINES_MAX + 1, what: `${lines} lines` }] : [];
}

const repeated = (line: string, times: number) => `${line}\n`.repeat(times);

export const fileRules: readonly FileRule[] = [
  {
    name: "opens with its purpose",
    advice: "begin the file with a comment of one sentence that says what it is for",
    applies: everywhere,
    find: purpose,
    bad: [
      ["a/x.ts", "export const a = 1;\n// Comes too late to be a purpose.\n"],
      ["a/x.ts", "// utils\nexport {};\n"],
      ["a/x.c", "/* SPDX-License-Identifier: GPL-2.0 */\nint a;\n"],
      ["a/x.yaml", "a: 1 # Not a line of its own.\n"],
      ["x", "#!/bin/sh\nset -eu\n"],
    ],
    good: [
      ["a/x.ts", "// Turns one thing into another.\nexport {};\n"],
      ["a/x.bpf.c", "// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0\n// Reports each fork of a process.\nint a;\n"],
      ["a/x.h", "/*\n * Every kernel difference, asked\n * of the kernel.\n */\nint a;\n"],
      ["x", "#!/bin/sh\n# Readies the toolchain and hands over to the command line.\nset -eu\n"],
      ["a/x.md", "words\n"],
    ],
  },
  {
    name: `has at most ${FILE_LINES_MAX} lines`,
    advice: "split it: one idea a file",
    applies: everywhere,
    find: longFile,
    bad: [["a/x.ts", repeated("a();", FILE_LINES_MAX + 1)]],
    good: [
      ["a/x.ts", repeated("a();", FILE_LINES_MAX)],
      ["pnpm-lock.yaml", repeated("a: 1", FILE_LINES_MAX + 1)],
    ],
  },
  {
    name: `has lines of at most ${LINE_CHARACTERS_MAX} characters`,
    advice: "break the line; a long text is joined with +",
    applies: everywhere,
    find: longLines,
    bad: [["a/x.ts", `// ${"a ".repeat(60)}\n`]],
    good: [
      ["a/x.ts", `// ${"ä".repeat(LINE_CHARACTERS_MAX - 3)}\n`],
      ["a/x.ts", `// https://example.org/${"a".repeat(LINE_CHARACTERS_MAX)}\n`],
    ],
  },
  {
    name: `has functions of at most ${FUNCTION_LINES_MAX} lines`,
    advice: "ifs up, fors down: give its parts names (Biome says the same of TypeScript)",
    applies: (path) => !isScript(path),
    find: longFunctions,
    bad: [
      ["a/x.c", `static int f(int a)\n{\n${repeated("    a++;", FUNCTION_LINES_MAX)}}\n`],
      ["a/x.bpf.c", `SEC("tp_btf/x")\nint BPF_PROG(f, int a) {\n${repeated("    a++;", FUNCTION_LINES_MAX)}}\n`],
      ["a/x.cpp", `namespace n {\nA::A() : a_(1) {\n${repeated("    if (a) { b(); }", FUNCTION_LINES_MAX)}}\n}\n`],
      ["a/x.sh", `f() {\n${repeated("  a", FUNCTION_LINES_MAX)}}\n`],
    ],
    good: [
      ["a/x.c", `struct s {\n${repeated("    int a;", FUNCTION_LINES_MAX)}};\n`],
      ["a/x.cpp", `namespace n {\n${repeated("int f() { return 1; }", FUNCTION_LINES_MAX)}}\n`],
      ["a/x.sh", `f() { a; }\n${repeated("a", FUNCTION_LINES_MAX)}g() {\n  a\n}\n`],
    ],
  },
  {
    name: "has nothing left to do",
    advice: "do it, or write an issue",
    applies: outsideThisFolder,
    find: ({ comments }) =>
      comments.flatMap(({ line, lines }) =>
        lines.flatMap((text, index) => (UNFINISHED.test(text) ? [{ line: line + index, what: text.trim() }] : [])),
      ),
    bad: [
      ["a/x.ts", "// TODO: the rest\n"],
      ["a/x.c", "/* FIXME */\n"],
      ["a/x.sh", "# HACK around it.\n"],
      ["a.md", "TODO\n"],
    ],
    good: [["a/x.ts", '// A hackneyed word.\nconst directive = "# TODO";\n']],
  },
  {
    name: "says a thing once",
    advice: "generate one from the other, or hold them together with a test",
    applies: outsideThisFolder,
    find: matches("text", /\b(keep|kept|must be|stay)\s+in\s+sync\b/gi),
    bad: [["a/x.ts", "// Keep in sync with y.ts.\n"]],
    good: [["a/x.ts", "// Written with fsync.\n"]],
  },
  {
    name: "has no code in comments",
    advice: "delete it: git remembers",
    applies: everywhere,
    find: commentedOutCode,
    bad: [
      ["a/x.ts", "// const a = 1;\n"],
      ["a/x.ts", "  // await stage.start();\n"],
      ["a/x.c", "/*\n * if (a) {\n *   b = 1;\n * }\n */\n"],
      ["a/x.ts", '// import { a } from "./a.ts";\n'],
    ],
    good: [
      ["a/x.ts", "// for (a of b) is what it does; it returns the first.\n"],
      ["a/x.ts", "// const is what C calls it.\n"],
      ["a/x.ts", 'const text = "// let a = 1;";\n'],
    ],
  },
  {
    name: "waits for conditions, not for time",
    advice: "use waitFor of @nightjar/test-support, or moment() where it must be at random",
    applies: (path) => isTest(path) && isScript(path) && !/^tests\/(support|house)\//.test(path),
    find: (source) => [
      ...matches("bare", /\b(setTimeout|setInterval|Atomics\.wait)\s*\(/g)(source),
      ...matches("code", /\bfrom\s*["']node:timers(\/promises)?["']/g)(source),
    ],
    bad: [
      ["a/x.test.ts", "await new Promise((resolve) => setTimeout(resolve, 500));\n"],
      ["tests/chaos/x.ts", 'import { setTimeout as pause } from "node:timers/promises";\n'],
    ],
    good: [
      ["a/x.ts", "setTimeout(flush, FLUSH_MS);\n"],
      ["a/x.test.ts", "const script = `setInterval(work, 20)`;\n"],
      ["tests/support/src/wait.ts", "setTimeout(look, 20);\n"],
    ],
  },
  {
    name: "runs all of its tests",
    advice: "take .only and .skip away; a known gap is a list with reasons",
    applies: (path) => isScript(path) && isTest(path),
    // One that cannot run somewhere says so when it is made: run = reason ? test.skip : test.
    find: matches("bare", /\btest(\.serial)?\.((only|todo|failing)\b|skip\s*\()/g),
    bad: [
      ["a/x.test.ts", 'test.only("a", () => {});\n'],
      ["a/x.test.ts", 'test.serial.skip("a", () => {});\n'],
    ],
    good: [
      ["a/x.test.ts", 'test.serial("only", () => {});\n'],
      ["a/x.test.ts", "const run = reason ? test.skip : test;\n"],
    ],
  },
  {
    name: "knows no machine",
    advice: "take the path from a setting, or from where the file itself lies",
    applies: outsideThisFolder,
    // The checkout's own place, when it is deep enough to be told from a path that is meant. Falco's cases lie beside
    // the checkout by agreement, unless NIGHTJAR_CASES says otherwise.
    find: (source) => {
      const here = root.split("/").length > 2 ? [root.replaceAll(".", "[.]")] : [];
      const places = [...here, String.raw`\.\./shared/(?!cases\b)`];
      return matches("text", new RegExp(places.join("|"), "g"))(source);
    },
    bad: [
      ["a/x.ts", `const place = "${root}/a";\n`],
      ["a.md", "See ../shared/design.md.\n"],
    ],
    good: [
      ["a/x.ts", 'const place = "/tmp/nightjar"; import "../shared.ts";\n'],
      ["a/x.ts", 'const folder = "../shared/cases";\n'],
    ],
  },
  {
    name: "knows no package registry",
    advice: "leave it to the package manager's configuration",
    applies: outsideThisFolder,
    find: matches(
      "text",
      /\b(registry\.[a-z-]+\.[a-z]+|(npm|pypi|nexus|artifactory|verdaccio)\.[a-z0-9-]+\.[a-z]{2,})\b/g,
    ),
    bad: [
      ["pnpm-lock.yaml", "resolution: {tarball: https://registry.example.org/a.tgz}\n"],
      ["x", "npm install --registry https://npm.example.com\n"],
    ],
    good: [["a/x.ts", 'import "./registry.ts"; // The npm client decides.\n']],
  },
];

// Prose is all comment.
function proseOf(text: string): TakenApart {
  return { comments: [{ line: 1, lines: text.split("\n") }], code: text, bare: text };
}

/** Runs the rules on one file. */
export function checkFile(file: TreeFile): { rule: FileRule; finding: Finding }[] {
  const comments = commentsOf(file);
  const apart = comments ? takeApart(file.text, comments) : proseOf(file.text);
  const source: Source = { ...file, ...apart };
  return fileRules
    .filter((rule) => rule.applies(file.path) && (comments || readsProse(rule)))
    .flatMap((rule) => rule.find(source).map((finding) => ({ rule, finding })));
}

const PROSE_RULES = new Set([
  "has nothing left to do",
  "says a thing once",
  "knows no machine",
  "knows no package registry",
]);

// Prose, JSON and lock files are held only to what they must not name.
function readsProse(rule: FileRule): boolean {
  return PROSE_RULES.has(rule.name);
}
