// Sigma's levels, as priorities of detections.
import { Priority } from "@nightjar/proto";

export const PRIORITY_OF_LEVEL: ReadonlyMap<string, Priority> = new Map([
  ["critical", Priority.CRITICAL],
  ["high", Priority.ERROR],
  ["medium", Priority.WARNING],
  ["low", Priority.NOTICE],
  ["informational", Priority.INFORMATIONAL],
]);
