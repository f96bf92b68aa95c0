// Indicators of compromise: their one written form, the lists they come in, and the filter that knows most; no I/O.
export { buildFilter, type Filter, loadFilter } from "./filter.ts";
export { hashOf } from "./hash.ts";
export { parseIndicator, readIndicator } from "./indicator.ts";
export type { List, ListDefaults, ListFormat, ListProblem } from "./lists/list.ts";
export { listProblemCodes } from "./lists/problems.ts";
export { listFormats, readList } from "./lists/read-list.ts";
