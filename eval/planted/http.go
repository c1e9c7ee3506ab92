package planted

import (
	"fmt"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/fuzz"
	"github.com/stator-go/stator/reactor"
)

// http is a server for HTTP/1.1 that sends back the body of each request. Connections
// persist. A request has a Content-Length, or is chunked, or has no body.
type http struct {
	plant  *Plant
	parser httpParser
	heard  time.Duration
	began  time.Duration // of the current request
	under  bool
}

const (
	httpWaiting = fsm.First + iota // for a request's first byte
	httpReading                    // the rest of it
	httpLate
)

const (
	httpRequest = 10 * time.Second // for all of a request
	httpSilence = time.Minute      // between requests
)

func newHTTP() *Server {
	return &Server{
		Name: "http", isolated: true, pressure: true, build: buildHTTP,
		Files: []string{"http.go", "httpparse.go"},
		Dict: []string{"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "POST /a HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello",
			"POST /b HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n12\r\neighteen bytes her\r\n0\r\n\r\n",
			"POST /c HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
			"POST /d HTTP/1.1\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nhello", "POST /e HTTP/1.1\r\ncontent-length: 2\r\n\r\nab",
			"GET /f HTTP/1.1\r\nConnection: close\r\n\r\n", "POST /g HTTP/1.1\r\nContent-Length: -5\r\n\r\n",
			"POST /h HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", "100000005\r\nhello\r\n", "0\r\n\r\n", "1", "\r\n"},
		Bugs: []Bug{
			{Name: "http/chunk-size-split", What: "a chunk's size cut by the end of a read is taken as whole"},
			{Name: "http/both-lengths", What: "Content-Length and Transfer-Encoding are both accepted"},
			{Name: "http/two-lengths", What: "of two lengths that differ the last one counts"},
			{Name: "http/head-split", What: "an end of the head that comes in two pieces is not seen"},
			{Name: "http/slow-request", What: "each piece of input renews the bound of the whole request (slowloris)"},
			{Name: "http/last-line", What: "a chunked body is over before its last empty line"},
			{Name: "http/chunk-overflow", What: "a chunk's size is kept in 32 bits, and wraps"},
			{Name: "http/chunked-kept", What: "that a request was chunked is still believed of the next one"},
			{Name: "http/after-close", What: "after Connection: close the next request is answered, too"},
			{Name: "http/negative-length", What: "a negative length is used as one"},
			{Name: "http/case", What: "names of headers are compared with their case"},
		},
		model: inputs[bool, request]{"requests", fuzz.Model[bool, request]{
			New:   func() (over bool) { return false },
			Input: func(in []byte) (request, int, bool) { return (&httpParser{plant: new(Plant)}).request(in) },
			Step: func(over *bool, r request) string {
				if *over {
					return ""
				}
				*over = r.bad || r.last
				return r.response()
			},
		}},
	}
}

func buildHTTP(p *Plant) func(Room) error {
	wait := peer.Readable().While(peer.Room())
	k := reactor.Must(reactor.NewKind("http", reactor.Options{Ports: []string{"peer"}}, reactor.Table[http, reactor.None]{
		fsm.Any: {Shutdown: fsm.Stop, Stall: fsm.After(10*time.Second, fsm.Stop)},
		httpWaiting: {Name: "waiting", Wait: wait, Idle: fsm.After(httpSilence, httpLate), OnEnter: (*http).wait, OnReady: (*http).read,
			To: fsm.To(httpWaiting, httpReading)},
		httpReading: {Name: "reading", Wait: wait, Within: fsm.After(httpRequest, httpLate), OnReady: (*http).read,
			To: fsm.To(httpWaiting)},
		httpLate: {Name: "late", OnEnter: (*http).late, Within: fsm.After(time.Second, fsm.Stop)},
	}))
	return func(r Room) error {
		_, err := k.Listen(r.Loop(0), "tcp", ":7000", http{plant: p, parser: httpParser{plant: p}})
		return err
	}
}

func (h *http) wait(cx *cx) fsm.State {
	h.heard, h.under = cx.Now(), false
	return fsm.Stay
}

// late ends a slow peer.
func (h *http) late(cx *cx) fsm.State {
	quiet, age := cx.Now()-h.heard, cx.Now()-h.began
	claim(h.under || quiet >= httpSilence, "a peer ended for its silence was silent for %v: %v was allowed", quiet, httpSilence)
	claim(!h.under || age >= httpRequest, "a peer ended for a slow request had %v: %v was allowed", age, httpRequest)
	return fsm.Stop
}

func (h *http) read(cx *cx, _ reactor.Ready) fsm.State {
	age := cx.Now() - h.began
	claim(!h.under || age <= httpRequest+slack, "a request may take %v: this one has had %v", httpRequest, age)
	in, err := cx.Peek(peer)
	if err != nil {
		return cx.Fail(err)
	}
	r, n, ok := h.parser.request(in)
	if !ok {
		return h.more(cx)
	}
	cx.Discard(peer, n)
	if err := cx.Write(peer, []byte(r.response())); err != nil {
		return cx.Fail(err)
	}
	switch {
	case r.bad:
		return fsm.Stop
	case r.last:
		return swap(h.plant, "http/after-close", httpWaiting, fsm.Stop)
	}
	return httpWaiting
}

// more continues to wait for the rest of a request.
func (h *http) more(cx *cx) fsm.State {
	if !h.under {
		h.under, h.began = true, cx.Now()
		return httpReading
	}
	if h.plant.Wrong("http/slow-request", cx.Now() > h.began) {
		cx.Within(httpRequest)
	}
	return fsm.Stay
}

// request is a parsed request, or an invalid one.
type request struct {
	body string
	last bool // the connection is to be closed
	bad  bool
}

func (r request) response() string {
	switch {
	case r.bad:
		return "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"
	case r.last:
		return fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s", len(r.body), r.body)
	}
	return fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(r.body), r.body)
}
