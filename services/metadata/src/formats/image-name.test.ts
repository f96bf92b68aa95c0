// Tests how names of images come apart.
import test from "ava";
import fc from "fast-check";
import { parseImageName } from "./image-name.ts";

const SHA = `sha256:${"ab".repeat(32)}`;

const NAMES: readonly (readonly [name: string, repository: string, tag: string, digest: string])[] = [
  ["nginx", "nginx", "", ""],
  ["nginx:1.27-alpine", "nginx", "1.27-alpine", ""],
  ["docker.io/library/nginx:1.27", "docker.io/library/nginx", "1.27", ""],
  ["registry:5000/team/web", "registry:5000/team/web", "", ""],
  ["registry:5000/team/web:1.2", "registry:5000/team/web", "1.2", ""],
  [`registry:5000/team/web:1.2@${SHA}`, "registry:5000/team/web", "1.2", SHA],
  [`quay.io/a/b@${SHA}`, "quay.io/a/b", "", SHA],
  [SHA, "", "", SHA],
  ["ab".repeat(32), "", "", ""],
  ["", "", "", ""],
];

for (const [name, ...parts] of NAMES) {
  test(`the image ${name || "without a name"}`, (t) => {
    const { repository, tag, digest } = parseImageName(name);
    t.deepEqual([repository, tag, digest], parts);
  });
}

test("any text is taken apart", (t) => {
  fc.assert(fc.property(fc.string(), (name) => t.is(typeof parseImageName(name).repository, "string")));
});
