// `nightjar health`: what is open, since when and on which host, what was, and when sensors were not heard.
import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import {
  HealthService,
  type Outage,
  QueryService,
  type SensorState,
  type StoredHealthIssue,
  StoredHealthIssueSchema,
} from "@nightjar/proto";
import { askStatuses } from "@nightjar/stage";
import { type Command, Option } from "commander";
import { CommandError, type Context, define, type Environment } from "../command.ts";
import { connectAs } from "../connect/bus.ts";
import { followHealth } from "../connect/follow.ts";
import { callPortal, PORTAL_SETTINGS } from "../connect/portal.ts";
import { issueJson, issueLine, outageJson, outageLines, sensorJson, sensorTable } from "../show/health.ts";
import { readTime, TIME_FORMS } from "../time.ts";

const PAGE_ISSUES = 1_000;
const OUTAGES_MAX = 100;
const SINCE_DEFAULT = "1d";

interface HealthOptions {
  follow?: boolean;
  since?: string;
  sensor?: string;
}

interface Known {
  sensors: SensorState[];
  issues: StoredHealthIssue[];
  outages: Outage[];
}

export function healthCommand(environment: Environment): Command {
  return define<HealthOptions>(environment, {
    name: "health",
    description: "Tell the health issues of the portal's sensors, open and past, and when sensors were not heard.",
    options: [
      new Option("-f, --follow", "what is open, then each change as it comes, until Ctrl-C"),
      new Option("--since <time>", `how far back the past goes (${SINCE_DEFAULT}): ${TIME_FORMS}`),
      new Option("--sensor <id>", "only of the sensor with this id"),
    ],
    settings: PORTAL_SETTINGS,
    examples: ["nightjar health", "nightjar health --follow --json | jq 'select(.severity == \"error\")'"],
    action: async (context, { follow, since = SINCE_DEFAULT, sensor = "" }) => {
      const from = readTime(since, Date.now());
      if (!from) {
        throw new CommandError("USAGE", `--since: ${JSON.stringify(since)} is not allowed; allowed is ${TIME_FORMS}`);
      }
      // Without a time, only what is open is worth the first lines of what goes on.
      if (follow) await followAll(context, since === SINCE_DEFAULT ? new Date() : from, sensor);
      else await list(context, from, sensor);
      return "OK";
    },
  });
}

async function followAll(context: Context, since: Date, sensorId: string): Promise<void> {
  for await (const one of followHealth(context, since, sensorId)) showIssue(context, one);
}

async function list(context: Context, since: Date, sensorId: string): Promise<void> {
  try {
    show(context, await askPortal(context, since, sensorId));
  } catch (error) {
    if (!(error instanceof CommandError) || error.exit !== "NOT_RUNNING") throw error;
    const issues = await askStages(context);
    context.output.note(`nightjar: ${error.message}; this is what the stages of this host say now`);
    show(context, { sensors: [], issues, outages: [] });
  }
}

async function askPortal(context: Context, since: Date, sensorId: string): Promise<Known> {
  const from = timestampFromDate(since);
  const sensors = await callPortal(context, QueryService, async (portal) => (await portal.listSensors({})).sensors);
  return await callPortal(context, HealthService, async (portal) => {
    const issues: StoredHealthIssue[] = [];
    for (let after = 0n, more = true; more && !context.signal.aborted; ) {
      const page = await portal.listHealthIssues({ after, limit: PAGE_ISSUES, sensorId, since: from });
      issues.push(...page.issues);
      ({ next: after, more } = page);
    }
    const { outages } = await portal.listOutages({ sensorId, since: from, limit: OUTAGES_MAX });
    return { sensors: sensors.filter(({ sensor }) => sensorId === "" || sensor?.id === sensorId), issues, outages };
  });
}

/** Without a portal: what is open here, and what was in the last minutes. */
async function askStages({ stateDir }: Context): Promise<StoredHealthIssue[]> {
  const connection = await connectAs(stateDir, "operator");
  try {
    const statuses = await askStatuses(connection);
    const host = statuses.find((status) => status.host)?.host?.name ?? "";
    const issues = statuses.flatMap(({ pastHealthIssues, healthIssues }) => [...pastHealthIssues, ...healthIssues]);
    return issues.map((issue) => create(StoredHealthIssueSchema, { issue, hostName: host }));
  } finally {
    await connection.close();
  }
}

function show(context: Context, { sensors, issues, outages }: Known): void {
  const { output } = context;
  if (sensors.length > 0) for (const line of sensorTable(sensors)) output.line(line);
  for (const one of sensors) output.json(sensorJson(one));
  const isOpen = ({ issue }: StoredHealthIssue) => issue?.resolvedAt === undefined;
  const open = issues.filter(isOpen);
  const past = issues.filter((one) => !isOpen(one));
  heading(context, open.length === 0 ? "no health issue is open" : `open (${open.length})`);
  for (const one of open) showIssue(context, one);
  if (past.length > 0) heading(context, `past (${past.length})`);
  for (const one of past) showIssue(context, one);
  if (outages.length > 0) heading(context, `outages (${outages.length})`);
  for (const one of outages) {
    for (const line of outageLines(output, one, Date.now())) output.line(line);
    output.json(outageJson(one));
  }
}

function heading({ output }: Context, text: string): void {
  output.line();
  output.line(output.paint("bold", text));
}

function showIssue({ output }: Context, one: StoredHealthIssue): void {
  output.line(issueLine(output, one, Date.now()));
  output.json(issueJson(one));
}
