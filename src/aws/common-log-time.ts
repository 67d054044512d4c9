// Times as the common log format writes them.

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** `09/Apr/2015:12:34:56 +0000`. Source: API Gateway developer guide, `$context.requestTime`: the CLF format. */
export function commonLogTime(atMs: number): string {
  const at = new Date(atMs)
  const two = (number: number) => (number < 10 ? `0${number}` : String(number))
  const date = `${two(at.getUTCDate())}/${months[at.getUTCMonth()]}/${at.getUTCFullYear()}`
  return `${date}:${two(at.getUTCHours())}:${two(at.getUTCMinutes())}:${two(at.getUTCSeconds())} +0000`
}
