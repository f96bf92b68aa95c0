// Makes the findings of a host: what advisories say of what is installed and loaded, and how far an attacker is away.
import { createHash } from "node:crypto";
import { create } from "@bufbuild/protobuf";
import { type Advisory, Exposure, type Finding, FindingSchema, FindingState } from "@nightjar/proto";
import { ecosystemKey, type Subject } from "../ecosystems.ts";
import { fixedVersionOf, isAffected } from "../osv/judge.ts";
import { orderOf } from "../versions/order.ts";
import type { Candidate } from "./candidates.ts";
import { evidenceOf, exposureOf, PROGRAMS_MAX } from "./evidence.ts";
import type { Host } from "./host.ts";

const ID_CHARS = 32;
const PATHS_MAX = 16;
const CVE = /^CVE-\d{4}-\d+$/;

/** What an advisory says of one version of a package. */
interface Hit {
  advisory: Advisory;
  candidate: Candidate;
  fixedVersion: string;
}

/** Advisories that may concern a subject, whatever its version. */
export type AdvisoriesFor = (subject: Subject) => readonly Advisory[];

/** All that are open now; who they are of, and since when, is for whoever keeps them. */
export function findingsOf(host: Host, candidates: readonly Candidate[], advisoriesFor: AdvisoriesFor): Finding[] {
  const byPackage = new Map<string, Hit[]>();
  for (const candidate of candidates) {
    const { root, package: of } = candidate;
    const key = `${root}\0${of.manager}\0${of.name}`;
    const hits = advisoriesFor(candidate.subject).flatMap((advisory) => hitOf(advisory, candidate));
    if (hits.length > 0) byPackage.set(key, [...(byPackage.get(key) ?? []), ...hits]);
  }
  return [...byPackage.values()].flatMap((hits) => distinct(hits).map((same) => findingOf(host, same)));
}

function hitOf(advisory: Advisory, candidate: Candidate): Hit[] {
  const { ecosystem, name, version } = candidate.subject;
  const order = orderOf(ecosystem);
  const affected = advisory.affected.find(
    (one) => one.name === name && ecosystemKey(one.ecosystem) === ecosystem && order && isAffected(one, version, order),
  );
  if (!affected || !order) return [];
  return [{ advisory, candidate, fixedVersion: fixedVersionOf(affected, version, order) }];
}

/** One group for each advisory, without those whose vulnerabilities others tell singly, or with a score. */
function distinct(hits: readonly Hit[]): Hit[][] {
  const groups = Map.groupBy(hits, ({ advisory }) => advisory.id);
  const sorted = [...groups.values()].sort(([one], [other]) => compare(one as Hit, other as Hit));
  const told = new Set<string>();
  return sorted.filter(([hit]) => {
    const names = namesOf((hit as Hit).advisory);
    const isNew = names.some((name) => !told.has(name));
    for (const name of names) told.add(name);
    return isNew;
  });
}

function compare({ advisory: one }: Hit, { advisory: other }: Hit): number {
  const difference = namesOf(one).length - namesOf(other).length || other.severityScore - one.severityScore;
  return difference || (one.id < other.id ? -1 : 1);
}

/** The CVEs that an advisory is about, or itself where it names none. */
function namesOf({ id, aliases }: Advisory): string[] {
  const names = [id, ...aliases].filter((name) => CVE.test(name));
  return names.length > 0 ? names : [id];
}

/** `hits` are of one advisory and one package, in the version that is installed and in those that still run. */
function findingOf(host: Host, hits: readonly Hit[]): Finding {
  const installed = hits.find(({ candidate }) => candidate.isInstalled);
  const { advisory, candidate, fixedVersion } = installed ?? (hits[0] as Hit);
  const uses = hits.flatMap((hit) => hit.candidate.uses);
  const paths = hits.flatMap((hit) => hit.candidate.paths);
  const evidence = evidenceOf(host, uses);
  return create(FindingSchema, {
    id: idOf(candidate, advisory),
    root: candidate.root,
    advisoryId: advisory.id,
    aliases: advisory.aliases,
    summary: advisory.summary,
    severityScore: advisory.severityScore,
    package: candidate.package,
    fixedVersion,
    state: stateOf(installed !== undefined, uses.length > 0),
    exposure: exposureOf(host, uses),
    runsAsRoot: uses.some(({ program }) => program.uid === 0),
    evidence: evidence.slice(0, PROGRAMS_MAX),
    programs: evidence.length,
    paths: paths.slice(0, PATHS_MAX),
  });
}

function stateOf(isInstalled: boolean, isLoaded: boolean): FindingState {
  if (!isInstalled) return FindingState.STALE;
  return isLoaded ? FindingState.LOADED : FindingState.INSTALLED;
}

function idOf({ root, package: of }: Candidate, { id }: Advisory): string {
  const text = [root, id, of.manager, of.name].join("\0");
  return createHash("sha256").update(text).digest("hex").slice(0, ID_CHARS);
}

/** What a list of findings is sorted by, the highest first: how it is reached, as whom it runs, how severe it is. */
export function rankOf({ exposure, runsAsRoot, severityScore }: Finding): number {
  return exposure * 1_000 + (runsAsRoot && exposure > Exposure.NOT_LOADED ? 500 : 0) + Math.round(severityScore * 10);
}
