// Says on the bus of which containers something else is known now: many at once, and each once.
import { create, toBinary } from "@bufbuild/protobuf";
import { ChangedSchema } from "@nightjar/proto";

/** A list of all pods or a watch's burst comes within this. */
const COLLECT_MS = 100;
/** Ids a message; what is beyond goes in further ones. */
export const CHANGED_IDS_MAX = 1_000;

export class Changes {
  readonly #publish: (bytes: Uint8Array) => void;
  readonly #ids = new Set<string>();
  #timer: NodeJS.Timeout | undefined;

  /** `publish` is given an encoded Changed. */
  constructor(publish: (bytes: Uint8Array) => void) {
    this.#publish = publish;
  }

  add(containerIds: readonly string[]): void {
    for (const id of containerIds) this.#ids.add(id);
    if (this.#ids.size > 0) this.#timer ??= setTimeout(() => this.flush(), COLLECT_MS);
  }

  /** Publishes what has come since the last time. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const ids = [...this.#ids];
    this.#ids.clear();
    for (let from = 0; from < ids.length; from += CHANGED_IDS_MAX) {
      const containerIds = ids.slice(from, from + CHANGED_IDS_MAX);
      this.#publish(toBinary(ChangedSchema, create(ChangedSchema, { containerIds })));
    }
  }
}
