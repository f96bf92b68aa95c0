// `nightjar portal indicators import`: reads lists here, where their mistakes are seen, and sends what they say.
import { randomBytes } from "node:crypto";
import { parse } from "node:path";
import { toBinary } from "@bufbuild/protobuf";
import type { Client } from "@connectrpc/connect";
import { type List, type ListDefaults, type ListFormat, listFormats, readList } from "@nightjar/indicators";
import { Disposition, IntelService, type Verdict, VerdictSchema } from "@nightjar/proto";
import { type Command, InvalidArgumentError, Option } from "commander";
import { CommandError, type Context, define, type Environment } from "../../command.ts";
import { callPortal, PORTAL_SETTINGS } from "../../connect/portal.ts";
import type { ExitName } from "../../exit-codes.ts";
import { type ListFile, readListFiles } from "../../indicators/list-files.ts";
import { printable } from "../../show/text.ts";
import { readDuration, readTime } from "../../time.ts";

const DISPOSITIONS = {
  malicious: Disposition.MALICIOUS,
  suspicious: Disposition.SUSPICIOUS,
  benign: Disposition.BENIGN,
} as const;

const IMPORT_ID_BYTES = 16;
/** What the portal takes in one request. */
const REQUEST_VERDICTS_MAX = 5_000;
const REQUEST_BYTES_MAX = 4 * 1024 * 1024;
const CONFIDENCE_MAX = 100;
const CONFIDENCE_DEFAULT = 75;
const PROBLEMS_SHOWN_MAX = 20;
/** Of these problems a file gives nothing, so that it must not take the place of the edition before. */
const WHOLE_FILE_CODES: ReadonlySet<string> = new Set(["LIST_UNREADABLE", "LIST_TOO_LARGE"]);

interface ImportOptions {
  source?: string;
  format?: ListFormat;
  disposition: keyof typeof DISPOSITIONS;
  confidence: number;
  expires?: string;
  replace?: boolean;
}

export function importIndicatorsCommand(environment: Environment): Command {
  return define<ImportOptions>(environment, {
    name: "import",
    description:
      "Import a list of SHA-256 digests, addresses and domains: CSV, STIX 2.1, MISP's feed files (a file, or a " +
      "folder of them), or a value a line. What the list says of an entry goes before the options. Hosts that saw " +
      "one of them before are told as well.",
    arguments: [{ name: "<path>", description: "a file, a folder, or - for standard input" }],
    options: [
      new Option("--source <name>", "whose list it is (default: the name of the file)"),
      new Option("--format <format>", "what it is (default: that of its looks)").choices(listFormats),
      new Option("--disposition <word>", "what it says of its entries; benign silences other lists")
        .choices(Object.keys(DISPOSITIONS))
        .default("malicious"),
      new Option("--confidence <number>", "how sure it is, 0 to 100")
        .argParser(readConfidence)
        .default(CONFIDENCE_DEFAULT),
      new Option("--expires <time>", "when its entries are over: in 30d, or at a time (default: never)"),
      new Option("--replace", "it is the whole list: what the source had before and has no more is removed"),
    ],
    settings: PORTAL_SETTINGS,
    examples: [
      "nightjar portal indicators import feed.csv --source feed --replace --expires 30d",
      "nightjar portal indicators import ours.txt --source ours --disposition benign",
    ],
    action: async (context, options, [path = ""]) => importLists(context, path, options),
  });
}

function readConfidence(text: string): number {
  const confidence = Number(text);
  if (/^\d+$/.test(text) && confidence <= CONFIDENCE_MAX) return confidence;
  throw new InvalidArgumentError(`0 to ${CONFIDENCE_MAX} is allowed`);
}

async function importLists(context: Context, path: string, options: ImportOptions): Promise<ExitName> {
  const { output } = context;
  const source = options.source ?? parse(path).name;
  const files = await readListFiles(path, context.streams.stdin);
  const lists = files.map((file) => readOne(file, defaultsOf(options, source), options.format));
  const problems = tellProblems(context, files, lists);
  const broken = lists.some((list) => list.problems.some(({ code }) => WHOLE_FILE_CODES.has(code)));
  const verdicts = merged(lists);
  const passedOver = lists.reduce((sum, list) => sum + list.passedOver, 0);
  if (broken || verdicts.length === 0) {
    output.json({ source, imported: false, indicators: verdicts.length, passed_over: passedOver, problems });
    output.note(broken ? "nothing was imported" : "there is nothing to import");
    return "FAILED";
  }
  const result = await callPortal(context, IntelService, (client) => send(client, verdicts, options.replace === true));
  output.line(
    `imported ${verdicts.length} indicators as ${source}: ${result.added} new, ${result.changed} changed, ` +
      `${result.removed} removed; ${passedOver} that are over, revoked or not for detection were passed over`,
  );
  const formats = [...new Set(lists.map(({ format }) => format))];
  const counts = { indicators: verdicts.length, ...result, passed_over: passedOver };
  output.json({ source, imported: true, formats, ...counts, problems });
  return "OK";
}

function readOne({ text }: ListFile, defaults: ListDefaults, format: ListFormat | undefined): List {
  return readList(text, defaults, format);
}

function defaultsOf({ disposition, confidence, expires }: ImportOptions, source: string): ListDefaults {
  const nowMs = Date.now();
  const common = { source, disposition: DISPOSITIONS[disposition], confidence, nowMs };
  if (expires === undefined) return common;
  const duration = readDuration(expires);
  const expiresAtMs = duration === undefined ? readTime(expires, nowMs)?.getTime() : nowMs + duration;
  if (expiresAtMs !== undefined && expiresAtMs > nowMs) return { ...common, expiresAtMs };
  throw new CommandError("USAGE", `--expires: ${expires} is neither a duration such as 30d nor a time to come`);
}

/** Tells the first of them; returns how many there are of each code. */
function tellProblems({ output }: Context, files: readonly ListFile[], lists: readonly List[]): Record<string, number> {
  const counts: Record<string, number> = {};
  let shown = 0;
  for (const [index, { problems, problemsOmitted }] of lists.entries()) {
    for (const { code, place, message } of problems) {
      counts[code] = (counts[code] ?? 0) + 1;
      if (++shown > PROBLEMS_SHOWN_MAX) continue;
      output.note(`${files[index]?.name}: ${place === "" ? "" : `${place}: `}${code}: ${printable(message)}`);
    }
    if (problemsOmitted > 0) counts.omitted = (counts.omitted ?? 0) + problemsOmitted;
  }
  if (shown > PROBLEMS_SHOWN_MAX) {
    const told = Object.entries(counts).map(([code, count]) => `${count} ${code}`);
    output.note(`… of ${told.join(", ")} in all`);
  }
  return counts;
}

/** Several files of one source may name the same; the last one counts. */
function merged(lists: readonly List[]): Verdict[] {
  const [only] = lists;
  if (only && lists.length === 1) return only.verdicts;
  const byKey = new Map<string, Verdict>();
  for (const verdict of lists.flatMap((list) => list.verdicts)) {
    byKey.set(`${verdict.indicator?.kind}:${verdict.indicator?.value}`, verdict);
  }
  return [...byKey.values()];
}

async function send(client: Client<typeof IntelService>, verdicts: readonly Verdict[], replace: boolean) {
  const importId = randomBytes(IMPORT_ID_BYTES).toString("hex");
  const result = { added: 0, changed: 0, removed: 0 };
  for (const part of requestsOf(verdicts)) {
    const { added, changed } = await client.importIndicators({ importId, verdicts: part });
    result.added += added;
    result.changed += changed;
  }
  const source = verdicts[0]?.source ?? "";
  if (replace) {
    const { removed } = await client.removeIndicators({ source, exceptImportId: importId });
    result.removed = Number(removed);
  }
  return result;
}

function* requestsOf(verdicts: readonly Verdict[]): Generator<Verdict[]> {
  let part: Verdict[] = [];
  let bytes = 0;
  for (const verdict of verdicts) {
    const size = toBinary(VerdictSchema, verdict).length;
    if (part.length === REQUEST_VERDICTS_MAX || bytes + size > REQUEST_BYTES_MAX) {
      yield part;
      [part, bytes] = [[], 0];
    }
    part.push(verdict);
    bytes += size;
  }
  if (part.length > 0) yield part;
}
