// The page of the counters and facts that stages tell of themselves.
import { counterDocs, factDocs } from "../../packages/stage/src/index.ts";
import { page, rowsOf, tableOf } from "./text.ts";

export function countersPage(): string {
  const sections = (header: string, docs: Readonly<Record<string, Readonly<Record<string, string>>>>) =>
    Object.entries(docs).flatMap(([stage, names]) => [
      `### ${stage}`,
      tableOf([header, "what it says"], rowsOf(names)),
    ]);
  return page(
    "Counters and facts",
    "`nightjar status --json` has them for each stage. Counters count since the stage's process started, those that " +
      "say “now” excepted; `<STREAM>` stands for each stream's name.",
    "## Counters",
    ...sections("counter", counterDocs),
    "## Facts",
    "What is no number. `<program>` stands for the name of each of the probe's kernel programs, `<holder>` for a " +
      "stage that wants events, or `operator.` and the name of a tap or a recording.",
    ...sections("fact", factDocs),
  );
}
