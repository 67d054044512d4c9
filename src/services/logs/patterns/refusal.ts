// Why a filter pattern was not understood.

/** The message is what the client is told. */
export class PatternRefusal extends Error {}
