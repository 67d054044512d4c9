// How much API Gateway takes and gives at once.

/** Source: API Gateway quotas, "Payload size". Bytes. */
export const PAYLOAD_BYTES_MAX = 10 * 1024 * 1024
