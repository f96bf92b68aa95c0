// `nightjar actors`: the processes that the sensor follows, as a tree, and why each is kept.
import { fromBinary } from "@bufbuild/protobuf";
import { BatchSchema } from "@nightjar/proto";
import { type Command, InvalidArgumentError, Option } from "commander";
import { CommandError, define, type Environment } from "../command.ts";
import { connectAs } from "../connect/bus.ts";
import { askProcesses } from "../recording/ask-processes.ts";
import { type ActorFilter, actorJson, actorsOf, choose, showActors } from "../show/actors.ts";

function readPid(text: string): number {
  const pid = Number(text);
  if (Number.isInteger(pid) && pid > 0) return pid;
  throw new InvalidArgumentError("a pid is a whole number above 0");
}

export function actorsCommand(environment: Environment): Command {
  return define<ActorFilter>(environment, {
    name: "actors",
    description:
      "Print the processes that the sensor follows, as a tree: running, ended but holding a child, or pending (ended " +
      "a moment ago). A filter shows what fits, with its ancestors and descendants.",
    options: [
      new Option("--pid <pid>", "the process with this pid, and earlier ones").argParser(readPid),
      new Option("--name <name>", "those of this name, or whose executable is called so"),
      new Option("--container <id>", "those in a container: its id, how that begins, or its name; host for none"),
    ],
    examples: ["nightjar actors --name sshd", "nightjar actors --container web --json | jq 'select(.fits) | .pid'"],
    action: async ({ output, stateDir }, wanted) => {
      const connection = await connectAs(stateDir, "operator");
      try {
        const parts = await askProcesses(connection);
        if (parts.length === 0) throw new CommandError("NOT_RUNNING", "the enricher does not answer");
        const actors = actorsOf(parts.map((part) => fromBinary(BatchSchema, part)));
        showActors(output, actors, wanted);
        const { fitting, shown } = choose(actors, wanted);
        for (const actor of actors) if (shown.has(actor)) output.json(actorJson(actor, fitting.has(actor)));
      } finally {
        await connection.close();
      }
      return "OK";
    },
  });
}
