// Reads the headers of WebSocket frames as their bytes come in, to judge a frame by its announced size before its payload is there.

/** Source: RFC 6455, 5.2. */
const FIN = 0x80
const RESERVED = 0x70
const OPCODE = 0x0f
const MASKED = 0x80
const LENGTH = 0x7f
const MASK_BYTES = 4
const CLOSE = 0x8
const CONTROL_BYTES_MAX = 125

export interface FrameSizes {
  /**
   * Takes the next bytes of a client. Answers how many whole messages came before the first frame that is too large, as soon as its length is
   * there; undefined while there is none. Nothing is read after that, nor after a closing frame.
   *
   * Only what a client may send is judged: the rest of a stream that breaks the protocol is left to whoever refuses it for that.
   */
  read(bytes: Buffer): number | undefined
}

/** For one connection, from its first byte on. `frameBytesMax` is the payload of one frame. */
export function createFrameSizes(frameBytesMax: number): FrameSizes {
  /** Bytes of the header that were read, and that there are. */
  let headerBytes = 0
  let headerBytesMax = 2
  let first = 0
  let length = 0
  /** Of the mask and the payload: what is still to come. */
  let skippedBytes = 0
  let messages = 0
  let isOver = false

  /** Judges a whole header. */
  function isTooLarge(): boolean {
    const opcode = first & OPCODE
    isOver = opcode === CLOSE
    headerBytes = 0
    headerBytesMax = 2
    if (opcode < CLOSE) {
      if (length > frameBytesMax) return isOver = true
      if ((first & FIN) !== 0) messages += 1
    }
    skippedBytes = MASK_BYTES + length
    return false
  }

  /** Takes the second byte, which says how many more belong to the header. */
  function readSecond(byte: number): void {
    length = byte & LENGTH
    const isControl = (first & OPCODE) >= CLOSE
    isOver = (first & RESERVED) !== 0 || (byte & MASKED) === 0 || (isControl && length > CONTROL_BYTES_MAX)
    if (length <= CONTROL_BYTES_MAX) return
    headerBytesMax = length === 126 ? 4 : 10
    length = 0
  }

  return {
    read(bytes) {
      let at = 0
      while (at < bytes.length && !isOver) {
        if (skippedBytes > 0) {
          const skipped = Math.min(skippedBytes, bytes.length - at)
          skippedBytes -= skipped
          at += skipped
          continue
        }
        const byte = bytes[at++]!
        headerBytes += 1
        if (headerBytes === 1) first = byte
        else if (headerBytes === 2) readSecond(byte)
        else length = length * 256 + byte
        if (headerBytes === headerBytesMax && !isOver && isTooLarge()) return messages
      }
      return undefined
    },
  }
}
