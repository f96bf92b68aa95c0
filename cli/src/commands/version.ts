// `nightjar version`: what runs here.
import { SENSOR_VERSION } from "@nightjar/stage";
import type { Command } from "commander";
import { define, type Environment } from "../command.ts";

export function versionCommand(environment: Environment): Command {
  return define(environment, {
    name: "version",
    description: "Print the version of Nightjar and of Node.",
    action: async ({ output }) => {
      output.line(`nightjar ${SENSOR_VERSION} (node ${process.versions.node})`);
      output.json({ version: SENSOR_VERSION, node: process.versions.node });
      return "OK";
    },
  });
}
