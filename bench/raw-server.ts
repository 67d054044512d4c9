// The floor that the benchmark measures against: Node's HTTP server answering a small JSON body, and nothing else.

import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

const answer = JSON.stringify({ endpoint_url: 'notarealurlregister6', ttl: 300, status: 'healthy' })

const server = createServer((request, response) => {
  request.resume()
  request.on('end', () => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(answer) })
    response.end(answer)
  })
})
server.listen(0, '127.0.0.1', () => { console.log((server.address() as AddressInfo).port) })
