package main

import (
	"context"
	"log/slog"
	"net"

	"timonier/bot"
	"timonier/bot/discord"
	"timonier/bot/slack"
)

// The ways in which a platform reaches the program. HTTP is named last.
const (
	wayGateway = "gateway"
	waySocket  = "socket"
	wayHTTP    = "http"
)

// shared is what all front ends work with.
type shared struct {
	tutor   *bot.Tutor
	logger  *slog.Logger
	metrics *bot.Metrics
	most    int
	dial    func(ctx context.Context, network, address string) (net.Conn, error) // nil: net.Dialer's
}

// platform is one that serve knows.
type platform struct {
	name  string
	ways  func(values) []string // that the settings ask for; none: the platform is left out
	paths []string              // of HTTP
	make  func(values, shared) (frontEnd, error)
}

// platforms is the table of what serve can connect.
func platforms() []platform {
	return []platform{
		{
			name:  "discord",
			ways:  func(got values) []string { return waysOf(got, discordToken, wayGateway, discordKey) },
			paths: []string{"/discord/interactions"},
			make: func(got values, with shared) (frontEnd, error) {
				return discord.New(discordConfig(got, with))
			},
		},
		{
			name:  "slack",
			ways:  func(got values) []string { return waysOf(got, slackApp, waySocket, slackSigning) },
			paths: []string{"/slack", slack.PathCommands, slack.PathInteractions, slack.PathEvents},
			make: func(got values, with shared) (frontEnd, error) {
				return slack.New(slack.Config{
					Tutor: with.tutor, BotToken: got[slackBot], AppToken: got[slackApp], SigningSecret: got[slackSigning],
					API: got[slackURL], Teachers: got.list(slackTeachers), Most: with.most, Dial: with.dial,
					Logger: with.logger, Metrics: with.metrics,
				})
			},
		},
	}
}

func discordConfig(got values, with shared) discord.Config {
	return discord.Config{
		Tutor: with.tutor, Token: got[discordToken], AppID: got[discordApp], PublicKey: got[discordKey],
		Guild: got[discordGuild], API: got[discordURL], Shards: got.number(discordShards),
		TeacherRoles: got.list(discordRoles), Most: with.most, Dial: with.dial, Logger: with.logger, Metrics: with.metrics,
	}
}

// waysOf are those whose setting is there.
func waysOf(got values, socket, socketName, http string) []string {
	var ways []string
	if got.has(socket) {
		ways = append(ways, socketName)
	}
	if got.has(http) {
		ways = append(ways, wayHTTP)
	}
	return ways
}
