package right

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/fuzz"
	"github.com/stator-go/stator/reactor"
)

// upload takes files in chunks: "PUT\n", then chunks, each its length in hexadecimal, a line
// end, and its bytes; the empty chunk ends the file. The reply is the sum of all bytes. A
// file may take 5 s, and a connection is closed after one that takes longer.
type upload struct {
	left int // of the chunk
	sum  int
}

type uploadCx = reactor.Context[reactor.None]

const (
	uploadPeer  reactor.Port = 0
	uploadLimit              = 5 * time.Second
	uploadChunk              = 0x2000 // the largest
)

const (
	uploadReady = fsm.First + iota
	uploadTaking
	uploadLate
)

var errUpload = errors.New("no upload")

func newUpload() *reactor.Kind[upload, reactor.None] {
	wait := uploadPeer.Readable().While(uploadPeer.Room())
	return reactor.Must(reactor.NewKind("upload", reactor.Options{Ports: []string{"peer"}, ReadBuffer: 4096},
		reactor.Table[upload, reactor.None]{
			fsm.Any: {Shutdown: fsm.Stop, Stall: fsm.After(10*time.Second, fsm.Stop)},
			uploadReady: {Name: "ready", Wait: wait, OnReady: (*upload).begin,
				Idle: fsm.After(time.Minute, fsm.Stop), To: fsm.To(uploadTaking)},
			uploadTaking: {Name: "taking", Wait: wait, OnReady: (*upload).take, Idle: fsm.Never,
				Within: fsm.After(uploadLimit, uploadLate), To: fsm.To(uploadReady)},
			uploadLate: {Name: "late", OnEnter: (*upload).late},
		}))
}

func (u *upload) begin(cx *uploadCx, _ reactor.Ready) fsm.State {
	in, err := cx.Peek(uploadPeer)
	line, n := cutLine(in)
	if err != nil || n == 0 {
		return cx.Fail(err)
	}
	if line != "PUT" {
		return respond(&cx.IO, uploadPeer, "400\n", n, func() {})
	}
	cx.Discard(uploadPeer, n)
	u.sum = 0
	return uploadTaking
}

// take takes the rest of a chunk, or the head of the next one.
func (u *upload) take(cx *uploadCx, _ reactor.Ready) fsm.State {
	in, err := cx.Peek(uploadPeer)
	if err != nil {
		return cx.Fail(err)
	}
	if u.left > 0 {
		in = in[:min(len(in), u.left)]
		u.sum += sumOf(string(in))
		u.left -= len(in)
		cx.Discard(uploadPeer, len(in))
		return fsm.Stay
	}
	line, n := cutLine(in)
	if n == 0 {
		return fsm.Stay
	}
	size, err := chunkSize(line)
	if err != nil {
		return cx.Stop(err)
	}
	if size > 0 {
		u.left = size
		cx.Discard(uploadPeer, n)
		return fsm.Stay
	}
	next := fsm.Stay
	if s := respond(&cx.IO, uploadPeer, fmt.Sprintln(u.sum), n, func() { next = uploadReady }); s != fsm.Stay {
		return s
	}
	return next
}

func (u *upload) late(cx *uploadCx) fsm.State {
	if err := cx.Write(uploadPeer, []byte("408\n")); err != nil {
		return cx.Fail(err)
	}
	return fsm.Stop
}

func sumOf(s string) (sum int) {
	for i := range len(s) {
		sum += int(s[i])
	}
	return sum
}

func chunkSize(line string) (int, error) {
	n, err := strconv.ParseUint(line, 16, 16)
	if err != nil || n > uploadChunk {
		return 0, errUpload
	}
	return int(n), nil
}

// uploadState is the model's.
type uploadState struct {
	taking, over bool
	since        time.Duration // of the upload
	sum          int
}

// uploadNext cuts a line, or in an upload a whole chunk. A chunk that is none is the end.
func uploadNext(s uploadState, in []byte, _ bool) (input string, n int, ok bool) {
	line, n := cutLine(in)
	size, err := chunkSize(line)
	if n == 0 || !s.taking || err != nil {
		return line, n, n > 0
	}
	n += size
	return string(in[:min(n, len(in))]), n, n <= len(in)
}

func uploadSteps(s uploadState, input string, at fuzz.Moment) []fuzz.Outcome[uploadState] {
	one := func(s uploadState, answer string) []fuzz.Outcome[uploadState] {
		return []fuzz.Outcome[uploadState]{{State: s, Answer: answer}}
	}
	if s.over {
		return one(s, "")
	}
	if !s.taking {
		if input != "PUT" {
			return one(s, "400\n")
		}
		return one(uploadState{taking: true, since: at.Time}, "")
	}
	head, data, _ := strings.Cut(input, "\n")
	switch size, err := chunkSize(head); {
	case err != nil:
		return one(uploadState{over: true}, "")
	case size == 0:
		return one(uploadState{}, fmt.Sprintln(s.sum))
	}
	s.sum += sumOf(data)
	return one(s, "")
}

func uploadSpec() fuzz.Spec {
	kind := newUpload()
	return fuzz.Spec{
		Setup: func(w *fuzz.World) error {
			_, err := kind.Listen(w.Loop(0), "tcp", ":8080", upload{})
			return err
		},
		Dict:      []string{"PUT\n", "3\nabc", "0\n", "2000\n", strings.Repeat("x", 0x2000), "PUT\n1\na0\n", "zz\n"},
		WordsOnly: true,
		Isolated:  true,
		Oracles: []fuzz.Oracle{fuzz.PerConn("uploads", fuzz.Model[uploadState, string]{
			Next:  uploadNext,
			Steps: uploadSteps,
			Over:  func(s uploadState) bool { return s.over },
			Push: func(s uploadState, at fuzz.Moment) []fuzz.Outcome[uploadState] {
				if !s.taking || at.Time < s.since+uploadLimit {
					return nil
				}
				return []fuzz.Outcome[uploadState]{{State: uploadState{over: true}, Answer: "408\n"}}
			},
			Owes: func(s uploadState, at fuzz.Moment) bool { return s.taking && at.Time > s.since+uploadLimit },
			Ends: func(s uploadState, at fuzz.Moment) time.Duration {
				if s.taking {
					return s.since + uploadLimit
				}
				return at.Sent + time.Minute
			},
		})},
	}
}
