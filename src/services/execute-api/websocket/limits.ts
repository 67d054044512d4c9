// The limits of WebSocket APIs. Source, where nothing else is said: API Gateway quotas, "Quotas for configuring and running a WebSocket API".

/** Of a message, either way. Bytes; more closes the connection with 1009. */
export const MESSAGE_BYTES_MAX = 128 * 1024
/** Of one frame's payload, bytes. */
export const FRAME_BYTES_MAX = 32 * 1024
export const IDLE_MS_MAX = 10 * 60_000
export const CONNECTION_MS_MAX = 2 * 60 * 60_000
/** "Integration timeout", milliseconds. */
export const WEBSOCKET_TIMEOUT_MS_MAX = 29_000

/** Ours: what a client has not read yet, bytes; more is refused as AWS refuses it ("the client side buffer is full"). */
export const UNSENT_BYTES_MAX = 1024 * 1024
/** Ours: as `UNSENT_BYTES_MAX`, of all connections of one process together. */
export const UNSENT_BYTES_OF_ALL_MAX = 256 * 1024 * 1024
/** Ours: messages of one connection that are being worked on; further ones stay unread until one is done. */
export const MESSAGES_AT_ONCE_MAX = 64
/** Ours: connections of one process. */
export const CONNECTIONS_MAX = 20_000
