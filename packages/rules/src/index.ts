// The rule language: rules files to checked rules, checked rules to an engine that matches encoded batches. Pure: no I/O.
export { compileRules, type Engine, type Match } from "./engine/engine.ts";
export { FIELDS } from "./fields/catalogue.ts";
export type { Field } from "./fields/definition.ts";
export { type LoadResult, loadRules, type Rule, type RulesFile } from "./files/load.ts";
export { type Place, PROBLEM_CODES, type Problem, type ProblemCode } from "./problem.ts";
