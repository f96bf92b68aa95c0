// Content from the portal: looked for at an interval, tried by the rule engine, said on CONTENT when it is in force.
import { join } from "node:path";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import type { Bundle, ContentProblem } from "@nightjar/content";
import {
  ContentInForceSchema,
  ContentService,
  TryContentRequestSchema,
  TryContentResponseSchema,
} from "@nightjar/proto";
import { ASK_CONTENT_SUBJECT, readContentKeys, type Stage } from "@nightjar/stage";
import { failureOf } from "../failure.ts";
import { CONTENT_TRY_MS_MAX } from "../limits.ts";
import type { Link } from "../link.ts";
import type { PortalClient } from "../portal-client.ts";
import { crash } from "../retries.ts";
import { Shelf } from "./shelf.ts";
import { ContentUpdate, type Outcome } from "./update.ts";

const SUBJECT = "nightjar.content.uplink";
const MS_PER_S = 1_000;

export interface ContentParts {
  id: string;
  client: PortalClient;
  link: Link;
  /** Told of each bundle that is in force from now on. */
  enforced: (bundle: Bundle) => void;
}

/** The bus must be connected. */
export function startContent(stage: Stage, parts: ContentParts): void {
  const update = new ContentUpdate({
    sensorId: parts.id,
    channel: stage.settings.content.channel,
    shelf: new Shelf(join(stage.folder, "content")),
    publicKeys: () => readContentKeys(stage.stateDir, stage.settings),
    poll: (asked) => parts.client.call(ContentService, (content, options) => content.pollContent(asked, options)),
    get: (path, headers, take) => parts.client.get(path, headers, take),
    tryOut: (bundle) => tryOut(stage, bundle),
    enforce: async (bundle) => {
      await enforce(stage, bundle);
      parts.enforced(bundle);
    },
  });
  const updating = follow(stage, parts.link, update);
  updating.catch(crash);
  stage.onStop(() => updating);
}

async function follow(stage: Stage, link: Link, update: ContentUpdate): Promise<void> {
  const { signal, settings } = stage;
  const { poll_interval_s: intervalS, poll_jitter: jitter } = settings.content;
  stage.facts.set("content_bundle", "none");
  const problem = await update.begin();
  if (problem) refuse(stage, problem);
  while (!signal.aborted) {
    try {
      tell(stage, await update.run());
      link.up();
    } catch (error) {
      if (signal.aborted) return;
      link.down(failureOf(error));
    }
    await link.wait(intervalS * MS_PER_S * (1 - jitter * Math.random()), signal);
  }
}

/** In the words that the runbooks look for. */
function tell(stage: Stage, outcome: Outcome): void {
  const { log, counters, facts } = stage;
  facts.set("content_checked_at", new Date().toISOString());
  if (outcome.is === "refused") {
    counters.add("content_refused");
    refuse(stage, outcome.problem);
  } else if (outcome.is === "in force") {
    counters.add("content_updates");
    log.info("ending content update - new content is in force", { version: String(outcome.version) });
  } else if (outcome.is === "not tried") log.info("ending content update - the rule engine does not answer yet");
  else log.info("ending content update - no new content available");
}

function refuse({ log, health }: Stage, { code, message }: ContentProblem): void {
  health.raise("CONTENT_REFUSED", `${code}: ${message}`);
  log.error("ending content update - the content is refused", { code, resp: message });
}

/** What the rule engine says of a bundle; undefined where it does not answer. */
async function tryOut({ bus, log }: Stage, { folder }: Bundle): Promise<string | undefined> {
  const request = toBinary(TryContentRequestSchema, create(TryContentRequestSchema, { folder }));
  try {
    const { data } = await bus.connection.request(ASK_CONTENT_SUBJECT, request, { timeout: CONTENT_TRY_MS_MAX });
    return fromBinary(TryContentResponseSchema, data).problem;
  } catch (error) {
    log.debug("the rule engine does not answer", { error: error as Error });
    return undefined;
  }
}

/** Resolves when it is on CONTENT. */
async function enforce({ bus, facts, health, instance }: Stage, { folder, etag, manifest }: Bundle): Promise<void> {
  const { version, channel } = manifest;
  const bytes = toBinary(ContentInForceSchema, create(ContentInForceSchema, { version, folder, etag, channel }));
  await bus.publish("CONTENT", SUBJECT, bytes, `${instance}:${etag}`);
  facts.set("content_bundle", String(version));
  health.resolve("CONTENT_REFUSED");
}
