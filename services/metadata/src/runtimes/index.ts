// The table of container runtimes that are asked. A new one is a file and a row.
import type { RuntimeKind } from "../runtime.ts";

export const runtimeKinds: readonly RuntimeKind[] = [];
