// What no bundle takes in: these find files of their own (native addons, WebAssembly, threads) beside their modules.

/** Packages by the names under which the stages import them. */
export const EXTERNALS: readonly string[] = ["classic-level", "level", "piscina", "@electric-sql/pglite"];
