// Why a request is not signed, in words for the person who sent it.

/** The API's response patterns know refusals by how they begin. */
export class Refusal extends Error {
  constructor(reason: string) {
    super(`Request refused: ${reason}`)
    this.name = 'Refusal'
  }
}
