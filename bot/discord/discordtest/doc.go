// Package discordtest is a strict local stand-in for Discord, for tests and
// rehearsals only: one HTTP server on 127.0.0.1 that plays the REST API (v9 and
// v10) and the gateway (JSON over a websocket). A test sends an Interaction and
// gets an Exchange, in which it waits for what the bot answers; every request of
// the bot is held against the limits of Discord's documentation and, where
// Config.Spec names the file, against Discord's own OpenAPI description. A breach
// is answered as Discord answers it and is kept in Faults, which a test asserts
// to be empty. It also misbehaves as Discord does: rate limits, failures, lost
// answers, events twice, connections dropped, sessions that end.
//
// It will not judge what the bot says, keep anything after Close, speak for people
// beyond interactions (no message events, voice or reactions), compress, or leave
// loopback.
//
// Sources: https://discord.com/developers/docs, by page: "Receiving and Responding"
// (interactions/receiving-and-responding), "Application Commands"
// (interactions/application-commands), "Components" (components/reference), "Message"
// (resources/message), "Webhook" (resources/webhook), "Gateway" (events/gateway),
// "Opcodes and Status Codes" (topics/opcodes-and-status-codes), "Rate Limits"
// (topics/rate-limits), "Locales" (reference#locales).
package discordtest
