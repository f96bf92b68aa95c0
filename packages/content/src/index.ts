// Bundles of content: what they are made of, who signed them, whether a host may take one, and how one lies on disk.
export { type Bundle, bundleFiles, etagOf, openBundle, partPath, readPart } from "./bundle.ts";
export { type ContentCode, type ContentProblem, contentCodes } from "./codes.ts";
export { type Held, judgeContent, suits, type Verdict, verifySignature } from "./judge.ts";
export { isOfPair, makeKeyPair, readPrivateKey, readPublicKeys } from "./keys.ts";
export { packFolder, signManifest } from "./make.ts";
export {
  CHANNEL_DEFAULT,
  CONTENT_FORMAT,
  checkManifest,
  INDICATOR_FILTER_PART,
  isChannel,
  MANIFEST_BYTES_MAX,
  SETTINGS_PART,
  VERSION_MAX,
} from "./manifest.ts";
