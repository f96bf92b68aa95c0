// `nightjar inventory …`: what really runs on this host, as the aggregator keeps it.

import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { InventoryItem } from "@nightjar/proto";
import { type Command, InvalidArgumentError, Option } from "commander";
import { CommandError, type Context, define, type Environment } from "../command.ts";
import { connectAs } from "../connect/bus.ts";
import { askInventory, type ItemKind } from "../inventory/ask.ts";
import { Index, itemJson, VIEWS, type View } from "../inventory/views.ts";
import { table } from "../show/table.ts";
import { exportCommand } from "./inventory/export.ts";
import { unusedCommand, vulnerableCommand } from "./inventory/vulnerable.ts";

interface ViewOptions {
  since?: number;
}

export function inventoryCommand(environment: Environment): Command {
  const inventory = define(environment, {
    name: "inventory",
    description: "Print how much of what the inventory of this host has; a view prints it.",
    examples: ["nightjar inventory", "nightjar inventory libraries", "nightjar inventory ports --json | jq .port.port"],
    action: async (context) => {
      const items = await ask(context, []);
      const counts = new Map<string, number>();
      for (const { what } of items) counts.set(what.case ?? "", (counts.get(what.case ?? "") ?? 0) + 1);
      const rows = [...counts].map(([kind, count]) => [String(count), kind]);
      for (const line of table(rows, [0])) context.output.line(line);
      context.output.json(Object.fromEntries(counts));
      return "OK";
    },
  });
  // Flags behind a view's name are the view's.
  inventory.enablePositionalOptions();
  for (const view of VIEWS) inventory.addCommand(viewCommand(environment, view));
  inventory.addCommand(vulnerableCommand(environment));
  inventory.addCommand(unusedCommand(environment));
  inventory.addCommand(exportCommand(environment, (context) => ask(context, [])));
  return inventory;
}

function viewCommand(environment: Environment, view: View): Command {
  return define<ViewOptions>(environment, {
    name: view.name,
    description: view.description,
    options: [
      new Option("--since <time>", "only what was first seen then or later, as 2026-01-31T12:00:00Z").argParser(
        readTime,
      ),
    ],
    action: async (context, { since = 0 }) => {
      const items = await ask(context, view.kinds);
      show(context, view, items, since);
      return "OK";
    },
  });
}

function readTime(text: string): number {
  const ms = Date.parse(text);
  if (Number.isNaN(ms)) throw new InvalidArgumentError("a time is written as 2026-01-31T12:00:00Z");
  return ms;
}

function show({ output }: Context, view: View, items: readonly InventoryItem[], sinceMs: number): void {
  const index = new Index(items);
  const shown = items.flatMap((item) => {
    const row = view.row(item, index);
    const isNew = sinceMs === 0 || (item.firstSeenAt !== undefined && timestampMs(item.firstSeenAt) >= sinceMs);
    return row && isNew ? [{ item, row }] : [];
  });
  shown.sort((left, right) => ((left.row[0] ?? "") < (right.row[0] ?? "") ? -1 : 1));
  for (const line of table([view.columns, ...shown.map(({ row }) => row)], view.right)) output.line(line);
  for (const { item } of shown) output.json(itemJson(item, index));
}

async function ask({ stateDir }: Context, kinds: readonly ItemKind[]): Promise<InventoryItem[]> {
  const connection = await connectAs(stateDir, "operator");
  try {
    const items = await askInventory(connection, kinds);
    if (!items) throw new CommandError("NOT_RUNNING", "the aggregator does not answer");
    return items;
  } finally {
    await connection.close();
  }
}
