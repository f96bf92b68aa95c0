// The host's server as a leaf node of a site's own NATS cluster: events go out, nothing comes in.
import { streams } from "@nightjar/stage";
import { HOST_ACCOUNT } from "./account.ts";
import { quote } from "./quote.ts";

export interface LeafNode {
  /** Empty is off. */
  url: string;
  credentials: string;
  ca: string;
}

/** The account that is joined with the site's: it has nothing but what it imports. */
const SITE_ACCOUNT = "SITE";
/** What a site may subscribe to: what happened, as the sensor tells it. */
const GOES_OUT = ["RAW", "EVENTS", "FACTS", "DETECTIONS", "INVENTORY"];

const subjectsOut = (): string[] =>
  streams.filter(({ name }) => GOES_OUT.includes(name)).flatMap(({ subjects }) => subjects);

/** What the host's account gives away: messages, in one direction. */
export function renderExports({ url }: LeafNode): string[] {
  if (url === "") return [];
  return [
    `    exports: [${subjectsOut()
      .map((subject) => `{ stream: ${quote(subject)} }`)
      .join(", ")}]`,
  ];
}

/**
 * The account that takes it. Between accounts only what is exported and imported passes, and a stream passes one way:
 * neither what the site says nor what it acknowledges reaches the host's. A remote's `deny_imports` would be the same
 * by its name; in 2.15 it keeps messages from going out, too.
 */
export function renderSite({ url }: LeafNode): string[] {
  if (url === "") return [];
  const imports = subjectsOut().map(
    (subject) => `{ stream: { account: ${HOST_ACCOUNT}, subject: ${quote(subject)} } }`,
  );
  return [`  ${SITE_ACCOUNT}: {`, `    imports: [${imports.join(", ")}]`, "  }"];
}

/** Where the site's account leads to. */
export function renderRemote({ url, credentials, ca }: LeafNode): string[] {
  if (url === "") return [];
  return [
    "leafnodes {",
    "  remotes: [ {",
    `    url: ${quote(url)}`,
    `    account: ${SITE_ACCOUNT}`,
    ...(credentials === "" ? [] : [`    credentials: ${quote(credentials)}`]),
    ...(ca === "" ? [] : [`    tls { ca_file: ${quote(ca)} }`]),
    "  } ]",
    "}",
  ];
}
