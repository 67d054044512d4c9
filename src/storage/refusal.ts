// Why a store does not open, as a sentence.

/** A sentence for the person who starts the program: what is wrong with the store and what to do. Ends the program with exit code 1. */
export class StorageRefusal extends Error {
  constructor(sentence: string, options?: ErrorOptions) {
    super(sentence, options)
    this.name = 'StorageRefusal'
  }
}
