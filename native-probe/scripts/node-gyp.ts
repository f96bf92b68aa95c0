// How node-gyp is called, which compiles the addon.
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

/** Node's arguments, to be run where binding.gyp is. */
export function nodeGyp(): string[] {
  const nodeFolder = dirname(dirname(process.execPath));
  // Without its own headers node-gyp would load some from the network.
  const hasHeaders = existsSync(join(nodeFolder, "include", "node", "node_api.h"));
  const program = createRequire(import.meta.url).resolve("node-gyp/bin/node-gyp.js");
  return [program, "configure", "build", "--loglevel=error", ...(hasHeaders ? ["--nodedir", nodeFolder] : [])];
}
