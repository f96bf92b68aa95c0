// Up to which place of each source the ordered stage has published what came of it: kept on disk.
import { SOURCES_MAX } from "@nightjar/events";
import { LatestValue } from "../latest-value.ts";

const KEY = "fired";

/** What a JSON of it looks like: sources in the order of their last use, and the watermark. */
interface FiredRecord {
  places: [source: string, next: number][];
  watermarkUs: number;
}

/** The place moves only forwards: ranges are taken in in their order. Of old sources only the last few are known. */
export class FiredPlace {
  readonly #value: LatestValue;
  readonly #places: Map<string, number>;
  #watermarkUs: number;

  private constructor(value: LatestValue, { places, watermarkUs }: FiredRecord) {
    this.#value = value;
    this.#places = new Map(places);
    this.#watermarkUs = watermarkUs;
  }

  static async open(folder: string): Promise<FiredPlace> {
    const { value, text } = await LatestValue.open(folder, KEY);
    const record: FiredRecord = text === undefined ? { places: [], watermarkUs: 0 } : JSON.parse(text);
    return new FiredPlace(value, record);
  }

  /** Whether what came of this position has been published. */
  includes(source: string, position: number): boolean {
    return position < (this.#places.get(source) ?? 0);
  }

  /** The watermark that the steps had been given, in µs since 1970. */
  get watermarkUs(): number {
    return this.#watermarkUs;
  }

  /** Notes that all up to `next` is published. What had no part in it needs not be on disk: `save` writes. */
  advance(source: string, next: number, watermarkUs: number): void {
    const place = Math.max(next, this.#places.get(source) ?? 0);
    this.#places.delete(source);
    this.#places.set(source, place);
    this.#watermarkUs = Math.max(this.#watermarkUs, watermarkUs);
    for (const oldest of this.#places.keys()) {
      if (this.#places.size <= SOURCES_MAX) break;
      this.#places.delete(oldest);
    }
  }

  /** Resolves when the place is on disk. */
  async save(): Promise<void> {
    await this.#value.write(() => {
      const record: FiredRecord = { places: [...this.#places], watermarkUs: this.#watermarkUs };
      return JSON.stringify(record);
    });
  }

  async close(): Promise<void> {
    await this.#value.close();
  }
}
