// Content types, as far as they choose templates and models.

import type { HttpRequest } from '#lib/http.ts'

/** Source: developer guide, "Method request behavior for payloads without mapping templates": without a Content-Type, JSON is assumed. */
const DEFAULT_MEDIA_TYPE = 'application/json'

/** The request's media type in lower case, without its parameters. */
export function mediaTypeOf({ headers }: Pick<HttpRequest, 'headers'>): string {
  const contentType = headers.get('content-type')
  return contentType === undefined || contentType.trim() === '' ? DEFAULT_MEDIA_TYPE : contentType.split(';')[0]!.trim().toLowerCase()
}

/** The media type as the request has it; empty where it has none, which is a binary type only where all are. */
export function mediaTypeSent({ headers }: Pick<HttpRequest, 'headers'>): string {
  return headers.get('content-type')?.split(';')[0]!.trim().toLowerCase() ?? ''
}

/** The entry for the request's content type, exactly as sent or without its parameters, else the one for `$default`. */
export function chooseByContentType<T>(entries: ReadonlyMap<string, T>, { headers }: Pick<HttpRequest, 'headers'>): T | undefined {
  return entries.get(headers.get('content-type')?.toLowerCase() ?? '') ?? entries.get(mediaTypeOf({ headers })) ?? entries.get('$default')
}

/** Whether a media type is one of an API's binary ones. Source: developer guide, "Binary media types for REST APIs". */
export function isBinary(binaryMediaTypes: readonly string[] | undefined, mediaType: string): boolean {
  return binaryMediaTypes?.some((type) => type === '*/*' || type.toLowerCase() === mediaType
    || (type.endsWith('/*') && mediaType.startsWith(type.slice(0, -1).toLowerCase()))) ?? false
}
