// What tests of any package may use: waiting for a condition, temporary folders, processes that end with the test,
// a stand-in for Kubernetes, a PostgreSQL server.
export { containerId, NODE, ownerOf, podOf, uidOf } from "./pods.ts";
export { startPostgres, type TestPostgres, whyNoPostgres } from "./postgres.ts";
export { type ProcessOptions, startProcess, type TestProcess } from "./process.ts";
export { kubeconfigFor, StandInApiServer } from "./stand-in-api-server.ts";
export type { Teardown } from "./teardown.ts";
export { temporaryFolder } from "./temporary-folder.ts";
export { Deadline, moment, TIME_FACTOR, type WaitOptions, waitFor } from "./wait.ts";
