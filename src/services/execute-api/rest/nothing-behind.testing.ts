// For tests of APIs that call neither other servers nor other services: whoever asks fails.

import type { RestApisOptions } from './rest-apis.ts'

const notAsked = async () => { throw new Error('not asked') }

export const nothingBehind: Pick<RestApisOptions, 'http' | 'services'> = {
  http: { send: notAsked, close: () => {} },
  services: { serves: () => false, call: notAsked },
}
