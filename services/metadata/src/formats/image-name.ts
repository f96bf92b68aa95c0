// Takes an image's name apart, as the distribution specification writes it: "registry:5000/team/web:1.2@sha256:…".

export interface ImageName {
  /** All before tag and digest, as it was written: what is left out, such as "docker.io/library/", is not added. */
  repository: string;
  tag: string;
  /** "sha256:…" */
  digest: string;
}

const DIGEST = /^[a-z0-9]+(?:[.+_-][a-z0-9]+)*:[0-9a-f]{32,}$/i;
const BARE_ID = /^[0-9a-f]{64}$/;

/** An id or a digest alone has no repository; of an id that is not known as an image's name nothing is made up. */
export function parseImageName(name: string): ImageName {
  if (BARE_ID.test(name)) return { repository: "", tag: "", digest: "" };
  if (DIGEST.test(name)) return { repository: "", tag: "", digest: name };
  const [named = "", digest = ""] = splitAt(name, name.indexOf("@"));
  // A colon before the last slash is that of a port.
  const colon = named.lastIndexOf(":");
  const [repository = "", tag = ""] = splitAt(named, colon > named.lastIndexOf("/") ? colon : -1);
  return { repository, tag, digest: DIGEST.test(digest) ? digest : "" };
}

/** Whether a name says only which image it is, not what it is called. */
export function isImageId(name: string): boolean {
  return BARE_ID.test(name) || DIGEST.test(name);
}

function splitAt(text: string, index: number): [string, string] {
  return index < 0 ? [text, ""] : [text.slice(0, index), text.slice(index + 1)];
}
