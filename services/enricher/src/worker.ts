// A thread that reads files: their digests, their headers, whose they are.
import { workerData } from "piscina";
import { createRunner, type ThreadData } from "./executables/tasks.ts";

// The pool wraps what it was given: [its own data, ours].
const given = (Array.isArray(workerData) ? workerData[1] : workerData) as ThreadData;

export default createRunner(given);
