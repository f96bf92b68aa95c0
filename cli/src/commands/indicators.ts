// `nightjar indicators`: what this host looked up, and what the portal's lists say of a value.
import { IntelService, type StageStatus, VerdictSchema } from "@nightjar/proto";
import { askStatuses } from "@nightjar/stage";
import type { Command } from "commander";
import { CommandError, type Context, define, type Environment } from "../command.ts";
import { connectAs } from "../connect/bus.ts";
import { callPortal, PORTAL_SETTINGS } from "../connect/portal.ts";
import { indicatorIn, verdictRow } from "../indicators/show.ts";
import { toPlain } from "../show/plain.ts";
import { table } from "../show/table.ts";

/** What the uplink counts, and what a person reads of it. */
const COUNTS: readonly (readonly [counter: string, text: string])[] = [
  ["indicators_remembered", "remembered"],
  ["indicators_waiting", "wait for the portal"],
  ["indicators_in", "asked by the aggregator since the uplink's start"],
  ["indicators_settled", "of these settled on this host"],
  ["indicators_asked", "answered by the portal"],
  ["indicators_listed", "of these on a list"],
  ["indicators_purged", "deleted because the portal was not heard"],
];

export function indicatorsCommand(environment: Environment): Command {
  return define(environment, {
    name: "indicators",
    description:
      "Print how many indicators (digests, addresses, domains) this host looked up. With values, print what the " +
      "portal's lists say of them now.",
    arguments: [{ name: "[values...]", description: "SHA-256 digests, addresses or domains" }],
    settings: PORTAL_SETTINGS,
    examples: ["nightjar indicators", "nightjar indicators 192.0.2.7 evil.example"],
    action: async (context, _options, values) => {
      await (values.length > 0 ? lookUp(context, values) : tellCounts(context));
      return "OK";
    },
  });
}

async function lookUp(context: Context, values: readonly string[]): Promise<void> {
  const indicators = values.map(indicatorIn);
  const { verdicts } = await callPortal(context, IntelService, (client) => client.lookUp({ indicators }));
  for (const line of table(verdicts.map(verdictRow))) context.output.line(line);
  for (const verdict of verdicts) context.output.json(toPlain(VerdictSchema, verdict));
}

async function tellCounts({ output, stateDir }: Context): Promise<void> {
  const { counters, facts } = await uplinkStatus(stateDir);
  const counts = COUNTS.map(([name, text]) => ({ name, text, count: Number(counters[name] ?? 0) }));
  for (const line of table(
    counts.map(({ count, text }) => [String(count), text]),
    [0],
  )) {
    output.line(line);
  }
  const [filter = "no", generation = "0"] = [facts.indicator_filter, facts.indicator_generation];
  output.line(`filter: ${filter}`);
  output.line(`changes of the portal's lists are known up to ${generation}`);
  output.json({ ...Object.fromEntries(counts.map(({ name, count }) => [name, count])), filter, generation });
}

async function uplinkStatus(stateDir: string): Promise<StageStatus> {
  const connection = await connectAs(stateDir, "operator");
  try {
    const status = (await askStatuses(connection)).find(({ stage }) => stage === "uplink");
    if (!status) throw new CommandError("NOT_RUNNING", "the uplink does not answer");
    return status;
  } finally {
    await connection.close();
  }
}
