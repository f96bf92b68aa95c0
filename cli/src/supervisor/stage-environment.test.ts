// A secret among the settings reaches the stage that it is for, and no other.
import { resolveSettings, stageNames } from "@nightjar/stage";
import test from "ava";
import { stageEnvironment } from "./stage-environment.ts";

const SECRETS = {
  NIGHTJAR_API_CLIENT_SECRET: "uplink",
  NIGHTJAR_BUS_LEAF_URL: "bus",
  NIGHTJAR_PORTAL_DATABASE_URL: "portal",
};

test("each stage has its own secrets alone, from the environment as from the file", (t) => {
  const file = {
    api: { client_secret: "a" },
    bus: { leaf_url: "b" },
    portal: { database_url: "c" },
    log_level: "warn",
  };
  const inherited = Object.fromEntries(Object.keys(SECRETS).map((variable) => [variable, "d"]));
  for (const env of [{}, inherited]) {
    const resolved = resolveSettings({ env, file });
    t.deepEqual(resolved.problems, []);
    for (const stage of [...stageNames, "portal"] as const) {
      const given = stageEnvironment(stage, env, { resolved, stateDir: "/state" });
      const own = Object.entries(SECRETS).flatMap(([variable, reader]) => (reader === stage ? [variable] : []));
      t.deepEqual(
        Object.keys(SECRETS).filter((variable) => variable in given),
        own,
        stage,
      );
      t.is(given.NIGHTJAR_LOG_LEVEL, "warn");
    }
  }
});
