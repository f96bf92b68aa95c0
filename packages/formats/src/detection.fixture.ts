// Detections as the rule engine makes them, for tests of what becomes of them.
import { create } from "@bufbuild/protobuf";
import { Call, type Detection, DetectionSchema, HostSchema, Priority } from "@nightjar/proto";
import type { Origin } from "./format.ts";

const encode = (text: string) => new TextEncoder().encode(text);
const BOOT = "0123456789abcdef0123456789abcdef";

export function sampleOrigin(): Origin {
  return {
    host: create(HostSchema, {
      name: "crab",
      distribution: "Debian GNU/Linux 12 (bookworm)",
      kernelRelease: "6.1.0-18-amd64",
      architecture: "x86_64",
      bootId: BOOT,
      machineId: "fedcba9876543210fedcba9876543210",
    }),
    sensorId: "sensor-1",
    sensorVersion: "0.1.0",
  };
}

/** A shell in a pod reads a file, which repeats; 2.5 s after the shell started. */
export function readInPod(): Detection {
  return create(DetectionSchema, {
    id: "00112233445566778899aabbccddeeff",
    revision: 3,
    rule: "Read sensitive file untrusted",
    priority: Priority.WARNING,
    output: "/etc/shadow was read by cat",
    time: { seconds: 1_767_323_045n, nanos: 6_000_001 },
    tags: ["mitre_credential_access", "T1003.008"],
    techniques: ["T1003.008"],
    tactics: ["Credential Access"],
    rulePlace: "rules.yaml:7",
    eventId: `${BOOT}:4711:0`,
    contentVersion: "c0ffee",
    event: {
      pid: 20,
      timeNs: 7_500_000_000n,
      startTimeNs: 5_000_000_000n,
      call: Call.OPENAT,
      data: { case: "open", value: { path: encode("/etc/shadow") } },
    },
    processes: [
      {
        pid: 20,
        startTimeNs: 5_000_000_000n,
        userName: "root",
        groupName: "root",
        image: {
          executable: encode("/usr/bin/cat"),
          args: ["cat", "/etc/shadow"].map(encode),
          workingDirectory: encode("/"),
        },
        container: 1,
        executable: 1,
      },
      { pid: 10, startTimeNs: 1_000_000_000n, name: encode("bash"), uid: 1000, userName: "eve", container: 1 },
    ],
    containers: [
      {
        id: "ab12ab12ab12",
        fullId: "ab12".repeat(16),
        name: "web",
        runtime: "containerd",
        image: "example.org/shop:2.3",
        imageRepository: "example.org/shop",
        imageTag: "2.3",
        imageDigest: `sha256:${"ab".repeat(32)}`,
        labels: { app: "shop" },
        privileged: false,
        pod: { name: "shop-1", namespace: "store", uid: "pod-uid", ips: ["10.244.3.17"], owners: [{ kind: "Job" }] },
      },
    ],
    executables: [{ sha256: new Uint8Array(32).fill(0xcd) }],
    fields: { "fd.name": "/etc/shadow", "proc.pid": "20", "evt.failed": "false", "proc.name": "7" },
    count: 3n,
    lastTime: { seconds: 1_767_323_050n, nanos: 0 },
  });
}

/** A program on the host itself connects to a peer; once. */
export function connectOnHost(): Detection {
  return create(DetectionSchema, {
    id: "ffeeddccbbaa99887766554433221100",
    revision: 1,
    rule: "Outbound connection",
    priority: Priority.CRITICAL,
    output: "nc connected",
    time: { seconds: 1_767_323_045n },
    tactics: ["Stealth"],
    techniques: ["T1095"],
    eventId: `${BOOT}:4711:400`,
    event: {
      pid: 30,
      timeNs: 9_000_000_000n,
      data: {
        case: "connect",
        value: {
          local: { address: Uint8Array.of(192, 0, 2, 7), port: 40_000 },
          remote: { address: new Uint8Array(16).fill(1, 15), port: 4444 },
        },
      },
    },
    processes: [{ pid: 30, startTimeNs: 8_000_000_000n, image: { executable: encode("/usr/bin/nc") } }],
    count: 1n,
  });
}

/** What a correlation makes of nothing known: the least a detection can be. */
export function bareDetection(): Detection {
  return create(DetectionSchema, { id: "0".repeat(32), rule: "Bare", output: "nothing is known" });
}
