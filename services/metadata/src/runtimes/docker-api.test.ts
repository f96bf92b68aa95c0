// Tests the Engine API's client against a server that answers as Docker does, late, or not at all.
import { createServer, type ServerResponse } from "node:http";
import { join } from "node:path";
import { temporaryFolder, waitFor } from "@nightjar/test-support";
import test, { type ExecutionContext } from "ava";
import { DockerApi } from "./docker-api.ts";

const ID = "3c".repeat(32);
const IMAGE = `sha256:${"1d".repeat(32)}`;
const DIGEST = `sha256:${"2e".repeat(32)}`;
const QUERY = { id: ID, runtime: "docker", podUid: "", pid: 0 };

/** As Docker 28 tells of `docker run --name web --cap-add NET_ADMIN --cap-drop CHOWN --pid host -v …:ro nginx:1.27`. */
const INSPECTION = {
  Id: ID,
  Created: "2026-03-01T10:00:00.123456789Z",
  State: { Status: "running", StartedAt: "2026-03-01T10:00:01Z" },
  Image: IMAGE,
  Name: "/web",
  HostConfig: {
    Privileged: false,
    PidMode: "host",
    NetworkMode: "bridge",
    IpcMode: "private",
    CapAdd: ["NET_ADMIN"],
    CapDrop: ["CAP_CHOWN"],
  },
  GraphDriver: { Name: "overlay2", Data: { UpperDir: "/var/lib/docker/overlay2/x/diff" } },
  Mounts: [{ Type: "bind", Source: "/srv", Destination: "/srv", Mode: "ro", RW: false, Propagation: "rprivate" }],
  Config: {
    Image: "nginx:1.27",
    Labels: { "com.docker.compose.project": "shop" },
    Env: ["TOKEN=secret"],
    Healthcheck: { Test: ["CMD-SHELL", "curl -f localhost"] },
  },
  NetworkSettings: { IPAddress: "", Networks: { shop_default: { IPAddress: "172.18.0.2" } } },
};

const ANSWERS: Record<string, unknown> = {
  [`/containers/${ID}/json`]: INSPECTION,
  [`/images/${encodeURIComponent(IMAGE)}/json`]: { RepoTags: ["nginx:1.27"], RepoDigests: [`nginx@${DIGEST}`] },
};

async function serve(t: ExecutionContext, answer: (path: string, response: ServerResponse) => void) {
  const socket = join(temporaryFolder(t), "d.sock");
  const server = createServer((request, response) => answer(request.url ?? "", response));
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return socket;
}

function answerAsDocker(path: string, response: ServerResponse): void {
  const found = ANSWERS[path];
  if (!found) response.statusCode = 404;
  response.end(JSON.stringify(found ?? { message: "No such container" }));
}

const open = (socket: string) => new DockerApi("docker", socket, { environment: false });
const never = () => AbortSignal.timeout(10_000);

test("a container is told with its image", async (t) => {
  const docker = open(await serve(t, answerAsDocker));
  const told = await docker.inspect(QUERY, never());
  t.like(told, {
    name: "web",
    runtime: "docker",
    image: "nginx:1.27",
    imageRepository: "nginx",
    imageTag: "1.27",
    imageDigest: DIGEST,
    imageId: IMAGE,
    labels: { "com.docker.compose.project": "shop" },
    createdTimeNs: 1_772_359_200_123_456_789n,
    startedTimeNs: 1_772_359_201_000_000_000n,
    privileged: false,
    ip: "172.18.0.2",
    hostPid: true,
    hostNetwork: false,
    healthCheck: "curl -f localhost",
    upperFolder: "/var/lib/docker/overlay2/x/diff",
    environment: [],
  });
  t.like(told?.mounts[0], { source: "/srv", destination: "/srv", mode: "ro", writable: false });
  t.true(told?.capabilities.includes("CAP_NET_ADMIN"));
  t.false(told?.capabilities.includes("CAP_CHOWN"));
});

test("a container that it does not have is none", async (t) => {
  t.is(await open(await serve(t, answerAsDocker)).inspect({ ...QUERY, id: "../images" }, never()), undefined);
});

test("an error and a missing socket are told, a silent one is given up", async (t) => {
  const failing = await serve(t, (_, response) => response.writeHead(500).end());
  await t.throwsAsync(open(failing).inspect(QUERY, never()), { message: /answers 500/ });
  await t.throwsAsync(open(join(temporaryFolder(t), "gone.sock")).inspect(QUERY, never()), { message: /ENOENT/ });
  const silent = await serve(t, () => undefined);
  await t.throwsAsync(open(silent).inspect(QUERY, AbortSignal.timeout(50)), { name: "AbortError" });
  const garbage = await serve(t, (_, response) => response.end("{"));
  await t.throwsAsync(open(garbage).inspect(QUERY, never()), { name: "SyntaxError" });
});

test("events tell ids until they end", async (t) => {
  const socket = await serve(t, (path, response) => {
    t.true(decodeURIComponent(path).includes('"type":["container"]'));
    response.write(`${JSON.stringify({ Type: "container", Action: "create", Actor: { ID } })}\nno JSON\n`);
    response.end(`${JSON.stringify({ Type: "container", Action: "start", Actor: { ID: "other" } })}\n`);
  });
  const heard: string[] = [];
  await open(socket).watch((id) => heard.push(id), never());
  t.deepEqual(heard, [ID, "other"]);
  const stop = new AbortController();
  const endless = await serve(t, (_, response) => response.write(`${JSON.stringify({ Actor: { ID } })}\n`));
  const watching = open(endless).watch((id) => heard.push(id), stop.signal);
  await waitFor(() => heard.length === 3, { what: "an event is heard" });
  stop.abort();
  await t.throwsAsync(watching);
});
