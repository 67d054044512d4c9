// The limits of what processes ask each other. All are ours: on AWS nobody sees who holds a connection.

/** A process says this often that it is there. */
export const BEAT_MS = 5_000
/** One that has not said so for this long is taken to be gone, and its connections with it. The clocks of all must agree to within what is left of this. */
export const NODE_VALID_MS = 15_000
/** A tag is not given again for this long: longer than any connection lives, so no id can come to mean another process. */
export const NODE_KEPT_MS = 3 * 60 * 60_000
/** Tags tried before a process gives up; there are sixteen million. */
export const TAGS_TRIED_MAX = 10
/** The process that holds a connection has this long to answer; then the request is withdrawn. */
export const ANSWER_MS_MAX = 10_000
/** What nobody took or read is removed this long after its deadline, milliseconds. */
export const ROWS_KEPT_MS = 60_000
export const SWEEP_EVERY_MS = 30_000

/** Requests of one process that wait for an answer, and the bytes of their messages. Beyond either, callers are refused. */
export const OUTSTANDING_MAX = 1_000
export const OUTSTANDING_BYTES_MAX = 32 * 1024 * 1024
/** Requests or answers in one transaction. */
export const BATCH_MAX = 100
/** Requests of others that one process works on; more stay in the store. */
export const TAKEN_AT_ONCE_MAX = 250
/** A process that closes waits this long for what it works on. */
export const CLOSE_MS_MAX = 5_000
