// Finds command lines in a text, by programs whose flags take secrets, and the secrets in them.
import { findArguments, knownPrograms } from "./find-arguments.ts";
import type { Span } from "./span.ts";

/** What of a command line is looked at. */
const WORDS_MAX = 48;
/** Behind a program, others among so many words are its own: `sudo`, `env`. So each word is looked at twice at most. */
const PROGRAMS_WITHIN_WORDS = 24;

const PROGRAM = new RegExp(
  `(?<![A-Za-z0-9_.-])(?:${[...knownPrograms]
    .sort((a, b) => b.length - a.length)
    .map((name) => name.replaceAll(".", "\\."))
    .join("|")})(?=[ \\t]+[^ \\t])`,
  "g",
);
const BLANK = /[ \t]+/y;
/** As a shell separates words, roughly: quotes hold together; a line, a pipe or a semicolon ends the command. */
const WORD = /(?:"[^"\r\n]{0,1000}"|'[^'\r\n]{0,1000}'|[^ \t\r\n"'|;]){1,4000}/y;

interface Word {
  start: number;
  text: string;
}

/** Adds to `spans` the secrets in command lines. */
export function findCommands(text: string, spans: Span[]): void {
  PROGRAM.lastIndex = 0;
  for (let match = PROGRAM.exec(text); match; match = PROGRAM.exec(text)) {
    const words = wordsFrom(text, match.index);
    for (const { index, start, end, kind } of findArguments(words.map((word) => word.text))) {
      const word = words[index] as Word;
      spans.push({ start: word.start + start, end: word.start + end, kind });
    }
    const next = words[Math.min(PROGRAMS_WITHIN_WORDS, words.length - 1)];
    PROGRAM.lastIndex = Math.max(match.index + match[0].length, next?.start ?? 0);
  }
}

function wordsFrom(text: string, from: number): Word[] {
  const words: Word[] = [];
  for (let at = from; words.length < WORDS_MAX; ) {
    WORD.lastIndex = at;
    const word = WORD.exec(text)?.[0];
    if (word === undefined) break;
    words.push(unquoted(word, at));
    BLANK.lastIndex = at + word.length;
    if (!BLANK.test(text)) break;
    at = BLANK.lastIndex;
  }
  return words;
}

/** A word without the quotes around all of it; those within stay. */
function unquoted(word: string, start: number): Word {
  const quote = word[0];
  const whole = (quote === '"' || quote === "'") && word.length > 1 && word.indexOf(quote, 1) === word.length - 1;
  return whole ? { start: start + 1, text: word.slice(1, -1) } : { start, text: word };
}
