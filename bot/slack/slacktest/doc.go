// Package slacktest is a strict local stand-in for Slack, for tests and rehearsals:
// one HTTP server on 127.0.0.1 that plays the Web API, response URLs, uploads and
// downloads of files, and Socket Mode. It validates every request against tables of
// Slack's limits, answers as Slack does, and records every breach in Faults, which a
// test asserts empty. It plays people too: a Command, an Action or an event is sent to
// the bot over a socket or over HTTP, and an Exchange lets a test wait for what
// follows, without polling and without sleeping.
//
// It will not be lenient where Slack is: an unknown field, a missing fallback text or
// an answer nobody asked for is a fault. It knows no OAuth, no assistants, no
// reactions, no history, and no rate but those a test asks for. It imports nothing of
// ours, and nothing but tests and rehearsals may import it.
package slacktest
