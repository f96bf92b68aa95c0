// Text put together from parts keeps, for each character, the place it came from.
import test from "ava";
import fc from "fast-check";
import { MappedText } from "./mapped-text.ts";

const of = (text: string, line: number): MappedText =>
  MappedText.of(text, (at) => ({ file: "f", line, column: at + 1 }));

test("replacing in text of several pieces keeps what stays and its places", (t) => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ maxLength: 6 }), { minLength: 1, maxLength: 6 }),
      fc.array(fc.nat(30), { maxLength: 8 }),
      (texts, cuts) => {
        const whole = MappedText.join(...texts.map((text, at) => of(text, at + 1)));
        t.is(whole.text, texts.join(""));
        const sorted = [...new Set(cuts.filter((cut) => cut <= whole.text.length))].sort((a, b) => a - b);
        const replacements = [];
        for (let at = 0; at + 1 < sorted.length; at += 2) {
          const [start, end] = [sorted[at] as number, sorted[at + 1] as number];
          replacements.push({ start, end, text: "<>", standsFor: start });
        }
        const replaced = whole.replace(replacements);
        let expected = "";
        let done = 0;
        for (const { start, end } of replacements) {
          for (let at = done; at < start; at++)
            t.deepEqual(replaced.place(expected.length + at - done), whole.place(at));
          expected += whole.text.slice(done, start);
          t.deepEqual(replaced.place(expected.length), whole.place(start));
          expected += "<>";
          done = end;
        }
        t.is(replaced.text, expected + whole.text.slice(done));
      },
    ),
    { numRuns: 300 },
  );
});
