package main

import (
	"net"
	"net/http"
	"sync"
)

// crowd is a listener that holds so many connections at most. Where there are as many, one over which nothing is asked
// at the moment makes room; where each is asked something, the next one waits until the times of its server end one.
// Whoever keeps connections for nothing keeps nobody else out.
type crowd struct {
	net.Listener
	places chan struct{}
	done   chan struct{}

	mu    sync.Mutex
	waits bool // one that has been accepted waits for a place
	ended bool
	idle  map[net.Conn]struct{}
}

// newCrowd bounds the connections of a server, which is the listener's alone.
func newCrowd(l net.Listener, most int, server *http.Server) *crowd {
	c := &crowd{Listener: l, places: make(chan struct{}, most), done: make(chan struct{}), idle: map[net.Conn]struct{}{}}
	server.ConnState = c.state
	return c
}

// Accept waits for the next connection, and for a place for it.
func (c *crowd) Accept() (net.Conn, error) {
	conn, err := c.Listener.Accept()
	if err != nil {
		return nil, err
	}
	select {
	case c.places <- struct{}{}:
		return &guest{Conn: conn, crowd: c}, nil
	default:
	}
	c.wait(true)
	defer c.wait(false)
	select {
	case c.places <- struct{}{}:
		return &guest{Conn: conn, crowd: c}, nil
	case <-c.done:
		_ = conn.Close()
		return nil, net.ErrClosed
	}
}

// wait notes whether one waits; where it does, one that is idle goes.
func (c *crowd) wait(waits bool) {
	c.mu.Lock()
	var goes net.Conn
	if c.waits = waits; waits {
		for conn := range c.idle {
			goes = conn
			delete(c.idle, conn)
			break
		}
	}
	c.mu.Unlock()
	if goes != nil {
		_ = goes.Close()
	}
}

// state notes over which connections nothing is asked: such a one goes at once where another waits.
func (c *crowd) state(conn net.Conn, s http.ConnState) {
	c.mu.Lock()
	goes := s == http.StateIdle && c.waits
	if s == http.StateIdle && !goes {
		c.idle[conn] = struct{}{}
	} else {
		delete(c.idle, conn)
	}
	c.mu.Unlock()
	if goes {
		_ = conn.Close()
	}
}

// Close takes no more connections; those that are there stay.
func (c *crowd) Close() error {
	c.mu.Lock()
	if !c.ended {
		c.ended = true
		close(c.done)
	}
	c.mu.Unlock()
	return c.Listener.Close()
}

// guest is a connection that gives its place back when it is closed.
type guest struct {
	net.Conn
	crowd *crowd
	once  sync.Once
}

func (g *guest) Close() error {
	defer g.once.Do(func() { <-g.crowd.places })
	return g.Conn.Close()
}
