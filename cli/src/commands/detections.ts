// `nightjar detections`: what the portal has stored, and with --follow each as it comes.
import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { type FormatName, formatNames, formats, toJson } from "@nightjar/formats";
import { HostSchema, type StoredDetection } from "@nightjar/proto";
import { type Command, Option } from "commander";
import { CommandError, type Context, define, type Environment } from "../command.ts";
import { followDetections } from "../connect/follow.ts";
import { connectPortal, isAway, type PortalClient } from "../connect/portal.ts";
import { detectionJson, showDetection } from "../show/detection.ts";
import { readTime, TIME_FORMS } from "../time.ts";

const PAGE_DETECTIONS = 1000;

interface DetectionsOptions {
  follow?: boolean;
  since?: string;
  format?: FormatName;
  expanded?: boolean;
}

type Print = (one: StoredDetection) => void;

export function detectionsCommand(environment: Environment): Command {
  return define<DetectionsOptions>(environment, {
    name: "detections",
    description: "Print the detections that the portal has, the oldest first.",
    options: [
      new Option("-f, --follow", "go on with each as it comes, until Ctrl-C"),
      new Option("--since <time>", `only those that happened since then: ${TIME_FORMS}`),
      new Option("--format <form>", "an object a line, in the form of another product").choices(formatNames),
      new Option("--expanded", "with samples of the times that were folded into one detection"),
    ],
    examples: ["nightjar detections --since 1h", "nightjar detections --follow --json | jq .rule"],
    action: async (context, { follow, since, format, expanded = false }) => {
      const from = since === undefined ? undefined : readTime(since, Date.now());
      if (since !== undefined && !from) {
        throw new CommandError("USAGE", `--since: ${JSON.stringify(since)} is not allowed; allowed is ${TIME_FORMS}`);
      }
      const print = printerTo(context, format, expanded);
      const portal = connectPortal(context.stateDir);
      try {
        await (follow ? followAll(context, print, from) : list(context, portal, print, from));
      } catch (error) {
        if (!isAway(error)) throw error;
        throw new CommandError("NOT_RUNNING", `the portal does not answer: ${(error as Error).message}`);
      }
      return "OK";
    },
  });
}

function printerTo({ output }: Context, format: DetectionsOptions["format"], expanded: boolean): Print {
  if (format) return (one) => output.raw(`${lineOf(one, format)}\n`);
  return (one) => {
    showDetection(output, one, { expanded });
    output.json(detectionJson(one));
  };
}

/** The portal keeps of the host no more than its name beside the detection. */
function lineOf({ detection, hostName, sensorId }: StoredDetection, format: FormatName): string {
  const host = create(HostSchema, { name: hostName });
  return detection ? toJson(formats[format](detection, { host, sensorId, sensorVersion: "" })) : "{}";
}

async function list(context: Context, portal: PortalClient, print: Print, from: Date | undefined): Promise<void> {
  const since = from && timestampFromDate(from);
  for (let after = 0n, more = true; more && !context.signal.aborted; ) {
    const page = await portal.listDetections({ ...(since && { since }), after, limit: PAGE_DETECTIONS });
    for (const one of page.detections) print(one);
    ({ next: after, more } = page);
  }
}

async function followAll({ stateDir, signal }: Context, print: Print, since: Date | undefined): Promise<void> {
  for await (const one of followDetections({ stateDir, signal, ...(since && { since }) })) print(one);
}
