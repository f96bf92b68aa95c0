// The rules in force, and how others take their place: checked on the side, switched between two batches.
import type { Stage } from "@nightjar/stage";
import type { BundleRules } from "./content.ts";
import { PublishedInterest } from "./interest.ts";
import { type Content, type Evaluation, type Mistake, RuleSet, readContent, type Source } from "./rule-set.ts";
import { settled } from "./settled.ts";
import { watchFiles } from "./watch.ts";

/** Suppressions expire at the end of a day, mostly: nobody waits for the notice. */
const EXPIRY_LOOK_MS = 60_000;

/** Where rules come from, and how they are evaluated. */
export interface RulesSource extends Source, Evaluation {}

/**
 * A batch is evaluated wholly by the set that is in force when it begins. A set with an error does not take the place
 * of one that works; at the start, when there is none before, what is right of it is in force. For the time of a switch
 * both sets are in memory, each with its threads.
 */
export class LiveRules {
  readonly #stage: Stage;
  readonly #source: RulesSource;
  #current: InUse;
  /** The version that was looked at last, in force or refused. */
  #seen: string;
  #looking: Promise<void> | undefined;
  #lookAgain = false;
  /** Called with a set before it takes the place of another; that waits until it resolves. */
  beforeReplacing: (set: RuleSet) => Promise<void> = () => Promise.resolve();

  private constructor(stage: Stage, source: RulesSource, first: RuleSet) {
    this.#stage = stage;
    this.#source = source;
    this.#current = new InUse(first);
    this.#seen = first.version;
  }

  /** Compiles the rules there are and says what they want; the bus must be connected. */
  static async start(stage: Stage, source: RulesSource): Promise<LiveRules> {
    const first = await RuleSet.compile(readContent(source), source);
    logMistakes(stage, first.mistakes);
    const rules = new LiveRules(stage, source, first);
    rules.#tell(first.errors, "the others are in force");
    await rules.#enforce(first);
    return rules;
  }

  get set(): RuleSet {
    return this.#current.set;
  }

  /** Does something with the rules in force, which stay until it is done even where others take their place. */
  use<T>(work: (set: RuleSet) => Promise<T>): Promise<T> {
    return this.#current.use(work);
  }

  /** From now on looks for changes: when the files say so, every now and then, and at SIGHUP. */
  follow(): void {
    const look = () => void this.look();
    const { paths, added, suppressions } = this.#source;
    watchFiles([...paths, added, ...suppressions], look, this.#stage);
    process.on("SIGHUP", look);
    const expiry = setInterval(() => this.#tellExpired(), EXPIRY_LOOK_MS);
    this.#stage.onStop(() => clearInterval(expiry));
    this.#stage.onStop(() => {
      process.off("SIGHUP", look);
    });
  }

  /** The first mistake in a bundle, were it in force; undefined where it could be. Nothing changes by that. */
  async problemWith(bundle: BundleRules): Promise<string | undefined> {
    const set = await RuleSet.compile(readContent({ ...this.#source, bundle: () => bundle }), this.#source);
    await set.close();
    // A mistake of the host's own is no reason to refuse what is right: that waits until the host's is mended.
    const own = set.errors.find(({ file }) => file.startsWith(`${bundle.folder}/`));
    if (own) return placed(own);
    return set.description.rules === 0 ? "there would be no rule" : undefined;
  }

  /** Loads the rules anew if they have changed; resolves when that is over. Asked again meanwhile, it looks again. */
  look(): Promise<void> {
    this.#lookAgain = true;
    this.#looking ??= this.#lookUntilSeen().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  async close(): Promise<void> {
    await this.set.close();
  }

  async #lookUntilSeen(): Promise<void> {
    while (this.#lookAgain && !this.#stage.signal.aborted) {
      this.#lookAgain = false;
      const content = await settled(() => readContent(this.#source), this.#stage.signal);
      if (content.version === this.#seen) continue;
      this.#seen = content.version;
      if (content.version === this.set.version) this.#tell(this.set.errors, "the others are in force");
      else await this.#replace(content);
    }
  }

  async #replace(content: Content): Promise<void> {
    const stage = this.#stage;
    const set = await this.#compile(content);
    if (!set) return;
    logMistakes(stage, set.mistakes);
    const { errors } = set;
    if (errors.length > 0 || set.description.rules === 0) {
      stage.counters.add("rules_refused");
      this.#tell(errors.length > 0 ? errors : [noRules(this.#source.paths)], "the rules before stay in force");
      await set.close();
      return;
    }
    await this.beforeReplacing(set);
    await this.#enforce(set);
    stage.counters.add("rules_reloaded");
    this.#tell([], "");
    stage.log.info("rules reloaded", { version: set.version, rules: set.description.rules });
  }

  /** A set whose threads do not even start is a bug of ours, and no reason to give up the one that works. */
  async #compile(content: Content): Promise<RuleSet | undefined> {
    const stage = this.#stage;
    try {
      return await RuleSet.compile(content, this.#source);
    } catch (error) {
      stage.counters.add("rules_refused");
      stage.log.error("the rules could not be compiled", { error: error as Error });
      const message = `the rules could not be compiled, those before stay in force: ${(error as Error).message}`;
      stage.health.raise("RULES_PROBLEM", message);
      return undefined;
    }
  }

  /** What the set wants is asked for before it is used; what only the one before wanted, no more once it is gone. */
  async #enforce(set: RuleSet): Promise<void> {
    const { description, version } = set;
    const interest = new PublishedInterest(this.#stage, description.interest, version);
    await interest.widen();
    const before = this.#current;
    if (before.set !== set) {
      this.#current = new InUse(set);
      await before.end();
    }
    await interest.narrow();
    this.#stage.facts.set("rules", String(description.rules));
    this.#stage.facts.set("content_version", version);
    this.#tellExpired();
  }

  /** By the wall clock, as people do; whether one hides a match is asked of the event's own time. */
  #tellExpired(): void {
    const { health } = this.#stage;
    const over = this.set.description.suppressions.filter(({ expiresMs = Infinity }) => expiresMs <= Date.now());
    const [first] = over;
    if (!first) health.resolve("SUPPRESSIONS_EXPIRED");
    else health.raise("SUPPRESSIONS_EXPIRED", `${over.length} suppressions are over: ${first.name} (${first.place})`);
  }

  #tell(errors: readonly Mistake[], consequence: string): void {
    const { health } = this.#stage;
    const [first] = errors;
    if (first)
      health.raise("RULES_PROBLEM", `${mistakes(errors.length)} in the rules, ${consequence}: ${placed(first)}`);
    else health.resolve("RULES_PROBLEM");
    if (this.set.description.rules === 0) health.raise("RULES_NONE", "no rule could be loaded");
    else health.resolve("RULES_NONE");
  }
}

/** Knows how many are using a set, so that it ends behind the last of them. */
class InUse {
  readonly set: RuleSet;
  #users = 0;
  #left: () => void = () => {};

  constructor(set: RuleSet) {
    this.set = set;
  }

  async use<T>(work: (set: RuleSet) => Promise<T>): Promise<T> {
    this.#users++;
    try {
      return await work(this.set);
    } finally {
      this.#users--;
      if (this.#users === 0) this.#left();
    }
  }

  /** Nobody may begin to use it any more. */
  async end(): Promise<void> {
    if (this.#users > 0) {
      await new Promise<void>((resolve) => {
        this.#left = resolve;
      });
    }
    await this.set.close();
  }
}

function logMistakes(stage: Stage, mistakes: readonly Mistake[]): void {
  for (const { severity, message, ...place } of mistakes) {
    stage.log[severity === "error" ? "error" : "warn"](message, place);
  }
}

function noRules(paths: readonly string[]): Mistake {
  return { severity: "error", code: "RULES_NONE", file: paths.join(", "), message: "there is no rule" };
}

function mistakes(count: number): string {
  return count === 1 ? "1 mistake" : `${count} mistakes`;
}

function placed({ file, line, message }: Mistake): string {
  return `${file}${line ? `:${line}` : ""}: ${message}`;
}
