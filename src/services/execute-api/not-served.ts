// The honest answer to what the data plane does not do yet.

/** Thrown for a configuration that is stored but not served. Answered 501, so that nobody takes silence for success. */
export class NotServed extends Error {}

/** Ours: AWS serves it. */
export function notServed(what: string): NotServed {
  return new NotServed(`execute-api: ${what} are not served by Countersign yet.`)
}
