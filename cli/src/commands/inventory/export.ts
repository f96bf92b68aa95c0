// `nightjar inventory export`: the inventory of this host for other programs.
import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import type { InventoryItem } from "@nightjar/proto";
import { SENSOR_VERSION } from "@nightjar/stage";
import { type Command, Option } from "commander";
import { type Context, define, type Environment } from "../../command.ts";
import { cyclonedx } from "../../inventory/cyclonedx.ts";
import { Index, itemJson } from "../../inventory/views.ts";

interface ExportOptions {
  format: "cyclonedx" | "json";
  installed?: boolean;
}

/** `ask` gives all items of this host. */
export function exportCommand(environment: Environment, ask: (context: Context) => Promise<InventoryItem[]>): Command {
  return define<ExportOptions>(environment, {
    name: "export",
    description:
      "Write the inventory of this host to standard output: as CycloneDX, an SBOM of what running programs have " +
      "loaded, or as JSON, an item a line.",
    options: [
      new Option("--format <format>", "what is written").choices(["cyclonedx", "json"]).makeOptionMandatory(),
      new Option("--installed", "CycloneDX: packages that are installed and not loaded, too"),
    ],
    examples: ["nightjar inventory export --format cyclonedx > sbom.json"],
    action: async (context, { format, installed = false }) => {
      const items = await ask(context);
      if (format === "json") {
        const index = new Index(items);
        for (const item of items) context.output.raw(`${JSON.stringify(itemJson(item, index))}\n`);
      } else {
        const bom = cyclonedx(items, {
          hostName: hostname(),
          sensorVersion: SENSOR_VERSION,
          serialNumber: randomUUID(),
          now: new Date(),
          withInstalled: installed,
        });
        context.output.raw(`${JSON.stringify(bom, undefined, 2)}\n`);
      }
      return "OK";
    },
  });
}
