// Tests what is known of containers when runtimes answer together, late, not at all, or by themselves.
import { create } from "@bufbuild/protobuf";
import { type Container, ContainerSchema, MissingReason } from "@nightjar/proto";
import { waitFor } from "@nightjar/test-support";
import test from "ava";
import { Directory } from "./directory.ts";
import { Peer } from "./peer.ts";
import type { ContainerQuery, Runtime } from "./runtime.ts";

const ID = "7c".repeat(32);

class FakeRuntime implements Runtime {
  containers = new Map<string, Partial<Container>>();
  asked = 0;
  silent = false;

  async inspect({ id }: ContainerQuery): Promise<Container | undefined> {
    this.asked++;
    if (this.silent) await new Promise(() => undefined);
    const found = this.containers.get(id);
    return found && create(ContainerSchema, found as object);
  }
}

const ANSWER_MS = 20;

function setUp(kinds: { serves: string; standsIn?: boolean }[]) {
  const state = { nowMs: 0, changed: [] as string[] };
  const runtimes = kinds.map(() => new FakeRuntime());
  const peers = kinds.map(({ serves, standsIn = false }, index) => {
    const runtime = runtimes[index] as FakeRuntime;
    const kind = { name: `k${index}`, serves: [serves], standsIn, places: () => [], open: () => runtime };
    return new Peer({ kind, place: "/x", runtime, answerMs: ANSWER_MS, clock: () => state.nowMs });
  });
  const directory = new Directory({
    peers: () => peers,
    changed: (ids) => state.changed.push(...ids),
    clock: () => state.nowMs,
    signal: new AbortController().signal,
  });
  const find = (id = ID, runtime = "docker") => directory.find({ id, runtime, podUid: "", pid: 0 });
  return { directory, find, state, runtimes: runtimes as [FakeRuntime, FakeRuntime] };
}

test("a container is asked for once, however many ask at the same time and later", async (t) => {
  const { find, runtimes } = setUp([{ serves: "docker" }]);
  runtimes[0].containers.set(ID, { name: "web" });
  const found = await Promise.all([find(), find(), find()]);
  t.deepEqual(
    found.map(({ container }) => container?.name),
    ["web", "web", "web"],
  );
  await find();
  t.is(runtimes[0].asked, 1);
});

test("what one leaves out the next one tells; who only stands in is not heard beside them", async (t) => {
  const { find, runtimes } = setUp([{ serves: "docker" }, { serves: "docker" }]);
  runtimes[0].containers.set(ID, { name: "web", image: "nginx" });
  runtimes[1].containers.set(ID, { name: "other", ip: "10.0.0.1" });
  t.like((await find()).container, { name: "web", image: "nginx", ip: "10.0.0.1" });
  const standing = setUp([{ serves: "docker" }, { serves: "docker", standsIn: true }]);
  standing.runtimes[0].containers.set(ID, { name: "web" });
  standing.runtimes[1].containers.set(ID, { image: "from disk" });
  t.like((await standing.find()).container, { name: "web", image: "" });
});

test("where no runtime is, or none knows it, that is said", async (t) => {
  const { find } = setUp([{ serves: "docker" }]);
  t.is((await find()).missing, MissingReason.NOT_FOUND);
  const { missing, explanation } = await find("x", "podman");
  t.is(missing, MissingReason.NO_RUNTIME);
  t.regex(explanation ?? "", /no podman was found/);
});

test("a silent runtime costs one wait, is left alone, and is asked again later", async (t) => {
  const { directory, find, runtimes, state } = setUp([{ serves: "docker" }, { serves: "docker", standsIn: true }]);
  const [docker, disk] = runtimes;
  docker.silent = true;
  docker.containers.set(ID, { name: "web", image: "nginx" });
  disk.containers.set(ID, { name: "from disk" });
  const first = await find();
  t.is(first.missing, MissingReason.NO_ANSWER);
  t.regex(first.explanation ?? "", /k0 at \/x: no answer in 20 ms/);
  t.is(first.container?.name, "from disk");
  await find("8d".repeat(32));
  t.is(docker.asked, 1);
  t.is(directory.unanswered.length, 2);
  docker.silent = false;
  state.nowMs = 60_000;
  await directory.retry();
  t.deepEqual(state.changed, [ID, "8d".repeat(32)]);
  t.is((await find()).container?.name, "web");
  t.is(directory.unanswered.length, 0);
});

test("what a runtime speaks of is known before somebody asks", async (t) => {
  const { directory, find, runtimes, state } = setUp([{ serves: "docker" }]);
  directory.notice(ID, "docker");
  // It can tell what it is only a moment later.
  await waitFor(() => runtimes[0].asked > 0, { what: "it is asked" });
  const before = runtimes[0].asked;
  runtimes[0].containers.set(ID, { name: "web" });
  await waitFor(() => runtimes[0].asked > before, { what: "it is asked again" });
  const { asked } = runtimes[0];
  t.is((await find()).container?.name, "web");
  t.is(runtimes[0].asked, asked);
  t.deepEqual(state.changed, []);
  runtimes[0].containers.set(ID, { name: "renamed" });
  await waitFor(
    () => {
      directory.notice(ID, "docker");
      return state.changed.length > 0;
    },
    { what: "the new name is told" },
  );
  t.is((await find()).container?.name, "renamed");
});

test("what is gone stays known; a name may get another container", async (t) => {
  const { directory, find, runtimes, state } = setUp([{ serves: "docker" }]);
  runtimes[0].containers.set("web", { image: "first" });
  await find("web");
  runtimes[0].containers.delete("web");
  state.nowMs = 5_000;
  t.is((await find("web")).container?.image, "first");
  runtimes[0].containers.set("web", { image: "second" });
  state.nowMs = 10_000;
  t.is((await find("web")).container?.image, "second");
  t.is(directory.size, 1);
});
