// What another host's recording says of its containers and files: learned from its snapshots, asked of nobody.
import { type DescMessage, type MessageShape, toBinary } from "@bufbuild/protobuf";
import { NO_ROW, Row } from "./row.ts";
import type { Context, FileSource, ImageSource, SourceHealth } from "./source.ts";

/** Keys of one host that are remembered; those learned longest ago go. */
const LEARNED_MAX = 65_536;

/** Knows what it was taught, and of everything else what `inner` can tell without asking. */
export class SeededSource<Inner extends ImageSource = ImageSource> implements ImageSource {
  protected readonly inner: Inner;
  readonly #rows = new Map<string, Row>();

  constructor(inner: Inner) {
    this.inner = inner;
  }

  /** From now on this is what belongs to the key of an encoded Exec. */
  learn<Schema extends DescMessage>(exec: Uint8Array, schema: Schema, message: MessageShape<Schema>): void {
    const key = this.keyOf(exec);
    if (key === "") return;
    const bytes = toBinary(schema, message);
    const known = this.#rows.get(key);
    if (known && known !== NO_ROW) known.bytes = bytes;
    else this.#keep(key, new Row(bytes));
  }

  keyOf(exec: Uint8Array): string {
    return this.inner.keyOf(exec);
  }

  lookup(key: string): Row | undefined {
    const known = this.#rows.get(key) ?? this.inner.lookup(key);
    if (known !== undefined) this.#keep(key, known);
    return known;
  }

  ask(): Promise<void> {
    return Promise.resolve();
  }

  #keep(key: string, row: Row): void {
    this.#rows.set(key, row);
    for (const oldest of this.#rows.keys()) {
      if (this.#rows.size <= LEARNED_MAX) break;
      this.#rows.delete(oldest);
    }
  }

  health(): SourceHealth {
    return this.inner.health();
  }
}

class SeededFiles extends SeededSource<FileSource> implements FileSource {
  keyOfLibrary(library: Uint8Array): string {
    return this.inner.keyOfLibrary(library);
  }
}

export interface SeededContext extends Context {
  containers: SeededSource;
  executables: SeededFiles;
}

/** What will be learned of another host; `elsewhere` is what can be told of any host without asking. */
export function seededContext(elsewhere: Context): SeededContext {
  return {
    containers: new SeededSource(elsewhere.containers),
    executables: new SeededFiles(elsewhere.executables),
  };
}
