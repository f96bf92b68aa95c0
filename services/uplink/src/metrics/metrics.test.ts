// Prometheus is told of every stage, in its format; the dashboard asks for nothing that is not told.
import { readFileSync } from "node:fs";
import { get } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { create } from "@bufbuild/protobuf";
import { DropReason, HealthSeverity, type StageStatus, StageStatusSchema } from "@nightjar/proto";
import { counterDocs, type Stage, stageNames, streams } from "@nightjar/stage";
import test from "ava";
import { exposition } from "./exposition.ts";
import { serveMetrics } from "./server.ts";

const DASHBOARD = fileURLToPath(new URL("../../../../deploy/grafana/nightjar.json", import.meta.url));
const OPEN = 35;

/** Every stage with every counter that it may have. */
function everything(): StageStatus[] {
  return stageNames.map((stage) => {
    const names = Object.keys((counterDocs as Readonly<Record<string, object>>)[stage] ?? {});
    const counters = names.flatMap((name) =>
      name.includes("<STREAM>") ? streams.map((stream) => name.replace("<STREAM>", stream.name)) : [name],
    );
    return create(StageStatusSchema, {
      stage,
      ready: true,
      version: "1.0",
      counters: Object.fromEntries(counters.map((name) => [name, 7n])),
      resources: { cpuMs: 1_500n, memoryBytes: 1_000_000n },
      ...(stage === "collector" && {
        ledger: [
          {
            type: OPEN,
            seen: 10n,
            filtered: 4n,
            governed: 3n,
            submitted: 1n,
            drops: [{ reason: DropReason.RING_FULL, count: 2n }],
          },
        ],
        healthIssues: [{ code: "EVENTS_DROPPED", severity: HealthSeverity.ERROR }],
      }),
      ...(stage === "rule-engine" && { rules: [{ name: 'a "quoted" rule', matched: 5n, detected: 2n, timeNs: 10n }] }),
    });
  });
}

test("counters, gauges, the ledger, issues and rules are told as what they are", async (t) => {
  const text = await exposition(everything());
  const lines = [
    'nightjar_up{stage="collector"} 1',
    'nightjar_cpu_seconds_total{stage="bus"} 1.5',
    'nightjar_events_total{type="open",fate="governed"} 3',
    'nightjar_events_dropped_total{type="open",reason="ring_full"} 2',
    'nightjar_bus_stream_pending{stream="RAW"} 7',
    "nightjar_collector_events_published_total 7",
    "nightjar_collector_ring_used_bytes 7",
    'nightjar_health_issue{stage="collector",code="EVENTS_DROPPED",severity="error"} 1',
    'nightjar_rule_matched_total{rule="a \\"quoted\\" rule"} 5',
    "# TYPE nightjar_collector_ring_used_bytes gauge",
    "# TYPE nightjar_collector_events_published_total counter",
  ];
  for (const line of lines) t.true(text.split("\n").includes(line), line);
});

test("a stage that does not answer is down, and the others are told", async (t) => {
  const text = await exposition(everything().filter(({ stage }) => stage !== "enricher"));
  t.regex(text, /nightjar_up\{stage="enricher"\} 0/);
  t.regex(text, /nightjar_up\{stage="bus"\} 1/);
});

test("the dashboard asks only for metrics there are", async (t) => {
  const told = new Set([...(await exposition(everything())).matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name));
  const asked = new Set(readFileSync(DASHBOARD, "utf8").match(/\bnightjar_[a-z_]+/g));
  t.true(asked.size > 10);
  t.deepEqual(
    [...asked].filter((name) => !told.has(name)),
    [],
  );
});

function ask(port: number, path: string, host: string, method = "GET"): Promise<{ code: number; text: string }> {
  return new Promise((resolve, reject) => {
    get({ host: "127.0.0.1", port, path, method, headers: { host } }, (response) => {
      let text = "";
      response.on("data", (chunk) => {
        text += chunk;
      });
      response.on("end", () => resolve({ code: response.statusCode ?? 0, text }));
    }).on("error", reject);
  });
}

test("only this host is answered, and a port that is taken is an issue", async (t) => {
  const stops: (() => void)[] = [];
  const issues: string[] = [];
  const stage = (port: number) =>
    ({
      settings: { metrics: { port } },
      onStop: (stop: () => void) => void stops.push(stop),
      log: { info: () => {} },
      health: { raise: (code: string) => void issues.push(code) },
    }) as unknown as Stage;
  t.teardown(() => {
    for (const stop of stops) stop();
  });
  const server = await serveMetrics(stage(0), async () => everything());
  if (!server) throw new Error("it does not listen");
  const { port, address } = server.address() as AddressInfo;
  t.is(address, "127.0.0.1");
  const { code, text } = await ask(port, "/metrics", `localhost:${port}`);
  t.is(code, 200);
  t.regex(text, /nightjar_up/);
  t.is((await ask(port, "/metrics", "evil.example")).code, 403);
  t.is((await ask(port, "/", "127.0.0.1")).code, 404);
  t.is((await ask(port, "/metrics", "127.0.0.1", "POST")).code, 405);
  t.is(await serveMetrics(stage(port), async () => []), undefined);
  t.deepEqual(issues, ["METRICS_UNAVAILABLE"]);
});
