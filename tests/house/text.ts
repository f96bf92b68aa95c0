// Takes source text apart: its comments, and the code without comments and without what strings say.
import jsTokens from "js-tokens";
import type { Comments } from "./tree.ts";

export interface Comment {
  /** The first line of a source file is 1. */
  line: number;
  /** Without its marks, line by line. */
  lines: string[];
}

export interface TakenApart {
  comments: Comment[];
  /** As long as the source, line for line; comments are blank. */
  code: string;
  /** The same, with what strings and regular expressions say blank too. */
  bare: string;
}

const COMMENT_TOKENS = new Set(["SingleLineComment", "MultiLineComment", "HashbangComment"]);
const STRING_TOKENS = new Set([
  "StringLiteral",
  "NoSubstitutionTemplate",
  "TemplateHead",
  "TemplateMiddle",
  "TemplateTail",
  "RegularExpressionLiteral",
]);

function blank(text: string): string {
  return text.replaceAll(/[^\n]/g, " ");
}

function withoutMarks(comment: string): string[] {
  const inner = comment.replace(/^\/\*+|\*\/$/g, "").split("\n");
  return inner.map((line) => line.replace(/^\s*(\/\/+|\*|#+)?\s?/, "").trimEnd());
}

// JavaScript's tokens do for C and proto too: comments and strings are written the same way there.
function takeSlashesApart(text: string): TakenApart {
  const comments: Comment[] = [];
  let code = "";
  let bare = "";
  let line = 1;
  for (const { type, value } of jsTokens(text)) {
    const isComment = COMMENT_TOKENS.has(type);
    if (isComment && type !== "HashbangComment") comments.push({ line, lines: withoutMarks(value) });
    code += isComment ? blank(value) : value;
    bare += isComment || STRING_TOKENS.has(type) ? blank(value) : value;
    line += value.split("\n").length - 1;
  }
  return { comments, code, bare };
}

// Only lines that are nothing but a comment: a "#" further on may stand in a string.
function takeHashesApart(text: string): TakenApart {
  const comments: Comment[] = [];
  const code = text.split("\n").map((line, index) => {
    if (!/^\s*#/.test(line)) return line;
    if (index > 0 || !line.startsWith("#!")) comments.push({ line: index + 1, lines: withoutMarks(line) });
    return blank(line);
  });
  return { comments, code: code.join("\n"), bare: code.join("\n") };
}

export function takeApart(text: string, comments: Comments): TakenApart {
  return comments === "hash" ? takeHashesApart(text) : takeSlashesApart(text);
}

/** Joins comments that stand on neighbouring lines, as a reader sees them. */
export function commentBlocks(comments: readonly Comment[]): Comment[] {
  const blocks: Comment[] = [];
  for (const { line, lines } of comments) {
    const last = blocks.at(-1);
    if (last && last.line + last.lines.length === line) last.lines.push(...lines);
    else blocks.push({ line, lines: [...lines] });
  }
  return blocks;
}

/** The line of an offset; the first is 1. */
export function lineAt(text: string, offset: number): number {
  let line = 1;
  for (let index = text.indexOf("\n"); index >= 0 && index < offset; index = text.indexOf("\n", index + 1)) line++;
  return line;
}
