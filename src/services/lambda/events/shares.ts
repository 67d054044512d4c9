// How many events of which function a process takes next.

export interface Demand {
  queue: string
  /** Of its events, how many run here now. */
  running: number
  /** How many more would be let in. */
  room: number
}

/**
 * What each function may have of the places that are free, in this order.
 *
 * A function's events never take more than half of what others leave, so that however long they take, and however many functions do the same,
 * another function's events soon find a place; and never more than would be let in.
 */
export function sharesOf(demands: readonly Demand[], { placesMax, runningTotal }: { placesMax: number, runningTotal: number }): { queue: string, limit: number }[] {
  const shares: { queue: string, limit: number }[] = []
  let taken = runningTotal
  for (const { queue, running, room } of demands) {
    const free = placesMax - taken
    const fair = Math.max(1, Math.floor((placesMax - (taken - running)) / 2)) - running
    const limit = Math.min(free, fair, room)
    if (limit <= 0) continue
    shares.push({ queue, limit })
    taken += limit
  }
  return shares
}
