// The file of the filter: looked at now and then, read when it is another one.
import { readFileSync, statSync } from "node:fs";
import { type Filter, loadFilter } from "@nightjar/indicators";
import { describeError, type Stage } from "@nightjar/stage";
import { FILTER_BYTES_MAX, FILTER_CHECK_MS } from "../limits.ts";

export interface FilterWatch {
  /** Looks at once, since the file is another one now. */
  look: () => void;
  stop: () => void;
}

/** Gives the filter in `fileNow()` to `use`, and undefined when there is none any more; "" is no file. */
export function watchFilterFile(
  stage: Stage,
  fileNow: () => string,
  use: (filter: Filter | undefined) => void,
): FilterWatch {
  let seen = "";
  const look = () => {
    const file = fileNow();
    const now = stateOf(file);
    if (now === seen) return;
    seen = now;
    const { filter, why } = now === "" ? { filter: undefined, why: "there is none" } : read(file);
    const isBroken = filter === undefined && now !== "";
    if (isBroken) stage.health.raise("INDICATOR_FILTER_UNUSABLE", `${file}: ${why}`);
    else stage.health.resolve("INDICATOR_FILTER_UNUSABLE");
    stage.facts.set("indicator_filter", filter ? `${filter.count} indicators, ${filter.generation}` : `no: ${why}`);
    use(filter);
  };
  const timer = setInterval(look, FILTER_CHECK_MS);
  look();
  return { look, stop: () => clearInterval(timer) };
}

/** What changes when the file does; empty while it is not there. */
function stateOf(file: string): string {
  const stat = file === "" ? undefined : statSync(file, { throwIfNoEntry: false, bigint: true });
  return stat ? `${stat.ino} ${stat.size} ${stat.mtimeNs}` : "";
}

function read(file: string): { filter?: Filter; why: string } {
  try {
    const { size } = statSync(file);
    if (size > FILTER_BYTES_MAX) return { why: `it has ${size} bytes, at most ${FILTER_BYTES_MAX}` };
    const loaded = loadFilter(readFileSync(file));
    return "problem" in loaded ? { why: loaded.problem } : { filter: loaded.filter, why: "" };
  } catch (error) {
    return { why: describeError(error) };
  }
}
