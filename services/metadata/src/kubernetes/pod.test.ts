// Tests what is read of pods: each form the API has for a thing, and anything at all in its place.
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { PodContainerKind, PodOrigin, PodSchema } from "@nightjar/proto";
import { containerId, NODE, podOf, uidOf } from "@nightjar/test-support";
import test from "ava";
import fc from "fast-check";
import { LABELS_MAX } from "./labels.ts";
import { readPod } from "./pod.ts";
import { containerOf } from "./pod-container.ts";

const read = (object: unknown) => readPod(object, PodOrigin.API_SERVER);

test("a pod of a Deployment", (t) => {
  const reading = read(podOf(1));
  const pod = reading?.pod;
  t.is(pod?.namespace, "store");
  t.is(pod?.uid, uidOf(1));
  t.deepEqual(pod?.labels, { app: "shop", "pod-template-hash": "7d4b9c6f5d" });
  t.deepEqual(pod?.ips, ["10.244.3.17", "2001:db8::17"]);
  t.is(pod?.node, NODE);
  t.is(pod?.serviceAccount, "shop");
  t.is(pod?.startTimeUnixNs, BigInt(Date.UTC(2026, 2, 4, 5, 6, 8)) * 1_000_000n);
  t.is(pod?.securityContext?.runAsUser, 1000n);
  t.is(pod?.securityContext?.runAsNonRoot, true);
  t.is(pod?.securityContext?.privileged, undefined, "it does not say");
  t.is(pod?.securityContext?.seccompProfile, "RuntimeDefault");
  const [web] = pod?.containers ?? [];
  t.is(web?.id, containerId(1));
  t.is(web?.runtime, "containerd");
  t.is(web?.image, "example.org/shop:2.3");
  t.is(web?.securityContext?.allowPrivilegeEscalation, false);
  t.deepEqual(web?.securityContext?.capabilitiesAdded, ["NET_BIND_SERVICE"]);
  t.deepEqual(web?.securityContext?.capabilitiesDropped, ["ALL"]);
  t.deepEqual(web?.livenessProbe, ["/bin/check", "--live"]);
  t.deepEqual(web?.readinessProbe, [], "one over HTTP runs nothing");
  t.is(reading?.controller?.kind, "ReplicaSet");
});

test("a static pod has the uid of its cgroup, and is found by that of its mirror too", (t) => {
  const hash = "0123456789abcdef0123456789abcdef";
  const annotations = { "kubernetes.io/config.hash": hash, "kubernetes.io/config.mirror": hash };
  const owner = { apiVersion: "v1", kind: "Node", name: NODE, uid: "node-uid" };
  const spec = { hostNetwork: true, priorityClassName: "system-node-critical" };
  const reading = read(podOf(1, { annotations, owner, spec }));
  t.is(reading?.pod.uid, hash);
  t.is(reading?.mirrorUid, uidOf(1));
  t.true(reading?.pod.hostNetwork);
  t.is(reading?.pod.priorityClass, "system-node-critical");
  // The kubelet tells the pod itself, which has no mirror's annotation.
  const own = read(podOf(1, { uid: hash, annotations: { "kubernetes.io/config.hash": hash } }));
  t.is(own?.pod.uid, hash);
  t.is(own?.mirrorUid, undefined);
});

test("containers of all kinds, the one before a restart, and older ways to say a profile", (t) => {
  const container = (name: string, privileged: boolean) => ({ name, image: name, securityContext: { privileged } });
  const status = (name: string, seed: number, before?: number) => ({
    name,
    containerID: `cri-o://${containerId(seed)}`,
    ...(before && { lastState: { terminated: { exitCode: 137, containerID: `cri-o://${containerId(before)}` } } }),
  });
  const reading = read(
    podOf(1, {
      annotations: { "container.apparmor.security.beta.kubernetes.io/main": "localhost/strict" },
      spec: {
        hostPID: true,
        hostIPC: true,
        runtimeClassName: "gvisor",
        containers: [container("main", true)],
        initContainers: [container("setup", false)],
        ephemeralContainers: [container("debugger", false)],
      },
      status: {
        containerStatuses: [status("main", 2, 3)],
        initContainerStatuses: [status("setup", 4)],
        ephemeralContainerStatuses: [status("debugger", 5)],
      },
    }),
  );
  t.deepEqual(
    reading?.pod.containers.map(({ name, kind, id, securityContext }) => [name, kind, id, securityContext?.privileged]),
    [
      ["main", PodContainerKind.REGULAR, containerId(2), true],
      ["setup", PodContainerKind.INIT, containerId(4), false],
      ["debugger", PodContainerKind.EPHEMERAL, containerId(5), false],
    ],
  );
  t.deepEqual(reading?.containerIds, [2, 3, 4, 5].map(containerId));
  t.is(reading?.pod.containers[0]?.securityContext?.apparmorProfile, "Localhost/strict");
  t.is(reading?.pod.runtimeClass, "gvisor");
  t.true(reading?.pod.hostPid && reading.pod.hostIpc);
});

test("a pod that has not started has no address, no time and no containers' ids", (t) => {
  const reading = read({ ...podOf(1), status: { phase: "Pending" } });
  t.deepEqual(reading?.containerIds, []);
  t.is(reading?.pod.startTimeUnixNs, 0n);
  t.deepEqual(reading?.pod.ips, []);
  t.is(reading?.pod.containers[0]?.name, "web");
});

test("a time that no field holds is none", (t) => {
  for (const startTime of ["9999-12-31T23:59:59Z", "1969-07-20T20:17:40Z", "yesterday", 5])
    t.is(read(podOf(1, { status: { startTime } }))?.pod.startTimeUnixNs, 0n);
});

test("more labels than may travel are left out, the others are in order", (t) => {
  const labels = Object.fromEntries(Array.from({ length: LABELS_MAX + 9 }, (_, index) => [`l${1_000 - index}`, "x"]));
  const keys = Object.keys(read(podOf(1, { labels }))?.pod.labels ?? {});
  t.is(keys.length, LABELS_MAX);
  t.deepEqual(keys, keys.toSorted());
});

test("whatever stands where something else should is as if it were not there", (t) => {
  for (const none of [undefined, null, 7, "pod", [], {}, { metadata: [] }, { metadata: { name: "x", uid: 3 } }])
    t.is(read(none), undefined);
  const anything = fc.jsonValue({ maxDepth: 3 });
  const metadata = fc.record({ name: fc.constant("p"), namespace: fc.constant("n"), uid: fc.constant("u") });
  const broken = fc.record({
    metadata: fc.tuple(metadata, fc.dictionary(fc.constantFrom("labels", "annotations", "ownerReferences"), anything)),
    spec: fc.dictionary(fc.constantFrom("containers", "securityContext", "nodeName", "hostPID"), anything),
    status: fc.dictionary(fc.constantFrom("podIPs", "podIP", "startTime", "containerStatuses"), anything),
  });
  fc.assert(
    fc.property(broken, ({ metadata: [fixed, rest], spec, status }) => {
      const reading = read({ metadata: { ...rest, ...fixed }, spec, status });
      if (!reading) return false;
      return fromBinary(PodSchema, toBinary(PodSchema, reading.pod)).name === "p";
    }),
  );
  t.pass();
});

test("a container that no runtime is asked for is told as its pod has it", (t) => {
  const pod = read(podOf(1))?.pod;
  const container = pod && containerOf(pod, containerId(1));
  t.is(container?.name, "web");
  t.is(container?.runtime, "containerd");
  t.is(container?.image, "example.org/shop:2.3");
  t.is(container?.imageRepository, "example.org/shop");
  t.is(container?.imageTag, "2.3");
  t.is(container?.imageDigest, `sha256:${"ab".repeat(32)}`);
  t.is(container?.livenessProbe, "/bin/check --live");
  t.is(container?.ip, "10.244.3.17");
  t.is(container?.privileged, false, "the API's default");
  t.is(pod && containerOf(pod, containerId(2)), undefined);
});
