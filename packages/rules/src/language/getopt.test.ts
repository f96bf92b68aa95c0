// Which options are found among a command's words: each row is a line, a specification, and all that is found.
import test from "ava";
import { optionsOf } from "./getopt.ts";

const ROWS: readonly (readonly [line: string, specification: string, all: string])[] = [
  ["-n", "n", "n"],
  ["-t hello", "t:", "t hello"],
  ["-thello", "t:", "t hello"],
  ["-nt hello", "nt:", "n t hello"],
  ["-tn hello", "nt:", "t n"],
  ["-t -123", "t:", "t -123"],
  ["-t -- -n", "nt:", "t -- n"],
  ["-n -- -t x", "nt:", "n"],
  ["-n file -t x", "nt:", "n"],
  ["-n - -t x", "nt:", "n"],
  ["--exec -n", "n", "n"],
  ["-xn", "n", "? n"],
  ["-n", "", "?"],
  ["-:", ":", "?"],
  ["-v -v", "v", "v v"],
  ["", "n", ""],
];

for (const [line, specification, all] of ROWS) {
  test(`"${line}" by ${specification || "nothing"}: ${all || "nothing"}`, (t) => {
    t.is((optionsOf(line.split(" "), specification, undefined) as string[]).join(" "), all);
  });
}

test("one option: its last value, its letter where it takes none, nothing where it is not there", (t) => {
  const words = ["-n", "-t", "a", "-tb", "-x"];
  t.is(optionsOf(words, "nt:", "t"), "b");
  t.is(optionsOf(words, "nt:", "n"), "n");
  t.is(optionsOf(words, "nt:u:", "u"), undefined);
  t.is(optionsOf(words, "nt:", "?"), undefined, "what is unknown cannot be asked for");
});

test("a value that is missing is empty, as one that is", (t) => {
  t.deepEqual(optionsOf(["-n", "-t"], "nt:", undefined), ["n", ""]);
  t.deepEqual(optionsOf(["-t", ""], "t:", undefined), ["t", ""]);
  t.is(optionsOf(["-t"], "t:", "t"), "");
});
