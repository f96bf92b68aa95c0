// Finds which conditions are true of an event, asking only those that can be: an index of texts names them.
import type { Getter } from "../fields/definition.ts";
import { type Expression, termName } from "../language/expression.ts";
import type { EventView } from "./event-view.ts";
import { type Condition, Generator } from "./generate.ts";
import { type Requirement, requirementFinder } from "./required-texts.ts";
import { TextIndex } from "./text-index.ts";

interface IndexedTerm {
  getter: Getter;
  index: TextIndex;
  /** The conditions that require a text of this term: candidates where its value is no text. */
  numbers: Set<number>;
}

/**
 * One question in so many is timed: looking at the clock costs as much as a short condition. A prime, so that it is
 * another condition's turn each time, however many there are.
 */
const TIMED_QUESTIONS = 1021;

/** Conditions of one event type, numbered as they stand. */
export class Matcher {
  /** Of each condition: of how many events it was asked, */
  readonly asked: Float64Array;
  /** how often that was timed, and how long it took together, in ms. */
  readonly timed: Float64Array;
  readonly timedMs: Float64Array;
  #untilTimed = TIMED_QUESTIONS;
  readonly #expressions: readonly Expression[];
  readonly #generator: Generator;
  readonly #conditions: (Condition | undefined)[];
  /** Those that require no text. */
  readonly #always: number[] = [];
  readonly #terms = new Map<string, IndexedTerm>();
  readonly #indexed: readonly IndexedTerm[];
  /** Of each condition the look at which it was asked last. */
  readonly #askedAt: Float64Array;
  #look = 0;

  constructor(expressions: readonly Expression[]) {
    this.#expressions = expressions;
    this.#generator = new Generator(expressions);
    this.#conditions = new Array(expressions.length).fill(undefined);
    this.#askedAt = new Float64Array(expressions.length);
    this.asked = new Float64Array(expressions.length);
    this.timed = new Float64Array(expressions.length);
    this.timedMs = new Float64Array(expressions.length);
    const find = requirementFinder();
    for (const [number, expression] of expressions.entries()) {
      const requirements = find(expression);
      if (!requirements) this.#always.push(number);
      else for (const requirement of requirements) this.#add(requirement, number);
    }
    this.#indexed = [...this.#terms.values()];
  }

  /** Puts the numbers of the conditions that are true of the event to the end of `hits`, in order. */
  match(view: EventView, hits: number[]): void {
    const before = hits.length;
    const look = ++this.#look;
    for (const { getter, index, numbers } of this.#indexed) {
      const value = getter(view);
      if (value === undefined) continue;
      if (typeof value === "string") this.#ask(index.find(value), look, view, hits);
      else if (!Array.isArray(value)) this.#ask(numbers, look, view, hits);
      else for (const each of value) this.#ask(typeof each === "string" ? index.find(each) : numbers, look, view, hits);
    }
    const indexedHits = hits.length - before;
    this.#ask(this.#always, look, view, hits);
    if (indexedHits > 0 && hits.length - before > 1) {
      const sorted = hits.splice(before).sort((a, b) => a - b);
      hits.push(...sorted);
    }
  }

  #ask(numbers: Iterable<number>, look: number, view: EventView, hits: number[]): void {
    for (const number of numbers) {
      if (this.#askedAt[number] === look) continue;
      this.#askedAt[number] = look;
      this.asked[number] = (this.asked[number] as number) + 1;
      const condition = this.#condition(number);
      if (--this.#untilTimed === 0 ? this.#timed(number, condition, view) : condition(view)) hits.push(number);
    }
  }

  #timed(number: number, condition: Condition, view: EventView): boolean {
    this.#untilTimed = TIMED_QUESTIONS;
    const start = performance.now();
    const holds = condition(view);
    this.timedMs[number] = (this.timedMs[number] as number) + performance.now() - start;
    this.timed[number] = (this.timed[number] as number) + 1;
    return holds;
  }

  #condition(number: number): Condition {
    let condition = this.#conditions[number];
    if (!condition) {
      condition = this.#generator.condition(this.#expressions[number] as Expression);
      this.#conditions[number] = condition;
    }
    return condition;
  }

  #add({ term, parts }: Requirement, number: number): void {
    const name = termName(term);
    let indexed = this.#terms.get(name);
    if (!indexed) {
      indexed = { getter: this.#generator.getter(term), index: new TextIndex(), numbers: new Set() };
      this.#terms.set(name, indexed);
    }
    indexed.numbers.add(number);
    for (const part of parts) indexed.index.add(part, number);
  }
}
