// The rule language: rules files to checked rules, and those to an engine that matches encoded batches. Pure: no I/O.
export { formatAddress } from "@nightjar/events";
export { type Attack, attackOf } from "./attack.ts";
export { type BriefEvent, encodeBrief } from "./brief/brief.ts";
export { type Failure, type Judged, judge } from "./brief/judge.ts";
export { type RuleTest, readEventFile, readTestFile, TEST_FILE_ENDINGS, type TestFile } from "./brief/test-file.ts";
export type { Correlation } from "./correlation/correlation.ts";
export { CorrelationEngine, type Firing, REORDER_US } from "./correlation/engine.ts";
export type { RuleMatch } from "./correlation/match.ts";
export type { CorrelatedRule } from "./correlation/resolve.ts";
export { valuesOf } from "./correlation/values.ts";
export { type CheckedCondition, checkCondition, compileCondition } from "./engine/condition.ts";
export { compileRules, type Engine, type Match, type RuleCost, type RuleMatching } from "./engine/engine.ts";
export { EventView } from "./engine/event-view.ts";
export {
  type ExplainedPart,
  type Explanation,
  explain,
  explainerOf,
  type PartKind,
  type Seen,
} from "./engine/explain.ts";
export { interpret } from "./engine/interpret.ts";
export { eventTypesOf } from "./engine/possible-types.ts";
export { FIELDS, findField } from "./fields/catalogue.ts";
export type { Field, Value } from "./fields/definition.ts";
export { EVENT_NAMES } from "./fields/event-names.ts";
export { type LoadContext, type LoadResult, loadRules, type Rule, type RulesFile } from "./files/load.ts";
export { type Costly, costlyOf } from "./interest/costly.ts";
export type { Contribution, TypeWish } from "./interest/derive.ts";
export { interestOf, wishesOf } from "./interest/interest.ts";
export { classesOf } from "./interest/rows.ts";
export type { KeySet, Wish } from "./interest/wish.ts";
export { parse } from "./language/parse.ts";
export { print } from "./language/print.ts";
export { type Place, PROBLEM_CODES, type Problem, type ProblemCode, SKIPPING_CODES } from "./problem.ts";
export { RULES_SCHEMA, TESTS_SCHEMA } from "./schema/schema.ts";
export { parseSigmaCondition } from "./sigma/condition.ts";
export type { CorrelationDocument } from "./sigma/documents.ts";
export { sigmaNames } from "./sigma/field-names.ts";
export { isNamed, type SigmaContext } from "./sigma/load.ts";
export type { Logsource, View, ViewsOf } from "./sigma/view.ts";
export { loadSuppressions, type Suppression } from "./suppressions/load.ts";
export { compileSuppressions } from "./suppressions/suppress.ts";
