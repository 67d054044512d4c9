// What the document does with its catalog: an unsigned registration that is refused, a signed one, and a lookup.
//
// usage: node scenario.ts URL, with URL as deploy.ts prints it

import { signedPost } from './client.ts'

const base = process.argv[2]
if (base === undefined) {
  console.error('usage: node scenario.ts URL, with URL as deploy.ts prints it')
  process.exit(1)
}

const service = (name: string, endpointUrl: string) => JSON.stringify({ service_name: name, service_version: '1.0', endpoint_url: endpointUrl, ttl: '300', status: 'healthy' })
const registerUrl = `${base}/catalog/register`

const unsigned = await fetch(registerUrl, { method: 'POST', body: Buffer.from(service('registerservice3', 'notarealurlregister3')) })
if (!unsigned.ok) console.log(`ERROR:root:Error code: ${unsigned.status}`)

const signed = await signedPost(registerUrl, 'us-east-1', 'execute-api', service('registerservice6', 'notarealurlregister6'))
if (!signed.ok) {
  console.log(`ERROR:root:Error code: ${signed.status}`)
  console.error(await signed.text())
  process.exit(1)
}
console.log('INFO:root:Successfully registered the service.')

const lookup = await fetch(`${base}/v1/catalog/registerservice6/1.0`)
const { endpoint_url, ttl, status } = await lookup.json() as { endpoint_url: string, ttl: number, status: string }
console.log(`INFO:root:Endpoint URL: ${endpoint_url}`)
console.log(`INFO:root:TTL: ${ttl}`)
console.log(`INFO:root:Status: ${status}`)
if (unsigned.status !== 403 || lookup.status !== 200) process.exit(1)
