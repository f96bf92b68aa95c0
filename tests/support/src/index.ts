// What tests of any package may use: waiting for a condition, temporary folders, processes that end with the test.
export { type ProcessOptions, startProcess, type TestProcess } from "./process.ts";
export type { Teardown } from "./teardown.ts";
export { temporaryFolder } from "./temporary-folder.ts";
export { Deadline, moment, type WaitOptions, waitFor } from "./wait.ts";
