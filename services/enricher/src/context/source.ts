// What adds to events what the kernel cannot know: each source of context is one file with this interface.
import type { Row } from "./row.ts";

/** Whom a source is asked about: a process and what it executed. */
export interface Subject {
  pid: number;
  /** An encoded Exec, or where a process mapped a file an encoded Library. It must not be changed. */
  message: Uint8Array;
}

/** How a source does, for the stage's status. */
export interface SourceHealth {
  /** What it did and could not do, by name of a counter; they only grow. */
  counts: Readonly<Record<string, number>>;
  /** What a person should know, in words; empty when all is well. */
  problems: readonly string[];
}

/**
 * Finds out what belongs to keys. What it knows is there at once; what it does not know it finds out elsewhere, while
 * events go on. It bounds what it remembers, and it remembers for a while that there was no answer: who asks again
 * costs nothing.
 */
export interface Source {
  /** What is known now: NO_ROW where nothing belongs to the key, undefined where that is not known (yet). No I/O. */
  lookup(key: string): Row | undefined;
  /**
   * Begins to find out, or where a row is not complete to find out more. Resolves when `lookup` knows or the source has
   * given up; never rejects.
   */
  ask(key: string, subject: Subject): Promise<void>;
  health(): SourceHealth;
}

/** What is asked for the names of users, before a batch is taken in: of what its processes execute. */
export interface UsersSource {
  /** Where the users of an encoded Exec are named; "" where there is nothing to ask. */
  keyOf(exec: Uint8Array): string;
  /** Undefined where it is not known (yet). */
  lookup(key: string): object | undefined;
  ask(key: string, subject: Subject): Promise<void>;
}

/** A source that is asked about what processes execute. */
export interface ImageSource extends Source {
  /** What an encoded Exec is about: the same text for all that share the row; "" where there is nothing to ask. */
  keyOf(exec: Uint8Array): string;
}

/** A source that is asked about files that processes map, too. */
export interface FileSource extends ImageSource {
  /** The same of an encoded Library. */
  keyOfLibrary(library: Uint8Array): string;
}

/** All that an enricher asks. */
export interface Context {
  containers: ImageSource;
  executables: FileSource;
}
