// Every code of an error that encoded batches and recordings raise. docs/reference/errors.md is made from it.

export const recordingErrorCodes = {
  RECORDING_FOREIGN: "The file is no recording of Nightjar's.",
  RECORDING_VERSION: "The recording is of a version that this sensor does not read. Record it anew.",
  RECORDING_BROKEN: "The recording is damaged, or cut off in the middle of a batch. What came before was replayed.",
} as const;

export type RecordingErrorCode = keyof typeof recordingErrorCodes;

export const wireErrorCodes = {
  WIRE_MALFORMED:
    "Bytes are no batch. On the bus the message is kept aside as garbage; in a recording it ends the replay.",
} as const;
