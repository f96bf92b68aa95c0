// Every reason for which a bundle of content is not taken. docs/reference/errors.md is made from it.

export const contentCodes = {
  CONTENT_NO_KEY:
    "The portal has content and this host has no key to check it with. Put the public key of whoever signs it where " +
    "`content.public_key_file` says (`nightjar portal content keygen` makes both).",
  CONTENT_UNSIGNED: "The manifest is not signed by a key of this host. Somebody else made it, or it was changed.",
  CONTENT_MALFORMED: "The manifest is signed and is none: it breaks a rule that its message names.",
  CONTENT_OTHER_FORMAT: "The bundle is laid out for another version of the sensor. Publish it with that version.",
  CONTENT_OTHER_SENSOR: "The bundle asks for a later version of the sensor. Update the sensor.",
  CONTENT_OTHER_CHANNEL: "The bundle was signed for another channel than `content.channel`.",
  CONTENT_OLDER: "The bundle is older than what the host has, or has its version and other contents: a replay.",
  CONTENT_TAMPERED: "A part has not the size or the digest that the signed manifest says.",
  CONTENT_UNREADABLE: "The bundle cannot be read from the disk, or not be written to it.",
  CONTENT_NOT_LOADED: "The sensor cannot work with what is in it, which its message names. Mend it, publish it anew.",
} as const;

export type ContentCode = keyof typeof contentCodes;

/** Why a bundle is not taken. */
export interface ContentProblem {
  code: ContentCode;
  message: string;
}
