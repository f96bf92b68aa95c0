// `nightjar portal advisories …`: what a portal knows of vulnerabilities.
import { timestampDate } from "@bufbuild/protobuf/wkt";
import { AdvisoryService } from "@nightjar/proto";
import { Command, Option } from "commander";
import { type Context, define, type Environment } from "../../command.ts";
import { callPortal, PORTAL_SETTINGS } from "../../connect/portal.ts";
import { table } from "../../show/table.ts";
import { importAdvisoriesCommand } from "./import-advisories.ts";

/** Each makes one command; the order is that of the help. */
const COMMANDS = [importAdvisoriesCommand, listCommand, removeCommand];

export function advisoriesCommand(environment: Environment): Command {
  const advisories = new Command("advisories").description("Work with a portal's advisories of known vulnerabilities.");
  for (const make of COMMANDS) advisories.addCommand(make(environment));
  return advisories;
}

function listCommand(environment: Environment): Command {
  return define(environment, {
    name: "list",
    description: "List where the portal's advisories came from.",
    settings: PORTAL_SETTINGS,
    examples: ["nightjar portal advisories list"],
    action: async (context) => {
      await listSources(context);
      return "OK";
    },
  });
}

async function listSources({ output, ...context }: Context): Promise<void> {
  const { sources } = await callPortal(context, AdvisoryService, (client) => client.listAdvisorySources({}));
  const rows = sources.map(({ name, advisories, lastImportAt }) => {
    const imported = lastImportAt ? timestampDate(lastImportAt).toISOString() : "";
    output.json({ source: name, advisories: Number(advisories), last_import_at: imported });
    return [name, String(advisories), imported];
  });
  for (const line of table([["SOURCE", "ADVISORIES", "LAST IMPORT"], ...rows], [1])) output.line(line);
}

function removeCommand(environment: Environment): Command {
  return define<{ source: string }>(environment, {
    name: "remove",
    description: "Remove all advisories of a source; findings that rest on them alone are closed.",
    options: [new Option("--source <name>", "whose advisories").makeOptionMandatory()],
    settings: PORTAL_SETTINGS,
    examples: ["nightjar portal advisories remove --source debian"],
    action: async (context, { source }) => {
      const answer = await callPortal(context, AdvisoryService, (client) => client.removeAdvisories({ source }));
      context.output.line(`removed ${answer.removed} advisories of ${source}`);
      context.output.json({ source, removed: Number(answer.removed) });
      return "OK";
    },
  });
}
