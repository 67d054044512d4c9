// What the document's page does: asks for a signature, without the key (403) and with it.
//
// usage: node scenario.ts URL KEY, as deploy.ts prints them

import { askForSignature } from './web/client.ts'
import { signatureOf, type SignatureAnswer } from './functions/hmac_signature.ts'

const [url, key] = process.argv.slice(2)
if (url === undefined || key === undefined) {
  console.error('usage: node scenario.ts URL KEY, as deploy.ts prints them')
  process.exit(1)
}
const parameters = { callback: 'https://apoorva.com', clientid: 'LfmvNs1g14p0C7AR3IKyfoCxO6i2zKAJ', clientsecret: 'S6meLXlUY00YVML3' }

const refused = await askForSignature(url, undefined, parameters)
console.log(`without a key: ${refused.status} ${refused.text}`)
const answered = await askForSignature(url, key, parameters)
if (answered.status !== 200) {
  console.error(`with the key: ${answered.status} ${answered.text}`)
  process.exit(1)
}
const answer = JSON.parse(answered.text) as SignatureAnswer
const isRight = answer.signature === signatureOf(parameters, answer.timestamp)
console.log(`with the key: ${Object.keys(answer).toSorted().join(', ')}; the signature is ${isRight ? 'right' : 'wrong'}`)
if (refused.status !== 403 || !isRight) process.exit(1)
