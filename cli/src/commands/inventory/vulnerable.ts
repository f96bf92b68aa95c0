// `nightjar inventory vulnerable` and `unused`: what the portal found in what this host has.
import { join } from "node:path";
import { type Finding, FindingService, type FindingState, FindingStateSchema, wordsOf } from "@nightjar/proto";
import { readSmallFile, statePaths } from "@nightjar/stage";
import { type Command, Option } from "commander";
import { CommandError, type Context, define, type Environment } from "../../command.ts";
import { callPortal, PORTAL_SETTINGS } from "../../connect/portal.ts";
import { FINDING_COLUMNS, findingJson, findingRow } from "../../inventory/findings.ts";
import { table } from "../../show/table.ts";
import { printable } from "../../show/text.ts";

const PAGE_FINDINGS = 1_000;
const SCORE_COLUMN = 3;
const STATES = new Map([...wordsOf(FindingStateSchema)].map(([state, word]) => [word, state as FindingState]));

interface VulnerableOptions {
  state?: string;
  advisory?: string;
  sensor?: string;
  allHosts?: boolean;
  closed?: boolean;
}

const whose = () => [
  new Option("--sensor <id>", "of another host than this one"),
  new Option("--all-hosts", "of all hosts of the portal").conflicts("sensor"),
];

export function vulnerableCommand(environment: Environment): Command {
  return define<VulnerableOptions>(environment, {
    name: "vulnerable",
    description:
      "Print the known vulnerabilities in what this host has, what an attacker could reach first: whether running " +
      "programs have them loaded, since when, whether these listen and run as root. It needs advisories at the " +
      "portal (nightjar portal advisories import).",
    options: [
      new Option("--state <state>", "only those").choices([...STATES.keys()]),
      new Option("--advisory <id>", "only this vulnerability, by its id or an alias such as CVE-2024-3094"),
      new Option("--closed", "those that are over, too"),
      ...whose(),
    ],
    settings: PORTAL_SETTINGS,
    examples: [
      "nightjar inventory vulnerable --state loaded",
      "nightjar inventory vulnerable --all-hosts --advisory CVE-2024-3094 --json",
    ],
    action: async (context, options) => {
      const findings = await list(context, options);
      const rows = findings.map((finding) => findingRow(finding, options.allHosts === true));
      for (const line of table([FINDING_COLUMNS, ...rows], [SCORE_COLUMN])) context.output.line(line);
      for (const finding of findings) context.output.json(findingJson(finding));
      return "OK";
    },
  });
}

async function list(context: Context, options: VulnerableOptions): Promise<Finding[]> {
  const { state, advisory = "", closed = false } = options;
  const states = state === undefined ? [] : [STATES.get(state) as FindingState];
  const wanted = { sensorId: sensorOf(context, options), states, advisory, withClosed: closed, limit: PAGE_FINDINGS };
  return callPortal(context, FindingService, async (client) => {
    const findings: Finding[] = [];
    for (let after: Uint8Array = new Uint8Array(); !context.signal.aborted; ) {
      const page = await client.listFindings({ ...wanted, after });
      findings.push(...page.findings);
      if (page.next.length === 0) break;
      after = page.next;
    }
    return findings;
  });
}

export function unusedCommand(environment: Environment): Command {
  return define<Pick<VulnerableOptions, "sensor" | "allHosts">>(environment, {
    name: "unused",
    description:
      "Print the packages of container images of which no file was used since the image was first seen to run: what " +
      "can be left out of them.",
    options: whose(),
    settings: PORTAL_SETTINGS,
    examples: ["nightjar inventory unused --all-hosts"],
    action: async (context, options) => {
      const sensorId = sensorOf(context, options);
      const { images } = await callPortal(context, FindingService, (client) => client.listUnusedPackages({ sensorId }));
      for (const { root, names, sensors, packages, unused } of images) {
        const name = printable(names.join(", ") || root);
        context.output.line(`${name}: ${unused.length} of ${packages} packages never used, on ${sensors} hosts`);
        for (const one of unused) context.output.line(`  ${printable(one)}`);
        context.output.json({ image: root, names, sensors, packages, unused });
      }
      return "OK";
    },
  });
}

/** "" for all; this host's own where nothing is said. */
function sensorOf({ stateDir }: Context, { sensor, allHosts }: Pick<VulnerableOptions, "sensor" | "allHosts">): string {
  if (allHosts) return "";
  const id = sensor ?? readSmallFile(join(statePaths.folder(stateDir, "uplink"), "sensor-id"));
  if (id) return id;
  throw new CommandError(
    "NOT_RUNNING",
    `no sensor has run in ${stateDir}: --sensor or --all-hosts says which is meant`,
  );
}
