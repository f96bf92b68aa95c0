// The settings of content: which bundles of rules, indicators and settings from the portal are taken.
import { CHANNEL_DEFAULT, isChannel } from "@nightjar/content";
import { integer, number, path, type SettingTable, text } from "../setting.ts";

export const contentSettings = {
  public_key_file: path({
    default: "",
    doc:
      "PEM file with the public keys (Ed25519) of those whose content is taken. Empty means content/public-key.pem " +
      "in the state folder. Without a key no content is taken.",
  }),
  channel: {
    ...text({ default: CHANNEL_DEFAULT, doc: "The channel of content that this sensor follows." }),
    allowed: "a small letter, then up to 31 of small letters, digits and -",
    read: (value) => (typeof value === "string" && isChannel(value) ? value : undefined),
  },
  poll_interval_s: integer({
    default: 60,
    min: 1,
    max: 86_400,
    unit: "s",
    doc: "How often the portal is asked for new content.",
  }),
  poll_jitter: number({
    default: 0.2,
    min: 0,
    max: 1,
    doc: "Which part of that interval is random, so that a fleet does not ask at once.",
  }),
} satisfies SettingTable;
