// Bodies in traces: only where data tracing is on, and never whole.

/** Of a body or a template's text, bytes. Source: developer guide: execution logs truncate at 1,024 bytes. */
export const BODY_TRACED_BYTES_MAX = 1024

export const tracedBody = (body: Buffer): string => body.toString('utf8', 0, BODY_TRACED_BYTES_MAX)
