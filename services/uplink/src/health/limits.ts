// Every limit of what the uplink tells of the host's health, with its unit and what happens there.

/** How often the stages are asked how they are; what was resolved meanwhile they tell of for longer. */
export const LOOK_INTERVAL_MS = 2_000;
/** An issue that only goes on is told anew, with its count, after this. */
export const COUNT_TOLD_MS_MIN = 60_000;
/** A stage that does not answer for so long has ended: nobody has its issues any more. */
export const STAGE_GONE_MS = 60_000;
/** A stage that does not answer for so long is said to be silent; stages take some seconds to start. */
export const STAGE_SILENT_MS = 30_000;
/** Issues that are open or not told yet; beyond, those that ended first are given up, counted. */
export const JOURNAL_ISSUES_MAX = 500;
/** Issues in one call; what is left follows in the next. */
export const REPORT_ISSUES_MAX = 100;
/** Times without a watch that one account tells; of later ones only the drops are counted. */
export const BLIND_SPELLS_MAX = 20;
