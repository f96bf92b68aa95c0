// The source that knows nothing: where none is wired, and of other hosts, whom nobody here could ask.
import { NO_ROW } from "./row.ts";
import type { Context, FileSource } from "./source.ts";

const NOTHING: FileSource = {
  keyOf: () => "",
  keyOfLibrary: () => "",
  lookup: () => NO_ROW,
  ask: () => Promise.resolve(),
  health: () => ({ counts: {}, problems: [] }),
};

export const NO_CONTEXT: Context = { containers: NOTHING, executables: NOTHING };
