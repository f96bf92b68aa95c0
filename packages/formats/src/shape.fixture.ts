// The part of OCSF 1.4's schema that findings use: attributes of classes and objects with their types.
// From github.com/ocsf/ocsf-schema, events/findings and objects.

type Scalar = "integer" | "string" | "timestamp" | "boolean" | "any";

const attack = { tactic: "tactic", technique: "technique", sub_technique: "technique" } as const;
const endpoint = { ip: "string", port: "integer" } as const;

/** `!` is required, `[]` a list; a type that is no scalar is another row. */
const shapes = {
  detection_finding: {
    ...{ "activity_id!": "integer", activity_name: "string", "category_uid!": "integer", category_name: "string" },
    ...{ "class_uid!": "integer", class_name: "string", "type_uid!": "integer", type_name: "string" },
    ...{ "time!": "timestamp", start_time: "timestamp", end_time: "timestamp", count: "integer" },
    ...{ "severity_id!": "integer", severity: "string", status_id: "integer", status: "string", is_alert: "boolean" },
    ...{ message: "string", "metadata!": "metadata", "finding_info!": "finding_info", device: "device" },
    ...{ actor: "actor", "evidences[]": "evidence", "resources[]": "resource", unmapped: "any" },
  },
  metadata: {
    "version!": "string",
    "product!": "product",
    uid: "string",
    "profiles[]": "string",
    "labels[]": "string",
  },
  product: { name: "string", "vendor_name!": "string", version: "string", uid: "string" },
  finding_info: {
    ...{ "uid!": "string", title: "string", desc: "string", created_time: "timestamp", first_seen_time: "timestamp" },
    ...{ last_seen_time: "timestamp", analytic: "analytic", "attacks[]": "attack", "data_sources[]": "string" },
  },
  analytic: { name: "string", type: "string", "type_id!": "integer", version: "string" },
  attack,
  tactic: { name: "string", uid: "string" },
  technique: { name: "string", uid: "string" },
  device: { hostname: "string", uid: "string", type: "string", "type_id!": "integer", os: "os" },
  os: { "name!": "string", type: "string", "type_id!": "integer", kernel_release: "string" },
  actor: { process: "process", user: "user" },
  process: {
    ...{ pid: "integer", uid: "string", name: "string", cmd_line: "string", created_time: "timestamp", file: "file" },
    ...{ user: "user", container: "container", parent_process: "process" },
  },
  user: { uid: "string", name: "string" },
  file: { path: "string", "name!": "string", type: "string", "type_id!": "integer", "hashes[]": "fingerprint" },
  fingerprint: { algorithm: "string", "algorithm_id!": "integer", "value!": "string" },
  container: {
    ...{ uid: "string", name: "string", runtime: "string", image: "image", orchestrator: "string", pod_uuid: "string" },
  },
  image: { name: "string", tag: "string", "uid!": "string" },
  evidence: {
    ...{ actor: "actor", container: "container", file: "file", query: "dns_query" },
    ...{ src_endpoint: "endpoint", dst_endpoint: "endpoint" },
  },
  endpoint,
  dns_query: { "hostname!": "string" },
  resource: { type: "string", uid: "string", name: "string", namespace: "string" },
} as const satisfies Record<string, Record<string, string>>;

export type Shape = keyof typeof shapes;

const YEAR_2020_MS = 1_577_836_800_000;

const scalars: Readonly<Record<Scalar, (value: unknown) => boolean>> = {
  integer: Number.isSafeInteger,
  string: (value) => typeof value === "string" && value !== "",
  // Milliseconds: seconds would be before 2020.
  timestamp: (value) => Number.isSafeInteger(value) && ((value as number) > YEAR_2020_MS || value === 0),
  boolean: (value) => typeof value === "boolean",
  any: () => true,
};

/** What the schema says against the object, a line each; `shape` is the name of a class or object. */
export function shapeProblems(shape: string, object: Record<string, unknown>, at: string = shape): string[] {
  const row: Record<string, string> = shapes[shape as Shape];
  const attributes = new Map(
    Object.entries(row).map(([written, type]) => [written.replace(/!|\[\]/g, ""), { type, written }]),
  );
  const missing = [...attributes]
    .filter(([name, { written }]) => written.endsWith("!") && object[name] === undefined)
    .map(([name]) => `${at}.${name} is missing`);
  const wrong = Object.entries(object).flatMap(([name, value]) => {
    const known = attributes.get(name);
    if (!known) return [`${at}.${name} is not known`];
    const isList = known.written.endsWith("[]");
    if (isList !== Array.isArray(value)) return [`${at}.${name} is ${isList ? "no" : "a"} list`];
    const values: readonly unknown[] = Array.isArray(value) ? value : [value];
    return values.flatMap((one) => valueProblems(known.type, one, `${at}.${name}`));
  });
  return [...missing, ...wrong];
}

function valueProblems(type: string, value: unknown, at: string): string[] {
  const scalar = scalars[type as Scalar];
  if (scalar) return scalar(value) ? [] : [`${at} is no ${type}: ${JSON.stringify(value)}`];
  return shapeProblems(type, value as Record<string, unknown>, at);
}
