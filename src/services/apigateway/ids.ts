// The identifiers that API Gateway gives. Source: API Gateway API reference, examples of each operation.

import { alphabets, type RandomSource } from '#lib/random.ts'

/** `a1b2c3d4e5`: an API, and its root resource. */
export const newApiId = (random: RandomSource): string => random.text(10, alphabets.lowerAlphanumeric)

/** `x7kq2p`: a resource, a model, a validator, a deployment. */
export const newId = (random: RandomSource): string => random.text(6, alphabets.lowerAlphanumeric)

/** The model that an import makes of a schema that has no name. Ours: the form. */
export const newModelName = (random: RandomSource): string => `MODEL${random.text(6, alphabets.lowerAlphanumeric)}`
