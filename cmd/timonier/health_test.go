package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestAskedForItsHealth(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok\n")) })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = w.Write([]byte(`{"discord":"connecting"}`))
	})
	server := httptest.NewServer(mux)
	address := strings.TrimPrefix(server.URL, "http://")
	everywhere := "0.0.0.0" + address[strings.LastIndexByte(address, ':'):]
	for _, tt := range []struct {
		name     string
		args     []string
		code     int
		out, err string
	}{
		{"well", []string{"--at", address}, 0, "ok\n", ""},
		{"well, and listening everywhere", []string{"--at", everywhere}, 0, "ok\n", ""},
		{"not ready", []string{"--at", address, "--ready"}, 1, "", `503 Service Unavailable: {"discord":"connecting"}`},
		{"no address", []string{"--at", "there"}, 2, "", "--at"},
		{"a word", []string{"well"}, 2, "", "well"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := program(t, nil, "", append([]string{"health", "--lang", "en"}, tt.args...)...)
			if got.code != tt.code || got.out != tt.out || !strings.Contains(got.errors, tt.err) {
				t.Errorf("%+v", got)
			}
		})
	}
	server.Close()
	if got := program(t, nil, "", "health", "--lang", "en", "--at", address); got.code != 1 || !strings.Contains(got.errors, "Nothing answers at "+address) {
		t.Errorf("nobody there: %+v", got)
	}
}
