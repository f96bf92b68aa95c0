// Every reason for which something of an indicator list is not taken. docs/reference/errors.md is made from it.

export const listProblemCodes = {
  LIST_UNREADABLE: "The file is not of the format it is read as, or of no known one. Nothing of it is taken.",
  LIST_TOO_LARGE: "The list has more indicators than one import takes. Nothing of it is taken: divide it.",
  LIST_VALUE_INVALID:
    "A value is no SHA-256 digest, no address and no domain. Networks, URLs with a path, MD5 and SHA-1 are none.",
  LIST_KIND_UNKNOWN: "The list says that a value is of a kind that no sensor looks for. The entry is passed over.",
  LIST_PATTERN_UNSUPPORTED:
    "A STIX pattern is more than values of which one is enough: it needs several observations at once, an order, a " +
    "time, or a property that no sensor looks for.",
  LIST_FIELD_INVALID: "A confidence, a disposition or a time is not one. The list's default is taken in its place.",
} as const;

export type ListProblemCode = keyof typeof listProblemCodes;
