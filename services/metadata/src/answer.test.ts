// Tests what is answered of a container when its sources know all, a part, or nothing.
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  ContainerRequestSchema,
  ContainerResponseSchema,
  ContainerSchema,
  MissingReason,
  PodSchema,
} from "@nightjar/proto";
import test from "ava";
import { answerContainer, type Found } from "./answer.ts";
import { noPods, type PodAnswer } from "./pods.ts";

const ID = "4f".repeat(32);
const REQUEST = toBinary(ContainerRequestSchema, create(ContainerRequestSchema, { id: ID, runtime: "docker" }));

async function ask(found: Found, pod: PodAnswer = { is: "none" }, request: Uint8Array = REQUEST) {
  const sources = { findContainer: async () => found, pods: { find: async () => pod } };
  return fromBinary(ContainerResponseSchema, await answerContainer(request, sources));
}

test("what the runtime and Kubernetes know is one answer", async (t) => {
  const container = create(ContainerSchema, { name: "web", image: "nginx:1.27", runtime: "docker" });
  const { container: told, missing } = await ask(
    { container },
    { is: "pod", pod: create(PodSchema, { name: "web-0" }) },
  );
  t.is(missing, MissingReason.UNSPECIFIED);
  t.is(told?.id, "4f4f4f4f4f4f");
  t.is(told?.fullId, ID);
  t.is(told?.image, "nginx:1.27");
  t.is(told?.pod?.name, "web-0");
});

test("what nobody knows is no container, and the reason is said", async (t) => {
  const told = await ask({ missing: MissingReason.NOT_FOUND, explanation: "docker at /x: no such container" });
  t.is(told.missing, MissingReason.NOT_FOUND);
  t.is(told.container, undefined);
  t.regex(told.explanation, /no such container/);
});

test("a pod alone makes it one", async (t) => {
  const pod = create(PodSchema, { name: "web-0" });
  const told = await ask({ missing: MissingReason.NO_ANSWER }, { is: "pod", pod });
  t.is(told.missing, MissingReason.NO_ANSWER);
  t.is(told.container?.fullId, ID);
  t.is(told.container?.pod?.name, "web-0");
});

test("a pod that is not known yet is said", async (t) => {
  const told = await ask(
    { container: create(ContainerSchema) },
    { is: "missing", why: "the API server does not answer" },
  );
  t.is(told.missing, MissingReason.NO_POD);
  t.regex(told.explanation, /API server/);
});

test("what is no request is answered as such", async (t) => {
  const tooLong = toBinary(ContainerRequestSchema, create(ContainerRequestSchema, { id: "a".repeat(1_000) }));
  for (const bytes of [new Uint8Array(), new Uint8Array([0xff]), tooLong]) {
    t.is((await ask({}, await noPods.find({} as never, {} as never), bytes)).missing, MissingReason.BAD_REQUEST);
  }
});
