// Tested in a copy of the launcher whose npm, pnpm and turbo are stand-ins that make what the real ones would.
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { startProcess, temporaryFolder } from "@nightjar/test-support";
import test, { type ExecutionContext } from "ava";

const ROOT = join(import.meta.dirname, "../..");
const PLATFORM = process.arch === "arm64" ? "linux-arm64" : "linux-x64";
/** The second start "skips everything in well under a second"; what is measured here is on a busy machine. */
const SECOND_START_MS_MAX = 1_000;
const NOBODY = 65534;

/** Each notes that it was called. The real ones make far more, but this is what the launcher looks at. */
const STAND_INS = {
  npm: `[ "$1" = --version ] && echo 10.0.0 && exit
echo npm >> calls
mkdir -p .tools/node_modules/node-${PLATFORM}/bin .tools/node_modules/@pnpm/exe.${PLATFORM} node_modules/.bin
ln -sf /bin/true .tools/node_modules/node-${PLATFORM}/bin/node
cp bin/pnpm .tools/node_modules/@pnpm/exe.${PLATFORM}/pnpm
cp bin/turbo node_modules/.bin/turbo`,
  pnpm: "echo pnpm >> calls; touch node_modules/.modules.yaml",
  turbo: "echo turbo >> calls; sleep 0.2; mkdir -p proto/gen cli/dist; touch proto/gen/x cli/dist/main.js",
};

function makeCheckout(t: ExecutionContext, standIns: Partial<typeof STAND_INS> = {}): string {
  const folder = temporaryFolder(t);
  cpSync(join(ROOT, "nightjar"), join(folder, "nightjar"));
  cpSync(join(ROOT, "scripts/setup"), join(folder, "scripts/setup"), { recursive: true });
  for (const one of ["proto/nightjar", "native-probe", "packages", "services", "cli", "bin"]) {
    mkdirSync(join(folder, one), { recursive: true });
  }
  const files = ["pnpm-lock.yaml", "package.json", "turbo.json", "tsconfig.base.json"];
  for (const one of [...files, "scripts/bundle.ts", "scripts/externals.ts", "proto/nightjar/event.proto"]) {
    writeFileSync(join(folder, one), "first\n");
  }
  for (const [name, script] of Object.entries({ ...STAND_INS, ...standIns })) {
    const file = join(folder, "bin", name);
    writeFileSync(file, `#!/bin/sh\ncd '${folder}'\n${script}\n`);
    chmodSync(file, 0o755);
  }
  return folder;
}

async function launch(t: ExecutionContext, folder: string, args: string[], env: Record<string, string> = {}) {
  const path = `${join(folder, "bin")}:${process.env.PATH}`;
  const plain = { SUDO_UID: undefined, SUDO_GID: undefined, NIGHTJAR_SKIP_SETUP: undefined };
  const variables = { ...plain, PATH: path, NIGHTJAR_BUS_SERVER_BINARY: "/bin/true", ...env };
  const started = startProcess(t, join(folder, "nightjar"), args, { env: variables });
  const { code } = await started.exited;
  return { code, stdout: started.stdout, stderr: started.stderr };
}

const calls = (folder: string) =>
  existsSync(join(folder, "calls")) ? readFileSync(join(folder, "calls"), "utf8").trim().split("\n") : [];

test("the first start takes each step once, in order, and tells each on standard error", async (t) => {
  const folder = makeCheckout(t);
  const { code, stdout, stderr } = await launch(t, folder, ["setup"]);
  t.is(code, 0, stderr);
  t.is(stdout, "");
  t.deepEqual(calls(folder), ["npm", "pnpm", "turbo"]);
  for (const [number, title] of [
    [1, "Node and pnpm"],
    [2, "npm packages"],
    [3, "build"],
  ] as const) {
    t.regex(stderr, new RegExp(`\\[${number}/3\\] ${title}.*: done in \\d+ s`));
  }
});

test("the second start skips everything, quickly", async (t) => {
  const folder = makeCheckout(t);
  await launch(t, folder, ["setup"]);
  const started = performance.now();
  const { stderr } = await launch(t, folder, ["setup"]);
  const tookMs = performance.now() - started;
  t.is(stderr, "nightjar: everything is ready\n");
  t.is(calls(folder).length, 3);
  t.true(tookMs < SECOND_START_MS_MAX, `${tookMs} ms`);
});

test("what changed decides which steps run again", async (t) => {
  const folder = makeCheckout(t);
  await launch(t, folder, ["setup"]);
  writeFileSync(join(folder, "proto/nightjar/event.proto"), "second\n");
  await launch(t, folder, ["setup"]);
  t.deepEqual(calls(folder).slice(3), ["turbo"]);
  writeFileSync(join(folder, "pnpm-lock.yaml"), "second\n");
  await launch(t, folder, ["setup"]);
  t.deepEqual(calls(folder).slice(4), ["pnpm", "turbo"]);
  writeFileSync(join(folder, "cli/some.test.ts"), "a test is built into nothing\n");
  await launch(t, folder, ["setup"]);
  t.is(calls(folder).length, 6);
});

test("a failure names the step, the command and what to try; the next start goes on there", async (t) => {
  const pnpm =
    'echo pnpm >> calls; [ -e mended ] || { echo "no such host: registry"; exit 7; }; touch node_modules/.modules.yaml';
  const folder = makeCheckout(t, { pnpm });
  const { code, stderr } = await launch(t, folder, ["setup"]);
  t.is(code, 1);
  t.regex(stderr, /\[2\/3\] npm packages.* failed/);
  t.regex(stderr, /command: pnpm install --frozen-lockfile/);
  t.regex(stderr, / {4}no such host: registry/);
  t.regex(stderr, /try next: check that 'npm ping' works; behind a proxy/);
  writeFileSync(join(folder, "mended"), "");
  t.is((await launch(t, folder, ["setup"])).code, 0);
  t.deepEqual(calls(folder), ["npm", "pnpm", "pnpm", "turbo"]);
});

test("two at once: one waits for the other and has nothing left to do", async (t) => {
  const folder = makeCheckout(t);
  const both = await Promise.all([launch(t, folder, ["setup"]), launch(t, folder, ["setup"])]);
  t.deepEqual(
    both.map(({ code }) => code),
    [0, 0],
  );
  t.deepEqual(calls(folder), ["npm", "pnpm", "turbo"]);
});

test("NIGHTJAR_SKIP_SETUP leaves everything as it is", async (t) => {
  const folder = makeCheckout(t);
  await launch(t, folder, ["setup"], { NIGHTJAR_SKIP_SETUP: "1" });
  t.deepEqual(calls(folder), []);
  t.false(existsSync(join(folder, ".tools")));
});

test("help needs nothing installed", async (t) => {
  const folder = makeCheckout(t);
  const { code, stdout } = await launch(t, folder, ["--help"]);
  t.is(code, 0);
  t.regex(stdout, /sudo \.\/nightjar run/);
  t.deepEqual(calls(folder), []);
});

const asRoot = process.getuid?.() === 0 ? test : test.skip;

asRoot("with sudo, what is made belongs to the user who called it", async (t) => {
  const folder = makeCheckout(t);
  const own = startProcess(t, "chown", ["-R", `${NOBODY}:${NOBODY}`, folder]);
  await own.exited;
  const { code, stderr } = await launch(t, folder, ["setup"], { SUDO_UID: `${NOBODY}`, SUDO_GID: `${NOBODY}` });
  t.is(code, 0, stderr);
  for (const made of [
    "calls",
    ".tools/stamps/build",
    ".tools/setup.log",
    "node_modules/.modules.yaml",
    "proto/gen/x",
  ]) {
    t.is(statSync(join(folder, made)).uid, NOBODY, made);
  }
});
