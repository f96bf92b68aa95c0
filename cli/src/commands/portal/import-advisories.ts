// `nightjar portal advisories import`: reads records of OSV's form here, where their mistakes are seen, and sends what
// they say.
import { randomBytes } from "node:crypto";
import { toBinary } from "@bufbuild/protobuf";
import type { Client } from "@connectrpc/connect";
import { type Advisory, AdvisorySchema, AdvisoryService } from "@nightjar/proto";
import { type AdvisoryProblem, readAdvisories } from "@nightjar/vulnerabilities";
import { type Command, Option } from "commander";
import { type Context, define, type Environment } from "../../command.ts";
import { callPortal, PORTAL_SETTINGS } from "../../connect/portal.ts";
import type { ExitName } from "../../exit-codes.ts";
import { eachListFile } from "../../indicators/list-files.ts";
import { printable } from "../../show/text.ts";

const IMPORT_ID_BYTES = 16;
/** What the portal takes in one request. */
const REQUEST_ADVISORIES_MAX = 1_000;
const REQUEST_BYTES_MAX = 4 * 1024 * 1024;
const PROBLEMS_SHOWN_MAX = 20;

export function importAdvisoriesCommand(environment: Environment): Command {
  return define<{ source: string; replace?: boolean }>(environment, {
    name: "import",
    description:
      "Import records of OSV's form: a file with one, with a list of them or with one a line, or a folder of such " +
      "files, as the feeds of Debian, Ubuntu, Alpine, npm, PyPI, Go and crates.io are published. What hosts have is " +
      "compared with them at once.",
    arguments: [{ name: "<path>", description: "a file, a folder, or - for standard input" }],
    options: [
      new Option("--source <name>", "whose records they are").makeOptionMandatory(),
      new Option("--replace", "it is all of them: what the source had before and has no more is removed"),
    ],
    settings: PORTAL_SETTINGS,
    examples: ["nightjar portal advisories import ./osv-debian --source debian --replace"],
    action: (context, { source, replace = false }, [path = ""]) => importAll(context, path, source, replace),
  });
}

async function importAll(context: Context, path: string, source: string, replace: boolean): Promise<ExitName> {
  const problems = new Problems(context);
  const counts = { advisories: 0, withdrawn: 0, added: 0, changed: 0, removed: 0 };
  const importId = randomBytes(IMPORT_ID_BYTES).toString("hex");
  await callPortal(context, AdvisoryService, async (client) => {
    for await (const advisories of requestsOf(readAll(context, path, problems, counts))) {
      const { added, changed } = await client.importAdvisories({ importId, source, advisories });
      counts.advisories += advisories.length;
      counts.added += added;
      counts.changed += changed;
    }
    counts.removed = await removeOld(client, { source, importId, isWhole: replace && !problems.isUnreadable }, counts);
  });
  problems.tellRest();
  if (replace && problems.isUnreadable) context.output.note("a file was not readable: nothing was removed");
  const { advisories, added, changed, removed, withdrawn } = counts;
  context.output.line(
    `imported ${advisories} advisories as ${source}: ${added} new, ${changed} changed, ${removed} removed; ` +
      `${withdrawn} that were withdrawn were passed over`,
  );
  context.output.json({ source, ...counts, problems: Object.fromEntries(problems.counts) });
  return problems.isUnreadable || advisories === 0 ? "FAILED" : "OK";
}

async function removeOld(
  client: Client<typeof AdvisoryService>,
  { source, importId, isWhole }: { source: string; importId: string; isWhole: boolean },
  { advisories }: { advisories: number },
): Promise<number> {
  // Nothing was imported: the edition before is better than none.
  if (!isWhole || advisories === 0) return 0;
  const { removed } = await client.removeAdvisories({ source, exceptImportId: importId });
  return Number(removed);
}

/** File by file: all of a feed has no place in memory. */
async function* readAll(
  { streams }: Context,
  path: string,
  problems: Problems,
  counts: { withdrawn: number },
): AsyncGenerator<Advisory> {
  for await (const { name, text } of eachListFile(path, streams.stdin)) {
    const read = readAdvisories(text);
    counts.withdrawn += read.withdrawn;
    for (const problem of read.problems) problems.tell(name, problem);
    yield* read.advisories;
  }
}

/** Requests that the portal takes, an id once in each. */
async function* requestsOf(advisories: AsyncIterable<Advisory>): AsyncGenerator<Advisory[]> {
  let part = new Map<string, Advisory>();
  let bytes = 0;
  for await (const advisory of advisories) {
    const size = toBinary(AdvisorySchema, advisory).length;
    if (part.size === REQUEST_ADVISORIES_MAX || bytes + size > REQUEST_BYTES_MAX) {
      yield [...part.values()];
      [part, bytes] = [new Map(), 0];
    }
    part.set(advisory.id, advisory);
    bytes += size;
  }
  if (part.size > 0) yield [...part.values()];
}

/** Tells the first of them, and how many there are of each code. */
class Problems {
  readonly counts = new Map<string, number>();
  readonly #output: Context["output"];
  #shown = 0;

  constructor({ output }: Context) {
    this.#output = output;
  }

  get isUnreadable(): boolean {
    return this.counts.has("ADVISORY_UNREADABLE");
  }

  tell(file: string, { code, place, message }: AdvisoryProblem): void {
    this.counts.set(code, (this.counts.get(code) ?? 0) + 1);
    if (++this.#shown > PROBLEMS_SHOWN_MAX) return;
    this.#output.note(`${file}: ${place === "" ? "" : `${place}: `}${code}: ${printable(message)}`);
  }

  tellRest(): void {
    if (this.#shown <= PROBLEMS_SHOWN_MAX) return;
    this.#output.note(`… of ${[...this.counts].map(([code, count]) => `${count} ${code}`).join(", ")} in all`);
  }
}
