// String.format, for the conversions that templates use: %s %d %x %f %b %c %% and %n, with width, precision and the flags - 0 + ,.

import { isNumber, JavaDouble, toText, type Value } from '../../values.ts'

/** Widths and precisions beyond this are refused, characters. */
const FORMAT_WIDTH_MAX = 1_000

/** @throws RangeError where Java throws an IllegalFormatException. */
export function formatText(format: string, args: readonly Value[]): string {
  let next = 0
  return format.replace(/%(?:(\d+)\$)?([-0+, ]*)(\d+)?(?:\.(\d+))?([a-zA-Z%])/g, (image, position: string | undefined, flags: string, width: string | undefined, precision: string | undefined, conversion: string) => {
    if (conversion === '%') return '%'
    if (conversion === 'n') return '\n'
    if (Number(width ?? 0) > FORMAT_WIDTH_MAX || Number(precision ?? 0) > FORMAT_WIDTH_MAX) throw new RangeError(`width is larger than ${FORMAT_WIDTH_MAX}`)
    const index = position === undefined ? next++ : Number(position) - 1
    if (index >= args.length) throw new RangeError(`Format specifier '${image}'`)
    const text = convert(image, conversion, flags, precision, args[index])
    return pad(text, flags, Number(width ?? 0))
  })
}

function convert(image: string, conversion: string, flags: string, precision: string | undefined, value: Value): string {
  switch (conversion) {
    case 's': case 'S': {
      const text = precision === undefined ? toText(value) : toText(value).slice(0, Number(precision))
      return conversion === 'S' ? text.toUpperCase() : text
    }
    case 'b': return String(value !== null && value !== undefined && value !== false)
    case 'c': return toText(value)
    case 'd': case 'x': case 'X': {
      if (typeof value !== 'number' && typeof value !== 'bigint') throw new RangeError(`${image} takes a whole number`)
      if (conversion !== 'd') return conversion === 'x' ? value.toString(16) : value.toString(16).toUpperCase()
      return signed(flags.includes(',') ? value.toLocaleString('en-US') : String(value), flags)
    }
    case 'f': {
      if (!isNumber(value) || !(value instanceof JavaDouble)) throw new RangeError(`${image} takes a fraction`)
      const digits = Number(precision ?? 6)
      const text = flags.includes(',')
        ? value.value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits })
        : value.value.toFixed(digits)
      return signed(text, flags)
    }
    default: throw new RangeError(`Conversion = '${conversion}'`)
  }
}

function signed(text: string, flags: string): string {
  return flags.includes('+') && !text.startsWith('-') ? `+${text}` : text
}

function pad(text: string, flags: string, width: number): string {
  if (flags.includes('-')) return text.padEnd(width)
  if (!flags.includes('0')) return text.padStart(width)
  const sign = /^[-+]/.exec(text)?.[0] ?? ''
  return sign + text.slice(sign.length).padStart(width - sign.length, '0')
}
