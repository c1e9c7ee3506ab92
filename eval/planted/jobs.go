package planted

import (
	"bytes"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/reactor"
)

// jobs answers lines. One worker does so for all connections, a line each 5 ms. It has no
// model.
type (
	jobClient struct {
		plant  *Plant
		worker reactor.Ref[lineJob]
	}
	jobWorker struct {
		plant *Plant
		queue []lineJob
	}
	lineJob struct {
		from reactor.Ref[string]
		line string
	}
)

const (
	clientReading = fsm.First + iota
	clientWaiting // for the worker
)

const (
	workerIdle = fsm.First + iota
	workerBusy
	workerDone
)

const jobsMost = 64 // bytes of a line

func newJobs() *Server {
	return &Server{
		Name: "jobs", pressure: true, build: buildJobs,
		Files: []string{"jobs.go"},
		Dict:  []string{"one\n", "another one\n", "half", "\n"},
		Bugs: []Bug{
			{Name: "jobs/newest-first", What: "the worker takes the newest line first: under load the oldest waits for ever"},
		},
	}
}

func buildJobs(p *Plant) func(Room) error {
	clients := reactor.Must(reactor.NewKind("client", reactor.Options{Ports: []string{"peer"}}, reactor.Table[jobClient, string]{
		fsm.Any:       {Shutdown: fsm.Stop, Stall: fsm.After(10*time.Second, fsm.Stop)},
		clientReading: {Name: "reading", Defer: true, Wait: peer.Readable(), Idle: fsm.After(time.Minute, fsm.Stop), OnReady: (*jobClient).read, To: fsm.To(clientWaiting)},
		clientWaiting: {Name: "waiting", Within: fsm.After(time.Minute, fsm.Stop), OnMessage: (*jobClient).answer, To: fsm.To(clientReading)},
	}))
	workers := reactor.Must(reactor.NewKind("worker", reactor.Options{}, reactor.Table[jobWorker, lineJob]{
		fsm.Any:    {Shutdown: fsm.Stop, OnMessage: (*jobWorker).take, To: fsm.To(workerBusy)},
		workerIdle: {Name: "idle", Idle: fsm.Never},
		workerBusy: {Name: "busy", Within: fsm.After(5*time.Millisecond, workerDone)},
		workerDone: {Name: "done", Within: fsm.Never, OnEnter: (*jobWorker).done, To: fsm.To(workerIdle, workerBusy)},
	}))
	return func(r Room) error {
		w, err := workers.Spawn(r.Loop(0), jobWorker{plant: p})
		if err != nil {
			return err
		}
		_, err = clients.Listen(r.Loop(0), "tcp", ":7000", jobClient{plant: p, worker: w})
		return err
	}
}

func (c *jobClient) read(cx *reactor.Context[string], _ reactor.Ready) fsm.State {
	in, err := cx.Peek(peer)
	if err != nil {
		return cx.Fail(err)
	}
	n := bytes.IndexByte(in[:min(len(in), jobsMost)], '\n') + 1
	switch {
	case n == 0 && len(in) >= jobsMost:
		n = jobsMost
	case n == 0:
		return fsm.Stay
	}
	if err := c.worker.Post(&cx.IO, lineJob{cx.Self(), string(in[:n])}); err != nil {
		return cx.Fail(err)
	}
	cx.Discard(peer, n)
	return clientWaiting
}

func (c *jobClient) answer(cx *reactor.Context[string], line *string) fsm.State {
	if err := cx.Write(peer, []byte(*line)); err != nil {
		return cx.Fail(err)
	}
	return clientReading
}

func (w *jobWorker) take(cx *reactor.Context[lineJob], j *lineJob) fsm.State {
	w.queue = append(w.queue, *j)
	if cx.State() == workerIdle {
		return workerBusy
	}
	return fsm.Stay
}

// done answers a line, and begins the next one.
func (w *jobWorker) done(cx *reactor.Context[lineJob]) fsm.State {
	at := 0
	if several := len(w.queue) > 1; w.plant.Wrong("jobs/newest-first", several) {
		at = len(w.queue) - 1
	}
	j := w.queue[at]
	w.queue = append(w.queue[:at], w.queue[at+1:]...)
	j.from.Post(&cx.IO, "done: "+j.line) // its connection may have ended
	if len(w.queue) > 0 {
		return workerBusy
	}
	return workerIdle
}
