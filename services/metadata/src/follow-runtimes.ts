// Finds this host's container runtimes, follows them, and says what is missing.
import { RefusedError, type Stage } from "@nightjar/stage";
import type { FindContainer } from "./answer.ts";
import { Directory } from "./directory.ts";
import { Discovery } from "./discovery.ts";
import { runtimeKinds } from "./runtimes/index.ts";

/** How often runtimes that came or went are looked for, and those asked again that did not answer. */
const LOOK_MS = 2_000;

/**
 * `changed` is told full ids of containers that were asked for and of which something else is known now. `count` brings
 * counters, facts and summary up to date.
 *
 * @throws RefusedError SETTING_INVALID where `metadata.places` names no kind of runtime.
 */
export function followRuntimes(
  stage: Stage,
  changed: (ids: readonly string[]) => void,
): { findContainer: FindContainer; count: () => void } {
  const { settings, signal } = stage;
  const clock = () => performance.now();
  const discovery: Discovery = new Discovery({
    kinds: runtimeKinds,
    places: settings.metadata.places.map(readPlace),
    usualPlaces: settings.metadata.usual_places,
    environment: settings.metadata.environment,
    answerMs: settings.metadata.answer_timeout_ms,
    clock,
    noticed: (id, { serves }) => directory.notice(id, serves.length === 1 ? (serves[0] as string) : ""),
  });
  const directory = new Directory({ peers: () => discovery.peers, changed, clock, signal });
  if (settings.metadata.runtimes) keepLooking(stage, directory, discovery);
  stage.onStop(() => discovery.close());
  return { findContainer: (query) => directory.find(query), count: () => count(stage, directory, discovery) };
}

function keepLooking(stage: Stage, directory: Directory, discovery: Discovery): void {
  const look = () => {
    if (discovery.look()) stage.log.info("container runtimes", { places: discovery.peers.map(({ name }) => name) });
    void directory.retry();
    const [first, ...others] = directory.unanswered;
    if (!first) return stage.health.resolve("CONTAINERS_UNKNOWN");
    const number = `${others.length + 1} container${others.length === 0 ? "" : "s"}`;
    stage.health.raise("CONTAINERS_UNKNOWN", `of ${number} not all is known: ${first.explanation}`);
  };
  look();
  const timer = setInterval(look, LOOK_MS);
  stage.onStop(() => clearInterval(timer));
}

/** "KIND=PATH" of the settings. */
function readPlace(text: string): [kind: string, path: string] {
  const [kind = "", ...path] = text.split("=");
  if (path.length > 0 && runtimeKinds.some(({ name }) => name === kind)) return [kind, path.join("=")];
  const kinds = runtimeKinds.map(({ name }) => name).join(", ");
  throw new RefusedError(
    "SETTING_INVALID",
    `metadata.places: "${text}" is no KIND=PATH with one of the kinds ${kinds}`,
  );
}

function count(stage: Stage, directory: Directory, discovery: Discovery): void {
  const { counters, facts } = stage;
  const { looks, noticed, noticesDropped, forgotten, refused } = directory.counts;
  counters.set("containers", directory.size);
  counters.set("containers_unanswered", directory.unanswered.length);
  counters.set("containers_forgotten", forgotten);
  counters.set("questions_refused", refused);
  counters.set("looks", looks);
  counters.set("notices", noticed);
  counters.set("notices_dropped", noticesDropped);
  facts.set("runtimes", discovery.peers.map(({ name }) => name).join(", "));
  stage.summary = `${discovery.peers.length} places of runtimes, ${directory.size} containers`;
}
