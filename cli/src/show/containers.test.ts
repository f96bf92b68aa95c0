// Containers from the enricher's answer and the portal's detections, as lines and as JSON.
import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { BatchSchema, type ContainerSchema, StoredDetectionSchema } from "@nightjar/proto";
import test from "ava";
import { containerLine } from "./container.ts";
import { containerJson, containersIn, containerTable, countDetections } from "./containers.ts";

const WEB: MessageInitShape<typeof ContainerSchema> = {
  id: "a".repeat(12),
  fullId: "a".repeat(64),
  name: "web\u001b[2J",
  runtime: "podman",
  image: "docker.io/library/nginx:1.27",
  events: 1200n,
  pod: { name: "web-0", namespace: "shop" },
};
const UNKNOWN = { id: "b".repeat(12), fullId: "b".repeat(64), missing: "no_answer" };

function part(processes: MessageInitShape<typeof BatchSchema>["processes"]): Uint8Array {
  const containers = [WEB, UNKNOWN];
  return toBinary(BatchSchema, create(BatchSchema, { processes: processes ?? [], containers }));
}

const SNAPSHOT = [
  part([
    { pid: 1, startTimeNs: 1n },
    { pid: 20, startTimeNs: 2n, container: 1 },
  ]),
  part([
    { pid: 20, startTimeNs: 2n, container: 1 },
    { pid: 21, startTimeNs: 3n, container: 1 },
    { pid: 30, startTimeNs: 3n, container: 2 },
  ]),
];

test("each container once, with its processes and what was detected in it", (t) => {
  const containers = containersIn(SNAPSHOT);
  countDetections(containers, [
    create(StoredDetectionSchema, {
      detection: { count: 3n, processes: [{ container: 1 }, {}], containers: [{ fullId: "a".repeat(64) }] },
    }),
    create(StoredDetectionSchema, { detection: { processes: [{}] } }),
  ]);
  const [titles, web, unknown] = containerTable(containers);
  t.regex(titles ?? "", /^ID +NAME +RUNTIME +IMAGE +POD +PROCESSES +EVENTS +DETECTIONS$/);
  t.regex(web ?? "", /^a{12} +web\\x1b\[2J +podman +docker.io\/library\/nginx:1.27 +shop\/web-0 +2 +1.?200 +3$/);
  t.regex(unknown ?? "", /^b{12} +- +- +\(no answer\) +- +1 +0 +0$/);
  t.like(containers.map(containerJson)[0], { full_id: "a".repeat(64), processes: 2, events: 1200, detections: 3 });
  t.deepEqual(containerTable([]), []);
});

test("a container in a line says what is known of it", (t) => {
  const [web, unknown] = containersIn(SNAPSHOT).map(({ container }) => containerLine(container));
  t.is(web, `podman container web\\x1b[2J (${"a".repeat(12)}), image docker.io/library/nginx:1.27, pod shop/web-0`);
  t.is(unknown, `container ${"b".repeat(12)}, image not known: no answer`);
});
