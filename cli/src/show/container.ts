// A container in one line: its name and id, what it runs, and whose it is.
import type { Container } from "@nightjar/proto";
import { printable } from "./text.ts";

/** "docker container web (8b8bdc5bcf6a), image nginx:1.27, pod shop/web-0": what is not known is left out. */
export function containerLine(container: Container): string {
  const { id, name, runtime, pod } = container;
  const called = name === "" || name === id ? id : `${name} (${id})`;
  const podName = pod && (pod.name === "" ? pod.uid : `${pod.namespace}/${pod.name}`);
  return printable(
    [`${runtime === "" ? "" : `${runtime} `}container ${called}`, imagePart(container), podName && `pod ${podName}`]
      .filter((part) => part)
      .join(", "),
  );
}

/** The image, or why nothing but the id is known. */
function imagePart({ image, missing }: Container): string {
  if (image !== "") return `image ${image}`;
  return missing === "" ? "" : `image not known: ${missing.replaceAll("_", " ")}`;
}
