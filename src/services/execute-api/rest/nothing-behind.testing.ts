// For tests of REST APIs that call neither other servers nor other services, beside which there are no other APIs: whoever asks fails.

import type { ExecuteApiOptions } from '../index.ts'

const notAsked = async () => { throw new Error('not asked') }

export const nothingBehind: Pick<ExecuteApiOptions, 'http' | 'services' | 'v2Snapshots' | 'node'> = {
  http: { send: notAsked, close: () => {} },
  services: { serves: () => false, call: notAsked },
  v2Snapshots: { findStage: async () => undefined, findApi: async () => undefined, findMapping: async () => undefined, hasDomain: async () => false },
  node: {
    nodeTag: 'AAAA', log: { warn() {}, error() {} },
    database: { engine: 'sqlite', query: notAsked, transact: notAsked, onChange: () => () => {}, close: async () => {} },
  },
}
