// Replaces secrets in texts, command lines, environments, values and messages by short tokens; does no I/O.
export { redactMessage } from "./message.ts";
export { patternProblem } from "./pattern.ts";
export { createRedactor, KEY_BYTES, type Redactor, type RedactorOptions } from "./redactor.ts";
export { redactValue } from "./value.ts";
