// SQL of processes that share a store: who is there, what they ask each other about connections, and what they answered.

import { defineTransactions, sql, type Reader, type Row } from '#storage/database.ts'
import type { Answer, NodeAnswer, NodeRequest, RequestId } from './messages.ts'

/** What has changed, by the tag of the process that it matters to. */
export const REQUESTS_CHANGED = 'execute-api.node-requests'
export const ANSWERS_CHANGED = 'execute-api.node-answers'
/** A process has left; the key is its tag. */
export const NODE_LEFT = 'execute-api.node'

/** Of these processes, those that are there. */
export async function listAlive(db: Reader, { tags, nowMs }: { tags: Iterable<string>, nowMs: number }): Promise<Set<string>> {
  const found = await Promise.all([...new Set(tags)].map((tag) => db.query<{ tag: string }>(sql`
    select tag from execute_api_nodes where tag = ${tag} and alive_until_ms > ${nowMs}`)))
  return new Set(found.flat().map(({ tag }) => tag))
}

/** What was answered to a process and not forgotten yet, in no order. */
export async function listAnswers(db: Reader, { askingTag, limit }: { askingTag: string, limit: number }): Promise<{ number: number, answer: Answer }[]> {
  const rows = await db.query(sql`select number, answer from execute_api_node_answers where asking_tag = ${askingTag} limit ${limit}`)
  return rows.map((row) => ({ number: row['number'] as number, answer: answerOf(row) }))
}

/** How a request that its process gave up stood. */
export interface Withdrawn {
  number: number
  /** Nobody had taken it, and nobody will. */
  wasWaiting: boolean
  /** When there is one after all. */
  answer: Answer | undefined
  isOwnerAlive: boolean
}

export const transactions = defineTransactions('execute-api.nodes', {
  /** Whether the tag was free, and is this process's now. */
  async claim(tx, { tag, aliveUntilMs }: { tag: string, aliveUntilMs: number }): Promise<boolean> {
    return await tx.run(sql`insert into execute_api_nodes (tag, alive_until_ms) values (${tag}, ${aliveUntilMs}) on conflict (tag) do nothing`) > 0
  },

  /** Says that a process is there, even where the store was emptied since. */
  async renew(tx, { tag, aliveUntilMs }: { tag: string, aliveUntilMs: number }): Promise<void> {
    await tx.run(sql`
      insert into execute_api_nodes (tag, alive_until_ms) values (${tag}, ${aliveUntilMs})
      on conflict (tag) do update set alive_until_ms = excluded.alive_until_ms`)
  },

  /** The process is not there any more. Its tag stays taken. */
  async leave(tx, { tag, nowMs }: { tag: string, nowMs: number }): Promise<void> {
    await tx.run(sql`update execute_api_nodes set alive_until_ms = ${nowMs} where tag = ${tag}`)
    await tx.changed(NODE_LEFT, tag)
  },

  /** Puts requests where their owners find them, in this order. Resolves with the numbers of those whose owner is not there: nothing comes of them. */
  async ask(tx, { requests, nowMs }: { requests: readonly NodeRequest[], nowMs: number }): Promise<number[]> {
    const alive = await listAlive(tx, { tags: requests.map(({ ownerTag }) => ownerTag), nowMs })
    const asked = requests.filter(({ ownerTag }) => alive.has(ownerTag))
    await Promise.all(asked.map(({ askingTag, number, ownerTag, deadlineMs, kind, key, message }) => tx.run(sql`
      insert into execute_api_node_requests (asking_tag, number, owner_tag, deadline_ms, record, message)
      values (${askingTag}, ${number}, ${ownerTag}, ${deadlineMs}, ${JSON.stringify({ kind, key })}, ${message})`)))
    for (const tag of new Set(asked.map(({ ownerTag }) => ownerTag))) await tx.changed(REQUESTS_CHANGED, tag)
    return requests.filter(({ ownerTag }) => !alive.has(ownerTag)).map(({ number }) => number)
  },

  /** Takes the oldest requests to this process out of the store, so that nobody ever does them again. Those past their deadline are dropped. */
  async take(tx, { ownerTag, limit, nowMs }: { ownerTag: string, limit: number, nowMs: number }): Promise<{ requests: NodeRequest[], dropped: number }> {
    const rows = await tx.query(sql`
      delete from execute_api_node_requests
      where seq in (select seq from execute_api_node_requests where owner_tag = ${ownerTag} order by seq limit ${limit})
      returning seq, asking_tag, number, owner_tag, deadline_ms, record, message`)
    const requests = rows.sort((a, b) => (a['seq'] as number) - (b['seq'] as number)).map(requestOf).filter(({ deadlineMs }) => deadlineMs > nowMs)
    return { requests, dropped: rows.length - requests.length }
  },

  async answer(tx, { answers }: { answers: readonly NodeAnswer[] }): Promise<void> {
    await Promise.all(answers.map(({ askingTag, number, deadlineMs, answer }) => tx.run(sql`
      insert into execute_api_node_answers (asking_tag, number, deadline_ms, answer)
      values (${askingTag}, ${number}, ${deadlineMs}, ${JSON.stringify(answer)})`)))
    for (const tag of new Set(answers.map(({ askingTag }) => askingTag))) await tx.changed(ANSWERS_CHANGED, tag)
  },

  /** The answers were read. */
  async forget(tx, { askingTag, numbers }: { askingTag: string, numbers: readonly number[] }): Promise<void> {
    await Promise.all(numbers.map((number) => tx.run(sql`
      delete from execute_api_node_answers where asking_tag = ${askingTag} and number = ${number}`)))
  },

  /** Gives requests up: one that still waits is not done any more. */
  async withdraw(tx, { requests, nowMs }: { requests: readonly (RequestId & Pick<NodeRequest, 'ownerTag'>)[], nowMs: number }): Promise<Withdrawn[]> {
    const alive = await listAlive(tx, { tags: requests.map(({ ownerTag }) => ownerTag), nowMs })
    return Promise.all(requests.map(async ({ askingTag, number, ownerTag }) => {
      const [waiting, [answered]] = await Promise.all([
        tx.run(sql`delete from execute_api_node_requests where asking_tag = ${askingTag} and number = ${number}`),
        tx.query(sql`delete from execute_api_node_answers where asking_tag = ${askingTag} and number = ${number} returning answer`),
      ])
      return { number, wasWaiting: waiting > 0, answer: answered && answerOf(answered), isOwnerAlive: alive.has(ownerTag) }
    }))
  },

  /** Removes what nobody took or read before its deadline and then some, and tags that may be given again. */
  async sweep(tx, { deadlineBeforeMs, aliveBeforeMs }: { deadlineBeforeMs: number, aliveBeforeMs: number }): Promise<void> {
    await tx.run(sql`delete from execute_api_node_requests where deadline_ms < ${deadlineBeforeMs}`)
    await tx.run(sql`delete from execute_api_node_answers where deadline_ms < ${deadlineBeforeMs}`)
    await tx.run(sql`delete from execute_api_nodes where alive_until_ms < ${aliveBeforeMs}`)
  },
})

function requestOf(row: Row): NodeRequest {
  return {
    askingTag: row['asking_tag'] as string,
    number: row['number'] as number,
    ownerTag: row['owner_tag'] as string,
    deadlineMs: row['deadline_ms'] as number,
    message: row['message'] as Uint8Array | null,
    ...JSON.parse(row['record'] as string) as Pick<NodeRequest, 'kind' | 'key'>,
  }
}

function answerOf(row: Row): Answer {
  const answer = JSON.parse(row['answer'] as string) as Answer
  // JSON has no member for what is undefined.
  return typeof answer === 'object' ? { ...answer, userAgent: answer.userAgent } : answer
}
