// The identifiers that API Gateway v2 gives. Source: AWS CLI reference, examples of each apigatewayv2 command.

import { alphabets, type RandomSource } from '#lib/random.ts'

/** `a1b2c3d4e5`: an API; like a REST API's, with which it shares the addresses. */
export const newApiId = (random: RandomSource): string => random.text(10, alphabets.lowerAlphanumeric)

/** `rjd8e9f`: a route or an integration. */
export const newLongId = (random: RandomSource): string => random.text(7, alphabets.lowerAlphanumeric)

/** `x7kq2p`: everything else. */
export const newId = (random: RandomSource): string => random.text(6, alphabets.lowerAlphanumeric)
