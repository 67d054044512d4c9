// Looking things up by names that clients choose.

/** What a record holds under a name: never what every object has (`constructor`). */
export function own<Value>(record: Readonly<Record<string, Value>> | undefined, name: string): Value | undefined {
  return record && Object.hasOwn(record, name) ? record[name] : undefined
}
