// What a file itself can tell that it is made of.

/** In OSV's and package URL's words: PyPI, npm, Go modules, Maven, crates.io, RubyGems. */
export type LanguageManager = "pypi" | "npm" | "go" | "maven" | "cargo" | "gem";

/** A package of a language's package manager, of which a program consists or which it reads. */
export interface Component {
  manager: LanguageManager;
  /** As its manager names it, e.g. "golang.org/x/net", "org.slf4j:slf4j-api", "@babel/core". */
  name: string;
  version: string;
}

/** Gives up to `length` bytes from `offset` on; fewer where the file ends. */
export type ReadAt = (offset: number, length: number) => Buffer;

/** A file with more components is told up to here. */
export const COMPONENTS_MAX = 10_000;
