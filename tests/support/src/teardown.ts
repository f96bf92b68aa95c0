// What these helpers need of a test: somewhere to leave their clean-up. ava's `t` is one.

export interface Teardown {
  /** False from the first thing that failed; undefined where it is not known. */
  readonly passed?: boolean;
  /** Runs when the test is over, passed or failed; the last registered runs first. */
  teardown(cleanUp: () => void | Promise<void>): void;
}
