// What a reader of a package manager's database is: one file and one row of the table in software.ts for each.
import type { RootFolder } from "./root/root-folder.ts";

export type Manager = "dpkg" | "rpm" | "apk";

/** An installed package, in its manager's words. */
export interface Package {
  manager: Manager;
  name: string;
  /** As its manager writes it, e.g. "1:2.36-9+deb12u14", "5.2.26-3.fc40", "1.36.1-r15". */
  version: string;
  architecture: string;
  /** What it was built from, where that has another name or version: vulnerabilities are told of source packages. */
  source?: { name: string; version: string };
}

/** Takes what a database says. */
export interface Sink {
  /** A package that is installed, with files or without. */
  installed(found: Package): void;
  /**
   * A file, by its absolute path in the root folder, and the package it belongs to. Where nobody wants to know of files
   * their lists are not read, which are most of a database.
   */
  file?(path: string, owner: Package): void;
}

export interface DatabaseFormat {
  manager: Manager;
  /** Files and folders that tell by their change that the database changed. Without any of them there is none. */
  watched: readonly string[];
  /**
   * Reads all packages and all their files. Of a file of several packages the first counts.
   * @returns what could not be read, as sentences; the rest is read nonetheless.
   */
  read(root: RootFolder, sink: Sink): string[];
}

/** A database larger than this is not read: it has no place in the memory of a sensor. */
export const DATABASE_BYTES_MAX = 256 * 1024 * 1024;

/** Runs `read` and adds what it throws to the problems: a broken file must not hide the others. */
export function attempt<Result>(problems: string[], read: () => Result): Result | undefined {
  try {
    return read();
  } catch (error) {
    problems.push(error instanceof Error ? error.message : String(error));
    return undefined;
  }
}
