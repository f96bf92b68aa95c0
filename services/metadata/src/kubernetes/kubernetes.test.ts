// Tests pods against a stand-in API server that lists, watches, forgets, restarts and refuses as the real one does.
import "reflect-metadata";
import { webcrypto } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { create } from "@bufbuild/protobuf";
import { ContainerSchema, type Pod, PodOrigin } from "@nightjar/proto";
import { resolveSettings, type Settings } from "@nightjar/stage";
import {
  containerId,
  kubeconfigFor,
  NODE,
  ownerOf,
  podOf,
  StandInApiServer,
  temporaryFolder,
  uidOf,
  waitFor,
} from "@nightjar/test-support";
import test, { type ExecutionContext } from "ava";
import type { PodAnswer } from "../pods.ts";
// Loaded before the first test waits for anything: hundreds of files take their time on a busy machine.
import "./credentials.ts";
import { findPlace } from "./connect.ts";
import { Kubernetes } from "./kubernetes.ts";

const SERVICE_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount";
const QUICK = { baseMs: 5, maxMs: 20 };

interface Running {
  kubernetes: Kubernetes;
  /** Codes of health issues that are open, with their messages. */
  issues: Map<string, string>;
  /** Containers that were said to have changed. */
  changed: Set<string>;
  pod: (seed: number) => Promise<Pod | undefined>;
  answer: (id: string, uid?: string) => Promise<PodAnswer>;
}

interface Options {
  settings?: Partial<Settings["metadata"]>;
  random?: () => number;
}

/** The settings of a sensor whose credentials are a kubeconfig for the stand-in. */
function settingsFor(
  t: ExecutionContext,
  server: StandInApiServer,
  changes: Options["settings"],
): Settings["metadata"] {
  const file = join(temporaryFolder(t), "kubeconfig");
  writeFileSync(file, kubeconfigFor(server));
  return {
    ...resolveSettings({ env: {} }).values.metadata,
    kubernetes_config_file: file,
    kubernetes_node: NODE,
    kubernetes_first_list_delay_s: 0,
    ...changes,
  };
}

function run(
  t: ExecutionContext,
  server: StandInApiServer,
  { settings: changes, random }: Options = {},
  root = "",
): Running {
  const settings = settingsFor(t, server, changes);
  const place = findPlace(settings, process.env, root);
  if (!place) throw new Error("there is no Kubernetes");
  const issues = new Map<string, string>();
  const changed = new Set<string>();
  const kubernetes = new Kubernetes({
    place,
    settings,
    changed: (ids) => {
      for (const id of ids) changed.add(id);
    },
    health: {
      raise: (code, message) => issues.set(code, message),
      resolve: (code) => issues.delete(code),
    },
    retry: QUICK,
    ...(random && { random }),
  });
  const stopping = new AbortController();
  const ended = kubernetes.run(stopping.signal);
  t.teardown(async () => {
    stopping.abort();
    await ended;
    await server.stop();
  });
  const answer = (id: string, podUid = "") =>
    kubernetes.find({ id, runtime: "", podUid, pid: 0 }, create(ContainerSchema));
  const pod = async (seed: number) => {
    const found = await answer(containerId(seed));
    return found.is === "pod" ? found.pod : undefined;
  };
  return { kubernetes, issues, changed, pod, answer };
}

async function serverWith(...seeds: number[]): Promise<StandInApiServer> {
  const server = new StandInApiServer();
  for (const seed of seeds) server.put(podOf(seed));
  await server.start();
  return server;
}

test("a pod is found by its container, with the Deployment behind its ReplicaSet and its namespace", async (t) => {
  const server = await serverWith(1);
  const deployment = { apiVersion: "apps/v1", kind: "Deployment", name: "shop-front", uid: "d-uid" };
  const path = "/apis/apps/v1/namespaces/store";
  server.objects.set(
    `${path}/replicasets/shop-7d4b9c6f5d`,
    ownerOf("ReplicaSet", "shop-7d4b9c6f5d", "rs-uid", deployment),
  );
  server.objects.set(`${path}/deployments/shop-front`, ownerOf("Deployment", "shop-front", "d-uid"));
  server.objects.set("/api/v1/namespaces/store", {
    metadata: { name: "store", uid: "ns-uid", labels: { team: "shop" } },
  });
  const { pod, changed } = run(t, server);
  const whole = await waitFor(
    async () => {
      const found = await pod(1);
      return found?.owners[1]?.labels.tier === "Deployment" && found.namespaceUid === "ns-uid" && found;
    },
    { what: "the pod is whole" },
  );
  t.deepEqual(
    whole.owners.map(({ kind, name, labels }) => [kind, name, labels.tier]),
    [
      ["ReplicaSet", "shop-7d4b9c6f5d", "ReplicaSet"],
      ["Deployment", "shop-front", "Deployment"],
    ],
  );
  t.deepEqual(whole.namespaceLabels, { team: "shop" });
  t.is(whole.origin, PodOrigin.API_SERVER);
  t.true(changed.has(containerId(1)));
  t.is(server.asked[0]?.query.fieldSelector, `spec.nodeName=${NODE}`);
});

test("owners that may not be read are told by name, and asked for once", async (t) => {
  const server = await serverWith(1, 2, 3);
  for (const what of ["replicasets/shop-7d4b9c6f5d", "deployments/shop"])
    server.forbidden.add(`/apis/apps/v1/namespaces/store/${what}`);
  const { pod, kubernetes } = run(t, server);
  await waitFor(() => kubernetes.counts.owners_refused >= 2, { what: "the refusals have come" });
  t.deepEqual(
    (await pod(3))?.owners.map(({ kind, name }) => `${kind} ${name}`),
    ["ReplicaSet shop-7d4b9c6f5d", "Deployment shop"],
  );
  t.is(server.asked.filter(({ path }) => path.includes("replicasets")).length, 1);
});

test("what changes comes over the watch: new pods, other labels, ends; other nodes' pods do not", async (t) => {
  const server = await serverWith(1);
  const { pod, changed, kubernetes } = run(t, server);
  await waitFor(() => server.watchers === 1, { what: "it watches" });
  server.put(podOf(2));
  server.put(podOf(9, { node: "node-8" }));
  server.put(podOf(1, { labels: { app: "other" } }));
  await waitFor(async () => (await pod(1))?.labels.app === "other", { what: "the change has come" });
  t.is((await pod(2))?.name, "shop-7d4b9c6f5d-00002");
  t.is(await pod(9), undefined);
  t.deepEqual([...changed].sort(), [containerId(1), containerId(2)]);
  server.remove(uidOf(2));
  await waitFor(() => kubernetes.counts.pods === 1, { what: "the pod is gone" });
  t.truthy(await pod(2), "its last events are still on the way");
});

test("a container that is met before its pod is told once the pod is known", async (t) => {
  const server = await serverWith(1);
  const { answer, changed } = run(t, server);
  await waitFor(() => server.watchers === 1, { what: "it watches" });
  const early = await answer(containerId(5), uidOf(5));
  t.regex(early.is === "missing" ? early.why : "", /has told of no pod 3e41dc6b-/);
  t.deepEqual(await answer(containerId(6)), { is: "none" });
  // The kubelet reports a container's id a while after it has started.
  server.put(podOf(5, { status: { phase: "Pending", containerStatuses: [] } }));
  await waitFor(() => changed.has(containerId(5)), { what: "the container is said to have changed" });
  const found = await answer(containerId(5), uidOf(5));
  t.is(found.is === "pod" && found.pod.uid, uidOf(5));
});

test("a watch that the server ends is resumed where it was, bookmarks counted", async (t) => {
  const server = await serverWith(1);
  const { kubernetes, pod } = run(t, server);
  await waitFor(() => server.watchers === 1, { what: "it watches" });
  server.advance(500);
  server.bookmark();
  await waitFor(() => kubernetes.counts.pod_watches === 1 && kubernetes.counts.pod_watch_bookmarks === 1, {
    what: "the bookmark is read",
  });
  // Without the bookmark's version the next watch would be refused.
  server.compact();
  server.endWatches();
  await waitFor(() => server.watchers === 1 && kubernetes.counts.pod_watches === 2, { what: "it watches again" });
  server.put(podOf(2));
  await waitFor(() => pod(2), { what: "the new pod has come" });
  t.is(kubernetes.counts.pod_lists, 1);
  t.is(kubernetes.counts.pod_watches_expired, 0);
  t.is(server.asked.findLast(({ query }) => query.watch)?.query.allowWatchBookmarks, "true");
});

for (const expiry of ["status", "event"] as const) {
  test(`after 410 as ${expiry === "status" ? "the answer's status" : "an ERROR event"} all is listed`, async (t) => {
    const server = await serverWith(1, 2);
    server.expiry = expiry;
    const { kubernetes, pod, issues } = run(t, server);
    await waitFor(() => server.watchers === 1, { what: "it watches" });
    await server.stop();
    server.remove(uidOf(1));
    server.put(podOf(3));
    server.compact();
    await server.start();
    await waitFor(() => pod(3), { what: "the pod made meanwhile is known" });
    await waitFor(() => kubernetes.counts.pods === 2, { what: "the pod that ended meanwhile is gone" });
    t.is(kubernetes.counts.pod_watches_expired, 1);
    t.is(kubernetes.counts.pod_lists, 2);
    // What the server has in memory may be older than what was seen.
    const lists = server.asked.filter(({ path, query }) => path.endsWith("/pods") && !query.watch);
    t.deepEqual(
      lists.map(({ query }) => query.resourceVersion),
      ["0", undefined],
    );
    await waitFor(() => issues.size === 0, { what: "the health issue is resolved" });
  });
}

test("a server that was set back to an older copy of its store is listed anew", async (t) => {
  const server = await serverWith(1, 2);
  const { kubernetes, pod } = run(t, server);
  await waitFor(() => server.watchers === 1, { what: "it watches" });
  await server.stop();
  server.restore(500);
  server.remove(uidOf(2));
  server.put(podOf(3));
  await server.start();
  t.truthy(await waitFor(() => pod(3), { what: "the pod of the older copy is known" }));
  t.is(kubernetes.counts.pods, 2);
});

test("a list comes in pages", async (t) => {
  const server = new StandInApiServer();
  server.ignoresLimitAtZero = false;
  for (let seed = 1; seed <= 600; seed++) server.put(podOf(seed));
  await server.start();
  const { kubernetes, pod } = run(t, server);
  await waitFor(() => server.watchers === 1, { what: "it watches" });
  t.is(kubernetes.counts.pods, 600);
  t.truthy(await pod(600));
  t.is(server.asked.filter(({ query }) => query.limit).length, 3);
  t.is(kubernetes.counts.pod_lists, 1);
  t.is(kubernetes.counts.pod_watches_expired, 0);
});

test("a list whose pages are no longer remembered begins anew", async (t) => {
  const server = new StandInApiServer();
  server.ignoresLimitAtZero = false;
  for (let seed = 1; seed <= 300; seed++) server.put(podOf(seed));
  server.compactsAfterPage = true;
  await server.start();
  const { kubernetes } = run(t, server);
  await waitFor(() => server.watchers === 1, { what: "it watches" });
  t.is(kubernetes.counts.pods, 301, "with the pod that came meanwhile");
  t.is(kubernetes.counts.pod_watches_expired, 1);
});

test("while the server is down what was known is answered, and an issue says what is missing", async (t) => {
  const server = await serverWith(1);
  const { pod, answer, issues, kubernetes } = run(t, server);
  await waitFor(() => server.watchers === 1, { what: "it watches" });
  await server.stop();
  const issue = await waitFor(() => issues.get("KUBERNETES_UNREACHABLE"), { what: "the issue is there" });
  t.regex(
    issue,
    /the API server of .* does not answer as it should: .*ECONNREFUSED.* What changed since then is missing/,
  );
  t.truthy(await pod(1));
  const unknown = await answer(containerId(7), uidOf(7));
  t.regex(unknown.is === "missing" ? unknown.why : "", /ECONNREFUSED/);
  const failures = () => kubernetes.counts.kubernetes_failures;
  const before = failures();
  await waitFor(() => failures() > before + 3, { what: "it goes on trying" });
  server.put(podOf(7));
  await server.start();
  await waitFor(() => !issues.has("KUBERNETES_UNREACHABLE"), { what: "the issue is resolved" });
  await waitFor(() => pod(7), { what: "the pod made meanwhile is known" });
  t.is(kubernetes.counts.pod_lists, 1, "nothing was forgotten, so nothing is listed anew");
});

test("500 pods with their owners are known, and stay known while the server is down", async (t) => {
  const seeds = Array.from({ length: 500 }, (_, seed) => seed + 1);
  const server = new StandInApiServer();
  const path = "/apis/apps/v1/namespaces/store";
  for (const seed of seeds) {
    const name = `app-${seed % 100}`;
    const [set, deployment] = ["ReplicaSet", "Deployment"].map((kind) => ({ apiVersion: "apps/v1", kind, name }));
    server.put(podOf(seed, { owner: { ...set, uid: `set-${name}` } as never }));
    const above = { ...deployment, uid: `deployment-${name}` } as never;
    server.objects.set(`${path}/replicasets/${name}`, ownerOf("ReplicaSet", name, `set-${name}`, above));
    server.objects.set(`${path}/deployments/${name}`, ownerOf("Deployment", name, `deployment-${name}`));
  }
  await server.start();
  const before = process.cpuUsage();
  const { pod, issues, kubernetes } = run(t, server);
  const whole = async () => {
    const pods = await Promise.all(seeds.map(pod));
    return pods.every((one) => one?.owners[1]?.labels.tier === "Deployment");
  };
  await waitFor(whole, { what: "each has its Deployment", timeoutMs: 60_000 });
  const { user, system } = process.cpuUsage(before);
  t.log(`${Math.round((user + system) / 1_000)} ms of CPU, the stand-in's included`);
  t.is(kubernetes.counts.pods, 500);
  await server.stop();
  await waitFor(() => issues.has("KUBERNETES_UNREACHABLE"), { what: "the issue is there" });
  t.true(await whole());
});

test("a sensor that may not list pods says so, and needs no restart once it may", async (t) => {
  const server = await serverWith(1);
  server.forbidden.add("/api/v1/pods");
  const { pod, issues, answer } = run(t, server);
  const issue = await waitFor(() => issues.get("KUBERNETES_REFUSED"), { what: "the issue is there" });
  t.regex(issue, /does not let the sensor list pods: .*403.*All that only Kubernetes knows/);
  t.is((await answer(containerId(1), uidOf(1))).is, "missing");
  server.forbidden.clear();
  await waitFor(() => pod(1), { what: "the pod is known" });
  t.is(issues.size, 0);
});

for (const [what, text] of [
  ["that is not there", undefined],
  ["that is no YAML", "{: ["],
  ["of another kind", "- 7"],
  ["without a cluster", "{}"],
] as const) {
  test(`a kubeconfig ${what} is a health issue until it is mended`, async (t) => {
    const server = await serverWith(1);
    const file = join(temporaryFolder(t), "kubeconfig");
    if (text !== undefined) writeFileSync(file, text);
    const { issues, pod } = run(t, server, { settings: { kubernetes_config_file: file } });
    t.regex(
      await waitFor(() => issues.get("KUBERNETES_UNREACHABLE"), { what: "the issue is there" }),
      /the API server of .*kubeconfig does not answer as it should: /,
    );
    writeFileSync(file, kubeconfigFor(server));
    await waitFor(() => pod(1), { what: "the pod is known" });
    t.is(issues.size, 0);
  });
}

test("a line that is no JSON is not passed over: all is listed anew", async (t) => {
  const server = await serverWith(1);
  const { kubernetes } = run(t, server);
  await waitFor(() => server.watchers === 1, { what: "it watches" });
  server.garble('{"type":"ADDED","object":{"meta\n');
  await waitFor(() => kubernetes.counts.pod_lists === 2 && server.watchers === 1, { what: "it lists and watches" });
  t.is(kubernetes.counts.kubernetes_failures, 1);
});

test("a node of no pods is told", async (t) => {
  const server = await serverWith(1);
  const { issues } = run(t, server, { settings: { kubernetes_node: "another" } });
  t.regex(
    await waitFor(() => issues.get("KUBERNETES_NO_PODS"), { what: "the issue is there" }),
    /no pod on the node "another"/,
  );
});

test("the first list waits for a random part of the delay", async (t) => {
  const server = await serverWith(1);
  // Half of an hour: the test would never see it.
  const { answer } = run(t, server, { settings: { kubernetes_first_list_delay_s: 3_600 }, random: () => 0.5 });
  const early = await answer(containerId(1), uidOf(1));
  t.is(early.is === "missing" ? early.why : "", "the list of pods is not there yet");
  const { pod } = run(t, server, { settings: { kubernetes_first_list_delay_s: 3_600 }, random: () => 0 });
  await waitFor(() => pod(1), { what: "who draws nothing asks at once" });
  t.is(server.asked.filter(({ query }) => query.fieldSelector && !query.watch).length, 1);
});

test("the kubelet is asked again and again, and soon when a pod is not known", async (t) => {
  const server = await serverWith(1);
  const settings = { kubernetes: "kubelet", kubelet_url: server.url, kubelet_interval_s: 3_600 } as const;
  server.token = "";
  const { pod, answer, kubernetes } = run(t, server, { settings });
  const found = await waitFor(() => pod(1), { what: "the pod is known" });
  t.is(found.origin, PodOrigin.KUBELET);
  t.deepEqual(
    found.owners.map(({ name }) => name),
    ["shop-7d4b9c6f5d", "shop"],
  );
  server.remove(uidOf(1));
  server.put(podOf(2));
  t.is((await answer(containerId(2), uidOf(2))).is, "missing");
  await waitFor(() => pod(2), { what: "the new pod is known" });
  t.is(kubernetes.counts.pods, 1);
});

test("in a pod the service account is used, and read again when it is replaced", async (t) => {
  const root = temporaryFolder(t);
  const folder = join(root, SERVICE_ACCOUNT);
  mkdirSync(folder, { recursive: true });
  const tls = await certificate();
  const server = new StandInApiServer(tls);
  server.put(podOf(1));
  await server.start();
  const { port } = new URL(server.url);
  const before = { ...process.env };
  t.teardown(() => {
    process.env = before;
  });
  Object.assign(process.env, { KUBERNETES_SERVICE_HOST: "127.0.0.1", KUBERNETES_SERVICE_PORT: port });
  writeFileSync(join(folder, "token"), "an-old-token");
  writeFileSync(join(folder, "ca.crt"), (await certificate()).cert);
  const { pod, issues } = run(t, server, { settings: { kubernetes_config_file: "" } }, root);
  await waitFor(() => issues.has("KUBERNETES_UNREACHABLE"), { what: "a stranger's certificate is not taken" });
  writeFileSync(join(folder, "ca.crt"), tls.cert);
  await waitFor(() => issues.has("KUBERNETES_REFUSED"), { what: "the old token is not taken" });
  writeFileSync(join(folder, "token"), server.token);
  t.truthy(await waitFor(() => pod(1), { what: "the pod is known" }));
});

test("without Kubernetes there is no place to ask", (t) => {
  const { metadata } = resolveSettings({ env: {} }).values;
  t.is(findPlace(metadata, {}), undefined);
  t.is(findPlace(metadata, { KUBERNETES_SERVICE_HOST: "10.0.0.1" }, temporaryFolder(t)), undefined);
  t.is(findPlace({ ...metadata, kubernetes: "off", kubernetes_config_file: "/x" }, {}), undefined);
  t.is(findPlace({ ...metadata, kubernetes_config_file: "/x" }, {})?.name, "the API server of /x");
});

/** Its own authority, for 127.0.0.1. */
async function certificate(): Promise<{ cert: string; key: string }> {
  const x509 = await import("@peculiar/x509");
  const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const made = await x509.X509CertificateGenerator.createSelfSigned({
    name: "CN=stand-in",
    keys,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.SubjectAlternativeNameExtension([{ type: "ip", value: "127.0.0.1" }]),
    ],
  });
  const key = await webcrypto.subtle.exportKey("pkcs8", keys.privateKey);
  return { cert: made.toString("pem"), key: x509.PemConverter.encode(key, "PRIVATE KEY") };
}
