// What makes a process a stage: settings, log, bus, health, counters, shutdown.
export * from "./bus.ts";
export * from "./codes.ts";
export * from "./connection.ts";
export { GarbageError } from "./garbage.ts";
export type { Health } from "./health.ts";
export * from "./interest.ts";
export * from "./lock.ts";
export * from "./log.ts";
export * from "./metrics.ts";
export * from "./module-beside.ts";
export * from "./process-identity.ts";
export * from "./resolve-settings.ts";
export * from "./setting.ts";
export * from "./settings/index.ts";
export * from "./stage.ts";
export * from "./state-folder.ts";
export * from "./streams.ts";
export * from "./version.ts";
