// Ends what a benchmark started, in the way of a test that is over.

/** What is started is ended by `run`, the last first. */
export class CleanUps {
  readonly #all: (() => void | Promise<void>)[] = [];

  teardown(cleanUp: () => void | Promise<void>): void {
    this.#all.push(cleanUp);
  }

  async run(): Promise<void> {
    for (const cleanUp of this.#all.toReversed()) await cleanUp();
  }
}
