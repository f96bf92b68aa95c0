// The `nightjar` command.
import { runProgram } from "./run-program.ts";

const stopping = new AbortController();
for (const name of ["SIGINT", "SIGTERM"] as const) process.on(name, () => stopping.abort());
// Whoever read the output has gone away (`nightjar tap | head`): there is nobody left to talk to.
process.stdout.on("error", () => process.exit(0));
process.exitCode = await runProgram(process.argv.slice(2), process, stopping.signal);
// Connections that are still closing must not keep the prompt away.
process.stdout.write("", () => process.exit());
