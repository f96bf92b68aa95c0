// Which runtimes are on this host now: opens those that come, closes those that go, and listens to what they say.
import { Peer } from "./peer.ts";
import { present } from "./places.ts";
import type { RuntimeKind } from "./runtime.ts";

/** One of each socket of a thousand users would be a mistake, or an attack. */
const PEERS_MAX = 64;

export interface DiscoveryOptions {
  kinds: readonly RuntimeKind[];
  /** Beside the usual places: kind and path. */
  places: readonly (readonly [kind: string, path: string])[];
  usualPlaces: boolean;
  environment: boolean;
  answerMs: number;
  clock: () => number;
  /** Called when a runtime speaks of a container by itself. */
  noticed: (id: string, kind: RuntimeKind) => void;
}

export class Discovery {
  readonly #options: DiscoveryOptions;
  #peers: readonly Peer[] = [];

  constructor(options: DiscoveryOptions) {
    this.#options = options;
  }

  /** In the order of the table of kinds. */
  get peers(): readonly Peer[] {
    return this.#peers;
  }

  /** Looks at all places; true where others are there than before. */
  look(): boolean {
    const wanted = this.#options.kinds.flatMap((kind) =>
      present(this.#placesOf(kind)).map((place) => ({ kind, place })),
    );
    const kept = wanted
      .slice(0, PEERS_MAX)
      .map(({ kind, place }) => this.#known(kind, place) ?? this.#open(kind, place));
    const gone = this.#peers.filter((peer) => !kept.includes(peer));
    const others = gone.length > 0 || kept.length !== this.#peers.length;
    for (const peer of gone) peer.close();
    this.#peers = kept;
    return others;
  }

  close(): void {
    for (const peer of this.#peers) peer.close();
    this.#peers = [];
  }

  #placesOf(kind: RuntimeKind): string[] {
    const { places, usualPlaces } = this.#options;
    const named = places.filter(([name]) => name === kind.name).map(([, path]) => path);
    return usualPlaces ? [...named, ...kind.places()] : named;
  }

  #known(kind: RuntimeKind, place: string): Peer | undefined {
    return this.#peers.find((peer) => peer.kind === kind && peer.place === place);
  }

  #open(kind: RuntimeKind, place: string): Peer {
    const { environment, answerMs, clock, noticed } = this.#options;
    const peer = new Peer({ kind, place, runtime: kind.open(place, { environment }), answerMs, clock });
    void peer.follow((id) => noticed(id, kind));
    return peer;
  }
}
