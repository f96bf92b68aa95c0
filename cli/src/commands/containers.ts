// `nightjar containers`: the containers whose processes are followed, with image, pod, events and detections.
import type { NatsConnection } from "@nats-io/transport-node";
import type { Command } from "commander";
import { CommandError, type Context, define, type Environment } from "../command.ts";
import { connectAs } from "../connect/bus.ts";
import { connectPortal, isAway } from "../connect/portal.ts";
import { askProcesses } from "../recording/ask-processes.ts";
import { containerJson, containersIn, containerTable, countDetections, type Listed } from "../show/containers.ts";

const PAGE_DETECTIONS = 1000;

export function containersCommand(environment: Environment): Command {
  return define(environment, {
    name: "containers",
    description: "Print the containers whose processes are followed: image, pod, processes, events, detections.",
    examples: ["nightjar containers", "nightjar containers --json | jq '.[] | select(.privileged)'"],
    action: async (context) => {
      const connection = await connectAs(context.stateDir, "operator");
      try {
        const containers = await listContainers(connection);
        await addDetections(context, containers);
        for (const line of containerTable(containers)) context.output.line(line);
        if (containers.length === 0) context.output.line("no process that is followed is in a container");
        context.output.json(containers.map(containerJson));
      } finally {
        await connection.close();
      }
      return "OK";
    },
  });
}

async function listContainers(connection: NatsConnection): Promise<Listed[]> {
  const snapshot = await askProcesses(connection);
  if (snapshot.length === 0) throw new CommandError("NOT_RUNNING", "the enricher does not answer");
  return containersIn(snapshot);
}

/** Without a portal the rest is told all the same. */
async function addDetections({ output, stateDir, signal }: Context, containers: Listed[]): Promise<void> {
  try {
    const portal = connectPortal(stateDir);
    for (let after = 0n, more = true; more && !signal.aborted; ) {
      const page = await portal.listDetections({ after, limit: PAGE_DETECTIONS });
      countDetections(containers, page.detections);
      ({ next: after, more } = page);
    }
  } catch (error) {
    if (!isAway(error) && !(error instanceof CommandError)) throw error;
    output.note("nightjar: the portal does not answer, so detections are not counted");
  }
}
