package apiserver

import (
	"errors"
	"net"
	"net/http"
	"os"
	"syscall"
)

// Address is where the cluster's nodes and kubectl reach the server: host and port.
const Address = "192.168.1.10:6443"

// SetDown stops the server, or starts it again. While it is down nobody reads or writes through it, and watches that
// were open have ended: a client gets ErrDown, a request over HTTP no answer. What is in etcd stays.
func (s *Server) SetDown(down bool) {
	if down && !s.down {
		s.life++
	}
	s.down = down
}

// Down says whether the server is down.
func (s *Server) Down() bool { return s.down }

// Down says whether the client's server is down.
func (c *Client) Down() bool { return c.server.down }

// ErrDown is what who dials a server that is down gets from the other machine's kernel: the port is closed.
var ErrDown error = &net.OpError{Op: "dial", Net: "tcp", Addr: address(Address), Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}

// IsDown says of an error that the server could not be reached.
func IsDown(err error) bool { return errors.Is(err, syscall.ECONNREFUSED) }

type address string

func (a address) Network() string { return "tcp" }
func (a address) String() string  { return string(a) }

// hangUp ends a connection without an answer: over a network that is as near as one comes to a server that is not there.
func hangUp() { panic(http.ErrAbortHandler) }
