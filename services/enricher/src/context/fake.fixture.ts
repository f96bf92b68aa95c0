// A source for tests: it knows what the test gives it, and answers when the test says so.
import { fromBinary } from "@bufbuild/protobuf";
import { ExecSchema, LibrarySchema } from "@nightjar/proto";
import type { Row } from "./row.ts";
import type { FileSource, SourceHealth } from "./source.ts";

/** Keyed by the path of the executable, or of the library. */
export class FakeFiles implements FileSource {
  readonly rows = new Map<string, Row>();
  readonly asked: string[] = [];
  readonly #waiting = new Map<string, PromiseWithResolvers<void>>();

  keyOf(exec: Uint8Array): string {
    return Buffer.from(fromBinary(ExecSchema, exec).executable).toString();
  }

  keyOfLibrary(library: Uint8Array): string {
    return Buffer.from(fromBinary(LibrarySchema, library).path).toString();
  }

  lookup(key: string): Row | undefined {
    return this.rows.get(key);
  }

  ask(key: string): Promise<void> {
    const waiting = this.#waiting.get(key);
    if (waiting) return waiting.promise;
    this.asked.push(key);
    const question = Promise.withResolvers<void>();
    this.#waiting.set(key, question);
    return question.promise;
  }

  answer(key: string, row: Row): void {
    this.rows.set(key, row);
    this.#waiting.get(key)?.resolve();
  }

  health(): SourceHealth {
    return { counts: {}, problems: [] };
  }
}
