package main

import (
	"log/slog"

	"timonier/bot"
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
	return nil
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
