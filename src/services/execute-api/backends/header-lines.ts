// Header lines that a backend is sent: set and looked for without case.

export type HeaderLine = readonly [name: string, value: string]

/** Headers by name without case; the last one set stands, in its own spelling. */
export function setHeader(headers: HeaderLine[], name: string, value: string): void {
  const lower = name.toLowerCase()
  const index = headers.findIndex(([given]) => given.toLowerCase() === lower)
  if (index === -1) return void headers.push([name, value])
  headers[index] = [name, value]
  // A header that came in several lines is replaced as a whole.
  for (let at = headers.length - 1; at > index; at -= 1) if (headers[at]![0].toLowerCase() === lower) headers.splice(at, 1)
}

export function hasHeader(headers: readonly HeaderLine[], name: string): boolean {
  return headers.some(([given]) => given.toLowerCase() === name)
}
