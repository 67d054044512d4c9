// IP addresses and ranges, both versions, as numbers.

import { isIP } from 'node:net'

/** An address range: an address is in it when its leading `prefixLength` bits are those of `bits`. */
export interface AddressRange {
  version: 4 | 6
  bits: bigint
  prefixLength: number
}

/** An address (one that is IPv4 inside IPv6 counts as IPv4), or undefined. */
export function parseAddress(text: string): AddressRange | undefined {
  const bare = text.includes('%') ? text.slice(0, text.indexOf('%')) : text
  const version = isIP(bare)
  if (version === 4) return { version: 4, bits: ipv4Bits(bare), prefixLength: 32 }
  if (version !== 6) return undefined
  const bits = ipv6Bits(bare)
  if (bits >> 32n === 0xffffn) return { version: 4, bits: bits & 0xffff_ffffn, prefixLength: 32 }
  return { version: 6, bits, prefixLength: 128 }
}

/** A range in CIDR form, or one address. Undefined when it is neither. Source: RFC 4632; RFC 4291, section 2.3. */
export function parseRange(text: string): AddressRange | undefined {
  const slash = text.indexOf('/')
  if (slash < 0) return parseAddress(text)
  const address = parseAddress(text.slice(0, slash))
  const lengthText = text.slice(slash + 1)
  if (!address || !/^\d{1,3}$/.test(lengthText)) return undefined
  const prefixLength = Number(lengthText)
  return prefixLength <= widthOf(address) ? { ...address, prefixLength } : undefined
}

export function isInRange(address: AddressRange, range: AddressRange): boolean {
  if (address.version !== range.version) return false
  const shift = BigInt(widthOf(range) - range.prefixLength)
  return address.bits >> shift === range.bits >> shift
}

function widthOf({ version }: AddressRange): number {
  return version === 4 ? 32 : 128
}

function ipv4Bits(text: string): bigint {
  return text.split('.').reduce((bits, part) => (bits << 8n) | BigInt(part), 0n)
}

function ipv6Bits(text: string): bigint {
  let groups = text
  const lastColon = text.lastIndexOf(':')
  if (text.includes('.')) {
    const v4 = ipv4Bits(text.slice(lastColon + 1))
    groups = `${text.slice(0, lastColon + 1)}${(v4 >> 16n).toString(16)}:${(v4 & 0xffffn).toString(16)}`
  }
  const [head, tail] = groups.split('::') as [string, string | undefined]
  const left = head ? head.split(':') : []
  const right = tail ? tail.split(':') : []
  const zeros = tail === undefined ? 0 : 8 - left.length - right.length
  return [...left, ...Array<string>(zeros).fill('0'), ...right].reduce((bits, group) => (bits << 16n) | BigInt(`0x${group}`), 0n)
}
