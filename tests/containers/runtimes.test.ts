// Asks the stage metadata for containers of a real Podman and a real containerd, over their own sockets; and one that
// does not answer any more.
import { join } from "node:path";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import type { NatsConnection } from "@nats-io/transport-node";
import {
  ChangedSchema,
  ContainerRequestSchema,
  type ContainerResponse,
  ContainerResponseSchema,
  MissingReason,
} from "@nightjar/proto";
import { ASK_CONTAINER_SUBJECT, METADATA_CHANGED_SUBJECT } from "@nightjar/stage";
import { waitFor } from "@nightjar/test-support";
import anyTest, { type ExecutionContext, type TestFn } from "ava";
import { startBus, type TestBus } from "../harness/bus.ts";
import { Containerd, IMAGE, Podman, whyNoContainers } from "./engines.ts";

const reason = whyNoContainers("podman", "conmon", "runc", "containerd", "ctr");
const test = reason ? anyTest.serial.skip : (anyTest.serial as TestFn);
const suffix = reason ? ` (${reason})` : "";
const METADATA = join(import.meta.dirname, "../../services/metadata/src/main.ts");
const TIMEOUT_MS = 120_000;
const ASK_TIMEOUT_MS = 10_000;

async function startMetadata(t: ExecutionContext, places: string): Promise<{ bus: TestBus; asker: NatsConnection }> {
  const bus = await startBus(t);
  const env = { NIGHTJAR_METADATA_USUAL_PLACES: "false", NIGHTJAR_METADATA_PLACES: places };
  const stage = bus.startStage(METADATA, env);
  await stage.line(/"message":"metadata is ready"/, { timeoutMs: TIMEOUT_MS });
  return { bus, asker: await bus.connect("operator") };
}

async function ask(asker: NatsConnection, id: string, runtime: string): Promise<ContainerResponse> {
  const request = toBinary(ContainerRequestSchema, create(ContainerRequestSchema, { id, runtime }));
  const answer = await asker.request(ASK_CONTAINER_SUBJECT, request, { timeout: ASK_TIMEOUT_MS });
  return fromBinary(ContainerResponseSchema, answer.data);
}

test(`Podman tells of its containers, and what it could not tell when it is back${suffix}`, async (t) => {
  t.timeout(3 * TIMEOUT_MS);
  const podman = new Podman(t);
  await podman.ready();
  const { bus, asker } = await startMetadata(t, `podman=${podman.socket}`);
  const options = ["--name", "web", "--label", "team=shop", "--cap-add", "NET_ADMIN", "--volume", "/srv:/data:ro"];
  const id = podman.run("run", "--detach", ...podman.plain, ...options, IMAGE, "sleep", "600");
  const told = await ask(asker, id, "podman");
  t.is(told.missing, MissingReason.UNSPECIFIED, told.explanation);
  t.like(told.container, {
    id: id.slice(0, 12),
    fullId: id,
    name: "web",
    runtime: "podman",
    imageRepository: IMAGE.split(":")[0],
    imageTag: IMAGE.split(":")[1],
    labels: { team: "shop" },
    privileged: false,
    hostNetwork: false,
  });
  t.regex(told.container?.imageDigest ?? "", /^sha256:/);
  t.true(told.container?.capabilities.includes("CAP_NET_ADMIN"));
  t.like(told.container?.mounts[0], { source: "/srv", destination: "/data", writable: false });

  const changed: string[] = [];
  asker.subscribe(METADATA_CHANGED_SUBJECT, {
    callback: (_, { data }) => void changed.push(...fromBinary(ChangedSchema, data).containerIds),
  });
  const later = podman.run("create", ...podman.plain, "--name", "later", IMAGE, "sleep", "600");
  podman.service.signal("SIGSTOP");
  // Which of them Podman's events have told of already is its own affair; this one nobody has.
  const unheard = "e".repeat(64);
  const silent = await ask(asker, unheard, "podman");
  t.is(silent.missing, MissingReason.NO_ANSWER);
  t.regex(silent.explanation, /podman at .*: no answer in 1000 ms/);
  const issues = async () => (await bus.status("metadata"))?.healthIssues.map(({ code }) => code) ?? [];
  await waitFor(async () => (await issues()).includes("CONTAINERS_UNKNOWN"), { what: "it is a health issue" });
  podman.service.signal("SIGCONT");
  await waitFor(() => changed.includes(unheard), {
    what: "it is said that something else is known",
    timeoutMs: TIMEOUT_MS,
  });
  t.is((await ask(asker, unheard, "podman")).missing, MissingReason.NOT_FOUND);
  await waitFor(async () => !(await issues()).includes("CONTAINERS_UNKNOWN"), { what: "the issue is over" });
  t.is((await ask(asker, later, "podman")).container?.name, "later");
});

test(`without Podman's service its files tell${suffix}`, async (t) => {
  t.timeout(3 * TIMEOUT_MS);
  const podman = new Podman(t);
  await podman.ready();
  const id = podman.run("create", ...podman.plain, "--name", "web", IMAGE, "sleep", "600");
  await podman.service.stop();
  const { asker } = await startMetadata(t, `storage=${join(podman.folder, "root")}`);
  const told = await ask(asker, id, "podman");
  t.is(told.missing, MissingReason.UNSPECIFIED, told.explanation);
  t.like(told.container, { name: "web", image: IMAGE, runtime: "podman" });
});

test(`containerd tells of its containers${suffix}`, async (t) => {
  t.timeout(3 * TIMEOUT_MS);
  const podman = new Podman(t);
  const archive = join(podman.folder, "image.tar");
  podman.run("save", "--format", "oci-archive", "--output", archive, IMAGE);
  const containerd = new Containerd(t);
  await containerd.ready(archive);
  const places = `containerd=${containerd.socket},cri=${containerd.socket}`;
  const { asker } = await startMetadata(t, places);
  const options = ["--label", "team=shop", "--mount", "type=bind,src=/srv,dst=/data,options=rbind:ro"];
  containerd.ctr("containers", "create", ...options, IMAGE, "web", "/bin/sleep", "600");
  const told = await ask(asker, "web", "containerd");
  t.is(told.missing, MissingReason.UNSPECIFIED, told.explanation);
  t.like(told.container, { fullId: "web", name: "web", runtime: "containerd", image: IMAGE, privileged: false });
  t.regex(told.container?.imageDigest ?? "", /^sha256:/);
  t.is(told.container?.labels.team, "shop");
  t.like(told.container?.mounts[0], { source: "/srv", destination: "/data", writable: false });
  t.regex(told.container?.upperFolder ?? "", /snapshots/);
  t.is((await ask(asker, "gone", "containerd")).missing, MissingReason.NOT_FOUND);
});
