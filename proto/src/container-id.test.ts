// Tests how the id of a container is shown.
import test from "ava";
import { shortContainerId } from "./container-id.ts";

const ID = "8b8bdc5bcf6a4d3f9c1e0a7d2f4b6c8e0a1b2c3d4e5f60718293a4b5c6d7e8f9";

test("an id of 64 digits is shown by its first twelve, a name as it is", (t) => {
  t.is(shortContainerId(ID), "8b8bdc5bcf6a");
  t.is(shortContainerId("a-long-name-of-lxc"), "a-long-name-of-lxc");
});
