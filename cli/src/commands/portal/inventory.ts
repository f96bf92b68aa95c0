// `nightjar portal inventory`: which inventories the portal has, and what is in one.
import { type InventoryItem, InventoryService } from "@nightjar/proto";
import type { Command } from "commander";
import { CommandError, type Context, define, type Environment } from "../../command.ts";
import { callPortal, PORTAL_SETTINGS } from "../../connect/portal.ts";
import { Index, itemJson, VIEWS } from "../../inventory/views.ts";
import { table } from "../../show/table.ts";

const PAGE_ITEMS = 1_000;

export function portalInventoryCommand(environment: Environment): Command {
  return define(environment, {
    name: "inventory",
    description:
      "Print the sensors of which the portal has an inventory; with a sensor's id and the name of a view, as " +
      "`nightjar inventory` has them, what is in it.",
    arguments: [
      { name: "[sensor]", description: "a sensor's id" },
      { name: "[view]", description: VIEWS.map(({ name }) => name).join(", ") },
    ],
    settings: PORTAL_SETTINGS,
    examples: ["nightjar portal inventory", "nightjar portal inventory 5f0c… libraries"],
    action: async (context, _options, [sensor, view]) => {
      if (sensor === undefined) await tellSensors(context);
      else await tellView(context, sensor, view ?? "executables");
      return "OK";
    },
  });
}

async function tellSensors(context: Context): Promise<void> {
  const { inventories } = await callPortal(context, InventoryService, (client) => client.listInventories({}));
  const rows = inventories.map(({ sensorId, items, revision }) => [sensorId, String(items), String(revision)]);
  for (const line of table([["SENSOR", "ITEMS", "REVISION"], ...rows], [1, 2])) context.output.line(line);
  for (const { sensorId, items, revision } of inventories)
    context.output.json({ sensor_id: sensorId, items: String(items), revision: String(revision) });
}

async function tellView(context: Context, sensorId: string, name: string): Promise<void> {
  const view = VIEWS.find((one) => one.name === name);
  if (!view) throw new CommandError("USAGE", `no view ${name}: ${VIEWS.map((one) => one.name).join(", ")}`);
  const items: InventoryItem[] = [];
  let after = "";
  do {
    const request = { sensorId, after, limit: PAGE_ITEMS };
    const page = await callPortal(context, InventoryService, (client) => client.listInventory(request));
    items.push(...page.items);
    after = page.next;
  } while (after !== "");
  const index = new Index(items);
  const shown = items.flatMap((item) => {
    const row = view.row(item, index);
    return row ? [{ item, row }] : [];
  });
  for (const line of table([view.columns, ...shown.map(({ row }) => row)], view.right)) context.output.line(line);
  for (const { item } of shown) context.output.json(itemJson(item, index));
}
