// A stand-in for the API server that speaks list and watch as documented, and fails in the ways the real one does.
import { once } from "node:events";
import { createServer as createHttp, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createHttps } from "node:https";
import type { AddressInfo, Socket } from "node:net";

interface Object_ {
  metadata: { name: string; namespace: string; uid: string; resourceVersion?: string };
  spec: { nodeName?: string };
}

interface Change {
  type: "ADDED" | "MODIFIED" | "DELETED";
  version: number;
  object: Object_;
}

interface Watcher {
  node: string;
  bookmarks: boolean;
  response: ServerResponse;
}

/** A kubeconfig, as text, of somebody whom this server knows; its certificate is not checked. */
export function kubeconfigFor({ url, token }: StandInApiServer): string {
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    "current-context": "here",
    clusters: [{ name: "here", cluster: { server: url, "insecure-skip-tls-verify": true } }],
    users: [{ name: "sensor", user: { token } }],
    contexts: [{ name: "here", context: { cluster: "here", user: "sensor" } }],
  });
}

/** How a version that is no longer remembered is told to a watch; real servers do either. */
type Expiry = "status" | "event";

export interface Asked {
  path: string;
  query: Readonly<Record<string, string>>;
}

const PODS = "/api/v1/pods";
/** Where a kubelet tells its pods. */
const KUBELET_PODS = "/pods";

export class StandInApiServer {
  /** Every request that passed the check of its token. */
  readonly asked: Asked[] = [];
  /** Owners and namespaces by path. */
  readonly objects = new Map<string, unknown>();
  /** Paths that are refused with 403. */
  readonly forbidden = new Set<string>();
  token = "a-token";
  expiry: Expiry = "status";
  /** Whether the server gives all at once where it may answer from its memory, as it does with its watch cache. */
  ignoresLimitAtZero = true;
  /** After the next page of a list a pod is made, and what was before is forgotten. */
  compactsAfterPage = false;
  readonly #tls: { cert: string; key: string } | undefined;
  readonly #pods = new Map<string, Object_>();
  readonly #history: Change[] = [];
  readonly #watchers = new Set<Watcher>();
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;
  #port = 0;
  #version = 1_000;
  #oldest = 1_000;

  constructor(tls?: { cert: string; key: string }) {
    this.#tls = tls;
  }

  get url(): string {
    return `${this.#tls ? "https" : "http"}://127.0.0.1:${this.#port}`;
  }

  get watchers(): number {
    return this.#watchers.size;
  }

  /** Listens, after a stop on the same port again. */
  async start(): Promise<void> {
    const answer = (request: IncomingMessage, response: ServerResponse) => this.#answer(request, response);
    const server = this.#tls ? createHttps(this.#tls, answer) : createHttp(answer);
    server.on("connection", (socket) => {
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
    });
    server.listen(this.#port, "127.0.0.1");
    await once(server, "listening");
    this.#port = (server.address() as AddressInfo).port;
    this.#server = server;
  }

  /** Breaks every connection; what it stores stays. */
  async stop(): Promise<void> {
    const server = this.#server;
    if (!server) return;
    this.#server = undefined;
    const closed = once(server, "close");
    server.close();
    for (const socket of this.#sockets) socket.destroy();
    this.#watchers.clear();
    await closed;
  }

  put(pod: Object_): void {
    const type = this.#pods.has(pod.metadata.uid) ? "MODIFIED" : "ADDED";
    const object = this.#stamped(pod);
    this.#pods.set(pod.metadata.uid, object);
    this.#happened({ type, version: this.#version, object });
  }

  remove(uid: string): void {
    const pod = this.#pods.get(uid);
    if (!pod) return;
    this.#pods.delete(uid);
    this.#happened({ type: "DELETED", object: this.#stamped(pod), version: this.#version });
  }

  /** Time passes elsewhere in the cluster: versions go on without a change of these pods. */
  advance(versions: number): void {
    this.#version += versions;
  }

  /** Forgets everything that happened up to now. */
  compact(): void {
    this.#oldest = this.#version;
    this.#history.length = 0;
  }

  /** Puts back an older copy of the store, as after a disaster: versions begin again below those that were told. */
  restore(versions: number): void {
    this.#version -= versions;
    this.#oldest = this.#version;
    this.#history.length = 0;
  }

  bookmark(): void {
    const object = { kind: "Pod", apiVersion: "v1", metadata: { resourceVersion: `${this.#version}` } };
    for (const { bookmarks, response } of this.#watchers) if (bookmarks) write(response, "BOOKMARK", object);
  }

  /** Ends every watch as the server does after timeoutSeconds. */
  endWatches(): void {
    for (const { response } of this.#watchers) response.end();
    this.#watchers.clear();
  }

  /** Something into every watch that is no event. */
  garble(text: string): void {
    for (const { response } of this.#watchers) response.write(text);
  }

  #stamped(pod: Object_): Object_ {
    this.#version++;
    return { ...pod, metadata: { ...pod.metadata, resourceVersion: `${this.#version}` } };
  }

  #happened(change: Change): void {
    this.#history.push(change);
    for (const watcher of this.#watchers) tell(watcher, change);
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const { pathname: path, searchParams } = new URL(request.url ?? "/", this.url);
    const query = Object.fromEntries(searchParams);
    if (this.token && request.headers.authorization !== `Bearer ${this.token}`) {
      refuse(response, 401, "Unauthorized");
      return;
    }
    this.asked.push({ path, query });
    if (Number(query.resourceVersion ?? 0) > this.#version) {
      refuse(response, 504, `Timeout: Too large resource version: ${query.resourceVersion}`);
      return;
    }
    const object = this.objects.get(path);
    if (this.forbidden.has(path)) refuse(response, 403, `${path} is forbidden`);
    else if (path === PODS && query.watch === "true") this.#watch(query, response);
    else if (path === PODS) this.#list(query, response);
    else if (path === KUBELET_PODS) reply(response, 200, { kind: "PodList", items: [...this.#pods.values()] });
    else if (object) reply(response, 200, object);
    else refuse(response, 404, `${path} not found`);
  }

  #list(query: Asked["query"], response: ServerResponse): void {
    const pods = [...this.#pods.values()].filter(({ spec }) => isOn(nodeOf(query), spec.nodeName));
    const [version = this.#version, from = 0] = (query.continue ?? "")
      .split(":")
      .flatMap((text) => (text ? Number(text) : []));
    if (version < this.#oldest) {
      refuse(response, 410, "The provided continue parameter is too old");
      return;
    }
    const whole = query.limit === undefined || (this.ignoresLimitAtZero && query.resourceVersion === "0");
    const to = whole ? pods.length : from + Number(query.limit);
    const more = to < pods.length ? { continue: `${version}:${to}`, remainingItemCount: pods.length - to } : {};
    const metadata = { resourceVersion: `${version}`, ...more };
    reply(response, 200, { kind: "PodList", apiVersion: "v1", metadata, items: pods.slice(from, to) });
    if (!this.compactsAfterPage) return;
    this.compactsAfterPage = false;
    this.put({ ...(pods[0] as Object_), metadata: { ...(pods[0] as Object_).metadata, uid: "made-meanwhile" } });
    this.compact();
  }

  #watch(query: Asked["query"], response: ServerResponse): void {
    const from = Number(query.resourceVersion);
    const expired = from < this.#oldest;
    if (expired && this.expiry === "status") {
      refuse(response, 410, "too old resource version");
      return;
    }
    response.writeHead(200, { "content-type": "application/json" });
    response.flushHeaders();
    if (expired) {
      write(response, "ERROR", statusOf(410, "too old resource version"));
      response.end();
      return;
    }
    const watcher = { node: nodeOf(query), bookmarks: query.allowWatchBookmarks === "true", response };
    for (const change of this.#history) if (change.version > from) tell(watcher, change);
    this.#watchers.add(watcher);
    response.on("close", () => this.#watchers.delete(watcher));
  }
}

function nodeOf(query: Asked["query"]): string {
  return /^spec\.nodeName=(.+)$/.exec(query.fieldSelector ?? "")?.[1] ?? "";
}

function isOn(node: string, nodeName: string | undefined): boolean {
  return node === "" || nodeName === node;
}

function tell({ node, response }: Watcher, { type, object }: Change): void {
  if (isOn(node, object.spec.nodeName)) write(response, type, object);
}

function write(response: ServerResponse, type: string, object: unknown): void {
  response.write(`${JSON.stringify({ type, object })}\n`);
}

function reply(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
}

function refuse(response: ServerResponse, code: number, message: string): void {
  reply(response, code, statusOf(code, message));
}

function statusOf(code: number, message: string) {
  return { kind: "Status", apiVersion: "v1", metadata: {}, status: "Failure", message, code };
}
